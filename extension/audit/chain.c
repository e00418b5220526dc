/*
 * chain.c
 *	  The trigger that chains each new audit event to the one before of the same
 *	  record, whoever writes it.
 *
 * The id is made here, while the lock of the INSERT on the table is held: seal.c waits
 * for those who hold it, and so knows that no smaller id is still to come.  Within
 * a record ids rise, whatever the clocks of backends say; and no id is in what is
 * sealed already, though the clock of the server be set back.
 *
 * Changes of a record hold its row, so its chain has no forks; for other events of a
 * record (exported) the row is locked here.  Events of
 * anything else (keys, users, roles, modules, exports) take a lock on their chain until
 * the transaction ends; a transaction that writes to more than MAX_CHAINS takes one on all
 * chains of the tenant instead, since the server's table of locks is small.  Two that come
 * to that at once may deadlock; the server then ends one, which can be tried again.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "audit/digest.h"
#include "base/id.h"
#include "base/locks.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_audit_event_chain);

#define SALT_LENGTH 16
#define SEALED_AGE_MS 1000
#define MAX_CHAINS 500

/* How many chains this transaction has locked; of those that a savepoint gave back too. */
static struct
{
	TransactionId transaction;
	int			count;
}			locked;

/* How far a tenant is sealed, as of a second ago at most. */
static struct
{
	int32		tenant_id;
	TimestampTz read_at;
	pg_uuid_t	upto;
}			sealed;

static KeptPlan select_previous = {
	"SELECT id, digest FROM qehs.audit_event WHERE tenant_id = $1 AND record_id = $2 ORDER BY id DESC LIMIT 1", 2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_previous. */
enum
{
	COLUMN_PREVIOUS_ID = 1, COLUMN_PREVIOUS_DIGEST
};
static KeptPlan lock_row = {
	"SELECT FROM qehs.record WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", 2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_sealed = {
	"SELECT upto FROM qehs.audit_seal WHERE tenant_id = $1 ORDER BY seal_no DESC LIMIT 1", 1, {INT4OID}, NULL
};

/* Whether the event is written by a change of the record, which holds its row. */
static bool
is_change(const char *action)
{
	static const char *const changes[] = {"updated", "transitioned", "deleted", "restored", "migrated", "erased"};

	for (int i = 0; i < (int) lengthof(changes); i++)
		if (strcmp(action, changes[i]) == 0)
			return true;
	return false;
}

/* Keep others from adding to the chain until the transaction ends; inside SPI. */
static void
lock_record(Datum *values)
{
	Datum		arguments[2] = {values[EVENT_TENANT_ID], values[EVENT_RECORD_ID]};

	plan_execute(&lock_row, arguments, NULL, false, 1);
}

static void
lock_chain(int32 tenant_id, const pg_uuid_t *subject)
{
	LOCKTAG		all;
	LOCKTAG		one;
	TransactionId transaction = GetTopTransactionId();

	if (locked.transaction != transaction)
	{
		locked.transaction = transaction;
		locked.count = 0;
	}
	SET_LOCKTAG_ADVISORY(all, MyDatabaseId, (uint32) tenant_id, 0, LOCK_AUDIT_CHAINS);
	LockAcquire(&all, locked.count < MAX_CHAINS ? ShareLock : ExclusiveLock, false, false);
	if (locked.count >= MAX_CHAINS)
		return;
	SET_LOCKTAG_ADVISORY(one, MyDatabaseId, (uint32) tenant_id, hash_bytes(subject->data, UUID_LEN), LOCK_AUDIT_CHAIN);
	if (LockAcquire(&one, ExclusiveLock, false, false) == LOCKACQUIRE_OK)
		locked.count++;
}

/* Make the id greater than another. */
static void
raise_above(pg_uuid_t *id, const pg_uuid_t *other)
{
	if (memcmp(id, other, UUID_LEN) > 0)
		return;
	*id = *other;
	for (int i = UUID_LEN - 1; i >= 0 && ++id->data[i] == 0; i--)
		;
}

/* Find the event before; false when there is none.  The digest is in the caller's memory. */
static bool
find_previous(Datum *values, MemoryContext caller, pg_uuid_t *id, Datum *digest)
{
	Datum		arguments[2] = {values[EVENT_TENANT_ID], values[EVENT_RECORD_ID]};
	bool		isnull;
	MemoryContext previous;

	if (plan_execute_latest(&select_previous, arguments, NULL, 1) == 0)
		return false;
	*id = *DatumGetUUIDP(plan_value(0, COLUMN_PREVIOUS_ID, &isnull));
	previous = MemoryContextSwitchTo(caller);
	*digest = PointerGetDatum(DatumGetByteaPCopy(plan_value(0, COLUMN_PREVIOUS_DIGEST, &isnull)));
	MemoryContextSwitchTo(previous);
	return true;
}

/* How far the tenant is sealed; inside SPI only when it was not read lately. */
static const pg_uuid_t *
sealed_upto(int32 tenant_id)
{
	TimestampTz now = GetCurrentTimestamp();
	Datum		value = Int32GetDatum(tenant_id);
	bool		isnull;

	if (sealed.tenant_id == tenant_id && !TimestampDifferenceExceeds(sealed.read_at, now, SEALED_AGE_MS) && sealed.read_at <= now)
		return &sealed.upto;
	memset(&sealed, 0, sizeof(sealed));
	SPI_connect();
	if (plan_execute_latest(&select_sealed, &value, NULL, 1) > 0)
		sealed.upto = *DatumGetUUIDP(plan_value(0, 1, &isnull));
	SPI_finish();
	sealed.tenant_id = tenant_id;
	sealed.read_at = now;
	return &sealed.upto;
}

/* Fill id, previous, salt and digest. */
static void
chain(Datum *values, bool *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	int32		tenant_id = DatumGetInt32(values[EVENT_TENANT_ID]);
	static const pg_uuid_t none = {{0}};
	bool		of_record = DatumGetInt32(values[EVENT_MODULE_ID]) != 0 && memcmp(DatumGetUUIDP(values[EVENT_RECORD_ID]), &none, UUID_LEN) != 0;
	char	   *action = TextDatumGetCString(values[EVENT_ACTION]);
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	bytea	   *salt = palloc(VARHDRSZ + SALT_LENGTH);
	bytea	   *digest = palloc(VARHDRSZ + QEHS_SHA256_LENGTH);
	pg_uuid_t	before;

	nulls[EVENT_PREVIOUS] = true;
	id_generate(id);
	raise_above(id, sealed_upto(tenant_id));
	/* the first event of a record has none before, and needs no look */
	if (!of_record || strcmp(action, "created") != 0)
	{
		if (!of_record)
			lock_chain(tenant_id, DatumGetUUIDP(values[EVENT_RECORD_ID]));
		SPI_connect();
		if (of_record && !is_change(action))
			lock_record(values);
		if (find_previous(values, caller, &before, &values[EVENT_PREVIOUS]))
		{
			nulls[EVENT_PREVIOUS] = false;
			raise_above(id, &before);
		}
		SPI_finish();
	}
	values[EVENT_ID] = UUIDPGetDatum(id);
	SET_VARSIZE(salt, VARHDRSZ + SALT_LENGTH);
	if (!pg_strong_random(VARDATA(salt), SALT_LENGTH))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not make random bytes")));
	values[EVENT_SALT] = PointerGetDatum(salt);
	nulls[EVENT_ID] = nulls[EVENT_SALT] = nulls[EVENT_DIGEST] = false;
	nulls[EVENT_ERASED] = true;
	SET_VARSIZE(digest, VARHDRSZ + QEHS_SHA256_LENGTH);
	digest_event(values, nulls, (uint8 *) VARDATA(digest));
	values[EVENT_DIGEST] = PointerGetDatum(digest);
}

/* Trigger: see the comment in SQL. */
Datum
qehs_audit_event_chain(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	description;
	Datum		values[EVENT_COLUMN_COUNT];
	bool		nulls[EVENT_COLUMN_COUNT];

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("audit_event_chain is a trigger before INSERT on rows")));
	description = RelationGetDescr(trigger->tg_relation);
	if (description->natts != EVENT_COLUMN_COUNT)
		elog(ERROR, "unexpected number of columns of audit_event: %d", description->natts);
	heap_deform_tuple(trigger->tg_trigtuple, description, values, nulls);
	if (!nulls[EVENT_DIGEST] || nulls[EVENT_TENANT_ID] || nulls[EVENT_MODULE_ID] || nulls[EVENT_RECORD_ID] || nulls[EVENT_ACTION])
		PG_RETURN_POINTER(trigger->tg_trigtuple);
	chain(values, nulls);
	PG_RETURN_POINTER(heap_form_tuple(description, values, nulls));
}
