/*
 * schema_of.c
 *	  A definition's fields as one JSON Schema 2020-12 document of the payload.
 *
 * The text is written in one pass and parsed to jsonb at the end.  What a
 * schema cannot say (references that exist, requiredWhen, order of a range) is
 * checked in record/check.c.  Nested fields (table, object) recurse, at most
 * QEHS_FIELD_DEPTH levels, which definition.c has made sure of.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/definition.h"
#include "module/locale.h"
#include "utils/builtins.h"

/* 26 characters hold 130 bits: the first of 128 is at most 7 */
#define ID_TAIL "([0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25})"
#define UUID_PATTERN "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
#define ID_SCHEMA_OR(prefix, more) "{\"type\":\"string\",\"pattern\":\"^(" prefix ID_TAIL "|" UUID_PATTERN more ")$\"}"
#define ID_SCHEMA(prefix) ID_SCHEMA_OR(prefix, "")
/* a display code comes in, and is stored as the id (record/fill.c) */
#define RECORD_ID_SCHEMA ID_SCHEMA_OR("rec_", "|[A-Z][A-Z0-9]{0,9}-[0-9]{4}-[0-9]{4,9}")
#define FILES_SCHEMA "\"anyOf\":[" ID_SCHEMA("att_") ",{\"type\":\"array\",\"maxItems\":20,\"items\":" ID_SCHEMA("att_") "}]"

/*
 * Markup that rich text must not hold: all but these tags without attributes, and links to a page or a mailbox.  It
 * refuses, so nothing has to be cleaned when it is shown; a "<" that starts no tag (HTML 13.2.5.6) is text.
 */
#define RICH_TEXT_TAGS "p|br|hr|b|strong|i|em|u|s|sub|sup|h[1-6]|ul|ol|li|blockquote|pre|code|table|thead|tbody|tr|th|td"
#define RICH_TEXT_REFUSED "<(?!$|[^A-Za-z/!?]|/?(?:" RICH_TEXT_TAGS ") ?/?>|a href=\\\"(?:https?://|mailto:)[^\\\"<> ]+\\\">|/a>)"

static const char *const type_schema[FIELD_TYPE_COUNT] = {
	[FIELD_TEXT] = "\"type\":\"string\"",
	[FIELD_RICH_TEXT] = "\"type\":\"string\",\"not\":{\"pattern\":\"" RICH_TEXT_REFUSED "\"}",
	[FIELD_EMAIL] = "\"type\":\"string\",\"format\":\"email\"",
	[FIELD_PHONE] = "\"type\":\"string\",\"pattern\":\"^\\\\+[1-9][0-9]{1,14}$\"",
	/* other schemes run code (javascript:) or name what a reader cannot open */
	[FIELD_URL] = "\"type\":\"string\",\"format\":\"uri\",\"pattern\":\"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#]\"",
	[FIELD_IDENTIFIER] = "\"type\":\"string\"",
	[FIELD_NUMBER] = "\"type\":\"number\"",
	[FIELD_INTEGER] = "\"type\":\"integer\"",
	[FIELD_PERCENTAGE] = "\"type\":\"number\"",
	[FIELD_DATE] = "\"type\":\"string\",\"format\":\"date\"",
	[FIELD_DATETIME] = "\"type\":\"string\",\"format\":\"date-time\"",
	/* RFC 3339 partial-time, with or without seconds */
	[FIELD_TIME] = "\"type\":\"string\",\"pattern\":\"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?$\",\"examples\":[\"14:30\"]",
	[FIELD_DURATION] = "\"type\":\"string\",\"format\":\"duration\"",
	[FIELD_DATE_RANGE] = "\"type\":\"object\",\"properties\":{\"from\":{\"type\":\"string\",\"format\":\"date\"},"
	"\"to\":{\"type\":\"string\",\"format\":\"date\"}},\"required\":[\"from\",\"to\"],\"additionalProperties\":false",
	[FIELD_BOOLEAN] = "\"type\":\"boolean\"",
	[FIELD_LOOKUP] = "\"type\":\"string\"",
	[FIELD_RECORD_REFERENCE] = "\"allOf\":[" RECORD_ID_SCHEMA "]",
	[FIELD_USER] = "\"allOf\":[" ID_SCHEMA("usr_") "]",
	[FIELD_LOCATION] = "\"type\":\"string\"",
	[FIELD_GEOLOCATION] = "\"type\":\"object\",\"properties\":{\"lat\":{\"type\":\"number\",\"minimum\":-90,\"maximum\":90},"
	"\"lon\":{\"type\":\"number\",\"minimum\":-180,\"maximum\":180},\"accuracy\":{\"type\":\"number\",\"minimum\":0}},"
	"\"required\":[\"lat\",\"lon\"],\"additionalProperties\":false",
	[FIELD_FILE] = FILES_SCHEMA,
	[FIELD_IMAGE] = FILES_SCHEMA,
	[FIELD_SIGNATURE] = "\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200},"
	"\"signedAt\":{\"type\":\"string\",\"format\":\"date-time\"},\"meaning\":{\"type\":\"string\",\"maxLength\":200},"
	"\"image\":" ID_SCHEMA("att_") "},"
	"\"required\":[\"name\"],\"additionalProperties\":false",
};

int
definition_max_length(FieldType type)
{
	switch (type)
	{
		case FIELD_TEXT:
			return 10000;
		case FIELD_RICH_TEXT:
			return 100000;
		case FIELD_EMAIL:
			return 320;
		case FIELD_URL:
			return 2048;
		case FIELD_IDENTIFIER:
		case FIELD_LOOKUP:
			return 200;
		case FIELD_LOCATION:
			return 500;
		default:
			return 0;
	}
}

bool
definition_refuses_blank(const JsonbContainer *field)
{
	FieldType	type = definition_field_type(field);
	JsonbValue	pattern;

	return (type == FIELD_TEXT || type == FIELD_RICH_TEXT || type == FIELD_LOOKUP || type == FIELD_LOCATION) &&
		json_member_bool(field, "required", false) && !json_member(field, "pattern", 7, &pattern);
}

/* ,"name":value copied from the definition's option, when it is there. */
static bool
copy_option(StringInfo out, const JsonbContainer *field, const char *option, const char *keyword)
{
	JsonbValue	value;

	if (!json_member(field, option, strlen(option), &value))
		return false;
	appendStringInfoChar(out, ',');
	json_name(out, keyword);
	json_jsonb_value(out, &value);
	return true;
}

/* The values of a list of the definition: strings, or objects with a member value. */
static void
write_enum(StringInfo out, const JsonbContainer *field, const char *list)
{
	JsonbValue	options;
	uint32		count;

	json_literal(out, "\"enum\":[");
	if (json_member(field, list, strlen(list), &options) && options.type == jbvBinary)
	{
		count = JsonContainerSize(options.val.binary.data);
		for (uint32 i = 0; i < count; i++)
		{
			JsonbValue *option = getIthJsonbValueFromContainer(options.val.binary.data, i);
			JsonbValue	value;

			if (i > 0)
				appendStringInfoChar(out, ',');
			if (option->type == jbvBinary && json_member(option->val.binary.data, "value", 5, &value))
				json_jsonb_value(out, &value);
			else
				json_jsonb_value(out, option);
		}
	}
	appendStringInfoChar(out, ']');
}

static void
write_number_limits(StringInfo out, const JsonbContainer *field, FieldType type)
{
	if (!copy_option(out, field, "min", "minimum") && type == FIELD_PERCENTAGE)
		json_literal(out, ",\"minimum\":0");
	if (!copy_option(out, field, "max", "maximum") && type == FIELD_PERCENTAGE)
		json_literal(out, ",\"maximum\":100");
	copy_option(out, field, "step", "multipleOf");
}

static void
write_limits(StringInfo out, const JsonbContainer *field, FieldType type)
{
	bool		has_minimum_length;

	write_number_limits(out, field, type);
	has_minimum_length = copy_option(out, field, "minLength", "minLength");
	if (!has_minimum_length && (type == FIELD_IDENTIFIER ||
								(definition_max_length(type) > 0 && json_member_bool(field, "required", false))))
		json_literal(out, ",\"minLength\":1");
	if (!copy_option(out, field, "maxLength", "maxLength") && definition_max_length(type) > 0)
		appendStringInfo(out, ",\"maxLength\":%d", definition_max_length(type));
	/* a type with a pattern of its own must hold both */
	if (type == FIELD_PHONE || type == FIELD_URL)
	{
		JsonbValue	pattern;

		if (json_member(field, "pattern", 7, &pattern))
		{
			json_literal(out, ",\"allOf\":[{\"pattern\":");
			json_jsonb_value(out, &pattern);
			json_literal(out, "}]");
		}
	}
	else if (!copy_option(out, field, "pattern", "pattern") && definition_refuses_blank(field))
		json_literal(out, ",\"pattern\":\"\\\\S|^$\"");
}

/* {"amount","currency"}; the limits of an amount that is a string are checked in record/values.c. */
static void
write_currency(StringInfo out, const JsonbContainer *field)
{
	json_literal(out, "\"type\":\"object\",\"properties\":{\"amount\":{\"type\":[\"number\",\"string\"],"
				 "\"pattern\":\"^-?[0-9]{1,15}([.][0-9]{1,4})?$\"");
	write_number_limits(out, field, FIELD_CURRENCY);
	json_literal(out, "},\"currency\":{\"type\":\"string\",\"pattern\":\"^[A-Z]{3}$\",\"examples\":[\"EUR\"]}},"
				 "\"required\":[\"amount\",\"currency\"],\"additionalProperties\":false");
}

/* {"value","unit"}: one of the field's units, or any where it names none. */
static void
write_quantity(StringInfo out, const JsonbContainer *field)
{
	JsonbValue	value;

	json_literal(out, "\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"number\"");
	write_number_limits(out, field, FIELD_QUANTITY);
	json_literal(out, "},\"unit\":{\"type\":\"string\",");
	if (json_member(field, "units", 5, &value))
		write_enum(out, field, "units");
	else if (json_member(field, "unit", 4, &value))
	{
		json_literal(out, "\"enum\":[");
		json_jsonb_value(out, &value);
		appendStringInfoChar(out, ']');
	}
	else
		appendStringInfo(out, "\"minLength\":1,\"maxLength\":%d,\"pattern\":\"^\\\\S+$\"", QEHS_UNIT_LENGTH);
	if (json_member(field, "comparators", 11, &value))
	{
		json_literal(out, "},\"comparator\":{\"type\":\"string\",");
		write_enum(out, field, "comparators");
	}
	json_literal(out, "}},\"required\":[\"value\",\"unit\"],\"additionalProperties\":false");
}

/* The factors; score and band are the server's. */
static void
write_matrix(StringInfo out, const JsonbContainer *field)
{
	int32		size;
	int			count;
	const ModuleBand *bands = definition_bands(field, &size, &count);

	appendStringInfo(out, "\"type\":\"object\",\"properties\":{"
					 "\"likelihood\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":%d},"
					 "\"severity\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":%d},"
					 "\"score\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":%d},\"band\":{\"enum\":[", size, size, size * size);
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, bands[i].name);
	}
	json_literal(out, "]}},\"required\":[\"likelihood\",\"severity\"],\"additionalProperties\":false");
}

/* A schema of the definition's own.  References inside it start at its root, not at the document's: an $id makes it one. */
static void
write_fragment(StringInfo out, const JsonbValue *fragment)
{
	StringInfoData text;
	JsonbValue	id;

	initStringInfo(&text);
	json_jsonb_value(&text, fragment);
	if (fragment->type == jbvBinary && !json_member(fragment->val.binary.data, "$id", 3, &id) &&
		(strstr(text.data, "\"$ref\":") || strstr(text.data, "\"$dynamicRef\":")))
		appendStringInfo(out, "{\"$id\":\"urn:qehs:schema:%d\",%s", out->len, text.data + 1);
	else
		appendStringInfoString(out, text.data);
}

static void write_fields(StringInfo out, const JsonbContainer *fields);

/* The end of "items": a list that is required has an entry. */
static const char *
least_items(const JsonbContainer *field)
{
	return json_member_bool(field, "required", false) ? "},\"minItems\":1" : "}";
}

/* Texts, each once; the limits of the field are those of one. */
static void
write_tags(StringInfo out, const JsonbContainer *field)
{
	appendStringInfo(out, "\"type\":\"array\",\"uniqueItems\":true,\"maxItems\":%d,\"items\":{\"type\":\"string\"", QEHS_MAX_TAGS);
	if (!copy_option(out, field, "minLength", "minLength"))
		json_literal(out, ",\"minLength\":1");
	if (!copy_option(out, field, "maxLength", "maxLength"))
		appendStringInfo(out, ",\"maxLength\":%d", QEHS_TAG_LENGTH);
	if (!copy_option(out, field, "pattern", "pattern"))
		json_literal(out, ",\"pattern\":\"\\\\S|^$\"");
	appendStringInfoString(out, least_items(field));
}

static void
write_field(StringInfo out, const JsonbContainer *field)
{
	FieldType	type = definition_field_type(field);
	char	   *label = label_default(field);
	JsonbValue	nested;

	appendStringInfoChar(out, '{');
	switch (type)
	{
		case FIELD_SELECT:
			write_enum(out, field, "options");
			break;
		case FIELD_MULTI_SELECT:
			json_literal(out, "\"type\":\"array\",\"uniqueItems\":true,\"items\":{");
			write_enum(out, field, "options");
			appendStringInfoString(out, least_items(field));
			break;
		case FIELD_TAGS:
			write_tags(out, field);
			break;
		case FIELD_RECORD_REFERENCES:
			appendStringInfo(out, "\"type\":\"array\",\"uniqueItems\":true,\"maxItems\":%d,\"items\":%s", QEHS_MAX_REFERENCES, RECORD_ID_SCHEMA);
			appendStringInfoString(out, least_items(field) + 1);
			break;
		case FIELD_TABLE:
			json_literal(out, "\"type\":\"array\",\"maxItems\":1000,\"items\":{\"type\":\"object\"");
			if (json_member(field, "fields", 6, &nested))
				write_fields(out, nested.val.binary.data);
			appendStringInfoString(out, least_items(field));
			break;
		case FIELD_OBJECT:
			json_literal(out, "\"type\":\"object\"");
			if (json_member(field, "fields", 6, &nested))
				write_fields(out, nested.val.binary.data);
			break;
		case FIELD_MATRIX_SCORE:
			write_matrix(out, field);
			break;
		case FIELD_CURRENCY:
			write_currency(out, field);
			break;
		case FIELD_QUANTITY:
			write_quantity(out, field);
			break;
		case FIELD_COMPUTED:
			json_literal(out, "\"readOnly\":true");
			break;
		default:
			appendStringInfoString(out, type_schema[type]);
			write_limits(out, field, type);
	}
	if (label)
	{
		json_literal(out, ",\"title\":");
		json_string(out, label);
	}
	copy_option(out, field, "description", "description");
	copy_option(out, field, "unit", "x-unit");
	if (json_member_bool(field, "readOnly", false) && type != FIELD_COMPUTED)
		json_literal(out, ",\"readOnly\":true");
	if (json_member_bool(field, "deprecated", false))
		json_literal(out, ",\"deprecated\":true");
	if (json_member(field, "schema", 6, &nested))
	{
		json_literal(out, ",\"$comment\":\"and the definition's own schema\",\"if\":true,\"then\":");
		write_fragment(out, &nested);
	}
	appendStringInfoChar(out, '}');
}

/* ,"properties":{…},"required":[…],"additionalProperties":false */
static void
write_fields(StringInfo out, const JsonbContainer *fields)
{
	uint32		count = JsonContainerSize(fields);
	bool		first = true;

	json_literal(out, ",\"properties\":{");
	for (uint32 i = 0; i < count; i++)
	{
		const JsonbContainer *field = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), i)->val.binary.data;

		if (i > 0)
			appendStringInfoChar(out, ',');
		json_name(out, json_member_text(field, "key"));
		write_field(out, field);
	}
	json_literal(out, "},\"required\":[");
	for (uint32 i = 0; i < count; i++)
	{
		const JsonbContainer *field = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), i)->val.binary.data;
		JsonbValue	when;

		/* a hidden field is not required: record/check.c decides */
		if (!json_member_bool(field, "required", false) || json_member(field, "visibleWhen", 11, &when))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		json_string(out, json_member_text(field, "key"));
	}
	json_literal(out, "],\"additionalProperties\":false");
}

Jsonb *
definition_field_schema(const JsonbContainer *field)
{
	StringInfoData out;

	initStringInfo(&out);
	write_field(&out, field);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

Jsonb *
definition_json_schema(Jsonb *definition)
{
	StringInfoData out;
	JsonbValue	fields;
	char	   *name = json_member_text(&definition->root, "name");

	initStringInfo(&out);
	json_literal(&out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":");
	json_string(&out, name ? name : "payload");
	json_literal(&out, ",\"type\":\"object\"");
	if (json_member(&definition->root, "fields", 6, &fields))
		write_fields(&out, fields.val.binary.data);
	appendStringInfoChar(&out, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
