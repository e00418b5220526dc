/*
 * retire.c
 *	  The one door by which audit events, and values in them, go.
 *
 * Their tables refuse UPDATE and DELETE twice: nobody but a superuser has the right,
 * and a trigger refuses whoever asks.  So a statement here is run as the superuser that
 * initdb made, as the server's own foreign keys are by the tables' owners, and while it runs
 * the trigger lets go (qehs.audit_retires).  Both end with the statement, or with
 * the transaction, or the part of it, that its error undoes.
 */
#include "base/compat.h"

#include "audit/digest.h"
#include "audit/retire.h"
#include "base/flag.h"
#include "base/plan.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_audit_retires);

static Flag retires;

static KeptPlan select_newest = {
	"SELECT id, previous FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 ORDER BY id DESC LIMIT 1", 2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_newest. */
enum
{
	COLUMN_ID = 1, COLUMN_PREVIOUS
};
static KeptPlan retire = {
	"WITH gone AS (DELETE FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 AND id < $3 RETURNING id, digest)"
	" INSERT INTO qehs.audit_tombstone (tenant_id, event_id, record_id, digest, purged_at) SELECT $1, g.id, $2, g.digest, $4 FROM gone AS g",
	4, {INT4OID, UUIDOID, UUIDOID, TIMESTAMPTZOID}, NULL
};

static KeptPlan erase = {
	"UPDATE qehs.audit_event SET comment = $3, changes = $4, reason = $5, address = $6, signature = $7, salt = $8, erased = $9 WHERE tenant_id = $1 AND id = $2",
	9, {INT4OID, UUIDOID, TEXTOID, JSONBOID, TEXTOID, INETOID, JSONBOID, BYTEAOID, JSONBOID}, NULL
};

/* Who ran before. */
typedef struct Before
{
	Oid			user;
	int			security;
} Before;

static Before
begin(void)
{
	Before		before;

	GetUserIdAndSecContext(&before.user, &before.security);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, before.security | SECURITY_LOCAL_USERID_CHANGE);
	flag_raise(&retires);
	return before;
}

static void
end(Before before)
{
	flag_lower(&retires);
	SetUserIdAndSecContext(before.user, before.security);
}

/* Whether a statement of this file runs now. */
Datum
qehs_audit_retires(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(retires.up);
}

void
retire_events(int32 tenant_id, const pg_uuid_t *record_id, TimestampTz time, RetiredEvents *retired)
{
	Datum		values[4] = {Int32GetDatum(tenant_id), UUIDPGetDatum(record_id), 0, TimestampTzGetDatum(time)};
	Before		before;
	Datum		head;
	bool		isnull;

	memset(retired, 0, sizeof(*retired));
	if (plan_execute(&select_newest, values, NULL, false, 1) == 0)
		elog(ERROR, "a record that is purged has no event");
	retired->last = *DatumGetUUIDP(plan_value(0, COLUMN_ID, &isnull));
	head = plan_value(0, COLUMN_PREVIOUS, &isnull);
	if (!isnull)
		memcpy(retired->head, VARDATA_ANY(DatumGetByteaPP(head)), QEHS_SHA256_LENGTH);
	values[2] = UUIDPGetDatum(&retired->last);
	before = begin();
	retired->count = (int64) plan_execute(&retire, values, NULL, false, 0);
	end(before);
}

void
retire_values(const Datum *values, const bool *nulls)
{
	static const EventColumn columns[] = {EVENT_TENANT_ID, EVENT_ID, EVENT_COMMENT, EVENT_CHANGES, EVENT_REASON, EVENT_ADDRESS, EVENT_SIGNATURE, EVENT_SALT,
	EVENT_ERASED};
	Datum		arguments[lengthof(columns)];
	char		missing[lengthof(columns) + 1] = {0};
	Before		before;

	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		arguments[i] = values[columns[i]];
		missing[i] = nulls[columns[i]] ? 'n' : ' ';
	}
	before = begin();
	plan_execute(&erase, arguments, missing, false, 0);
	end(before);
}

void
retire_run(const char *sql, int32 tenant_id)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(tenant_id)};
	Before		before = begin();

	if (SPI_execute_with_args(sql, 1, types, values, NULL, false, 0) < 0)
		elog(ERROR, "could not run %s", sql);
	end(before);
}
