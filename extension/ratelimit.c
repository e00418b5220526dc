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
 * entries under one spinlock, and the entry idle for longest makes room.  So
 * memory is bounded, nothing is allocated, and a count is never rolled back.
 * Without shared_preload_libraries the array is the backend's own, and the limit
 * holds per connection.
 */
#include "compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "ratelimit.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define SET_COUNT 4096			/* a power of two */
#define SET_SIZE 4
#define WINDOW_SECONDS 60

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

static RateSet *sets = NULL;

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

/* The caller's entry, or the one idle for longest made into it; the set is locked. */
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
		if (entry->bucket < oldest->bucket)
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
	{
		sets = MemoryContextAllocHuge(TopMemoryContext, ratelimit_shmem_size());
		initialize_sets();
	}
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
