/*
 * argument.c
 *	  Arguments of SQL functions that may be NULL.
 */
#include "base/compat.h"

#include "base/argument.h"
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
