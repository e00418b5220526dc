/*
 * calendar.h
 *	  Time in a tenant's calendar: its time zone, working days and holidays.
 *
 * The arithmetic (calendar.c) is pure: it gets a calendar with two functions for
 * its time zone and touches nothing else.  tenant.c reads the calendar of a tenant
 * and has the functions, by the server's time zones.
 */
#ifndef QEHS_CALENDAR_H
#define QEHS_CALENDAR_H

#include "calendar/duration.h"
#include "datatype/timestamp.h"

/* What a clock on the wall shows: days since 2000-01-01, and microseconds of the day (USECS_PER_DAY is the midnight that ends it). */
typedef struct LocalTime
{
	int64		day;
	int64		time;
} LocalTime;

/*
 * A time zone.  A local time that a change of clocks leaves out is taken by the offset before it, one that comes twice
 * is in standard time, as everywhere in PostgreSQL.
 */
typedef struct CalendarZone
{
	LocalTime	(*local) (const void *zone, TimestampTz time);
	TimestampTz (*time) (const void *zone, LocalTime local);
	const void *zone;
} CalendarZone;

typedef struct Calendar
{
	CalendarZone zone;
	bool		working[7];		/* Monday first; at least one */
	int64		opens;			/* microseconds of a working day: from 0, */
	int64		closes;			/* to USECS_PER_DAY, after opens */
	int			holiday_count;
	const int32 *holidays;		/* days since 2000-01-01, sorted */
} Calendar;

/* ---- calendar.c ---- */

/*
 * The time that is a duration after from (sign 1) or before it (sign -1); false when there is none within
 * about 100,000 days.
 *
 * Without business, months and days are those of the clock on the wall, where a day that a month lacks is its last;
 * what is less than a day is time that passes.  In business days, which have neither months nor years, a day is a
 * working day and an hour one between opens and closes; what begins outside of them begins when they open next, and
 * what goes back from there when they closed last.
 */
extern bool calendar_add(const Calendar *calendar, bool business, TimestampTz from, const Duration *duration, int sign, TimestampTz *result);

/* When a day (since 2000-01-01) begins. */
extern TimestampTz calendar_day(const Calendar *calendar, int64 day);

/* ---- tenant.c ---- */

/*
 * The calendar of a tenant, in the current memory context: what qehs.calendar_set has said, or else UTC, Monday
 * to Friday all day and no holidays.  Inside SPI.
 */
extern const Calendar *calendar_of(int32 tenant_id);

/* The time zone that a tenant's calendar names, palloc'd; NULL when it names none.  Runs SPI by itself. */
extern char *calendar_zone_name(int32 tenant_id);

/* Whether the server knows a time zone of the name. */
extern bool calendar_has_zone(const char *name);

#endif							/* QEHS_CALENDAR_H */
