/*
 * input.c
 *	  Values of a client in the form of the schemas.
 */
#include "base/compat.h"

#include "scim/input.h"

#include "base/error.h"
#include "base/json.h"
#include "miscadmin.h"

static const char *const kind_names[] = {"null", "a string", "a number", "true", "false", "a list", "an object"};

pg_noreturn static void
refuse(const ScimAttribute *attribute, const ScimValue *raw, const char *wanted)
{
	problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the attribute \"%s\" must be %s, not %s", attribute->name, wanted, kind_names[raw->kind]);
}

bool
input_boolean(const ScimValue *raw, bool *value)
{
	if (raw->kind == SCIM_VALUE_TRUE || raw->kind == SCIM_VALUE_FALSE)
		*value = raw->kind == SCIM_VALUE_TRUE;
	else if (raw->kind == SCIM_VALUE_TEXT && (pg_strcasecmp(raw->text, "true") == 0 || pg_strcasecmp(raw->text, "false") == 0))
		*value = pg_tolower((unsigned char) *raw->text) == 't';
	else
		return false;
	return true;
}

/* A text of digits is a number too, as Entra sends it. */
static ScimValue *
input_number(const ScimAttribute *attribute, const ScimValue *raw)
{
	ScimValue  *number = tree_make(SCIM_VALUE_NUMBER);
	size_t		length = raw->text ? strlen(raw->text) : 0;
	size_t		sign = length > 0 && *raw->text == '-';
	bool		whole = length > sign && length <= 19 && strspn(raw->text + sign, "0123456789") == length - sign &&
		(raw->text[sign] != '0' || length == sign + 1);

	if (!whole && (attribute->type == SCIM_INTEGER || raw->kind != SCIM_VALUE_NUMBER))
		refuse(attribute, raw, attribute->type == SCIM_INTEGER ? "an integer" : "a number");
	number->text = raw->text;
	return number;
}

/* In UTC with milliseconds, so that texts compare as times do. */
static ScimValue *
input_time(const ScimAttribute *attribute, const ScimValue *raw)
{
	TimestampTz time;
	StringInfoData text;

	if (raw->kind != SCIM_VALUE_TEXT || !json_time_parse(raw->text, (int) strlen(raw->text), &time))
		refuse(attribute, raw, "an RFC 3339 date-time with an offset");
	initStringInfo(&text);
	json_time_raw(&text, time);
	return tree_text(text.data);
}

/* RFC 7643 section 2.3.6: in either alphabet, with its padding or without. */
static bool
is_base64(const char *text)
{
	const char *padding = text + strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_");
	const char *end = padding + strspn(padding, "=");

	return *end == '\0' && end - padding <= 2 && (padding - text) % 4 != 1;
}

static ScimValue *
input_complex(const ScimAttribute *attribute, const ScimValue *raw)
{
	ScimValue  *object;

	if (raw->kind == SCIM_VALUE_OBJECT)
	{
		object = input_object(attribute->subs, attribute->count, raw);
		return object->count > 0 ? object : NULL;
	}
	/* manager and members as Entra sends them */
	if (raw->kind != SCIM_VALUE_TEXT || schema_value_of(attribute) == NULL)
		refuse(attribute, raw, "an object");
	if (*raw->text == '\0')
		return NULL;
	object = tree_make(SCIM_VALUE_OBJECT);
	tree_set(object, "value", tree_text(raw->text));
	return object;
}

ScimValue *
input_element(const ScimAttribute *attribute, const ScimValue *raw)
{
	bool		truth;

	if (raw->kind == SCIM_VALUE_NULL)
		return NULL;
	switch (attribute->type)
	{
		case SCIM_COMPLEX:
			return input_complex(attribute, raw);
		case SCIM_BOOLEAN:
			if (!input_boolean(raw, &truth))
				refuse(attribute, raw, "true or false");
			return tree_make(truth ? SCIM_VALUE_TRUE : SCIM_VALUE_FALSE);
		case SCIM_INTEGER:
		case SCIM_DECIMAL:
			return input_number(attribute, raw);
		case SCIM_DATETIME:
			return input_time(attribute, raw);
		default:
			if (raw->kind != SCIM_VALUE_TEXT)
				refuse(attribute, raw, "a string");
			if (attribute->type == SCIM_BINARY && !is_base64(raw->text))
				problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the attribute \"%s\" must be in Base64", attribute->name);
			return tree_text(raw->text);
	}
}

/* RFC 7643 section 2.4: at most one element is the primary one. */
static void
check_primary(const ScimAttribute *attribute, const ScimValue *list)
{
	int			found = 0;

	for (int i = 0; i < list->count; i++)
	{
		const ScimValue *primary = tree_get(list->items[i], "primary");

		found += primary && primary->kind == SCIM_VALUE_TRUE;
	}
	if (found > 1)
		problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "at most one element of \"%s\" is the primary one", attribute->name);
}

ScimValue *
input_value(const ScimAttribute *attribute, const ScimValue *raw)
{
	ScimValue  *list;

	if (!attribute->multi_valued)
		return raw->kind == SCIM_VALUE_LIST && raw->count == 0 ? NULL : input_element(attribute, raw);
	list = tree_make(SCIM_VALUE_LIST);
	if (raw->kind != SCIM_VALUE_LIST)
	{
		ScimValue  *element = input_element(attribute, raw);

		if (element)
			tree_append(list, element);
	}
	else
		for (int i = 0; i < raw->count; i++)
		{
			ScimValue  *element = input_element(attribute, raw->items[i]);

			CHECK_FOR_INTERRUPTS();
			if (element)
				tree_append(list, element);
		}
	check_primary(attribute, list);
	return list->count > 0 ? list : NULL;
}

ScimValue *
input_object(const ScimAttribute *attributes, int count, const ScimValue *raw)
{
	ScimValue  *object = tree_make(SCIM_VALUE_OBJECT);
	ScimValue  *seen = tree_make(SCIM_VALUE_OBJECT);

	check_stack_depth();
	for (int i = 0; i < raw->count; i++)
	{
		const char *name = raw->names[i];
		const ScimAttribute *attribute = schema_attribute(attributes, count, name, (int) strlen(name));

		if (attribute == NULL || attribute->mutability == SCIM_READ_ONLY)
			continue;
		if (tree_get(seen, attribute->name))
			problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the attribute \"%s\" is given twice", attribute->name);
		tree_set(seen, attribute->name, raw->items[i]);
		tree_set(object, attribute->name, input_value(attribute, raw->items[i]));
	}
	return object;
}

/* schemas, where it is there, must name a schema of the type. */
static void
check_schemas(const ScimResourceType *type, const ScimValue *raw)
{
	const ScimValue *schemas = tree_get_any_case(raw, "schemas");

	if (schemas == NULL || schemas->kind != SCIM_VALUE_LIST)
		problem_raise(PROBLEM_INVALID_SYNTAX, "List the URNs of its schemas.", "the resource has no member \"schemas\"");
	for (int i = 0; i < schemas->count; i++)
	{
		const ScimValue *urn = schemas->items[i];

		if (urn->kind != SCIM_VALUE_TEXT)
			continue;
		if (pg_strcasecmp(urn->text, type->schema->urn) == 0)
			return;
		for (int j = 0; j < type->extension_count; j++)
			if (pg_strcasecmp(urn->text, type->extensions[j]->urn) == 0)
				return;
	}
	problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the member \"schemas\" does not name \"%s\"", type->schema->urn);
}

ScimValue *
input_resource(const ScimResourceType *type, const ScimValue *raw)
{
	ScimValue  *resource;
	const ScimValue *external;

	if (raw->kind != SCIM_VALUE_OBJECT)
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "a resource is a JSON object");
	check_schemas(type, raw);
	resource = input_object(type->schema->attributes, type->schema->count, raw);
	external = tree_get_any_case(raw, "externalId");
	if (external)
		tree_set(resource, "externalId", input_value(&schema_common[1], external));
	for (int i = 0; i < type->extension_count; i++)
	{
		const ScimSchema *extension = type->extensions[i];
		const ScimValue *below = tree_get_any_case(raw, extension->urn);
		ScimValue  *members;

		if (below == NULL || below->kind == SCIM_VALUE_NULL)
			continue;
		if (below->kind != SCIM_VALUE_OBJECT)
			problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the member \"%s\" must be an object", extension->urn);
		members = input_object(extension->attributes, extension->count, below);
		if (members->count > 0)
			tree_set(resource, extension->urn, members);
	}
	return resource;
}

/* Of a complex attribute that is there, its required sub-attributes are, in each element. */
static void
require_attributes(const ScimAttribute *attributes, int count, const ScimValue *object)
{
	for (int i = 0; i < count; i++)
	{
		const ScimAttribute *attribute = &attributes[i];
		const ScimValue *value = tree_get(object, attribute->name);

		if (attribute->required && attribute->mutability != SCIM_READ_ONLY &&
			(value == NULL || (value->kind == SCIM_VALUE_TEXT && value->text[strspn(value->text, " \t\r\n")] == '\0')))
			problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the attribute \"%s\" is required", attribute->name);
		if (value && value->kind == SCIM_VALUE_OBJECT)
			require_attributes(attribute->subs, attribute->count, value);
		for (int j = 0; value && value->kind == SCIM_VALUE_LIST && j < value->count; j++)
			if (value->items[j]->kind == SCIM_VALUE_OBJECT)
				require_attributes(attribute->subs, attribute->count, value->items[j]);
	}
}

void
input_require(const ScimResourceType *type, const ScimValue *resource)
{
	require_attributes(type->schema->attributes, type->schema->count, resource);
	for (int i = 0; i < type->extension_count; i++)
	{
		const ScimValue *below = tree_get(resource, type->extensions[i]->urn);

		if (below)
			require_attributes(type->extensions[i]->attributes, type->extensions[i]->count, below);
	}
}

void
input_require_schema(const ScimValue *message, const char *urn)
{
	const ScimValue *schemas = tree_get_any_case(message, "schemas");

	if (schemas && schemas->kind == SCIM_VALUE_LIST)
		for (int i = 0; i < schemas->count; i++)
			if (schemas->items[i]->kind == SCIM_VALUE_TEXT && pg_strcasecmp(schemas->items[i]->text, urn) == 0)
				return;
	problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the member \"schemas\" does not name \"%s\"", urn);
}
