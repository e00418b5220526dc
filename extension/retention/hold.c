/*
 * hold.c
 *	  Whether a record is under a legal hold.
 *
 * That a tenant has no hold, as most have, is cached with its definitions, so that reading
 * a record costs no look; who deletes looks at the table.
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/id.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "retention/hold.h"
#include "storage/lock.h"

/* A hold of the tenant is one of the record: as qehs.record_is_held has it. */
static KeptPlan select_held = {
	"SELECT qehs.record_is_held($1, $2, $3)", 3, {INT4OID, INT4OID, UUIDOID}, NULL
};
static KeptPlan select_holds = {
	"SELECT h.id, h.reason, h.created_at FROM qehs.legal_hold AS h WHERE h.tenant_id = $1 AND h.released_at IS NULL"
	" AND qehs.legal_hold_covers(h, $2, $3) ORDER BY h.id LIMIT 50",
	3, {INT4OID, INT4OID, UUIDOID}, NULL
};
/* The columns of select_holds. */
enum
{
	COLUMN_ID = 1, COLUMN_REASON, COLUMN_CREATED_AT
};
static KeptPlan select_any = {
	"SELECT EXISTS (SELECT FROM qehs.legal_hold WHERE tenant_id = $1 AND released_at IS NULL)", 1, {INT4OID}, NULL
};

static Cache tenants = {"qehs legal holds", sizeof(int32), WATCH_MODULE, NULL};

void
hold_lock(int32 tenant_id, bool alone)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, 0, LOCK_LEGAL_HOLD);
	LockAcquire(&tag, alone ? ExclusiveLock : ShareLock, false, false);
}

bool
hold_covers(int32 tenant_id, int32 module_id, const pg_uuid_t *record_id)
{
	Datum		values[3] = {Int32GetDatum(tenant_id), Int32GetDatum(module_id), UUIDPGetDatum(record_id)};
	bool		isnull;

	plan_execute_latest(&select_held, values, NULL, 1);
	return DatumGetBool(plan_value(0, 1, &isnull));
}

void
hold_require_none(int32 tenant_id, int32 module_id, const pg_uuid_t *record_id, const char *verb)
{
	if (hold_covers(tenant_id, module_id, record_id))
		problem_raise(PROBLEM_CONFLICT, "Whoever placed the hold can release it.", "the record is under a legal hold: it cannot be %s", verb);
}

/* Whether the tenant has a hold at all; as of a moment ago. */
static bool
has_holds(int32 tenant_id)
{
	bool	   *known = cache_find(&tenants, &tenant_id);
	Datum		value = Int32GetDatum(tenant_id);
	uint64		moment;
	bool		isnull;
	bool		any;

	if (known)
		return *known;
	moment = watch_moment();
	plan_execute_latest(&select_any, &value, NULL, 1);
	any = DatumGetBool(plan_value(0, 1, &isnull));
	cache_keep_bytes(&tenants, moment, &tenant_id, tenant_id, &any, sizeof(any));
	return any;
}

void
hold_write(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record)
{
	PermissionSubject subject = record_subject(record);
	Datum		values[3] = {Int32GetDatum(context->tenant_id), Int32GetDatum(record->module_id), UUIDPGetDatum(&record->id)};
	uint64		rows;

	if (!permission_may(context, module, ACTION_HOLD, &subject, NULL) || !has_holds(context->tenant_id))
		return;
	rows = plan_execute(&select_holds, values, NULL, true, 0);
	if (rows == 0)
		return;
	json_literal(out, ",\"legalHolds\":[");
	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;

		json_literal(out, "{\"id\":");
		json_id(out, DatumGetUUIDP(plan_value(i, COLUMN_ID, &isnull)), QEHS_ID_LEGAL_HOLD);
		json_literal(out, ",\"reason\":");
		json_string(out, plan_text(i, COLUMN_REASON));
		json_literal(out, ",\"createdAt\":");
		json_time(out, DatumGetTimestampTz(plan_value(i, COLUMN_CREATED_AT, &isnull)));
		appendStringInfoString(out, i + 1 < rows ? "}," : "}");
	}
	appendStringInfoChar(out, ']');
}
