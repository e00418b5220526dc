/*
 * value_unique.c
 *	  What is no value, and by which text a unique field tells values apart
 *	  (value.h).
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "catalog/pg_type.h"
#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"
#include "record/value.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* Longer unique values are stored as a hash: btree entries end at 2,704 bytes. */
#define UNIQUE_BYTES 512
#define UNIQUE_HEAD 64

/* ---- empty and misshapen values ---- */

/* Whether nothing of a text is to be seen; tags of rich text, which are closed, do not count. */
static bool
is_blank(FieldType type, const char *text, int length)
{
	while (length > 0)
	{
		int			skip = text_blank_length(text, length);

		if (type == FIELD_RICH_TEXT && skip == 0 && *text == '<')
		{
			const char *end = memchr(text, '>', length);

			/* a line across the page is something */
			if (end && strncmp(text, "<hr", 3) != 0)
				skip = (int) (end - text) + 1;
		}
		if (skip == 0)
			return false;
		text += skip;
		length -= skip;
	}
	return true;
}

bool
value_is_empty(FieldType type, const JsonbValue *json)
{
	if (json->type == jbvString)
		return is_blank(type, json->val.string.val, json->val.string.len);
	return json->type == jbvNull || (json->type == jbvBinary && JsonContainerSize(json->val.binary.data) == 0);
}

bool
value_has_shape(FieldType type, const JsonbValue *json, const char **wanted)
{
	bool		is_array = json->type == jbvBinary && JsonContainerIsArray(json->val.binary.data);

	switch (type)
	{
		case FIELD_NUMBER:
		case FIELD_INTEGER:
		case FIELD_PERCENTAGE:
			*wanted = "a number";
			return json->type == jbvNumeric;
		case FIELD_BOOLEAN:
			*wanted = "true or false";
			return json->type == jbvBool;
		case FIELD_MULTI_SELECT:
		case FIELD_TAGS:
		case FIELD_RECORD_REFERENCES:
		case FIELD_TABLE:
			*wanted = "an array";
			return is_array;
		case FIELD_FILE:
		case FIELD_IMAGE:
			*wanted = "the id of an attachment, or an array of them";
			return is_array || json->type == jbvString;
		case FIELD_QUANTITY:
		case FIELD_CURRENCY:
		case FIELD_DATE_RANGE:
		case FIELD_GEOLOCATION:
		case FIELD_SIGNATURE:
		case FIELD_MATRIX_SCORE:
		case FIELD_OBJECT:
			*wanted = "an object";
			return json->type == jbvBinary && !is_array;
		case FIELD_COMPUTED:
			return true;
		default:
			*wanted = "a string";
			return json->type == jbvString;
	}
}

/* ---- unique values ---- */

/* In Unicode NFC; a text of ASCII is. */
static char *
normalized(char *text, int length)
{
	bool		ascii = true;
	pg_wchar   *codes;
	int			count;
	StringInfoData out;

	for (int i = 0; i < length && ascii; i++)
		ascii = (unsigned char) text[i] < 0x80;
	if (ascii || GetDatabaseEncoding() != PG_UTF8)
		return text;
	codes = palloc(sizeof(pg_wchar) * (length + 1));
	count = pg_mb2wchar_with_len(text, codes, length);
	codes[count] = 0;
	codes = unicode_normalize(UNICODE_NFC, codes);
	initStringInfo(&out);
	for (; *codes; codes++)
	{
		unsigned char bytes[8];

		unicode_to_utf8(*codes, bytes);
		appendBinaryStringInfo(&out, (char *) bytes, pg_utf_mblen(bytes));
	}
	return out.data;
}

/* As people read it: composed, without blanks at its end, an address without regard to case. */
static char *
folded_text(FieldType type, const JsonbValue *json)
{
	char	   *text = normalized(json_text_copy(json), json->val.string.len);

	text[text_trimmed_length(text, strlen(text))] = '\0';
	for (char *at = text; type == FIELD_EMAIL && *at; at++)
		*at = pg_ascii_tolower((unsigned char) *at);
	return text;
}

/* The beginning of a long value and its SHA-256. */
static char *
shortened(const char *text)
{
	int			length = strlen(text);
	uint8		digest[QEHS_SHA256_LENGTH];

	sha256_bytes(text, length, digest);
	return psprintf("%.*s#sha256:%s", pg_mbcliplen(text, length, UNIQUE_HEAD), text, sha256_hex(digest));
}

/* The text by which values of a type are told apart, or NULL. */
static char *
told_apart(FieldType type, const JsonbValue *json)
{
	StringInfoData out;
	Datum		value;
	char	   *folded;

	initStringInfo(&out);
	if (json->type == jbvNull)
		return NULL;
	if (module_field_types[type].kind == VALUE_TEXT && json->type == jbvString)
		folded = folded_text(type, json);
	else if (!value_read(type, json, &value))
	{
		json_jsonb_value(&out, json);
		folded = out.data;
	}
	else
		switch (value_oid(module_field_types[type].kind))
		{
			case NUMERICOID:
				folded = DatumGetCString(DirectFunctionCall1(numeric_out, DirectFunctionCall1(numeric_trim_scale, value)));
				break;
			case TIMESTAMPTZOID:
				/* to the microsecond, so that no two instants are one */
				folded = psprintf("%lld", (long long) DatumGetTimestampTz(value));
				break;
			default:
				folded = TextDatumGetCString(value);
		}
	return *folded == '\0' ? NULL : folded;
}

char *
value_unique(const ModuleUnique *unique, Jsonb *payload)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < unique->field_count; i++)
	{
		const ModuleField *field = unique->fields[i];
		JsonbValue	value;
		char	   *text = payload && json_member(&payload->root, field->key, field->key_length, &value) ?
			told_apart(field->value_type, &value) : NULL;

		if (text == NULL)
			return NULL;
		/* of several, with the length in front, so that no two lists are one text */
		if (unique->field_count > 1)
			appendStringInfo(&out, "%zu:", strlen(text));
		appendStringInfoString(&out, text);
	}
	return out.len > UNIQUE_BYTES ? shortened(out.data) : out.data;
}
