/*
 * json_time.c
 *	  Times of JSON documents: RFC 3339, written in UTC with milliseconds, read
 *	  with any offset.
 */
#include "base/compat.h"

#include "base/json.h"
#include "common/rfc3339.h"
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

static TimestampTz
date_value(const Rfc3339 *time)
{
	return (int64) (date2j(time->year, time->month, time->day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
}

bool
json_time_parse(const char *text, int length, TimestampTz *value)
{
	Rfc3339		time;

	if (!rfc3339_read(text, length, &time))
		return false;
	*value = date_value(&time) + time.hour * USECS_PER_HOUR + (time.minute - time.offset) * USECS_PER_MINUTE +
		time.second * USECS_PER_SEC + time.microsecond;
	return true;
}

bool
json_date_parse(const char *text, int length, TimestampTz *value)
{
	Rfc3339		time;

	if (!rfc3339_read_date(text, length, &time))
		return false;
	*value = date_value(&time);
	return true;
}

const char *
json_time_wanted(const char *text, int length)
{
	/* "2026-01-01T00:00:00 01:00" */
	if (length > 19 && memchr(text + 19, ' ', length - 19))
		return "a date such as 2024-03-14, or a time with its offset such as 2024-03-14T09:30:00Z (RFC 3339); a + in a query string means a blank: write %2B";
	return "a date such as 2024-03-14, or a time with its offset such as 2024-03-14T09:30:00Z (RFC 3339)";
}
