/*
 * api_key_revoke.c
 *	  qehs.api_key_revoke: an API key ends with the next request of any backend.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/plan.h"
#include "caller/apikey.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "permission/grant.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_api_key_revoke);

static KeptPlan revoke_key = {
	"UPDATE qehs.api_key SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL"
	" RETURNING id",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};

/* api_key_revoke(id) */
Datum
qehs_api_key_revoke(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	PermissionGrant held;
	pg_uuid_t	id;
	Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), TimestampTzGetDatum(clock_transaction())};
	uint64		found;

	if (!argument_id(fcinfo, 0, QEHS_ID_KEY, &id) || !permission_find_grant(context->tenant_id, &id, &held))
		apikey_not_found();
	if (!permission_reaches_modules(context, &held))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key that names these modules too, or none.",
					  "the API key reaches modules that the caller does not");
	SPI_connect();
	found = plan_execute(&revoke_key, values, NULL, false, 0);
	SPI_finish();
	if (found == 0)
		apikey_not_found();
	PG_RETURN_NULL();
}
