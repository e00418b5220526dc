/*
 * clock.c
 *	  What time it is, and the setting qehs.clock that says otherwise.
 *
 * The setting is a time as RFC 3339 writes it, and stands still; empty is the
 * clock of the server.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/json.h"
#include "fmgr.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_clock_now);
PG_FUNCTION_INFO_V1(qehs_clock_transaction);

static char *setting = NULL;
static TimestampTz set_time;

static bool
check_setting(char **value, void **extra, GucSource source)
{
	TimestampTz time;

	if (**value == '\0' || json_time_parse(*value, strlen(*value), &time))
		return true;
	GUC_check_errdetail("A time is written like 2026-04-16T08:30:00Z.");
	return false;
}

static void
assign_setting(const char *value, void *extra)
{
	if (*value)
		json_time_parse(value, strlen(value), &set_time);
}

TimestampTz
clock_told(TimestampTz time)
{
	int64		rest = time % 1000;

	return time - (rest < 0 ? rest + 1000 : rest);
}

TimestampTz
clock_transaction(void)
{
	return clock_told(setting && *setting ? set_time : GetCurrentTransactionStartTimestamp());
}

TimestampTz
clock_now(void)
{
	return setting && *setting ? set_time : GetCurrentTimestamp();
}

/* clock_now() */
Datum
qehs_clock_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(clock_now());
}

/* clock_transaction() */
Datum
qehs_clock_transaction(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(clock_transaction());
}

void
clock_init(void)
{
	DefineCustomStringVariable("qehs.clock",
							   "The time that the extension takes for now; empty is that of the server.",
							   "For tests: it stands still.",
							   &setting, "", PGC_SUSET, 0, check_setting, assign_setting, NULL);
}
