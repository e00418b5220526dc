/*
 * json.c
 *	  Writing JSON text and reading members of binary jsonb.
 *
 * Text is copied in runs between the few bytes that need an escape.  A jsonb
 * is written by its iterator, so depth costs no C stack.
 */
#include "compat.h"

#include "id.h"
#include "json.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

void
json_begin(StringInfo out)
{
	initStringInfo(out);
	out->len = VARHDRSZ;
}

Datum
json_datum(StringInfo out)
{
	SET_VARSIZE(out->data, out->len);
	return PointerGetDatum(out->data);
}

static void
write_escape(StringInfo out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char		escape[6] = {'\\', 'u', '0', '0', 0, 0};

	switch (c)
	{
		case '"':
			json_literal(out, "\\\"");
			return;
		case '\\':
			json_literal(out, "\\\\");
			return;
		case '\n':
			json_literal(out, "\\n");
			return;
		case '\r':
			json_literal(out, "\\r");
			return;
		case '\t':
			json_literal(out, "\\t");
			return;
		default:
			escape[4] = hex[c >> 4];
			escape[5] = hex[c & 15];
			appendBinaryStringInfo(out, escape, sizeof(escape));
	}
}

void
json_string_n(StringInfo out, const char *text, int length)
{
	const char *end = text + length;
	const char *run = text;

	enlargeStringInfo(out, length + 2);
	out->data[out->len++] = '"';
	for (const char *p = text; p < end; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (likely(c >= 0x20 && c != '"' && c != '\\'))
			continue;
		appendBinaryStringInfo(out, run, p - run);
		write_escape(out, c);
		run = p + 1;
	}
	appendBinaryStringInfo(out, run, end - run);
	appendStringInfoCharMacro(out, '"');
}

void
json_string(StringInfo out, const char *text)
{
	if (text)
		json_string_n(out, text, strlen(text));
	else
		json_literal(out, "null");
}

void
json_name(StringInfo out, const char *name)
{
	json_string(out, name);
	appendStringInfoCharMacro(out, ':');
}

void
json_int(StringInfo out, int64 value)
{
	char		digits[MAXINT8LEN + 1];
	int			length = pg_lltoa(value, digits);

	appendBinaryStringInfo(out, digits, length);
}

void
json_bool(StringInfo out, bool value)
{
	if (value)
		json_literal(out, "true");
	else
		json_literal(out, "false");
}

static void
two_digits(char *target, int value)
{
	target[0] = '0' + value / 10;
	target[1] = '0' + value % 10;
}

void
json_time_raw(StringInfo out, TimestampTz value)
{
	int64		day = value / USECS_PER_DAY;
	int64		rest = value % USECS_PER_DAY;
	int			year,
				month,
				mday,
				ms;
	char		text[24];

	if (rest < 0)
	{
		rest += USECS_PER_DAY;
		day--;
	}
	j2date((int) (day + POSTGRES_EPOCH_JDATE), &year, &month, &mday);
	if (TIMESTAMP_NOT_FINITE(value) || year < 0 || year > 9999)
	{
		appendStringInfoString(out, value > 0 ? "9999-12-31T23:59:59.999Z" : "0000-01-01T00:00:00.000Z");
		return;
	}
	two_digits(text, year / 100);
	two_digits(text + 2, year % 100);
	text[4] = '-';
	two_digits(text + 5, month);
	text[7] = '-';
	two_digits(text + 8, mday);
	text[10] = 'T';
	two_digits(text + 11, (int) (rest / USECS_PER_HOUR));
	text[13] = ':';
	two_digits(text + 14, (int) (rest / USECS_PER_MINUTE % 60));
	text[16] = ':';
	two_digits(text + 17, (int) (rest / USECS_PER_SEC % 60));
	text[19] = '.';
	ms = (int) (rest / 1000 % 1000);
	text[20] = '0' + ms / 100;
	two_digits(text + 21, ms % 100);
	text[23] = 'Z';
	appendBinaryStringInfo(out, text, sizeof(text));
}

void
json_time(StringInfo out, TimestampTz value)
{
	appendStringInfoCharMacro(out, '"');
	json_time_raw(out, value);
	appendStringInfoCharMacro(out, '"');
}

void
json_id(StringInfo out, const pg_uuid_t *id, const char *prefix)
{
	enlargeStringInfo(out, QEHS_ID_LENGTH + 3);
	out->data[out->len++] = '"';
	id_format(id, prefix, out->data + out->len);
	out->len += QEHS_ID_LENGTH;
	out->data[out->len++] = '"';
	out->data[out->len] = '\0';
}

static void
write_scalar(StringInfo out, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			json_literal(out, "null");
			break;
		case jbvBool:
			json_bool(out, value->val.boolean);
			break;
		case jbvString:
			json_string_n(out, value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			appendStringInfoString(out,
								   DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
			break;
		default:
			elog(ERROR, "unexpected jsonb scalar type %d", (int) value->type);
	}
}

void
json_container(StringInfo out, const JsonbContainer *container)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, container));
	JsonbValue	value;
	JsonbIteratorToken token;
	bool		comma = false;
	bool		raw_scalar = JsonContainerIsScalar(container);

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (comma && (token == WJB_KEY || token == WJB_ELEM || token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY))
			appendStringInfoCharMacro(out, ',');
		comma = true;
		switch (token)
		{
			case WJB_BEGIN_OBJECT:
				appendStringInfoCharMacro(out, '{');
				comma = false;
				break;
			case WJB_BEGIN_ARRAY:
				if (!raw_scalar)
					appendStringInfoCharMacro(out, '[');
				comma = false;
				break;
			case WJB_END_OBJECT:
				appendStringInfoCharMacro(out, '}');
				break;
			case WJB_END_ARRAY:
				if (!raw_scalar)
					appendStringInfoCharMacro(out, ']');
				break;
			case WJB_KEY:
				json_string_n(out, value.val.string.val, value.val.string.len);
				appendStringInfoCharMacro(out, ':');
				comma = false;
				break;
			default:
				write_scalar(out, &value);
		}
	}
}

void
json_jsonb(StringInfo out, const Jsonb *value)
{
	json_container(out, &value->root);
}

void
json_jsonb_value(StringInfo out, const JsonbValue *value)
{
	if (value->type == jbvBinary)
		json_container(out, value->val.binary.data);
	else
		write_scalar(out, value);
}

bool
json_member(const JsonbContainer *object, const char *key, int key_length, JsonbValue *value)
{
	if (!JsonContainerIsObject(object))
		return false;
	return getKeyJsonValueFromContainer(unconstify(JsonbContainer *, object), key, key_length, value) != NULL;
}

char *
json_text_copy(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

char *
json_member_text(const JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value) || value.type != jbvString)
		return NULL;
	return json_text_copy(&value);
}

bool
json_member_bool(const JsonbContainer *object, const char *key, bool otherwise)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value) || value.type != jbvBool)
		return otherwise;
	return value.val.boolean;
}

bool
json_member_int(const JsonbContainer *object, const char *key, int32 *result)
{
	JsonbValue	value;
	bool		failed = false;

	if (!json_member(object, key, strlen(key), &value) || value.type != jbvNumeric)
		return false;
	*result = numeric_int4_opt_error(value.val.numeric, &failed);
	return !failed;
}

bool
json_values_equal(const JsonbValue *left, const JsonbValue *right)
{
	if (left->type != right->type)
		return false;
	switch (left->type)
	{
		case jbvNull:
			return true;
		case jbvBool:
			return left->val.boolean == right->val.boolean;
		case jbvString:
			return left->val.string.len == right->val.string.len &&
				memcmp(left->val.string.val, right->val.string.val, left->val.string.len) == 0;
		case jbvNumeric:
			return DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(left->val.numeric),
													NumericGetDatum(right->val.numeric)));
		case jbvBinary:
			return compareJsonbContainers(left->val.binary.data, right->val.binary.data) == 0;
		default:
			return false;
	}
}

Jsonb *
json_value_to_jsonb(const JsonbValue *value)
{
	return JsonbValueToJsonb(unconstify(JsonbValue *, value));
}

Jsonb *
json_with_member(Jsonb *object, const char *key, int key_length, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	JsonbIterator *iterator = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue	name = {.type = jbvString, .val.string = {key_length, unconstify(char *, key)}};
	JsonbValue	member;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &member, true)) != WJB_DONE)
		if (token == WJB_KEY || token == WJB_VALUE)
			pushJsonbValue(&state, token, &member);
	/* a later twin wins */
	pushJsonbValue(&state, WJB_KEY, &name);
	pushJsonbValue(&state, WJB_VALUE, value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

void
json_pointer_append(StringInfo pointer, const char *token, int length)
{
	appendStringInfoCharMacro(pointer, '/');
	for (int i = 0; i < length; i++)
	{
		if (token[i] == '~')
			json_literal(pointer, "~0");
		else if (token[i] == '/')
			json_literal(pointer, "~1");
		else
			appendStringInfoCharMacro(pointer, token[i]);
	}
}

/* Read exactly count digits; -1 when they are none. */
static int
read_digits(const char **at, const char *end, int count)
{
	int			value = 0;

	if (end - *at < count)
		return -1;
	for (int i = 0; i < count; i++)
	{
		char		c = *(*at)++;

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	return value;
}

static bool
read_char(const char **at, const char *end, char wanted)
{
	return *at < end && *(*at)++ == wanted;
}

/* YYYY-MM-DD as microseconds since 2000-01-01. */
static bool
read_date(const char **at, const char *end, TimestampTz *value)
{
	int			year = read_digits(at, end, 4);
	int			month;
	int			day;

	if (year < 0 || !read_char(at, end, '-'))
		return false;
	month = read_digits(at, end, 2);
	if (month < 1 || month > 12 || !read_char(at, end, '-'))
		return false;
	day = read_digits(at, end, 2);
	if (day < 1 || day > day_tab[isleap(year)][month - 1])
		return false;
	*value = (int64) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
	return true;
}

/* Z or ±HH:MM as microseconds east of UTC. */
static bool
read_offset(const char **at, const char *end, int64 *offset)
{
	char		sign;
	int			hours;
	int			minutes;

	if (*at >= end)
		return false;
	sign = *(*at)++;
	*offset = 0;
	if (sign == 'Z' || sign == 'z')
		return true;
	if (sign != '+' && sign != '-')
		return false;
	hours = read_digits(at, end, 2);
	if (hours < 0 || hours > 23 || !read_char(at, end, ':'))
		return false;
	minutes = read_digits(at, end, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	*offset = (hours * INT64CONST(60) + minutes) * USECS_PER_MINUTE;
	if (sign == '-')
		*offset = -*offset;
	return true;
}

/* Digits after the point as microseconds; more than six are cut. */
static int64
read_fraction(const char **at, const char *end)
{
	int64		value = 0;
	int			digits = 0;

	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, digits++)
		if (digits < 6)
			value = value * 10 + (**at - '0');
	for (int i = digits; i < 6; i++)
		value *= 10;
	return digits > 0 ? value : -1;
}

bool
json_time_parse(const char *text, int length, TimestampTz *value)
{
	const char *at = text;
	const char *end = text + length;
	int			hour;
	int			minute;
	int			second;
	int64		fraction = 0;
	int64		offset;

	if (!read_date(&at, end, value) || at >= end || (*at != 'T' && *at != 't' && *at != ' '))
		return false;
	at++;
	hour = read_digits(&at, end, 2);
	if (hour < 0 || hour > 23 || !read_char(&at, end, ':'))
		return false;
	minute = read_digits(&at, end, 2);
	if (minute < 0 || minute > 59 || !read_char(&at, end, ':'))
		return false;
	second = read_digits(&at, end, 2);
	if (second < 0 || second > 60)
		return false;
	if (at < end && *at == '.')
	{
		at++;
		fraction = read_fraction(&at, end);
		if (fraction < 0)
			return false;
	}
	if (!read_offset(&at, end, &offset) || at != end)
		return false;
	*value += hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE + second * USECS_PER_SEC + fraction - offset;
	return true;
}

bool
json_date_parse(const char *text, int length, TimestampTz *value)
{
	const char *at = text;

	return read_date(&at, text + length, value) && at == text + length;
}
