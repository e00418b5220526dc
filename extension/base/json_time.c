/*
 * json_time.c
 *	  Times of JSON documents: RFC 3339, written in UTC with milliseconds, read
 *	  with any offset.
 */
#include "base/compat.h"

#include "base/json.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

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
