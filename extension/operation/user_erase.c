/*
 * user_erase.c
 *	  qehs.user_erase: what is known of a user goes; what the user did stays under an id that names nobody.
 */
#include "base/compat.h"

#include "audit/erase.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "permission/permission.h"
#include "retention/copies.h"
#include "retention/hold.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_user_erase);

#define MAX_REASON 1000			/* characters */

/* One that is deleted, too; of several of the name the one that lives. */
static KeptPlan select_user = {
	"SELECT id FROM qehs.user_account WHERE tenant_id = $1 AND (id = $2 OR pg_catalog.lower(user_name) = pg_catalog.lower($3))"
	" ORDER BY deleted_at NULLS FIRST LIMIT 1 FOR UPDATE",
	3, {INT4OID, UUIDOID, TEXTOID}, NULL
};
static KeptPlan erase_user[] = {
	{"DELETE FROM qehs.role_member WHERE tenant_id = $1 AND user_id = $2", 2, {INT4OID, UUIDOID}, NULL},
	{"DELETE FROM qehs.signature_credential WHERE tenant_id = $1 AND user_id = $2", 2, {INT4OID, UUIDOID}, NULL},
	{"UPDATE qehs.api_key SET revoked_at = $3 WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL", 3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL},
	{"UPDATE qehs.user_account SET user_name = 'erased-' || id::pg_catalog.text, display_name = 'Erased user', external_id = NULL, attributes = '{}',"
	" active = false, deleted_at = COALESCE(deleted_at, $3) WHERE tenant_id = $1 AND id = $2", 3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL}
};
/* Where his name may stand beside the account, and the member of their events that has it. */
static struct
{
	KeptPlan	plan;
	const char *path;
}			beside[] = {
	{{"UPDATE qehs.delegation SET reason = NULL WHERE tenant_id = $1 AND (from_user = $2 OR to_user = $2) RETURNING id", 2, {INT4OID, UUIDOID}, NULL}, "/reason"},
	{{"UPDATE qehs.api_key SET name = 'Erased user' WHERE tenant_id = $1 AND user_id = $2 RETURNING id", 2, {INT4OID, UUIDOID}, NULL}, "/name"}
};
static KeptPlan write_event = {
	"SELECT qehs.audit_write($1, $2, 'user.erased', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('path', '/reason', 'to', $3)))",
	3, {INT4OID, UUIDOID, TEXTOID}, NULL
};

/* All that events of the user tell. */
static bool
wants(void *owner, const ErasableEvent *event, const char *label)
{
	return true;
}

/* Of events of a delegation or a key, one member on both sides; owner is its path. */
static bool
wants_member(void *owner, const ErasableEvent *event, const char *label)
{
	size_t		length = strlen(owner);

	return strncmp(label, owner, length) == 0 && label[length] == ' ';
}

/* What else names the user: reasons of his delegations, names of his keys; with the events that this writes. */
static void
erase_beside(int32 tenant_id, Datum *values)
{
	bool		isnull;

	for (int i = 0; i < (int) lengthof(beside); i++)
	{
		uint64		rows = plan_execute(&beside[i].plan, values, NULL, false, 0);
		SPITupleTable *found = SPI_tuptable;

		for (uint64 row = 0; row < rows; row++)
			erase_values(tenant_id, DatumGetUUIDP(SPI_getbinval(found->vals[row], found->tupdesc, 1, &isnull)), wants_member,
						 unconstify(char *, beside[i].path));
	}
}

/* The arguments of qehs.user_erase. */
enum
{
	ARGUMENT_USER_NAME, ARGUMENT_REASON
};

/* user_erase(user_name, reason) */
Datum
qehs_user_erase(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_USERS);
	static const pg_uuid_t none = {{0}};
	char	   *name = argument_text(fcinfo, ARGUMENT_USER_NAME);
	char	   *reason = argument_text(fcinfo, ARGUMENT_REASON);
	pg_uuid_t	id = none;
	Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id)};
	bool		isnull;

	if (!permission_is_administrator(context) || context->module_count >= 0)
		problem_raise(PROBLEM_FORBIDDEN, "Use a key with one of these roles, for all modules.", "only a tenant-owner or tenant-admin may erase users");
	if (name == NULL || reason == NULL || *reason == '\0')
		problem_raise_at(PROBLEM_VALIDATION_FAILED, name ? "/reason" : "/userName", "required", "is required");
	if (pg_mbstrlen(reason) > MAX_REASON)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/reason", "maxLength", "must be at most %d characters", MAX_REASON);
	id_parse(name, strlen(name), QEHS_ID_USER, &id);
	values[2] = CStringGetTextDatum(name);
	SPI_connect();
	hold_lock(context->tenant_id, false);
	if (plan_execute(&select_user, values, NULL, false, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "the tenant has no user \"%s\"", name);
	id = *DatumGetUUIDP(plan_value(0, 1, &isnull));
	/* of the holds, those of the whole tenant are over its users */
	if (hold_covers(context->tenant_id, 0, &none))
		problem_raise(PROBLEM_CONFLICT, "Whoever placed the hold can release it.", "the tenant is under a legal hold: its users cannot be erased");
	values[2] = TimestampTzGetDatum(clock_transaction());
	for (int i = 0; i < (int) lengthof(erase_user); i++)
		plan_execute(&erase_user[i], values, NULL, false, 0);
	erase_beside(context->tenant_id, values);
	/* with the events that this has just written */
	erase_values(context->tenant_id, &id, wants, NULL);
	copies_forget_answers(context->tenant_id, &id, QEHS_ID_USER);
	copies_forget_exports(context->tenant_id, NULL);
	values[2] = CStringGetTextDatum(reason);
	plan_execute(&write_event, values, NULL, false, 0);
	SPI_finish();
	PG_RETURN_NULL();
}
