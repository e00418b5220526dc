/*
 * calendar.c
 *	  Adding durations to times in a calendar.
 */
#include "base/compat.h"

#include "calendar/calendar.h"
#include "utils/datetime.h"

/* Calendar days that a search for working days goes through at most. */
#define MOST_DAYS 100000

TimestampTz
calendar_day(const Calendar *calendar, int64 day)
{
	return calendar->zone.time(calendar->zone.zone, (LocalTime) {day, 0});
}

/* ---- calendar days ---- */

static int
days_of_month(int year, int month)
{
	return day_tab[isleap(year)][month - 1];
}

static int64
add_months(int64 day, int64 months)
{
	int			year;
	int			month;
	int			mday;

	j2date((int) (day + POSTGRES_EPOCH_JDATE), &year, &month, &mday);
	months += (int64) year * 12 + month - 1;
	year = (int) (months / 12);
	month = (int) (months % 12) + 1;
	return date2j(year, month, Min(mday, days_of_month(year, month))) - POSTGRES_EPOCH_JDATE;
}

/* ---- business days ---- */

static bool
is_holiday(const Calendar *calendar, int64 day)
{
	int			low = 0;
	int			high = calendar->holiday_count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (calendar->holidays[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < calendar->holiday_count && calendar->holidays[low] == day;
}

static bool
is_working(const Calendar *calendar, int64 day)
{
	/* 2000-01-01 was a Saturday */
	int64		weekday = (day + 5) % 7;

	return calendar->working[weekday < 0 ? weekday + 7 : weekday] && !is_holiday(calendar, day);
}

/* Go on to the next working day, or back to the one before; false when there is none near. */
static bool
step(const Calendar *calendar, int64 *day, int sign)
{
	for (int i = 0; i < MOST_DAYS; i++)
	{
		*day += sign;
		if (is_working(calendar, *day))
			return true;
	}
	return false;
}

/* Move a time outside of the working hours to where they begin next, or ended last. */
static bool
enter(const Calendar *calendar, LocalTime *local, int sign)
{
	bool		working = is_working(calendar, local->day);

	if (working && local->time > calendar->opens && local->time < calendar->closes)
		return true;
	if (sign > 0)
	{
		if ((!working || local->time >= calendar->closes) && !step(calendar, &local->day, 1))
			return false;
		local->time = calendar->opens;
	}
	else
	{
		if ((!working || local->time <= calendar->opens) && !step(calendar, &local->day, -1))
			return false;
		local->time = calendar->closes;
	}
	return true;
}

/* Pass working time from a time within the working hours. */
static bool
pass(const Calendar *calendar, LocalTime *local, int64 rest, int sign, TimestampTz *result)
{
	const CalendarZone *zone = &calendar->zone;
	TimestampTz now = zone->time(zone->zone, *local);

	for (int i = 0; i < MOST_DAYS; i++)
	{
		TimestampTz end = zone->time(zone->zone, (LocalTime) {local->day, sign > 0 ? calendar->closes : calendar->opens});
		/* what a change of clocks leaves out of a day is not there */
		int64		left = Max((end - now) * sign, 0);

		if (rest <= left)
		{
			*result = now + rest * sign;
			return true;
		}
		rest -= left;
		if (!step(calendar, &local->day, sign))
			return false;
		now = zone->time(zone->zone, (LocalTime) {local->day, sign > 0 ? calendar->opens : calendar->closes});
	}
	return false;
}

static bool
add_business(const Calendar *calendar, TimestampTz from, const Duration *duration, int sign, TimestampTz *result)
{
	LocalTime	local = calendar->zone.local(calendar->zone.zone, from);

	if (!enter(calendar, &local, sign))
		return false;
	for (int i = 0; i < duration->days; i++)
		if (!step(calendar, &local.day, sign))
			return false;
	return pass(calendar, &local, duration->microseconds, sign, result);
}

bool
calendar_add(const Calendar *calendar, bool business, TimestampTz from, const Duration *duration, int sign, TimestampTz *result)
{
	LocalTime	local;

	if (business)
		return add_business(calendar, from, duration, sign, result);
	*result = from;
	if (duration->months || duration->days)
	{
		local = calendar->zone.local(calendar->zone.zone, from);
		if (duration->months)
			local.day = add_months(local.day, (int64) duration->months * sign);
		local.day += (int64) duration->days * sign;
		*result = calendar->zone.time(calendar->zone.zone, local);
	}
	*result += duration->microseconds * sign;
	return IS_VALID_TIMESTAMP(*result);
}
