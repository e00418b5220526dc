/*
 * api_key_list.c
 *	  qehs.api_key_list: pages of API keys, never with their secrets.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "caller/apikey.h"
#include "caller/page.h"
#include "catalog/pg_type.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(qehs_api_key_list);

static KeptPlan select_keys = {
	"SELECT " APIKEY_COLUMNS " FROM qehs.api_key WHERE tenant_id = $1 AND id > $2 ORDER BY id",
	2, {INT4OID, UUIDOID}, NULL
};

/* The arguments of qehs.api_key_list: page_size, cursor. */
enum
{
	ARGUMENT_PAGE_SIZE
};

/* api_key_list(page_size, cursor) */
Datum
qehs_api_key_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	pg_uuid_t	last = {{0}};
	ListPage	page = {.context = context, .endpoint = "api_key_list", .position = &last, .size = sizeof(last)};
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&last)};
	uint64		rows;
	bool		isnull;

	page_begin(&page, fcinfo, ARGUMENT_PAGE_SIZE);
	SPI_connect();
	rows = page_select(&page, &select_keys, values, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		page_next(&page);
		apikey_write(&page.out, i);
		appendStringInfoChar(&page.out, '}');
		last = *DatumGetUUIDP(plan_value(i, 1, &isnull));
	}
	SPI_finish();
	PG_RETURN_DATUM(page_end(&page));
}
