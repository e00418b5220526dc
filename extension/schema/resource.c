/*
 * resource.c
 *	  Finding $id, $anchor and $dynamicAnchor, and what a $ref means.
 *
 * Documents are walked once with a list, not by recursion, and only where
 * schemas stand: a $id inside an enum is data.
 */
#include "compat.h"

#include "json.h"
#include "miscadmin.h"
#include "schema/resource.h"
#include "schema/uri.h"
#include "utils/builtins.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"
#define DEFAULT_VOCABULARIES (VOCABULARY_APPLICATOR | VOCABULARY_UNEVALUATED | VOCABULARY_VALIDATION | VOCABULARY_FORMAT)

typedef struct Found
{
	Value		value;
	int			resource;
	const char *location;
} Found;

typedef struct FoundList
{
	int			count;
	int			capacity;
	Found	   *items;
} FoundList;

SchemaHolds
schema_keyword_holds(const Value *name)
{
	static const struct
	{
		const char *name;
		SchemaHolds holds;
	}			known[] = {
		{"additionalProperties", HOLDS_SCHEMA}, {"propertyNames", HOLDS_SCHEMA}, {"items", HOLDS_SCHEMA}, {"contains", HOLDS_SCHEMA},
		{"not", HOLDS_SCHEMA}, {"if", HOLDS_SCHEMA}, {"then", HOLDS_SCHEMA}, {"else", HOLDS_SCHEMA},
		{"unevaluatedItems", HOLDS_SCHEMA}, {"unevaluatedProperties", HOLDS_SCHEMA}, {"contentSchema", HOLDS_SCHEMA},
		{"prefixItems", HOLDS_ARRAY}, {"allOf", HOLDS_ARRAY}, {"anyOf", HOLDS_ARRAY}, {"oneOf", HOLDS_ARRAY},
		{"properties", HOLDS_MAP}, {"patternProperties", HOLDS_MAP}, {"$defs", HOLDS_MAP}, {"definitions", HOLDS_MAP},
		{"dependentSchemas", HOLDS_MAP}, {"dependencies", HOLDS_MAP},
	};

	for (int i = 0; i < (int) lengthof(known); i++)
		if (strlen(known[i].name) == name->length && memcmp(known[i].name, name->data, name->length) == 0)
			return known[i].holds;
	return HOLDS_NOTHING;
}

const char *
schema_location(const char *location, const char *token, int length)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, location);
	json_pointer_append(&out, token, length);
	return out.data;
}

Resources *
resources_create(MemoryContext context, const SchemaOptions *options, SchemaErrors *faults)
{
	Resources  *resources = palloc0(sizeof(Resources));
	HASHCTL		control = {.keysize = sizeof(char *),.entrysize = sizeof(SchemaPlace),.hcxt = CurrentMemoryContext};

	resources->context = context;
	resources->options = options;
	resources->faults = faults;
	resources->places = hash_create("qehs schema places", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return resources;
}

static void
push(FoundList *list, const Value *value, int resource, const char *location)
{
	if (value->type != VALUE_OBJECT)
		return;
	if (list->count == list->capacity)
	{
		list->capacity = list->capacity ? list->capacity * 2 : 64;
		list->items = list->items ? repalloc(list->items, sizeof(Found) * list->capacity) : palloc(sizeof(Found) * list->capacity);
	}
	list->items[list->count++] = (Found) {*value, resource, location};
}

static char *
string_member(Resources *resources, const Value *object, const char *name, const char *location)
{
	Value		value;

	if (!value_member(object, name, strlen(name), &value))
		return NULL;
	if (value.type == VALUE_STRING)
		return pnstrdup(value.data, value.length);
	schema_add(resources->faults, schema_location(location, name, strlen(name)), name, name, "must be a string");
	return NULL;
}

static int
find_alias(const Resources *resources, const char *uri)
{
	for (int i = 0; i < resources->alias_count; i++)
		if (strcmp(resources->aliases[i].uri, uri) == 0)
			return resources->aliases[i].resource;
	return -1;
}

static int
add_resource(Resources *resources, const char *uri, int parent, const Value *root, const char *location)
{
	if (resources->count == SCHEMA_MAX_RESOURCES)
	{
		schema_add(resources->faults, location, "$id", "$id", "there are more than %d schema resources", SCHEMA_MAX_RESOURCES);
		return -1;
	}
	resources->items[resources->count] = (SchemaResource) {.uri = uri,.parent = parent,.root = *root,.location = location};
	if (find_alias(resources, uri) < 0)
		resources->aliases[resources->alias_count++] = (SchemaAlias) {uri, resources->count};
	return resources->count++;
}

static void
add_anchor(Resources *resources, int resource, const char *name, bool dynamic, const Value *target)
{
	SchemaResource *item = &resources->items[resource];

	if (item->anchor_count == item->anchor_capacity)
	{
		item->anchor_capacity = item->anchor_capacity ? item->anchor_capacity * 2 : 8;
		item->anchors = item->anchors ? repalloc(item->anchors, sizeof(SchemaAnchor) * item->anchor_capacity) :
			palloc(sizeof(SchemaAnchor) * item->anchor_capacity);
	}
	item->anchors[item->anchor_count++] = (SchemaAnchor) {name, dynamic, *target};
}

/* A schema object: its resource, its anchors, its subschemas. */
static void
examine(Resources *resources, FoundList *list, Found found)
{
	SchemaPlace *place;
	bool		seen;
	uint32		count = VALUE_COUNT(&found.value);
	ValueWalk	names = value_walk(VALUE_CONTAINER(&found.value), 0);
	ValueWalk	values;
	char	   *id;
	char	   *anchor;

	place = hash_search(resources->places, &found.value.data, HASH_ENTER, &seen);
	if (seen)
		return;
	place->node = NO_NODE;
	place->location = found.location;
	id = string_member(resources, &found.value, "$id", found.location);
	/* the root of a document has its resource already */
	if (id && resources->items[found.resource].root.data != found.value.data)
	{
		char	   *uri = uri_resolve(resources->items[found.resource].uri, id);

		if (*uri_cut_fragment(uri) == '\0')
			found.resource = add_resource(resources, uri, found.resource, &found.value, found.location);
		else
			schema_add(resources->faults, schema_location(found.location, "$id", 3), "$id", "$id", "must not have a fragment");
		if (found.resource < 0)
		{
			place->resource = 0;
			return;
		}
	}
	place->resource = found.resource;
	anchor = string_member(resources, &found.value, "$anchor", found.location);
	if (anchor)
		add_anchor(resources, found.resource, anchor, false, &found.value);
	anchor = string_member(resources, &found.value, "$dynamicAnchor", found.location);
	if (anchor)
		add_anchor(resources, found.resource, anchor, true, &found.value);
	values = value_walk(VALUE_CONTAINER(&found.value), count);
	for (uint32 i = 0; i < count; i++)
	{
		Value		name;
		Value		value;
		SchemaHolds holds;
		const char *location;

		value_next(&names, &name);
		value_next(&values, &value);
		holds = schema_keyword_holds(&name);
		if (holds == HOLDS_NOTHING)
			continue;
		location = schema_location(found.location, name.data, name.length);
		if (holds == HOLDS_SCHEMA)
			push(list, &value, found.resource, location);
		else if (value.type == (holds == HOLDS_ARRAY ? VALUE_ARRAY : VALUE_OBJECT))
		{
			uint32		children = VALUE_COUNT(&value);
			ValueWalk	keys = value_walk(VALUE_CONTAINER(&value), 0);
			ValueWalk	items = value_walk(VALUE_CONTAINER(&value), holds == HOLDS_ARRAY ? 0 : children);

			for (uint32 j = 0; j < children; j++)
			{
				Value		key = {.data = NULL};
				Value		item;

				if (holds == HOLDS_MAP)
					value_next(&keys, &key);
				value_next(&items, &item);
				if (item.type == VALUE_OBJECT)
					push(list, &item, found.resource, holds == HOLDS_ARRAY ? psprintf("%s/%u", location, j) :
						 schema_location(location, key.data, key.length));
			}
		}
	}
}

static void
explore(Resources *resources, const Value *value, int resource, const char *location)
{
	FoundList	list = {0};

	push(&list, value, resource, location);
	while (list.count > 0)
	{
		CHECK_FOR_INTERRUPTS();
		examine(resources, &list, list.items[--list.count]);
	}
	if (list.items)
		pfree(list.items);
}

int
resources_add_document(Resources *resources, const Jsonb *document, const char *uri)
{
	MemoryContext old = MemoryContextSwitchTo(resources->context);
	Jsonb	   *copy = palloc(VARSIZE(document));
	Value		root;
	bool		first = resources->count == 0;
	const char *own = uri;
	char	   *id;
	int			resource;

	memcpy(copy, document, VARSIZE(document));
	root = value_of(copy);
	id = root.type == VALUE_OBJECT ? string_member(resources, &root, "$id", "") : NULL;
	if (id)
	{
		id = uri_resolve(uri, id);
		if (*uri_cut_fragment(id) != '\0')
			schema_add(resources->faults, "/$id", "$id", "$id", "must not have a fragment");
		own = id;
	}
	resource = add_resource(resources, own, -1, &root, first ? "" : psprintf("%s#", uri));
	if (resource >= 0)
	{
		if (strcmp(own, uri) != 0 && find_alias(resources, uri) < 0)
			resources->aliases[resources->alias_count++] = (SchemaAlias) {uri, resource};
		explore(resources, &root, resource, resources->items[resource].location);
	}
	MemoryContextSwitchTo(old);
	return resource;
}

static int
find_or_load(Resources *resources, const char *uri)
{
	int			resource = find_alias(resources, uri);
	const char *text;
	Jsonb	   *document = NULL;

	if (resource >= 0)
		return resource;
	text = metaschema_text(uri);
	if (text)
		document = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	else if (resources->options && resources->options->lookup)
		document = resources->options->lookup(resources->options->lookup_arg, uri);
	return document ? resources_add_document(resources, document, uri) : -1;
}

/* Walk a JSON Pointer from a resource's root; the resource changes where a $id stands. */
static bool
follow_pointer(Resources *resources, char *pointer, Value *value, int *resource, const char **location)
{
	while (*pointer == '/')
	{
		char	   *token = ++pointer;
		char	   *out = token;
		char	   *end = token + strcspn(token, "/");
		SchemaPlace *place;
		int			length;

		pointer = end;
		for (char *p = token; p < end; p++)
		{
			if (*p == '~' && p + 1 < end && (p[1] == '0' || p[1] == '1'))
				*out++ = *++p == '0' ? '~' : '/';
			else
				*out++ = *p;
		}
		length = out - token;
		*location = schema_location(*location, token, length);
		if (value->type == VALUE_OBJECT)
		{
			if (!value_member(value, token, length, value))
				return false;
		}
		else if (value->type == VALUE_ARRAY && length > 0 && length < 9 && (int) strspn(token, "0123456789") >= length)
		{
			if (!value_item(value, (uint32) strtoul(pnstrdup(token, length), NULL, 10), value))
				return false;
		}
		else
			return false;
		place = value->type == VALUE_OBJECT ? hash_search(resources->places, &value->data, HASH_FIND, NULL) : NULL;
		if (place)
		{
			*resource = place->resource;
			*location = place->location;
		}
	}
	return *pointer == '\0';
}

bool
resources_resolve(Resources *resources, int from, const char *reference, const char *location, const char *keyword,
				  Value *target, int *resource, const char **target_location)
{
	MemoryContext old = MemoryContextSwitchTo(resources->context);
	char	   *uri = uri_resolve(resources->items[from].uri, reference);
	char	   *fragment = uri_cut_fragment(uri);
	const SchemaAnchor *anchor;
	bool		found = false;

	*resource = find_or_load(resources, uri);
	if (*resource >= 0 && uri_decode(fragment))
	{
		*target = resources->items[*resource].root;
		*target_location = resources->items[*resource].location;
		anchor = *fragment == '\0' || *fragment == '/' ? NULL : resources_anchor(&resources->items[*resource], fragment);
		if (anchor)
		{
			SchemaPlace *place = hash_search(resources->places, &anchor->target.data, HASH_FIND, NULL);

			*target = anchor->target;
			*target_location = place->location;
			found = true;
		}
		else if (*fragment == '\0' || *fragment == '/')
			found = follow_pointer(resources, fragment, target, resource, target_location);
	}
	if (found && target->type == VALUE_OBJECT)
		/* under a keyword that is not known nobody has looked yet */
		explore(resources, target, *resource, *target_location);
	MemoryContextSwitchTo(old);
	if (!found)
		schema_add(resources->faults, schema_location(location, keyword, strlen(keyword)), keyword, keyword,
				   "\"%s\" names no schema of this document and none that is registered", reference);
	return found;
}

const SchemaAnchor *
resources_anchor(const SchemaResource *resource, const char *name)
{
	for (int i = 0; i < resource->anchor_count; i++)
		if (strcmp(resource->anchors[i].name, name) == 0)
			return &resource->anchors[i];
	return NULL;
}

/* What "$vocabulary" of a metaschema switches on. */
static uint32
read_vocabularies(Resources *resources, const Value *metaschema, const char *location)
{
	static const struct
	{
		const char *name;
		uint32		bits;
	}			known[] = {
		{"core", 0}, {"applicator", VOCABULARY_APPLICATOR}, {"unevaluated", VOCABULARY_UNEVALUATED},
		{"validation", VOCABULARY_VALIDATION}, {"meta-data", 0}, {"content", 0}, {"format-annotation", VOCABULARY_FORMAT},
		{"format-assertion", VOCABULARY_FORMAT | VOCABULARY_FORMAT_ASSERTION},
	};
	static const char prefix[] = "https://json-schema.org/draft/2020-12/vocab/";
	Value		list;
	ValueWalk	names;
	ValueWalk	values;
	uint32		result = 0;

	if (metaschema->type != VALUE_OBJECT || !value_member(metaschema, "$vocabulary", 11, &list) || list.type != VALUE_OBJECT)
		return DEFAULT_VOCABULARIES;
	names = value_walk(VALUE_CONTAINER(&list), 0);
	values = value_walk(VALUE_CONTAINER(&list), VALUE_COUNT(&list));
	for (uint32 i = 0; i < VALUE_COUNT(&list); i++)
	{
		Value		name;
		Value		needed;
		bool		found = false;

		value_next(&names, &name);
		value_next(&values, &needed);
		for (int j = 0; j < (int) lengthof(known) && !found; j++)
			if (name.length == sizeof(prefix) - 1 + strlen(known[j].name) && memcmp(name.data, prefix, sizeof(prefix) - 1) == 0 &&
				memcmp(name.data + sizeof(prefix) - 1, known[j].name, strlen(known[j].name)) == 0)
			{
				result |= known[j].bits;
				found = true;
			}
		if (!found && needed.type == VALUE_BOOLEAN && needed.truth)
			schema_add(resources->faults, schema_location(location, "$schema", 7), "$schema", "$schema",
					   "its vocabulary %.*s is not known", (int) name.length, name.data);
	}
	return result;
}

uint32
resources_vocabularies(Resources *resources, int resource)
{
	SchemaResource *item = &resources->items[resource];
	char	   *dialect;

	if (item->has_dialect)
		return item->vocabularies;
	item->has_dialect = true;
	dialect = item->root.type == VALUE_OBJECT ? string_member(resources, &item->root, "$schema", item->location) : NULL;
	if (dialect)
		uri_cut_fragment(dialect);
	if (dialect == NULL)
		item->vocabularies = item->parent >= 0 ? resources_vocabularies(resources, item->parent) : DEFAULT_VOCABULARIES;
	else if (strcmp(dialect, DIALECT) == 0)
		item->vocabularies = DEFAULT_VOCABULARIES;
	else
	{
		int			metaschema = find_or_load(resources, dialect);

		if (metaschema < 0)
			schema_add(resources->faults, schema_location(item->location, "$schema", 7), "$schema", "$schema",
					   "the dialect %s is not known; it can be registered, or left out for %s", dialect, DIALECT);
		item->vocabularies = metaschema < 0 ? DEFAULT_VOCABULARIES :
			read_vocabularies(resources, &resources->items[metaschema].root, item->location);
	}
	return item->vocabularies;
}
