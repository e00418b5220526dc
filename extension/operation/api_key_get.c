/*
 * api_key_get.c
 *	  qehs.api_key_get: one API key, never with its secret.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/apikey.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "common/hashfn.h"

PG_FUNCTION_INFO_V1(qehs_api_key_get);

static KeptPlan select_key = {
	"SELECT " APIKEY_COLUMNS " FROM qehs.api_key WHERE tenant_id = $1 AND id = $2",
	2, {INT4OID, UUIDOID}, NULL
};

/* api_key_get(id) */
Datum
qehs_api_key_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	pg_uuid_t	id;
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id)};
	StringInfoData out;
	bool		found = argument_id(fcinfo, 0, QEHS_ID_KEY, &id);

	json_begin(&out);
	SPI_connect();
	if (found && plan_execute(&select_key, values, NULL, true, 1) == 1)
		apikey_write(&out, 0);
	else
		apikey_not_found();
	SPI_finish();
	appendStringInfoChar(&out, '}');
	/* keys have no versions: the tag is of what is shown */
	context_header(context, "ETag", "\"%016llx\"",
				   (unsigned long long) hash_bytes_extended((const unsigned char *) out.data + VARHDRSZ, out.len - VARHDRSZ, 0));
	PG_RETURN_DATUM(context_answer(&out));
}
