/*
 * display.c
 *	  Numbers of display codes: unique and rising per tenant, module and year.
 *
 * With shared memory each (database, qehs.record, tenant, module, year) has a
 * counter there, under one LWLock held for the increment only, so no create
 * waits for another's commit; a rolled-back create leaves a gap.  An absent
 * counter starts at the greatest number stored, read before the lock is taken:
 * whoever enters first wins, and every number in flight came from the counter.
 * What a purged record had is not given out again.
 * Records that came in by another door, as from a restore into a running server, may
 * have numbers that the counter has not given out: then it is raised to theirs.
 *
 * Without shared memory, or when the table of counters is full, the next number
 * is the greatest stored plus one under a transaction-level advisory lock: creates
 * in one module then wait for each other.
 */
#include "base/compat.h"

#include "access/xlog.h"
#include "base/locks.h"
#include "base/plan.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "record/record.h"
#include "storage/ipc.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/datetime.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

#define MAX_COUNTERS 65536

typedef struct CounterKey
{
	Oid			database;
	Oid			relation;		/* of qehs.record: a new extension starts anew */
	int32		tenant_id;
	int32		module_id;
	int32		year;
} CounterKey;

typedef struct Counter
{
	CounterKey	key;
	int64		last;
} Counter;

static HTAB *counters = NULL;
static LWLock *counters_lock = NULL;

static KeptPlan select_greatest = {
	"SELECT n.display_no FROM (SELECT display_no FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND display_no >= $3 AND display_no < $4"
	" UNION ALL SELECT display_no FROM qehs.record_tombstone WHERE tenant_id = $1 AND module_id = $2 AND display_no >= $3 AND display_no < $4) AS n"
	" ORDER BY n.display_no DESC LIMIT 1",
	4, {INT4OID, INT4OID, INT8OID, INT8OID}, NULL
};

void
display_shmem_request(void)
{
	RequestAddinShmemSpace(hash_estimate_size(MAX_COUNTERS, sizeof(Counter)));
	RequestNamedLWLockTranche("qehs_display", 1);
}

void
display_shmem_startup(void)
{
	HASHCTL		control = {.keysize = sizeof(CounterKey), .entrysize = sizeof(Counter)};

	counters = ShmemInitHash("qehs display numbers", 1024, MAX_COUNTERS, &control, HASH_ELEM | HASH_BLOBS);
	counters_lock = &GetNamedLWLockTranche("qehs_display")[0].lock;
}

int
record_display_year(TimestampTz time)
{
	int			year,
				month,
				day;

	j2date((int) (time / USECS_PER_DAY - (time % USECS_PER_DAY < 0) + POSTGRES_EPOCH_JDATE), &year, &month, &day);
	return year;
}

/* The greatest number stored, or the one before the year's first. */
static int64
greatest_stored(const CounterKey *key)
{
	int64		first = key->year * QEHS_DISPLAY_YEAR;
	Datum		values[4] = {Int32GetDatum(key->tenant_id), Int32GetDatum(key->module_id),
	Int64GetDatum(first), Int64GetDatum(first + QEHS_DISPLAY_YEAR)};
	int64		greatest = first;
	bool		isnull;

	SPI_connect();
	if (plan_execute(&select_greatest, values, NULL, false, 1) == 1)
		greatest = DatumGetInt64(plan_value(0, 1, &isnull));
	SPI_finish();
	return greatest;
}

/* Take the next count numbers of an existing counter; false when there is none. */
static bool
take_next(const CounterKey *key, int32 count, int64 *first)
{
	Counter    *counter;

	LWLockAcquire(counters_lock, LW_EXCLUSIVE);
	counter = hash_search(counters, key, HASH_FIND, NULL);
	if (counter)
	{
		*first = counter->last + 1;
		counter->last += count;
	}
	LWLockRelease(counters_lock);
	return counter != NULL;
}

/* Enter a counter unless another backend was first; false when there is no room. */
static bool
enter_counter(const CounterKey *key, int64 last)
{
	Counter    *counter;
	bool		found;

	LWLockAcquire(counters_lock, LW_EXCLUSIVE);
	counter = hash_search(counters, key, HASH_ENTER_NULL, &found);
	if (counter && !found)
		counter->last = last;
	LWLockRelease(counters_lock);
	return counter != NULL;
}

static void
lock_numbers(int32 tenant_id, int32 module_id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, (uint32) module_id, LOCK_DISPLAY_NO);
	LockAcquire(&tag, ExclusiveLock, false, false);
}

static int64
next_without_counter(const CounterKey *key)
{
	lock_numbers(key->tenant_id, key->module_id);
	return greatest_stored(key) + 1;
}

void
record_hold_display_nos(int32 tenant_id, int32 module_id)
{
	if (counters == NULL || hash_get_num_entries(counters) >= MAX_COUNTERS)
		lock_numbers(tenant_id, module_id);
}

static CounterKey
counter_key(int32 tenant_id, int32 module_id, TimestampTz time)
{
	CounterKey	key;

	memset(&key, 0, sizeof(key));
	key.database = MyDatabaseId;
	key.relation = get_relname_relid("record", get_namespace_oid("qehs", false));
	key.tenant_id = tenant_id;
	key.module_id = module_id;
	key.year = record_display_year(time);
	return key;
}

/* A counter only ever rises, since numbers that came from it may be in flight. */
static void
raise_counter(const CounterKey *key, int64 greatest)
{
	Counter    *counter;

	LWLockAcquire(counters_lock, LW_EXCLUSIVE);
	counter = hash_search(counters, key, HASH_FIND, NULL);
	if (counter)
		counter->last = Max(counter->last, greatest);
	LWLockRelease(counters_lock);
}

int64
record_take_display_nos(int32 tenant_id, int32 module_id, TimestampTz time, int32 count)
{
	CounterKey	key = counter_key(tenant_id, module_id, time);
	int64		number;
	int64		greatest;

	/* what a server in recovery enters would lag when it is promoted */
	if (counters == NULL || RecoveryInProgress())
		return next_without_counter(&key);
	if (!take_next(&key, count, &number) &&
		(!enter_counter(&key, greatest_stored(&key)) || !take_next(&key, count, &number)))
		return next_without_counter(&key);
	if (count == 1)
		return number;
	/* a counter that lags shows in the table; a single row's INSERT finds that out by itself */
	greatest = greatest_stored(&key);
	if (greatest < number)
		return number;
	raise_counter(&key, greatest);
	take_next(&key, count, &number);
	return number;
}

void
record_raise_display_nos(int32 tenant_id, int32 module_id, TimestampTz time)
{
	CounterKey	key = counter_key(tenant_id, module_id, time);

	if (counters)
		raise_counter(&key, greatest_stored(&key));
}
