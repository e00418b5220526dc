/*
 * api_key_rotate.c
 *	  qehs.api_key_rotate: a new API key with the rights and limits of another one, which goes on for a while.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/apikey.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "permission/grant.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_api_key_rotate);

#define DEFAULT_OVERLAP 86400	/* seconds; a SCIM token ends at once */
#define MAX_OVERLAP (90 * 86400)

static KeptPlan copy_key = {
	"INSERT INTO qehs.api_key (tenant_id, id, name, prefix, hash, scopes, roles, modules, user_id, rate_limit,"
	" created_by, expires_at, allowed_addresses) SELECT tenant_id, $3, name, $4, $5, scopes, roles, modules, user_id,"
	" rate_limit, $6, expires_at, allowed_addresses FROM qehs.api_key WHERE tenant_id = $1 AND id = $2"
	" AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $7) RETURNING " APIKEY_COLUMNS,
	7, {INT4OID, UUIDOID, UUIDOID, TEXTOID, BYTEAOID, UUIDOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan copy_limits = {
	"INSERT INTO qehs.rate_limit (tenant_id, class, key_id, quantity) SELECT tenant_id, class, $3, quantity FROM qehs.rate_limit"
	" WHERE tenant_id = $1 AND key_id = $2",
	3, {INT4OID, UUIDOID, UUIDOID}, NULL
};
static KeptPlan expire_key = {
	"UPDATE qehs.api_key SET expires_at = LEAST(expires_at, $3)"
	" WHERE tenant_id = $1 AND id = $2",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};

/* The arguments of qehs.api_key_rotate. */
enum
{
	ARGUMENT_ID, ARGUMENT_OVERLAP_SECONDS
};

/* api_key_rotate(id, overlap): the old key expires after overlap seconds. */
Datum
qehs_api_key_rotate(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	int32		overlap = PG_ARGISNULL(ARGUMENT_OVERLAP_SECONDS) ? DEFAULT_OVERLAP : PG_GETARG_INT32(ARGUMENT_OVERLAP_SECONDS);
	ViolationList violations = {0};
	PermissionGrant held;
	char		key[QEHS_KEY_MAX_LENGTH + 1];
	pg_uuid_t	old_id;
	pg_uuid_t	id;
	Datum		values[7] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&old_id), UUIDPGetDatum(&id)};
	TimestampTz now = clock_now();
	StringInfoData out;

	if (overlap < 0 || overlap > MAX_OVERLAP)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/overlapSeconds", "range", "must be from 0 to %d", MAX_OVERLAP);
	if (!argument_id(fcinfo, ARGUMENT_ID, QEHS_ID_KEY, &old_id) || !permission_find_grant(context->tenant_id, &old_id, &held))
		apikey_not_found();
	permission_check_grant(context, &held, &violations);
	if (violations.count > 0)
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the API key has rights that the caller lacks");
	if (PG_ARGISNULL(ARGUMENT_OVERLAP_SECONDS) && held.kind == KEY_SCIM)
		overlap = 0;
	id_generate(&id);
	json_begin(&out);
	SPI_connect();
	apikey_make_secret(context->tenant_id, held.kind, key, &values[3], &values[4]);
	values[5] = UUIDPGetDatum(&context->actor_id);
	values[6] = TimestampTzGetDatum(now);
	if (plan_execute(&copy_key, values, NULL, false, 0) == 0)
		apikey_not_found();
	apikey_write_new(&out, context, key);
	plan_execute(&copy_limits, values, NULL, false, 0);
	values[2] = TimestampTzGetDatum(clock_told(now + overlap * USECS_PER_SEC));
	plan_execute(&expire_key, values, NULL, false, 0);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}
