/*
 * api_key_list.c
 *	  qehs.api_key_list: pages of API keys, never with their secrets.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/cursor.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/apikey.h"
#include "catalog/pg_type.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(qehs_api_key_list);

static KeptPlan select_keys = {
	"SELECT " APIKEY_COLUMNS " FROM qehs.api_key WHERE tenant_id = $1 AND id > $2 ORDER BY id",
	2, {INT4OID, UUIDOID}, NULL
};

/* The arguments of qehs.api_key_list. */
enum
{
	ARGUMENT_PAGE_SIZE, ARGUMENT_CURSOR
};

/* api_key_list(page_size, cursor) */
Datum
qehs_api_key_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, ARGUMENT_PAGE_SIZE, &faults);
	pg_uuid_t	last = {{0}};
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&last)};
	StringInfoData out;
	char	   *next = NULL;
	uint64		rows;
	bool		isnull;

	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	cursor_open_id(context->tenant_id, "api_key_list", "", argument_text(fcinfo, ARGUMENT_CURSOR), &last);
	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	rows = plan_execute(&select_keys, values, NULL, true, limit + 1);
	for (uint64 i = 0; i < Min(rows, (uint64) limit); i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		apikey_write(&out, i);
		appendStringInfoChar(&out, '}');
		last = *DatumGetUUIDP(plan_value(i, 1, &isnull));
	}
	SPI_finish();
	if (rows > (uint64) limit)
		next = cursor_seal(context->tenant_id, "api_key_list", "", (const char *) &last, sizeof(last));
	PG_RETURN_DATUM(context_answer_page(&out, context, next));
}
