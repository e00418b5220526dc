/*
 * argument.c
 *	  Arguments of SQL functions that may be NULL.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "base/error.h"
#include "base/id.h"
#include "utils/builtins.h"


char *
argument_text(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

bool
argument_id(FunctionCallInfo fcinfo, int number, const char *prefix, pg_uuid_t *id)
{
	char	   *text = argument_text(fcinfo, number);

	return text && id_parse(text, strlen(text), prefix, id);
}

int32
argument_page_size(FunctionCallInfo fcinfo, int number, ViolationList *faults)
{
	int32		size = PG_ARGISNULL(number) ? QEHS_DEFAULT_PAGE : PG_GETARG_INT32(number);

	if (size < 1 || size > QEHS_MAX_PAGE)
		violation_add_first(faults, "?limit", "range", "must be from 1 to %d", QEHS_MAX_PAGE);
	return size;
}

bool
argument_bound(const char *text, bool is_end, const char *path, TimestampTz *time, ViolationList *faults)
{
	*time = 0;
	if (text == NULL)
		return false;
	if (json_date_parse(text, strlen(text), time))
		*time += is_end ? USECS_PER_DAY - 1 : 0;
	else if (!json_time_parse(text, strlen(text), time))
		violation_add_first(faults, path, "format", "must be %s", json_time_wanted(text, strlen(text)));
	return true;
}
