/*
 * duration.c
 *	  Reading durations of ISO 8601.
 */
#include "base/compat.h"

#include "calendar/duration.h"
#include "datatype/timestamp.h"
#include "schema/format.h"

/* Where a number is cut off: any part of so many units is too long. */
#define MOST_UNITS INT64CONST(10000000000)
#define MOST_DAYS (QEHS_DURATION_YEARS * INT64CONST(366))

bool
duration_read(const char *text, int length, Duration *duration)
{
	bool		time = false;
	int64		number = 0;
	int64		months = 0;
	int64		days = 0;
	int64		seconds = 0;

	if (!format_duration(text, length))
		return false;
	for (const char *at = text + 1; at < text + length; at++)
	{
		if (*at >= '0' && *at <= '9')
		{
			number = Min(number * 10 + (*at - '0'), MOST_UNITS);
			continue;
		}
		if (*at == 'T')
			time = true;
		else if (*at == 'Y')
			months += number * MONTHS_PER_YEAR;
		else if (*at == 'M' && !time)
			months += number;
		else if (*at == 'W')
			days += number * 7;
		else if (*at == 'D')
			days += number;
		else
			seconds += number * (*at == 'H' ? SECS_PER_HOUR : *at == 'M' ? SECS_PER_MINUTE : 1);
		number = 0;
	}
	if (days > MOST_DAYS || seconds > MOST_DAYS * SECS_PER_DAY || months > QEHS_DURATION_YEARS * MONTHS_PER_YEAR)
		return false;
	*duration = (Duration) {(int32) months, (int32) days, seconds * USECS_PER_SEC};
	return true;
}

bool
duration_is_zero(const Duration *duration)
{
	return duration->months == 0 && duration->days == 0 && duration->microseconds == 0;
}
