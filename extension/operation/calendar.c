/*
 * calendar.c
 *	  qehs.calendar_set and calendar_get: the calendar in which due dates of a tenant
 *	  are counted.
 *
 * What is not given stays as it is.  A new calendar holds for what is timed from
 * then on: times that were told to people stay.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/error.h"
#include "base/json.h"
#include "base/plan.h"
#include "calendar/calendar.h"
#include "catalog/pg_type.h"
#include "common/rfc3339.h"
#include "fmgr.h"
#include "permission/permission.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

/* The arguments of qehs.calendar_set. */
enum
{
	ARGUMENT_TIME_ZONE, ARGUMENT_WORKING_DAYS, ARGUMENT_OPENS, ARGUMENT_CLOSES, ARGUMENT_HOLIDAYS
};

PG_FUNCTION_INFO_V1(qehs_calendar_set);
PG_FUNCTION_INFO_V1(qehs_calendar_get);

#define MAX_HOLIDAYS 5000

/* The row, made with the defaults of its columns where there is none. */
static KeptPlan make_calendar = {"INSERT INTO qehs.calendar (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING", 1, {INT4OID}, NULL};
static KeptPlan set_calendar = {
	"UPDATE qehs.calendar AS c SET time_zone = COALESCE($2, c.time_zone), opens = COALESCE($4, c.opens), closes = COALESCE($5, c.closes),"
	" working_days = COALESCE((SELECT pg_catalog.array_agg(DISTINCT d ORDER BY d) FROM pg_catalog.unnest($3) AS d), c.working_days),"
	" holidays = CASE WHEN $6 IS NULL THEN c.holidays ELSE ARRAY(SELECT DISTINCT d FROM pg_catalog.unnest($6) AS d ORDER BY d) END"
	" WHERE c.tenant_id = $1",
	6, {INT4OID, TEXTOID, INT4ARRAYOID, TIMEOID, TIMEOID, DATEARRAYOID}, NULL
};
static KeptPlan select_calendar = {
	"SELECT pg_catalog.json_build_object('timeZone', COALESCE(time_zone, 'UTC'), 'workingDays', working_days, 'opens', opens::pg_catalog.text,"
	" 'closes', closes::pg_catalog.text, 'holidays', holidays)::pg_catalog.text FROM qehs.calendar WHERE tenant_id = $1",
	1, {INT4OID}, NULL
};

/* Who may see and set it: administrators, whose key has the scope and is for all modules. */
static RequestContext *
require_administrator(Scope scope)
{
	RequestContext *context = context_require_scope(scope);

	if (!permission_is_administrator(context) || context->module_count >= 0)
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the calendar is for tenant-owner and tenant-admin, with a key for all modules");
	return context;
}

static void
check_days(FunctionCallInfo fcinfo, ViolationList *faults)
{
	Datum	   *days;
	bool	   *nulls;
	int			count;

	if (PG_ARGISNULL(ARGUMENT_WORKING_DAYS))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARGUMENT_WORKING_DAYS), INT4OID, sizeof(int32), true, TYPALIGN_INT, &days, &nulls, &count);
	if (count == 0)
		violation_add(faults, "/workingDays", "required", "must have at least one day");
	for (int i = 0; i < count; i++)
		if (nulls[i] || DatumGetInt32(days[i]) < 1 || DatumGetInt32(days[i]) > 7)
			violation_add_first(faults, "/workingDays", "range", "must be days from 1, Monday, to 7, Sunday");
}

/* Read HH:MM or HH:MM:SS, or 24:00, all of text; false when it is none. */
static bool
parse_time(const char *text, TimeADT *time)
{
	int			length = strlen(text);
	const char *end = text + length;
	int			parts[3] = {0, 0, 0};

	if (length != 5 && length != 8)
		return false;
	for (int i = 0; i < (length + 1) / 3; i++)
		if ((i > 0 && !rfc3339_char(&text, end, ':')) || (parts[i] = rfc3339_digits(&text, end, 2)) < 0)
			return false;
	*time = ((parts[0] * INT64CONST(60) + parts[1]) * 60 + parts[2]) * USECS_PER_SEC;
	return parts[1] < 60 && parts[2] < 60 && *time <= USECS_PER_DAY;
}

/* A time of day; 0 when it is NULL, or is none, which is a fault at path. */
static Datum
read_time(FunctionCallInfo fcinfo, int argument, const char *path, ViolationList *faults)
{
	char	   *text = argument_text(fcinfo, argument);
	TimeADT		time = 0;

	if (text && !parse_time(text, &time))
	{
		violation_add(faults, path, "format", "must be a time of day, such as 08:00");
		time = 0;
	}
	return TimeADTGetDatum(time);
}

/* The holidays as date[]; NULL is none. */
static Datum
read_holidays(FunctionCallInfo fcinfo, ViolationList *faults)
{
	int			count;
	Datum	   *items;
	bool	   *nulls;
	Rfc3339		date;
	bool		holds = true;

	if (PG_ARGISNULL(ARGUMENT_HOLIDAYS))
		return (Datum) 0;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARGUMENT_HOLIDAYS), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &count);
	if (count > MAX_HOLIDAYS)
		violation_add(faults, "/holidays", "maxItems", "must be at most %d days", MAX_HOLIDAYS);
	for (int i = 0; i < count && holds; i++)
	{
		const char *day = nulls[i] ? "" : TextDatumGetCString(items[i]);

		holds = rfc3339_read_date(day, strlen(day), &date) && date.year > 0;
		if (!holds)
			violation_add(faults, psprintf("/holidays/%d", i), "format", "must be a date, such as 2026-12-25");
		else
			items[i] = DateADTGetDatum(date2j(date.year, date.month, date.day) - POSTGRES_EPOCH_JDATE);
	}
	return !holds ? (Datum) 0 : PointerGetDatum(construct_array(items, count, DATEOID, sizeof(DateADT), true, TYPALIGN_INT));
}

/* Append the calendar of the tenant; inside SPI. */
static void
write_calendar(StringInfo out, int32 tenant_id)
{
	Datum		value = Int32GetDatum(tenant_id);

	if (plan_execute(&select_calendar, &value, NULL, false, 1) == 1)
		appendStringInfoString(out, plan_text(0, 1));
	else
		json_literal(out, "{\"timeZone\":\"UTC\",\"workingDays\":[1,2,3,4,5],\"opens\":\"00:00:00\",\"closes\":\"24:00:00\",\"holidays\":[]}");
}

/* calendar_set(time_zone, working_days, opens, closes, holidays) */
Datum
qehs_calendar_set(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_administrator(SCOPE_MODULES_WRITE);
	char	   *zone = argument_text(fcinfo, ARGUMENT_TIME_ZONE);
	ViolationList faults = {0};
	Datum		values[6] = {Int32GetDatum(context->tenant_id)};
	char		nulls[7] = " ";
	StringInfoData out;

	if (zone && !calendar_has_zone(zone))
		violation_add(&faults, "/timeZone", "enum", "must be the name of a time zone such as Europe/Berlin");
	check_days(fcinfo, &faults);
	for (int i = 0; i < 5; i++)
	{
		values[i + 1] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i + 1] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	values[ARGUMENT_OPENS + 1] = read_time(fcinfo, ARGUMENT_OPENS, "/opens", &faults);
	values[ARGUMENT_CLOSES + 1] = read_time(fcinfo, ARGUMENT_CLOSES, "/closes", &faults);
	if (PG_ARGISNULL(ARGUMENT_OPENS) != PG_ARGISNULL(ARGUMENT_CLOSES))
		violation_add(&faults, PG_ARGISNULL(ARGUMENT_OPENS) ? "/opens" : "/closes", "required", "must go with the other end of the day");
	else if (!PG_ARGISNULL(ARGUMENT_OPENS) && DatumGetTimeADT(values[ARGUMENT_OPENS + 1]) >= DatumGetTimeADT(values[ARGUMENT_CLOSES + 1]))
		violation_add_first(&faults, "/closes", "range", "must be after opens");
	values[ARGUMENT_HOLIDAYS + 1] = read_holidays(fcinfo, &faults);
	violation_raise(&faults);
	json_begin(&out);
	SPI_connect();
	plan_execute(&make_calendar, values, NULL, false, 0);
	plan_execute(&set_calendar, values, nulls, false, 0);
	write_calendar(&out, context->tenant_id);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* calendar_get() */
Datum
qehs_calendar_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = require_administrator(SCOPE_MODULES_READ);
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	write_calendar(&out, context->tenant_id);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}
