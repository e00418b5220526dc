/*
 * seal.c
 *	  Seals over audit events, made by qehs.tick before one is unsealed for much longer than a
 *	  minute, and by qehs.audit_seal.
 *
 * A seal is over a span of ids, so nothing is written into events.  No smaller id must
 * come after it: the bound is taken first, then those who hold the lock of an
 * INSERT on the events are waited for (by tick a moment only: a transaction of minutes
 * puts its seals off), and only then are the events read.  Who inserts later
 * makes a greater id (chain.c).  Writers wait for nothing.
 */
#include "base/compat.h"

#include "audit/seal.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_audit_seal);
PG_FUNCTION_INFO_V1(qehs_audit_seal_due);

#define FORM "qehs audit seal 1\n"
#define DUE_SECONDS 60
#define PATIENCE_MS 50

#define LEAVES(comparison) \
	"SELECT l.id, l.digest FROM (SELECT e.id, e.digest FROM qehs.audit_event AS e WHERE e.tenant_id = $1 AND e.id > $2 AND e.id " comparison " $3" \
	" UNION ALL SELECT t.event_id, t.digest FROM qehs.audit_tombstone AS t WHERE t.tenant_id = $1 AND t.event_id > $2 AND t.event_id " comparison " $3)" \
	" AS l ORDER BY l.id"

static KeptPlan select_leaves = {LEAVES("<="), 3, {INT4OID, UUIDOID, UUIDOID}, NULL};
static KeptPlan select_leaves_below = {LEAVES("<"), 3, {INT4OID, UUIDOID, UUIDOID}, NULL};
static KeptPlan select_last = {
	"SELECT " QEHS_SEAL_COLUMNS " FROM qehs.audit_seal WHERE tenant_id = $1 ORDER BY seal_no DESC LIMIT 1", 1, {INT4OID}, NULL
};
static KeptPlan insert_seal = {
	"INSERT INTO qehs.audit_seal (tenant_id, " QEHS_SEAL_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	8, {INT4OID, INT8OID, UUIDOID, INT4OID, TIMESTAMPTZOID, BYTEAOID, BYTEAOID, BYTEAOID}, NULL
};
static KeptPlan select_tenant = {"SELECT id FROM qehs.tenant WHERE slug = $1", 1, {TEXTOID}, NULL};
/* Tenants that have events before $1 behind their last seal. */
static KeptPlan select_due = {
	"SELECT t.id FROM qehs.tenant AS t WHERE EXISTS (SELECT FROM qehs.audit_event AS e WHERE e.tenant_id = t.id AND e.id < $1 AND e.id >"
	" COALESCE((SELECT s.upto FROM qehs.audit_seal AS s WHERE s.tenant_id = t.id ORDER BY s.seal_no DESC LIMIT 1), '00000000-0000-0000-0000-000000000000'))",
	1, {UUIDOID}, NULL
};
/* The columns of LEAVES. */
enum
{
	COLUMN_LEAF_EVENT_ID = 1, COLUMN_LEAF_DIGEST
};

static MerkleHash
hash_column(uint64 row, int column)
{
	MerkleHash	hash = {{0}};
	bool		isnull;
	Datum		value = plan_value(row, column, &isnull);

	if (!isnull && VARSIZE_ANY_EXHDR(DatumGetByteaPP(value)) == sizeof(hash))
		memcpy(hash.bytes, VARDATA_ANY(DatumGetByteaPP(value)), sizeof(hash));
	return hash;
}

/* The columns of QEHS_SEAL_COLUMNS. */
enum
{
	COLUMN_NUMBER = 1, COLUMN_UPTO, COLUMN_COUNT, COLUMN_SEALED_AT, COLUMN_ROOT, COLUMN_PREVIOUS, COLUMN_DIGEST
};

void
seal_read(uint64 row, Seal *seal)
{
	bool		isnull;

	memset(seal, 0, sizeof(*seal));
	seal->number = DatumGetInt64(plan_value(row, COLUMN_NUMBER, &isnull));
	seal->upto = *DatumGetUUIDP(plan_value(row, COLUMN_UPTO, &isnull));
	seal->count = DatumGetInt32(plan_value(row, COLUMN_COUNT, &isnull));
	seal->sealed_at = DatumGetTimestampTz(plan_value(row, COLUMN_SEALED_AT, &isnull));
	seal->root = hash_column(row, COLUMN_ROOT);
	seal->previous = hash_column(row, COLUMN_PREVIOUS);
	seal->digest = hash_column(row, COLUMN_DIGEST);
}

MerkleHash
seal_digest(const Seal *seal)
{
	StringInfoData out;
	uint64		number = pg_hton64((uint64) seal->number);
	uint32		count = pg_hton32((uint32) seal->count);
	uint64		time = pg_hton64((uint64) seal->sealed_at);
	MerkleHash	digest = {0};

	initStringInfo(&out);
	json_literal(&out, FORM);
	appendBinaryStringInfo(&out, (const char *) &number, sizeof(number));
	appendBinaryStringInfo(&out, (const char *) seal->upto.data, UUID_LEN);
	appendBinaryStringInfo(&out, (const char *) &count, sizeof(count));
	appendBinaryStringInfo(&out, (const char *) &time, sizeof(time));
	appendBinaryStringInfo(&out, (const char *) seal->root.bytes, sizeof(MerkleHash));
	appendBinaryStringInfo(&out, (const char *) seal->previous.bytes, sizeof(MerkleHash));
	sha256_bytes(out.data, out.len, digest.bytes);
	pfree(out.data);
	return digest;
}

MerkleHash *
seal_leaves(int32 tenant_id, const pg_uuid_t *after, const pg_uuid_t *upto, bool below, const pg_uuid_t *event, int *count,
			pg_uuid_t *last, int *place)
{
	Datum		values[3] = {Int32GetDatum(tenant_id), UUIDPGetDatum(after), UUIDPGetDatum(upto)};
	MerkleHash *leaves;
	uint64		rows = plan_execute_latest(below ? &select_leaves_below : &select_leaves, values, NULL, QEHS_SEAL_EVENTS);

	leaves = palloc(sizeof(MerkleHash) * Max(rows, 1));
	if (event)
		*place = -1;
	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;
		MerkleHash	digest = hash_column(i, COLUMN_LEAF_DIGEST);

		CHECK_FOR_INTERRUPTS();
		*last = *DatumGetUUIDP(plan_value(i, COLUMN_LEAF_EVENT_ID, &isnull));
		if (event && memcmp(last, event, UUID_LEN) == 0)
			*place = (int) i;
		leaves[i] = merkle_leaf(digest.bytes);
	}
	SPI_freetuptable(SPI_tuptable);
	*count = (int) rows;
	return leaves;
}

/* ---- making seals ---- */

/* Wait until those who are inserting events now have ended; in a hurry a moment only, then it is false. */
static bool
wait_for_writers(bool hurry)
{
	TimestampTz deadline = GetCurrentTimestamp() + PATIENCE_MS * INT64CONST(1000);
	LOCKTAG		tag;
	VirtualTransactionId *writers;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, get_relname_relid("audit_event", LookupExplicitNamespace("qehs", false)));
	writers = GetLockConflicts(&tag, ShareLock, NULL);
	for (; VirtualTransactionIdIsValid(*writers); writers++)
	{
		while (!VirtualXactLock(*writers, !hurry))
		{
			CHECK_FOR_INTERRUPTS();
			if (GetCurrentTimestamp() > deadline)
				return false;
			pg_usleep(1000);
		}
	}
	return true;
}

static Datum
hash_datum(const MerkleHash *hash)
{
	bytea	   *bytes = palloc(VARHDRSZ + sizeof(MerkleHash));

	SET_VARSIZE(bytes, VARHDRSZ + sizeof(MerkleHash));
	memcpy(VARDATA(bytes), hash->bytes, sizeof(MerkleHash));
	return PointerGetDatum(bytes);
}

static void
store_seal(int32 tenant_id, const Seal *seal)
{
	Datum		values[8] = {Int32GetDatum(tenant_id), Int64GetDatum(seal->number), UUIDPGetDatum(&seal->upto), Int32GetDatum(seal->count),
	TimestampTzGetDatum(seal->sealed_at), hash_datum(&seal->root), hash_datum(&seal->previous), hash_datum(&seal->digest)};
	char		nulls[9] = "        ";

	nulls[6] = seal->number == 1 ? 'n' : ' ';
	plan_execute(&insert_seal, values, nulls, false, 0);
}

/* Seal the next events with ids below bound; gives how many.  Inside SPI. */
static int
make_seal(int32 tenant_id, const pg_uuid_t *bound)
{
	Datum		value = Int32GetDatum(tenant_id);
	Seal		before = {0};
	Seal		seal = {0};
	MerkleHash *leaves;

	if (plan_execute_latest(&select_last, &value, NULL, 1) > 0)
		seal_read(0, &before);
	leaves = seal_leaves(tenant_id, &before.upto, bound, true, NULL, &seal.count, &seal.upto, NULL);
	if (seal.count > 0)
	{
		seal.number = before.number + 1;
		seal.sealed_at = clock_told(clock_now());
		seal.previous = before.digest;
		seal.root = merkle_root(leaves, seal.count, 0, NULL, NULL);
		seal.digest = seal_digest(&seal);
		store_seal(tenant_id, &seal);
	}
	pfree(leaves);
	return seal.count;
}

/* Whether this transaction alone seals the tenant's events now. */
static bool
lock_tenant(int32 tenant_id, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, 0, LOCK_AUDIT_SEAL);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/* audit_seal(tenant) */
Datum
qehs_audit_seal(PG_FUNCTION_ARGS)
{
	char	   *slug = argument_text(fcinfo, 0);
	Datum		value = slug ? PG_GETARG_DATUM(0) : (Datum) 0;
	pg_uuid_t	bound;
	int32		tenant_id;
	bool		isnull;
	int64		seals = 0;
	int64		events = 0;
	int			count;
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	if (slug == NULL || plan_execute(&select_tenant, &value, NULL, true, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no tenant \"%s\"", slug ? slug : "");
	tenant_id = DatumGetInt32(plan_value(0, 1, &isnull));
	lock_tenant(tenant_id, true);
	/* what was written in this millisecond is sealed, too */
	pg_usleep(1000);
	id_of_time(GetCurrentTimestamp(), false, &bound);
	wait_for_writers(false);
	while ((count = make_seal(tenant_id, &bound)) > 0)
	{
		seals++;
		events += count;
	}
	SPI_finish();
	json_literal(&out, "{\"seals\":");
	json_int(&out, seals);
	json_literal(&out, ",\"events\":");
	json_int(&out, events);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}

/* audit_seal_due(until) */
Datum
qehs_audit_seal_due(PG_FUNCTION_ARGS)
{
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(0);
	pg_uuid_t	bound;
	pg_uuid_t	due;
	Datum		value = UUIDPGetDatum(&due);
	uint64		rows;
	SPITupleTable *tenants;
	int64		seals = 0;

	id_of_time(clock_now() - DUE_SECONDS * USECS_PER_SEC, false, &due);
	id_of_time(GetCurrentTimestamp(), false, &bound);
	SPI_connect();
	rows = plan_execute_latest(&select_due, &value, NULL, 0);
	tenants = SPI_tuptable;
	if (rows > 0 && wait_for_writers(true))
	{
		for (uint64 i = 0; i < rows; i++)
		{
			bool		isnull;
			int32		tenant_id = DatumGetInt32(SPI_getbinval(tenants->vals[i], tenants->tupdesc, 1, &isnull));

			while (lock_tenant(tenant_id, false) && make_seal(tenant_id, &bound) > 0)
				seals++;
			if (GetCurrentTimestamp() > until)
				break;
		}
	}
	SPI_finish();
	PG_RETURN_INT64(seals);
}
