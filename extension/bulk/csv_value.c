/*
 * csv_value.c
 *	  What the cells of a CSV say, by the type of their field.
 *
 * Texts stay as they are.  Other types are read without blanks around, no-break spaces among
 * them: numbers with a decimal point, and with their unit behind them where the field has
 * one, booleans as PostgreSQL reads them, options by their labels too, lists with ";" between, a measure as "12.5 mg/m3", a span as "2026-01-01/2026-01-31"
 * (ISO 8601), a place as "48.1, 11.6", as exports write them; and JSON where a value is
 * an object or a list.
 */
#include "base/compat.h"

#include <ctype.h>

#include "base/json.h"
#include "base/text.h"
#include "bulk/bulk.h"
#include "bulk/csv.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

static void
set_text(JsonbValue *value, const char *text, int length)
{
	value->type = jbvString;
	value->val.string.val = pnstrdup(text, length);
	value->val.string.len = length;
}

/* A decimal number, with leading zeros too; not "1,234", which people read in two ways. */
static bool
is_number(const char *text, int length)
{
	int			at = length > 0 && (*text == '-' || *text == '+');
	int			digits = 0;
	int			exponent = 0;

	for (; at < length && text[at] >= '0' && text[at] <= '9'; at++)
		digits++;
	if (at < length && text[at] == '.')
		for (at++; at < length && text[at] >= '0' && text[at] <= '9'; at++)
			digits++;
	if (digits == 0 || length > 1000)
		return false;
	if (at == length)
		return true;
	if (text[at++] != 'e' && text[at - 1] != 'E')
		return false;
	at += at < length && (text[at] == '-' || text[at] == '+');
	for (; at < length && text[at] >= '0' && text[at] <= '9'; at++)
		exponent++;
	return at == length && exponent > 0 && exponent <= 3;
}

static bool
read_number(const char *text, int length, JsonbValue *value)
{
	if (!is_number(text, length))
		return false;
	value->type = jbvNumeric;
	value->val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(pnstrdup(text, length)),
															 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	return true;
}

static bool
read_json(const char *text, int length, JsonbValue *value)
{
	ViolationList faults;
	Jsonb	   *json;

	faults.count = 0;
	if (length == 0 || (*text != '{' && *text != '['))
		return false;
	json = bulk_parse(text, length, &faults);
	if (json == NULL)
		return false;
	JsonbToJsonbValue(json, value);
	return true;
}

/* The bytes of a decimal number at the beginning. */
static int
number_length(const char *text, int length)
{
	int			at = length > 0 && (*text == '-' || *text == '+');

	while (at < length && text[at] >= '0' && text[at] <= '9')
		at++;
	if (at + 1 < length && text[at] == '.' && text[at + 1] >= '0' && text[at + 1] <= '9')
		for (at++; at < length && text[at] >= '0' && text[at] <= '9';)
			at++;
	if (at + 1 < length && (text[at] == 'e' || text[at] == 'E'))
	{
		int			exponent = at + 1 + (text[at + 1] == '-' || text[at + 1] == '+');

		if (exponent < length && text[exponent] >= '0' && text[exponent] <= '9')
			for (at = exponent; at < length && text[at] >= '0' && text[at] <= '9';)
				at++;
	}
	return at;
}

/* Where a unit begins, at a blank or a letter behind a number ("12kg", "36.6 °C", "50%"), or else at the first blank; length if nowhere. */
static int
unit_begin(const char *text, int length)
{
	int			at = number_length(text, length);

	if (at > 0 && at < length && (text[at] == '%' || isalpha((unsigned char) text[at]) || (unsigned char) text[at] >= 0x80 || text[at] == ' '))
		return at;
	for (at = 0; at < length && text_blank_length(text + at, length - at) == 0;)
		at++;
	return at;
}

/* A number alone, or with its field's unit behind it: % of a percentage. */
static bool
read_number_of(const CsvNode *node, const char *text, int length, JsonbValue *value)
{
	const char *unit = node->type == FIELD_PERCENTAGE ? "%" : node->field ? json_member_text(node->field->definition, "unit") : NULL;
	int			begin;
	const char *rest;
	int			rest_length;

	if (read_number(text, length, value))
		return true;
	begin = unit_begin(text, length);
	rest = text + begin;
	rest_length = length - begin;
	csv_trim(&rest, &rest_length);
	return unit && rest_length == (int) strlen(unit) && memcmp(rest, unit, rest_length) == 0 && read_number(text, begin, value);
}

/* An object of two members. */
static void
set_pair(JsonbValue *value, const char *first, JsonbValue *first_value, const char *second, JsonbValue *second_value)
{
	JsonbParseState *state = NULL;
	JsonbValue	keys[] = {{.type = jbvString}, {.type = jbvString}};

	keys[0].val.string.val = unconstify(char *, first);
	keys[0].val.string.len = strlen(first);
	keys[1].val.string.val = unconstify(char *, second);
	keys[1].val.string.len = strlen(second);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, &keys[0]);
	pushJsonbValue(&state, WJB_VALUE, first_value);
	pushJsonbValue(&state, WJB_KEY, &keys[1]);
	pushJsonbValue(&state, WJB_VALUE, second_value);
	JsonbToJsonbValue(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)), value);
}

/* "<" or "<=" and so on in front of a measure, which is taken off; its length. */
static int
take_comparator(const CsvNode *node, const char **text, int *length)
{
	int			size;

	if (node->field == NULL || !node->field->has_comparators || *length == 0 || (**text != '<' && **text != '>'))
		return 0;
	size = *length > 1 && (*text)[1] == '=' ? 2 : 1;
	*text += size;
	*length -= size;
	csv_trim(text, length);
	return size;
}

/* "12.5 mg/m3", "<0.5 mg/m3", "12.5 EUR", "EUR 12.5", or the number alone where the field has one unit. */
static bool
read_measure(const CsvNode *node, const char *text, int length, JsonbValue *value)
{
	bool		is_money = node->type == FIELD_CURRENCY;
	const char *comparator = text;
	int			comparator_length = take_comparator(node, &text, &length);
	int			left = unit_begin(text, length);
	const char *unit = node->unit;
	int			unit_length = unit ? (int) strlen(unit) : 0;
	JsonbValue	number;
	JsonbValue	unit_value;

	if (left < length && !read_number(text, length, &number))
	{
		const char *right = text + left;
		int			right_length = length - left;

		csv_trim(&right, &right_length);
		if (read_number(text, left, &number))
		{
			unit = right;
			unit_length = right_length;
		}
		else if (is_money && read_number(right, right_length, &number))
		{
			unit = text;
			unit_length = left;
		}
		else
			return false;
	}
	else if (unit == NULL || !read_number(text, length, &number))
		return false;
	set_text(&unit_value, unit, unit_length);
	set_pair(value, is_money ? "amount" : "value", &number, is_money ? "currency" : "unit", &unit_value);
	if (comparator_length > 0)
	{
		JsonbValue	sign;

		set_text(&sign, comparator, comparator_length);
		JsonbToJsonbValue(json_with_member(json_value_to_jsonb(value), "comparator", 10, &sign), value);
	}
	return true;
}

/* "2026-01-01/2026-01-31" */
static bool
read_span(const char *text, int length, JsonbValue *value)
{
	const char *slash = memchr(text, '/', length);
	JsonbValue	from;
	JsonbValue	to;

	if (slash == NULL)
		return false;
	set_text(&from, text, slash - text);
	set_text(&to, slash + 1, length - (int) (slash + 1 - text));
	set_pair(value, "from", &from, "to", &to);
	return true;
}

/* "48.1, 11.6" */
static bool
read_place(const char *text, int length, JsonbValue *value)
{
	const char *comma = memchr(text, ',', length);
	const char *right = comma ? comma + 1 : NULL;
	int			right_length = comma ? length - (int) (right - text) : 0;
	int			left_length = comma ? (int) (comma - text) : 0;
	JsonbValue	lat;
	JsonbValue	lon;

	if (comma == NULL)
		return false;
	csv_trim(&text, &left_length);
	csv_trim(&right, &right_length);
	if (!read_number(text, left_length, &lat) || !read_number(right, right_length, &lon))
		return false;
	set_pair(value, "lat", &lat, "lon", &lon);
	return true;
}

/* "9:05" as spreadsheets write it, with the zero in front that it lacks. */
static bool
read_time(const char *text, int length, JsonbValue *value)
{
	char	   *padded = psprintf("0%.*s", length, text);

	if (length < 4 || text[1] != ':' || (int) strspn(text, "0123456789:.") < length)
		return false;
	set_text(value, padded, length + 1);
	return true;
}

static bool
read_boolean(const char *text, int length, JsonbValue *value)
{
	value->type = jbvBool;
	return parse_bool_with_len(text, length, &value->val.boolean);
}

static int
compare_choice(const void *key, const void *choice)
{
	return strcmp(key, ((const CsvChoice *) choice)->text);
}

/* The option that a text stands for, or the text. */
static void
set_option(const CsvNode *node, const char *text, int length, JsonbValue *value)
{
	const CsvChoice *found;

	set_text(value, text, length);
	for (int i = 0; i < node->field->option_count; i++)
		if (strcmp(node->field->options[i], value->val.string.val) == 0)
			return;
	found = bsearch(csv_fold(text, length), node->choices, node->choice_count, sizeof(CsvChoice), compare_choice);
	if (found && found->option)
		set_text(value, found->option, strlen(found->option));
}

/* Texts, of options where there are some, with ";" or line breaks between. */
static void
set_list(const CsvNode *node, const char *text, int length, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	const char *end = text + length;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (text < end)
	{
		const char *next = text + strcspn(text, ";\r\n");
		int			size;

		next = Min(next, end);
		size = next - text;
		JsonbValue	item;

		csv_trim(&text, &size);
		if (size > 0)
		{
			if (node->type == FIELD_MULTI_SELECT)
				set_option(node, text, size, &item);
			else
				set_text(&item, text, size);
			pushJsonbValue(&state, WJB_ELEM, &item);
		}
		text = next + 1;
	}
	JsonbToJsonbValue(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), value);
}

/* Reads the text as a value of the type; returns false if it is no such value. */
static bool
read_value(const CsvNode *node, const char *text, int length, JsonbValue *value)
{
	switch (node->type)
	{
		case FIELD_NUMBER:
		case FIELD_INTEGER:
		case FIELD_PERCENTAGE:
			return read_number_of(node, text, length, value);
		case FIELD_TIME:
			return read_time(text, length, value);
		case FIELD_BOOLEAN:
			return read_boolean(text, length, value);
		case FIELD_QUANTITY:
		case FIELD_CURRENCY:
			return read_measure(node, text, length, value) || read_json(text, length, value);
		case FIELD_DATE_RANGE:
			return read_json(text, length, value) || read_span(text, length, value);
		case FIELD_GEOLOCATION:
			return read_json(text, length, value) || read_place(text, length, value);
		case FIELD_MULTI_SELECT:
		case FIELD_TAGS:
		case FIELD_RECORD_REFERENCES:
		case FIELD_FILE:
		case FIELD_IMAGE:
			if (!read_json(text, length, value))
				set_list(node, text, length, value);
			return true;
		case FIELD_SELECT:
			set_option(node, text, length, value);
			return true;
		case FIELD_MATRIX_SCORE:
		case FIELD_SIGNATURE:
		case FIELD_TABLE:
		case FIELD_OBJECT:
			return read_json(text, length, value);
		default:
			return false;
	}
}

void
csv_value(const CsvNode *node, const CsvCell *cell, JsonbValue *value)
{
	const char *text = cell->text;
	int			length = cell->length;

	/* of these a blank is never a part */
	if (node->type == FIELD_EMAIL || node->type == FIELD_PHONE || node->type == FIELD_URL)
		csv_trim(&text, &length);
	if (module_field_types[node->type].kind == VALUE_TEXT)
	{
		set_text(value, text, length);
		return;
	}
	csv_trim(&text, &length);
	if (!read_value(node, text, length, value))
		set_text(value, text, length);
}
