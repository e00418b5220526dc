/*
 * told.c
 *	  What people are told of a value that the schema of its field refuses.
 *
 * A schema speaks of keywords; people want to know the form of the value, with an
 * example, and see what was found in its place.
 */
#include "base/compat.h"

#include "base/json.h"
#include "mb/pg_wchar.h"
#include "module/definition.h"
#include "record/check.h"

/* Bytes of a text that are shown, and members that are named. */
#define SHOWN_BYTES 60
#define SHOWN_MEMBERS 8

#define URL_MESSAGE "must be a valid http or https address (RFC 3986)"

/* What people are told in place of the keyword that a type is made of; place is where that stands in the field's schema. */
static const struct
{
	FieldType	type;
	const char *place;
	const char *code;			/* NULL: the keyword */
	const char *message;
	bool		shows;			/* what was found */
}			words[] = {
	{FIELD_RICH_TEXT, "/not", "markup", "must have no other markup than simple tags without attributes and links to http, https or mailto", false},
	{FIELD_PHONE, "/pattern", NULL, "must be a phone number of E.164, such as +4917012345678", true},
	{FIELD_URL, "/pattern", "format", URL_MESSAGE, true},
	{FIELD_URL, "/format", "format", URL_MESSAGE, true},
	{FIELD_TIME, "/pattern", "format", "must be a time of day, such as 14:30 or 14:30:15", true},
	{FIELD_RECORD_REFERENCE, "/allOf/0/pattern", NULL, "must be the id of a record, or its display code", true},
	{FIELD_RECORD_REFERENCES, "/items/pattern", NULL, "must be the id of a record, or its display code", true},
	{FIELD_USER, "/allOf/0/pattern", NULL, "must be the id of a user", true},
	{FIELD_FILE, "/anyOf", NULL, "must be the id of an attachment, or an array of at most 20", true},
	{FIELD_IMAGE, "/anyOf", NULL, "must be the id of an attachment, or an array of at most 20", true},
	{FIELD_CURRENCY, "/properties/amount/pattern", NULL, "must be a number of at most 15 digits and 4 decimals", true},
	{FIELD_CURRENCY, "/properties/currency/pattern", NULL, "must be a currency code of ISO 4217", true},
	{FIELD_QUANTITY, "/properties/unit/pattern", NULL, "must have no white space", false},
};

/* Whether a keyword stands at place in the schema of a field: "/properties/rows/items/properties/url/pattern". */
static bool
stands_at(const char *location, const char *place, const ModuleField *field)
{
	int			length = strlen(location) - strlen(place);

	if (length < 0 || strcmp(location + length, place) != 0)
		return false;
	return length == 0 || (length > field->key_length && location[length - field->key_length - 1] == '/' &&
						   memcmp(location + length - field->key_length, field->key, field->key_length) == 0);
}

/* "[\"dust\",\"noise\"]": the first options of a field. */
static void
append_options(StringInfo out, const ModuleField *field)
{
	for (int i = 0; i < Min(field->option_count, 2); i++)
	{
		appendStringInfoChar(out, i == 0 ? '[' : ',');
		json_string(out, field->options[i]);
	}
	appendStringInfoString(out, field->option_count > 0 ? "]" : "[]");
}

/* " with the members street, city": of an object or of rows. */
static void
append_members(StringInfo out, const ModuleFields *fields)
{
	for (int i = 0; i < Min(fields->count, SHOWN_MEMBERS); i++)
		appendStringInfo(out, "%s%s", i == 0 ? " with the members " : ", ", fields->items[i].key);
	if (fields->count > SHOWN_MEMBERS)
		appendStringInfo(out, " and %d more", fields->count - SHOWN_MEMBERS);
}

/* The unit of an example: the field's, the first of its units, or kg. */
static char *
example_unit(const ModuleField *field)
{
	char	   *unit = json_member_text(field->definition, "unit");
	JsonbValue	units;

	if (unit == NULL && json_member(field->definition, "units", 5, &units) && units.type == jbvBinary && JsonContainerIsArray(units.val.binary.data))
	{
		JsonbValue *first = getIthJsonbValueFromContainer(units.val.binary.data, 0);

		unit = first && first->type == jbvString ? json_text_copy(first) : NULL;
	}
	return unit ? unit : "kg";
}

/* Returns the form of a field's values, for "must be …", or NULL where the schema's own words say it. */
static char *
wanted_form(const ModuleField *field)
{
	StringInfoData out;

	initStringInfo(&out);
	switch (field->type)
	{
		case FIELD_BOOLEAN:
			return "true or false";
		case FIELD_NUMBER:
		case FIELD_PERCENTAGE:
			return "a number such as 12.5";
		case FIELD_INTEGER:
			return "a whole number such as 12";
		case FIELD_TIME:
			return "a time of day, such as 14:30 or 14:30:15";
		case FIELD_QUANTITY:
			json_literal(&out, "an object such as {\"value\":12.5,\"unit\":");
			json_string(&out, example_unit(field));
			appendStringInfoChar(&out, '}');
			return out.data;
		case FIELD_CURRENCY:
			return "an object such as {\"amount\":12.5,\"currency\":\"EUR\"}";
		case FIELD_DATE_RANGE:
			return "an object such as {\"from\":\"2026-01-01\",\"to\":\"2026-01-31\"}";
		case FIELD_GEOLOCATION:
			return "an object such as {\"lat\":48.1,\"lon\":11.6}";
		case FIELD_SIGNATURE:
			return "an object such as {\"name\":\"Kim Lee\"}";
		case FIELD_MATRIX_SCORE:
			return "an object such as {\"likelihood\":3,\"severity\":4}";
		case FIELD_MULTI_SELECT:
			json_literal(&out, "an array such as ");
			append_options(&out, field);
			return out.data;
		case FIELD_TAGS:
			return "an array of texts such as [\"forklift\",\"aisle 4\"]";
		case FIELD_RECORD_REFERENCES:
			return "an array of ids or display codes of records such as [\"INC-2026-0001\"]";
		case FIELD_RECORD_REFERENCE:
			return "the id of a record, or its display code";
		case FIELD_USER:
			return "the id of a user";
		case FIELD_OBJECT:
			json_literal(&out, "an object");
			append_members(&out, &field->nested);
			return out.data;
		case FIELD_TABLE:
			json_literal(&out, "an array of objects");
			append_members(&out, &field->nested);
			return out.data;
		default:
			return NULL;
	}
}

/* Finds the value at a pointer of plain keys and indexes; returns false if there is none. */
static bool
find_value(const Jsonb *root, const char *pointer, JsonbValue *value)
{
	if (JB_ROOT_IS_SCALAR(root))
		return *pointer == '\0' && JsonbExtractScalar(unconstify(JsonbContainer *, &root->root), value);
	*value = (JsonbValue) {.type = jbvBinary,.val.binary = {VARSIZE(root) - VARHDRSZ, unconstify(JsonbContainer *, &root->root)}};
	while (*pointer == '/' && value->type == jbvBinary)
	{
		const char *token = pointer + 1;
		int			length = strcspn(token, "/");
		JsonbValue *element;

		pointer = token + length;
		if (JsonContainerIsObject(value->val.binary.data))
		{
			if (!json_member(value->val.binary.data, token, length, value))
				return false;
			continue;
		}
		element = getIthJsonbValueFromContainer(value->val.binary.data, strtoul(token, NULL, 10));
		if (element == NULL)
			return false;
		*value = *element;
	}
	return *pointer == '\0';
}

/* What was found, for "not …": a text or a number as it is, of others what they are. */
static char *
found_text(const Jsonb *checked, const char *pointer)
{
	StringInfoData out;
	JsonbValue	value;
	int			clipped;

	if (!find_value(checked, pointer, &value))
		return NULL;
	initStringInfo(&out);
	switch (value.type)
	{
		case jbvString:
			clipped = pg_mbcliplen(value.val.string.val, value.val.string.len, SHOWN_BYTES);
			json_string(&out, psprintf("%.*s%s", clipped, value.val.string.val, clipped < value.val.string.len ? " ..." : ""));
			break;
		case jbvBinary:
			appendStringInfoString(&out, JsonContainerIsArray(value.val.binary.data) ? "an array" : "an object");
			break;
		case jbvNumeric:
			json_literal(&out, "the number ");
			json_jsonb_value(&out, &value);
			break;
		default:
			json_jsonb_value(&out, &value);
	}
	return out.data;
}

/* Add that a value is of another JSON type than the field's; false when the schema's own words say it best. */
static bool
add_type(const PayloadCheck *check, const ModuleField *field, const SchemaViolation *found, const Jsonb *checked, const char *path)
{
	const char *form = NULL;
	char	   *shown;
	const char *not;
	StringInfoData row;

	if (field && (stands_at(found->keyword_location, "/type", field) || stands_at(found->keyword_location, "/allOf/0/type", field)))
		form = wanted_form(field);
	else if (field && field->type == FIELD_TABLE && stands_at(found->keyword_location, "/items/type", field))
	{
		initStringInfo(&row);
		json_literal(&row, "an object");
		append_members(&row, &field->nested);
		form = row.data;
	}
	shown = found_text(checked, found->instance_location);
	not = strstr(found->message, ", not a string");
	if (shown == NULL || (form == NULL && not == NULL))
		return false;
	if (form)
		violation_add(check->violations, path, found->keyword, "must be %s, not %s", form, shown);
	else
		violation_add(check->violations, path, found->keyword, "%.*s, not %s", (int) (not - found->message), found->message, shown);
	return true;
}

void
payload_add_violation(const PayloadCheck *check, const ModuleField *field, const SchemaViolation *found, const Jsonb *checked, const char *path)
{
	const char *code = strcmp(found->keyword, "additionalProperties") == 0 ? "unknown_member" : found->keyword;

	if (field && stands_at(found->keyword_location, "/pattern", field) && definition_refuses_blank(field->definition))
	{
		violation_add(check->violations, path, "required", "is required");
		return;
	}
	for (int i = 0; field && i < (int) lengthof(words); i++)
		if (words[i].type == field->type && stands_at(found->keyword_location, words[i].place, field))
		{
			const Violation *last = check->violations->count > 0 ? &check->violations->items[check->violations->count - 1] : NULL;
			char	   *shown = words[i].shows ? found_text(checked, found->instance_location) : NULL;
			char	   *message = shown ? psprintf("%s, not %s", words[i].message, shown) : pstrdup(words[i].message);

			/* two keywords that say the same say it once */
			if (last == NULL || strcmp(last->path, path) != 0 || strcmp(last->message, message) != 0)
				violation_add(check->violations, path, words[i].code ? words[i].code : code, "%s", message);
			return;
		}
	if (strcmp(found->keyword, "type") != 0 || !add_type(check, field, found, checked, path))
		violation_add(check->violations, path, code, "%s", found->message);
}
