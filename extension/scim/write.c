/*
 * write.c
 *	  Resources as JSON.
 *
 * Attributes come in the order of their schema.  id and schemas are always there,
 * what a schema says is never returned never.
 */
#include "base/compat.h"

#include "scim/write.h"

#include "base/json.h"
#include "scim/members.h"
#include "utils/builtins.h"

/* ---- what is asked for ---- */

static void
read_choice(const ScimResourceType *type, ScimSelection *selection, const char *text, int length, const char *parameter)
{
	ScimPath   *path = palloc(sizeof(ScimPath));
	ScimChoice *choice = &selection->choices[selection->count];

	if (!scim_parse_path(text, length, palloc(length + 1), path))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, psprintf("?%s", parameter), "format", "has \"%.*s\", which is no attribute: %s", length, text,
						 path->filter.fault);
	if (!schema_find(type, path->name, &choice->target))
		return;
	if (path->sub.length > 0 && choice->target.attribute)
		choice->target.sub = match_sub(choice->target.attribute, path->sub);
	choice->path = path->has_filter ? path : NULL;
	selection->count++;
}

ScimSelection
write_selection(const ScimResourceType *type, const char *attributes, const char *excluded)
{
	ScimSelection selection = {.only = attributes && *attributes};
	const char *text = selection.only ? attributes : excluded ? excluded : "";
	int			commas = 0;

	if (selection.only && excluded && *excluded)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?excludedAttributes", "conflict", "does not go with attributes");
	for (const char *c = text; *c; c++)
		commas += *c == ',';
	selection.choices = palloc(sizeof(ScimChoice) * (commas + 1));
	while (*text)
	{
		int			length;
		int			end;

		text += strspn(text, " ,");
		length = (int) strcspn(text, ",");
		for (end = length; end > 0 && text[end - 1] == ' '; end--)
			;
		if (end > 0)
			read_choice(type, &selection, text, end, selection.only ? "attributes" : "excludedAttributes");
		text += length;
	}
	return selection;
}

/* Is the attribute, or one of its sub-attributes where subs is set, named? */
static bool
is_named(const ScimSelection *selection, const ScimSchema *extension, const ScimAttribute *attribute, bool subs)
{
	for (int i = 0; i < selection->count; i++)
	{
		const ScimTarget *target = &selection->choices[i].target;

		if (target->extension == extension && (target->attribute == NULL || (target->attribute == attribute && (subs || target->sub == NULL))))
			return true;
	}
	return false;
}

static bool
is_shown(const ScimSelection *selection, const ScimSchema *extension, const ScimAttribute *attribute)
{
	if (attribute->returned == SCIM_NEVER || attribute->mutability == SCIM_WRITE_ONLY)
		return false;
	if (attribute->returned == SCIM_ALWAYS)
		return true;
	if (selection->only)
		return is_named(selection, extension, attribute, true);
	return attribute->returned != SCIM_ON_REQUEST && !is_named(selection, extension, attribute, false);
}

/* The same of a sub-attribute whose attribute is shown. */
static bool
sub_is_shown(const ScimSelection *selection, const ScimSchema *extension, const ScimAttribute *attribute, const ScimAttribute *sub)
{
	bool		named = false;

	if (sub->returned == SCIM_NEVER || sub->mutability == SCIM_WRITE_ONLY)
		return false;
	if (sub->returned == SCIM_ALWAYS)
		return true;
	for (int i = 0; i < selection->count; i++)
	{
		const ScimTarget *target = &selection->choices[i].target;

		named = named || (target->extension == extension && target->attribute == attribute && target->sub == sub);
	}
	if (selection->only)
		return named || is_named(selection, extension, attribute, false);
	return !named && sub->returned != SCIM_ON_REQUEST;
}

bool
write_shows(const ScimWriter *writer, const char *name)
{
	const ScimSchema *schema = writer->type->schema;
	const ScimAttribute *attribute = schema_attribute(schema->attributes, schema->count, name, (int) strlen(name));

	return attribute && is_shown(&writer->selection, NULL, attribute);
}

/* ---- values ---- */

/* The filter in brackets that an attribute is asked for with, or NULL: all elements. */
static const ScimPath *
filter_of(const ScimWriter *writer, const ScimSchema *extension, const ScimAttribute *attribute)
{
	const ScimPath *found = NULL;

	for (int i = 0; i < writer->selection.count; i++)
	{
		const ScimChoice *choice = &writer->selection.choices[i];

		if (choice->target.extension != extension || choice->target.attribute != attribute)
			continue;
		if (choice->path == NULL)
			return NULL;
		found = choice->path;
	}
	return found;
}

static void
write_element(StringInfo out, const ScimWriter *writer, const ScimSchema *extension, const ScimAttribute *attribute, const ScimValue *value)
{
	int			begin = out->len;

	if (attribute->type != SCIM_COMPLEX || value->kind != SCIM_VALUE_OBJECT)
	{
		tree_write(out, value);
		return;
	}
	for (int i = 0; i < attribute->count; i++)
	{
		const ScimValue *sub = tree_get(value, attribute->subs[i].name);

		if (sub == NULL || !sub_is_shown(&writer->selection, extension, attribute, &attribute->subs[i]))
			continue;
		appendStringInfoChar(out, out->len == begin ? '{' : ',');
		json_name(out, attribute->subs[i].name);
		tree_write(out, sub);
	}
	if (out->len == begin)
		appendStringInfoChar(out, '{');
	appendStringInfoChar(out, '}');
}

static void
write_value(StringInfo out, const ScimWriter *writer, const ScimSchema *extension, const ScimAttribute *attribute, const ScimValue *value)
{
	const ScimPath *path = filter_of(writer, extension, attribute);
	bool		first = true;

	if (!attribute->multi_valued || value->kind != SCIM_VALUE_LIST)
	{
		write_element(out, writer, extension, attribute, value);
		return;
	}
	appendStringInfoChar(out, '[');
	for (int i = 0; i < value->count; i++)
	{
		if (path && !match_element(&path->filter, path->filter.root, attribute, value->items[i]))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		write_element(out, writer, extension, attribute, value->items[i]);
	}
	appendStringInfoChar(out, ']');
}

/* groups of a user: with the URI and the type of each. */
static void
write_groups(StringInfo out, const ScimWriter *writer, const ScimAttribute *attribute, const ScimValue *groups)
{
	for (int i = 0; i < groups->count; i++)
	{
		const char *id = tree_get(groups->items[i], "value")->text;

		tree_set(groups->items[i], "$ref", tree_text(psprintf("%s/api/scim/v2/Groups/%s", writer->base_url, id)));
		tree_set(groups->items[i], "type", tree_text("direct"));
	}
	write_value(out, writer, NULL, attribute, groups);
}

/* Where the members of a group are written. */
typedef struct MemberList
{
	const ScimWriter *writer;
	const ScimAttribute *attribute;
	const ScimPath *path;		/* with a filter, or NULL */
	int			begin;
} MemberList;

static void
write_member(StringInfo out, void *owner, const ScimValue *member)
{
	MemberList *list = owner;

	if (list->path && !match_element(&list->path->filter, list->path->filter.root, list->attribute, member))
		return;
	if (out->len > list->begin)
		appendStringInfoChar(out, ',');
	write_element(out, list->writer, NULL, list->attribute, member);
}

static void
write_members(StringInfo out, const ScimWriter *writer, const ScimAttribute *attribute, const ScimResource *resource)
{
	MemberList	list = {writer, attribute, filter_of(writer, NULL, attribute), 0};

	json_literal(out, ",\"members\":[");
	list.begin = out->len;
	members_write(out, writer->context, &resource->id, writer->base_url, write_member, &list);
	/* absent rather than empty, as other attributes are */
	if (out->len == list.begin)
	{
		out->len -= (int) strlen(",\"members\":[");
		out->data[out->len] = '\0';
	}
	else
		appendStringInfoChar(out, ']');
}

/* ---- the resource ---- */

static void
write_core(StringInfo out, const ScimWriter *writer, const ScimResource *resource)
{
	const ScimSchema *schema = writer->type->schema;
	const ScimValue *external = tree_get(resource->content, "externalId");

	if (external && is_shown(&writer->selection, NULL, &schema_common[1]))
	{
		json_literal(out, ",\"externalId\":");
		tree_write(out, external);
	}
	for (int i = 0; i < schema->count; i++)
	{
		const ScimAttribute *attribute = &schema->attributes[i];
		const ScimValue *value = tree_get(resource->content, attribute->name);

		if (!is_shown(&writer->selection, NULL, attribute))
			continue;
		if (writer->type->storage == SCIM_IN_ROLES && strcmp(attribute->name, "members") == 0)
			write_members(out, writer, attribute, resource);
		else if (value || (writer->type->storage == SCIM_IN_USERS && resource->groups && strcmp(attribute->name, "groups") == 0))
		{
			appendStringInfoChar(out, ',');
			json_name(out, attribute->name);
			if (value)
				write_value(out, writer, NULL, attribute, value);
			else
				write_groups(out, writer, attribute, resource->groups);
		}
	}
}

static void
write_extension(StringInfo out, const ScimWriter *writer, const ScimSchema *extension, const ScimValue *content)
{
	int			begin = out->len;

	for (int i = 0; content && i < extension->count; i++)
	{
		const ScimAttribute *attribute = &extension->attributes[i];
		const ScimValue *value = tree_get(content, attribute->name);

		if (value == NULL || !is_shown(&writer->selection, extension, attribute))
			continue;
		appendStringInfoChar(out, ',');
		if (out->len == begin + 1)
		{
			json_name(out, extension->urn);
			appendStringInfoChar(out, '{');
		}
		json_name(out, attribute->name);
		write_value(out, writer, extension, attribute, value);
	}
	if (out->len > begin)
		appendStringInfoChar(out, '}');
}

static void
write_meta(StringInfo out, const ScimWriter *writer, const ScimResource *resource)
{
	const ScimAttribute *meta = &schema_common[2];
	ScimValue  *value = tree_make(SCIM_VALUE_OBJECT);
	StringInfoData text;

	if (!is_shown(&writer->selection, NULL, meta))
		return;
	tree_set(value, "resourceType", tree_text(writer->type->name));
	initStringInfo(&text);
	json_time_raw(&text, resource->created_at);
	tree_set(value, "created", tree_text(text.data));
	initStringInfo(&text);
	json_time_raw(&text, resource->updated_at);
	tree_set(value, "lastModified", tree_text(text.data));
	tree_set(value, "location", tree_text(write_location(writer->type, writer->base_url, &resource->id)));
	tree_set(value, "version", tree_text(psprintf("W/\"%d\"", resource->version)));
	json_literal(out, ",\"meta\":");
	write_value(out, writer, NULL, meta, value);
}

void
write_resource(StringInfo out, const ScimWriter *writer, const ScimResource *resource)
{
	const ScimResourceType *type = writer->type;

	json_literal(out, "{\"schemas\":[");
	json_string(out, type->schema->urn);
	for (int i = 0; i < type->extension_count; i++)
		if (tree_get(resource->content, type->extensions[i]->urn))
		{
			appendStringInfoChar(out, ',');
			json_string(out, type->extensions[i]->urn);
		}
	json_literal(out, "],\"id\":");
	json_string(out, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&resource->id))));
	write_core(out, writer, resource);
	for (int i = 0; i < type->extension_count; i++)
		write_extension(out, writer, type->extensions[i], tree_get(resource->content, type->extensions[i]->urn));
	write_meta(out, writer, resource);
	appendStringInfoChar(out, '}');
}

char *
write_location(const ScimResourceType *type, const char *base_url, const pg_uuid_t *id)
{
	return psprintf("%s/api/scim/v2%s/%s", base_url, type->endpoint, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id))));
}
