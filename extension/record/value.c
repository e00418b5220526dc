/*
 * value.c
 *	  The one form by which the values of a field compare: reading it from JSON
 *	  and from text, and what a slot holds of it (value.h).
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "record/record.h"
#include "record/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* Digits that numeric takes before and behind the point. */
#define MOST_EXPONENT 130000
#define LEAST_EXPONENT (-15000)
/* Where a number of a duration is cut off, so that sums stay within 128 bits. */
#define MOST_UNITS INT64CONST(1000000000000000)

Oid
value_oid(ValueKind kind)
{
	switch (kind)
	{
		case VALUE_NUMBER:
		case VALUE_DURATION:
		case VALUE_TIME_OF_DAY:
			return NUMERICOID;
		case VALUE_TIME:
			return TIMESTAMPTZOID;
		case VALUE_LIST:
			return TEXTARRAYOID;
		default:
			return TEXTOID;
	}
}

/* ---- numbers ---- */

static Datum
numeric_of(const char *text)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* Reads a decimal number, with or without an exponent; returns false if it is no such number or numeric cannot hold it. */
static bool
parse_number(const char *text, int length, Datum *value)
{
	char	   *copy = pnstrdup(text, length);
	const char *at = copy + (*copy == '-' || *copy == '+');
	int			digits = strspn(at, "0123456789");
	int			decimals = 0;
	long		exponent = 0;

	at += digits;
	if (*at == '.')
	{
		decimals = strspn(at + 1, "0123456789");
		at += 1 + decimals;
	}
	if (digits + decimals == 0 || digits + decimals > QEHS_NUMBER_DIGITS)
		return false;
	if (*at == 'e' || *at == 'E')
	{
		const char *power = at + 1 + (at[1] == '-' || at[1] == '+');
		int			count = strspn(power, "0123456789");

		if (count == 0 || count > 6)
			return false;
		exponent = strtol(at + 1, NULL, 10);
		at = power + count;
	}
	if (*at != '\0' || exponent > MOST_EXPONENT || exponent < LEAST_EXPONENT)
		return false;
	*value = numeric_of(copy);
	return true;
}

/* The number of an object that compares by one. */
static bool
read_number(FieldType type, const JsonbValue *json, Datum *value)
{
	const char *name = module_compared_member(type);
	JsonbValue	member;

	if (name && json->type == jbvBinary)
	{
		if (!json_member(json->val.binary.data, name, strlen(name), &member))
			return false;
		json = &member;
	}
	if (json->type == jbvNumeric)
	{
		*value = NumericGetDatum(json->val.numeric);
		return true;
	}
	/* an amount may be a string of digits */
	return type == FIELD_CURRENCY && json->type == jbvString && parse_number(json->val.string.val, json->val.string.len, value);
}

/* A duration of ISO 8601 as RFC 3339 appendix A has it, in microseconds; months as days, days as hours. */
static bool
parse_duration(const char *text, int length, Datum *value)
{
	static const char units[] = "YMWDHMS";
	static const int64 seconds[] = {360 * SECS_PER_DAY, 30 * SECS_PER_DAY, 7 * SECS_PER_DAY, SECS_PER_DAY, SECS_PER_HOUR, SECS_PER_MINUTE, 1};
	const char *at = text;
	const char *end = text + length;
	const char *next = units;
	int128		sum = 0;
	bool		any = false;
	bool		time = false;
	char		digits[64];
	char	   *digit = digits + sizeof(digits) - 1;

	if (length < 3 || *at++ != 'P')
		return false;
	while (at < end)
	{
		int64		number = 0;
		const char *start;
		const char *unit;

		if (*at == 'T' && !time)
		{
			time = true;
			any = false;
			next = units + 4;
			at++;
			continue;
		}
		for (start = at; at < end && *at >= '0' && *at <= '9'; at++)
			number = Min(number * 10 + (*at - '0'), MOST_UNITS);
		unit = at < end && at > start ? strchr(next, *at) : NULL;
		if (unit == NULL || *unit == '\0' || (!time && unit >= units + 4))
			return false;
		at++;
		sum += (int128) number * seconds[unit - units] * USECS_PER_SEC;
		next = unit + 1;
		any = true;
	}
	if (!any)
		return false;
	*digit = '\0';
	do
	{
		*--digit = '0' + (int) (sum % 10);
		sum /= 10;
	} while (sum > 0);
	*value = numeric_of(digit);
	return true;
}

/* "14:30", with or without seconds and fractions of them, in microseconds since midnight. */
static bool
parse_time_of_day(const char *text, int length, Datum *value)
{
	static const int starts[] = {0, 3, 6};
	static const int64 units[] = {USECS_PER_HOUR, USECS_PER_MINUTE, USECS_PER_SEC};
	static const int most[] = {23, 59, 59};
	int64		sum = 0;
	int64		unit = USECS_PER_SEC;

	if (length != 5 && length != 8 && (length < 10 || length > 15 || text[8] != '.'))
		return false;
	for (int i = 0; i < 3 && starts[i] < length; i++)
	{
		const char *at = text + starts[i];

		if ((i > 0 && at[-1] != ':') || at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9' || (at[0] - '0') * 10 + (at[1] - '0') > most[i])
			return false;
		sum += ((at[0] - '0') * 10 + (at[1] - '0')) * units[i];
	}
	for (int i = 9; i < length; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return false;
		unit /= 10;
		sum += (text[i] - '0') * unit;
	}
	*value = DirectFunctionCall1(int8_numeric, Int64GetDatum(sum));
	return true;
}

/* ---- texts ---- */

/* The least bytes that make a character of those of one that was cut after count of them. */
static void
complete_character(unsigned char *character, int count, int length)
{
	/* behind these no second byte may be 0x80: it would be an overlong form */
	unsigned char second = character[0] == 0xe0 ? 0xa0 : character[0] == 0xf0 ? 0x90 : 0x80;

	for (int i = count; i < length; i++)
		character[i] = i == 1 ? second : 0x80;
}

text *
value_clip(const char *bytes, int length)
{
	int			whole;
	text	   *result;
	unsigned char *data;
	int			character;

	if (length <= QEHS_TEXT_SLOT_BYTES)
		return cstring_to_text_with_len(bytes, length);
	whole = pg_mbcliplen(bytes, length, QEHS_TEXT_SLOT_BYTES);
	character = pg_mblen(bytes + whole);
	if (whole == QEHS_TEXT_SLOT_BYTES || GetDatabaseEncoding() != PG_UTF8)
		return cstring_to_text_with_len(bytes, whole);
	result = palloc(VARHDRSZ + whole + character);
	SET_VARSIZE(result, VARHDRSZ + whole + character);
	data = (unsigned char *) VARDATA(result);
	memcpy(data, bytes, QEHS_TEXT_SLOT_BYTES);
	complete_character(data + whole, QEHS_TEXT_SLOT_BYTES - whole, character);
	return result;
}

/* An id in its one form, or the text as it is. */
static Datum
id_text(FieldType type, const char *text, int length)
{
	const char *prefix = module_id_prefix(type);
	char		canonical[QEHS_ID_LENGTH + 1];
	pg_uuid_t	id;

	if (prefix == NULL || !id_parse(text, length, prefix, &id))
		return PointerGetDatum(cstring_to_text_with_len(text, length));
	id_format(&id, prefix, canonical);
	return CStringGetTextDatum(canonical);
}

static bool
read_text(FieldType type, const JsonbValue *json, Datum *value)
{
	if (json->type == jbvString)
		*value = id_text(type, json->val.string.val, json->val.string.len);
	else if (json->type == jbvBool)
		*value = CStringGetTextDatum(json->val.boolean ? "true" : "false");
	else if (json->type == jbvNumeric)
		*value = CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(numeric_out,
																		 DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(json->val.numeric)))));
	else
		return false;
	return true;
}

/* ---- all kinds ---- */

static bool
parse_time(const char *text, int length, Datum *value)
{
	TimestampTz time;

	if (!json_time_parse(text, length, &time) && !json_date_parse(text, length, &time))
		return false;
	*value = TimestampTzGetDatum(time);
	return true;
}

bool
value_read(FieldType type, const JsonbValue *json, Datum *value)
{
	switch (module_field_types[type].kind)
	{
		case VALUE_TEXT:
		case VALUE_ID:
			return read_text(type, json, value);
		case VALUE_BOOLEAN:
			return json->type == jbvBool && read_text(type, json, value);
		case VALUE_OPTION:
			return json->type == jbvString && read_text(type, json, value);
		case VALUE_NUMBER:
			return read_number(type, json, value);
		case VALUE_TIME:
			return json->type == jbvString && parse_time(json->val.string.val, json->val.string.len, value);
		case VALUE_DURATION:
			return json->type == jbvString && parse_duration(json->val.string.val, json->val.string.len, value);
		case VALUE_TIME_OF_DAY:
			return json->type == jbvString && parse_time_of_day(json->val.string.val, json->val.string.len, value);
		default:
			return false;
	}
}

bool
value_read_list(const JsonbValue *json, Datum *value)
{
	uint32		size = 1;
	int			count = 0;
	Datum	   *items;
	bool		is_array = json->type == jbvBinary && JsonContainerIsArray(json->val.binary.data);

	if (!is_array && json->type != jbvString)
		return false;
	if (is_array)
		size = JsonContainerSize(json->val.binary.data);
	items = palloc(sizeof(Datum) * Max(size, 1));
	for (uint32 i = 0; i < size; i++)
		if (read_text(FIELD_TEXT, is_array ? getIthJsonbValueFromContainer(json->val.binary.data, i) : json, &items[count]))
			count++;
	*value = PointerGetDatum(construct_array(items, count, TEXTOID, -1, false, TYPALIGN_INT));
	return true;
}

bool
value_parse(FieldType type, const char *text, int length, Datum *value, const char **wanted)
{
	pg_uuid_t	id;

	switch (module_field_types[type].kind)
	{
		case VALUE_BOOLEAN:
			*wanted = "true or false";
			*value = PointerGetDatum(cstring_to_text_with_len(text, length));
			return (length == 4 && memcmp(text, "true", 4) == 0) || (length == 5 && memcmp(text, "false", 5) == 0);
		case VALUE_ID:
			*wanted = type == FIELD_USER ? "the id of a user" : "the id of a record, or its display code";
			*value = id_text(type, text, length);
			return id_parse(text, length, module_id_prefix(type), &id);
		case VALUE_NUMBER:
			*wanted = "a number";
			return parse_number(text, length, value);
		case VALUE_TIME:
			*wanted = json_time_wanted(text, length);
			return parse_time(text, length, value);
		case VALUE_DURATION:
			*wanted = "a duration such as PT90M";
			return parse_duration(text, length, value);
		case VALUE_TIME_OF_DAY:
			*wanted = "a time of day such as 14:30";
			return parse_time_of_day(text, length, value);
		case VALUE_LIST:
			*wanted = type == FIELD_RECORD_REFERENCES ? "the id of a record, or its display code" : "a text";
			*value = id_text(type, text, length);
			return type != FIELD_RECORD_REFERENCES || id_parse(text, length, QEHS_ID_RECORD, &id);
		default:
			*wanted = "a text";
			*value = id_text(type, text, length);
			return true;
	}
}

bool
value_parse_display_code(const char *text, int length, int *prefix_length, int64 *display_no)
{
	const char *end = text + length;
	const char *at = memchr(text, '-', length);
	int64		year = 0;
	int64		number = 0;
	int			digits = 0;

	if (at == NULL || at == text || end - at < 10 || at[5] != '-')
		return false;
	*prefix_length = (int) (at - text);
	for (int i = 1; i <= 4; i++)
	{
		if (at[i] < '0' || at[i] > '9')
			return false;
		year = year * 10 + (at[i] - '0');
	}
	for (at += 6; at < end && *at >= '0' && *at <= '9' && digits < 9; at++, digits++)
		number = number * 10 + (*at - '0');
	*display_no = year * QEHS_DISPLAY_YEAR + number;
	return digits >= 4 && at == end;
}

/* A number that takes more room than its digits are worth in an index, rounded. */
static Datum
slot_number(Datum value)
{
	char	   *text;
	const char *point;
	int			before;

	if (VARSIZE_ANY(DatumGetPointer(value)) <= QEHS_NUMBER_DIGITS)
		return value;
	text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	point = strchr(text, '.');
	before = (point ? (int) (point - text) : (int) strlen(text)) - (*text == '-');
	return DirectFunctionCall2(numeric_round, value, Int32GetDatum(QEHS_NUMBER_DIGITS - before));
}

Datum
value_slot(ValueKind kind, Datum value)
{
	text	   *bytes;

	switch (module_slot_kind(kind))
	{
		case SLOT_TEXT:
			bytes = DatumGetTextPP(value);
			return VARSIZE_ANY_EXHDR(bytes) <= QEHS_TEXT_SLOT_BYTES ? PointerGetDatum(bytes) :
				PointerGetDatum(value_clip(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)));
		case SLOT_NUMBER:
			return slot_number(value);
		default:
			return value;
	}
}
