/*
 * bulk_begin.c
 *	  qehs.bulk_begin and qehs.bulk_end: who may load, and how many at once.
 *
 * A load holds one of its tenant's slots, and one of its API key's where the key
 * has a limit of its own: advisory locks of the session, which end with the
 * connection whatever becomes of it.
 */
#include "base/compat.h"

#include "base/locks.h"
#include "base/plan.h"
#include "bulk/bulk.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_bulk_begin);
PG_FUNCTION_INFO_V1(qehs_bulk_end);

#define RETRY_SECONDS 5

static KeptPlan select_limits = {
	"SELECT (SELECT quantity FROM qehs.rate_limit WHERE tenant_id = $1 AND class = 'bulk'"
	" AND key_id = '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid),"
	" (SELECT quantity FROM qehs.rate_limit WHERE tenant_id = $1 AND class = 'bulk' AND key_id = $2"
	" AND key_id <> '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid)",
	2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_limits. */
enum
{
	COLUMN_TENANT_LIMIT = 1, COLUMN_KEY_LIMIT
};

static LOCKTAG held[2];
static int	held_count = 0;

static void
release_slots(void)
{
	while (held_count > 0)
	{
		LOCKTAG		tag = held[--held_count];

		/* pg_advisory_unlock_all and DISCARD ALL may have been first */
		if (session_holds_lock(&tag, ExclusiveLock))
			LockRelease(&tag, ExclusiveLock, true);
	}
}

/* Take one of limit slots; raises QH429 when all are taken. */
static void
take_slot(uint32 owner, int kind, int32 limit, const char *whose)
{
	for (int32 i = 0; i < limit; i++)
	{
		LOCKTAG		tag;

		SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, owner, (uint32) i, kind);
		if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
			continue;
		held[held_count++] = tag;
		return;
	}
	release_slots();
	problem_raise_detail(PROBLEM_RATE_LIMITED,
						 psprintf("{\"headers\":{\"Retry-After\":\"%d\"}}", RETRY_SECONDS),
						 "Wait until one of them has ended.",
						 "the %s may run %d bulk loads at once", whose, limit);
}

static void
take_slots(const RequestContext *context)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&context->key_id)};
	int32		tenant_limit = QEHS_BULK_LIMIT;
	int32		key_limit = 0;
	bool		isnull;
	Datum		value;

	SPI_connect();
	plan_execute(&select_limits, values, NULL, false, 1);
	value = plan_value(0, COLUMN_TENANT_LIMIT, &isnull);
	if (!isnull)
		tenant_limit = DatumGetInt32(value);
	value = plan_value(0, COLUMN_KEY_LIMIT, &isnull);
	if (!isnull)
		key_limit = DatumGetInt32(value);
	SPI_finish();
	release_slots();
	/* 0 is without limit */
	if (tenant_limit > 0)
		take_slot((uint32) context->tenant_id, LOCK_BULK_TENANT, tenant_limit, "tenant");
	if (key_limit > 0)
		take_slot(hash_bytes(context->key_id.data, UUID_LEN), LOCK_BULK_KEY, key_limit, "API key");
}

/*
 * bulk_begin(module_key, mode, dry_run, on_conflict, external_id, on_error, accept_language, content_type, delimiter, columns,
 * unknown_columns)
 */
Datum
qehs_bulk_begin(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	BulkRequest request = {0};
	BulkOptions options = {0};

	bulk_read_request(fcinfo, context, &request, &options);
	bulk_set_running(false);
	bulk_forget_seen();
	take_slots(context);
	bulk_set_running(true);
	PG_RETURN_TEXT_P(cstring_to_text(bulk_describe(&request, &options)));
}

Datum
qehs_bulk_end(PG_FUNCTION_ARGS)
{
	release_slots();
	bulk_forget_seen();
	bulk_set_running(false);
	PG_RETURN_VOID();
}
