/*
 * tenant.c
 *	  The calendars of tenants: qehs.calendar, and PostgreSQL's time zones.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "calendar/calendar.h"
#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

static KeptPlan select_calendar = {
	"SELECT COALESCE(time_zone, 'UTC'), working_days, opens, closes, holidays FROM qehs.calendar WHERE tenant_id = $1", 1, {INT4OID}, NULL
};
/* The columns of select_calendar. */
enum
{
	COLUMN_TIME_ZONE = 1, COLUMN_WORKING_DAYS, COLUMN_OPENS, COLUMN_CLOSES, COLUMN_HOLIDAYS
};

static KeptPlan select_zone = {"SELECT time_zone FROM qehs.calendar WHERE tenant_id = $1 AND time_zone IS NOT NULL", 1, {INT4OID}, NULL};

/* ---- time zones ---- */

static LocalTime
zone_local(const void *zone, TimestampTz time)
{
	struct pg_tm tm;
	fsec_t		fraction;
	int			offset;

	if (timestamp2tm(time, &offset, &tm, &fraction, NULL, unconstify(pg_tz *, (const pg_tz *) zone)) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	return (LocalTime) {date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE,
		tm.tm_hour * USECS_PER_HOUR + tm.tm_min * USECS_PER_MINUTE + tm.tm_sec * USECS_PER_SEC + fraction};
}

static TimestampTz
zone_time(const void *zone, LocalTime local)
{
	struct pg_tm tm = {0};
	int64		seconds;

	if (local.time == USECS_PER_DAY)
		local = (LocalTime) {local.day + 1, 0};
	seconds = local.time / USECS_PER_SEC;
	j2date((int) (local.day + POSTGRES_EPOCH_JDATE), &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tm.tm_hour = (int) (seconds / SECS_PER_HOUR);
	tm.tm_min = (int) (seconds % SECS_PER_HOUR / SECS_PER_MINUTE);
	tm.tm_sec = (int) (seconds % SECS_PER_MINUTE);
	return local.day * USECS_PER_DAY + local.time +
		DetermineTimeZoneOffset(&tm, unconstify(pg_tz *, (const pg_tz *) zone)) * USECS_PER_SEC;
}

static pg_tz *
find_zone(const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	return zone && pg_tz_acceptable(zone) ? zone : NULL;
}

bool
calendar_has_zone(const char *name)
{
	return find_zone(name) != NULL;
}

/* ---- rows ---- */

static void
set_zone(Calendar *calendar, const char *name)
{
	calendar->zone = (CalendarZone) {zone_local, zone_time, find_zone(name)};
	/* a server that has lost the zone, as after a restore on another system */
	if (calendar->zone.zone == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("time zone \"%s\" of a calendar is not known to the server", name)));
}

static void
read_days(Calendar *calendar, Datum value)
{
	Datum	   *days;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(value), INT4OID, sizeof(int32), true, TYPALIGN_INT, &days, NULL, &count);
	for (int i = 0; i < count; i++)
		calendar->working[DatumGetInt32(days[i]) - 1] = true;
}

static void
read_holidays(Calendar *calendar, Datum value)
{
	Datum	   *days;
	int32	   *holidays;

	deconstruct_array(DatumGetArrayTypeP(value), DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &days, NULL, &calendar->holiday_count);
	calendar->holidays = holidays = palloc(sizeof(int32) * Max(calendar->holiday_count, 1));
	for (int i = 0; i < calendar->holiday_count; i++)
		holidays[i] = DatumGetDateADT(days[i]);
}

const Calendar *
calendar_of(int32 tenant_id)
{
	Calendar   *calendar = palloc0(sizeof(Calendar));
	Datum		value = Int32GetDatum(tenant_id);
	bool		isnull;

	if (plan_execute(&select_calendar, &value, NULL, false, 1) == 0)
	{
		memset(calendar->working, true, 5);
		calendar->closes = USECS_PER_DAY;
		set_zone(calendar, "UTC");
		return calendar;
	}
	set_zone(calendar, plan_text(0, COLUMN_TIME_ZONE));
	read_days(calendar, plan_value(0, COLUMN_WORKING_DAYS, &isnull));
	calendar->opens = DatumGetTimeADT(plan_value(0, COLUMN_OPENS, &isnull));
	calendar->closes = DatumGetTimeADT(plan_value(0, COLUMN_CLOSES, &isnull));
	read_holidays(calendar, plan_value(0, COLUMN_HOLIDAYS, &isnull));
	return calendar;
}

char *
calendar_zone_name(int32 tenant_id)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = Int32GetDatum(tenant_id);
	char	   *name = NULL;

	SPI_connect();
	if (plan_execute(&select_zone, &value, NULL, true, 1) == 1)
		name = MemoryContextStrdup(caller, plan_text(0, 1));
	SPI_finish();
	return name;
}
