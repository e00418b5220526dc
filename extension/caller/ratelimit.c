/*
 * ratelimit.c
 *	  A sliding window a caller, approximated by two buckets of a minute.
 *
 * The estimate is the current bucket plus the share of the previous one that
 * the window still covers, as if its requests had come evenly.  A burst within
 * one minute of the clock is cut exactly at the limit.  Across the minute the
 * error is the unevenness of the previous bucket: if all of it came in its last
 * second, the estimate is short by at most its fading share, so a window can
 * hold up to twice the limit, and never more than the limit in one bucket.
 *
 * The table is a fixed set-associative array: a caller hashes to a set of four
 * entries under one spinlock, and the entry idle for longest makes room, that of
 * an address before that of a key whose window is not over.  So memory is
 * bounded, nothing is allocated, and a count is never rolled back.
 *
 * With shared_preload_libraries the array is in the server's shared memory, else
 * in a segment of dynamic shared memory that the first session makes.  Its handle
 * is the value of a sequence, since that is not rolled back either; a handle from
 * before a restart finds nothing, and a new segment is made.  A session of a
 * standby that finds none counts for itself.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "base/locks.h"
#include "base/plan.h"
#include "caller/ratelimit.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/dsm.h"
#include "storage/lock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define SET_COUNT 4096			/* a power of two */
#define SET_SIZE 4
#define WINDOW_SECONDS 60
#define SEGMENT_MAGIC UINT64CONST(0x7165687372617465)

typedef struct RateEntry
{
	pg_uuid_t	caller;
	Oid			database;
	int32		class;
	int64		bucket;			/* minutes since the epoch; 0: free */
	int32		current;
	int32		previous;
} RateEntry;

typedef struct RateSet
{
	slock_t		lock;
	RateEntry	entries[SET_SIZE];
} RateSet;

/* A segment of dynamic shared memory. */
typedef struct RateSegment
{
	uint64		magic;
	RateSet		sets[SET_COUNT];
} RateSegment;

static RateSet *sets = NULL;

static KeptPlan read_segment = {"SELECT last_value FROM qehs.rate_limit_segment", 0, {0}, NULL};
static KeptPlan write_segment = {
	"SELECT pg_catalog.setval('qehs.rate_limit_segment', $1)", 1, {INT8OID}, NULL
};

Size
ratelimit_shmem_size(void)
{
	return mul_size(SET_COUNT, sizeof(RateSet));
}

static void
initialize_sets(void)
{
	memset(sets, 0, ratelimit_shmem_size());
	for (int i = 0; i < SET_COUNT; i++)
		SpinLockInit(&sets[i].lock);
}

/* Called with AddinShmemInitLock held. */
void
ratelimit_shmem_startup(void)
{
	bool		found;

	sets = ShmemInitStruct("qehs rate limits", ratelimit_shmem_size(), &found);
	if (!found)
		initialize_sets();
}

/* The segment that another session has made, or NULL. */
static RateSegment *
find_segment(void)
{
	dsm_segment *segment;
	RateSegment *found;
	bool		isnull;
	int64		handle;

	plan_execute(&read_segment, NULL, NULL, false, 1);
	handle = DatumGetInt64(plan_value(0, 1, &isnull));
	segment = handle == 0 ? NULL : dsm_attach((dsm_handle) handle);
	if (segment == NULL)
		return NULL;
	found = dsm_segment_address(segment);
	if (dsm_segment_map_length(segment) < sizeof(RateSegment) || found->magic != SEGMENT_MAGIC)
	{
		dsm_detach(segment);
		return NULL;
	}
	dsm_pin_mapping(segment);
	return found;
}

/* A new segment, which lives until the server stops. */
static RateSegment *
make_segment(void)
{
	dsm_segment *segment = dsm_create(sizeof(RateSegment), 0);
	RateSegment *made = dsm_segment_address(segment);
	Datum		handle = Int64GetDatum((int64) dsm_segment_handle(segment));

	memset(made, 0, sizeof(*made));
	for (int i = 0; i < SET_COUNT; i++)
		SpinLockInit(&made->sets[i].lock);
	made->magic = SEGMENT_MAGIC;
	dsm_pin_segment(segment);
	dsm_pin_mapping(segment);
	plan_execute(&write_segment, &handle, NULL, false, 0);
	return made;
}

/* Without the server's shared memory. */
static void
attach_sets(void)
{
	RateSegment *segment;

	SPI_connect();
	segment = find_segment();
	if (segment == NULL && !XactReadOnly && !RecoveryInProgress())
	{
		LOCKTAG		tag;

		SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, LOCK_RATE_SEGMENT);
		LockAcquire(&tag, ExclusiveLock, false, false);
		segment = find_segment();
		if (segment == NULL)
			segment = make_segment();
	}
	SPI_finish();
	if (segment)
		sets = segment->sets;
	else
	{
		sets = MemoryContextAllocHuge(TopMemoryContext, ratelimit_shmem_size());
		initialize_sets();
	}
}

/* When an entry may go: the least goes first.  A key's count is of use for two minutes. */
static int64
entry_rank(const RateEntry *entry)
{
	return entry->bucket + (entry->class == RATE_ADDRESS ? 0 : 2);
}

/* The caller's entry, or the one that may go first made into it; the set is locked. */
static RateEntry *
find_entry(RateSet *set, const pg_uuid_t *caller, RateClass class)
{
	RateEntry  *oldest = &set->entries[0];

	for (int i = 0; i < SET_SIZE; i++)
	{
		RateEntry  *entry = &set->entries[i];

		if (entry->bucket != 0 && entry->class == (int32) class && entry->database == MyDatabaseId &&
			memcmp(&entry->caller, caller, sizeof(*caller)) == 0)
			return entry;
		if (entry_rank(entry) < entry_rank(oldest))
			oldest = entry;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->caller = *caller;
	oldest->class = class;
	oldest->database = MyDatabaseId;
	return oldest;
}

/* Bring an entry's buckets to the minute of now. */
static void
slide(RateEntry *entry, int64 bucket)
{
	if (entry->bucket == bucket)
		return;
	entry->previous = entry->bucket == bucket - 1 ? entry->current : 0;
	entry->current = 0;
	entry->bucket = bucket;
}

/* Seconds until the estimate leaves room for one more request. */
static int32
seconds_to_wait(const RateEntry *entry, int32 limit, int32 left)
{
	/* within this bucket the previous one fades; in the next one this bucket does */
	if (entry->current < limit && entry->previous > 0)
		return Max(1, left - (int32) ((int64) (limit - entry->current) * WINDOW_SECONDS / entry->previous) + 1);
	if (entry->current > 0)
		return left + WINDOW_SECONDS - (int32) ((int64) limit * WINDOW_SECONDS / Max(entry->current, limit)) + 1;
	return left;
}

void
ratelimit_count(const pg_uuid_t *caller, RateClass class, int32 limit, int32 weight, RateVerdict *verdict)
{
	int64		now = (GetCurrentTimestamp() + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY) / USECS_PER_SEC;
	int64		bucket = now / WINDOW_SECONDS;
	int32		left = (int32) (WINDOW_SECONDS - now % WINDOW_SECONDS);
	RateSet    *set;
	RateEntry  *entry;
	int64		used;

	if (sets == NULL)
		attach_sets();
	set = &sets[(hash_bytes(caller->data, sizeof(caller->data)) + (uint32) class) & (SET_COUNT - 1)];
	SpinLockAcquire(&set->lock);
	entry = find_entry(set, caller, class);
	slide(entry, bucket);
	used = entry->current + (int64) entry->previous * left / WINDOW_SECONDS;
	verdict->allowed = used < limit;
	verdict->wait = verdict->allowed ? left : seconds_to_wait(entry, limit, left);
	if (verdict->allowed)
	{
		entry->current += weight;
		used += weight;
	}
	SpinLockRelease(&set->lock);
	verdict->limit = limit;
	verdict->remaining = (int32) Max(0, limit - used);
	verdict->reset = now + left;
}
