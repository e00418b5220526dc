/*
 * signature_credential.c
 *	  qehs.signature_credential_set: the secret with which the caller signs.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/credential.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "workflow/signature.h"

PG_FUNCTION_INFO_V1(qehs_signature_credential_set);
PG_FUNCTION_INFO_V1(qehs_signature_credential_reset);

static KeptPlan upsert_secret = {
	"INSERT INTO qehs.signature_credential (tenant_id, user_id, hash, changed_at) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (tenant_id, user_id) DO UPDATE SET hash = $3, changed_at = $4, failures = 0, failed_at = NULL",
	4, {INT4OID, UUIDOID, TEXTOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan delete_secret = {
	"DELETE FROM qehs.signature_credential AS s USING qehs.user_account AS u WHERE s.tenant_id = $1 AND u.tenant_id = $1 AND u.id = s.user_id"
	" AND pg_catalog.lower(u.user_name) = pg_catalog.lower($2) RETURNING s.user_id",
	2, {INT4OID, TEXTOID}, NULL
};

static void
check_length(const char *secret, const char *path, ViolationList *faults)
{
	int			length = secret ? pg_mbstrlen(secret) : 0;

	if (length < QEHS_SIGNATURE_MIN || length > QEHS_SIGNATURE_MAX)
		violation_add(faults, path, "length", "must have %d to %d characters", QEHS_SIGNATURE_MIN, QEHS_SIGNATURE_MAX);
}

/* The arguments of qehs.signature_credential_set. */
enum
{
	ARGUMENT_CREDENTIAL, ARGUMENT_CURRENT
};

/* signature_credential_set(credential, current) */
Datum
qehs_signature_credential_set(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require();
	char	   *secret = argument_text(fcinfo, ARGUMENT_CREDENTIAL);
	ViolationList faults = {0};
	Datum		values[4] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&context->actor_id)};

	if (context->actor_type != ACTOR_USER)
		problem_raise(PROBLEM_FORBIDDEN, "Use a key that acts as the user.", "a secret for signatures is a person's, and the caller is none");
	check_length(secret, "/credential", &faults);
	violation_raise(&faults);
	SPI_connect();
	signature_require_current(context, argument_text(fcinfo, ARGUMENT_CURRENT));
	values[2] = CStringGetTextDatum(credential_hash(secret));
	values[3] = TimestampTzGetDatum(clock_transaction());
	plan_execute(&upsert_secret, values, NULL, false, 0);
	SPI_finish();
	PG_RETURN_NULL();
}

/* signature_credential_reset(user_name) */
Datum
qehs_signature_credential_reset(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_USERS);
	Datum		values[2] = {Int32GetDatum(context->tenant_id), PG_ARGISNULL(0) ? CStringGetTextDatum("") : PG_GETARG_DATUM(0)};
	uint64		rows;

	if (!permission_is_administrator(context))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key with the role tenant-admin.", "only an administrator may take away a secret for signatures");
	SPI_connect();
	rows = plan_execute(&delete_secret, values, NULL, false, 0);
	SPI_finish();
	if (rows == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such user with a secret for signatures");
	PG_RETURN_NULL();
}
