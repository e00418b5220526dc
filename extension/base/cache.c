/*
 * cache.c
 *	  One bound and one order of use for all caches of a backend.
 *
 * Each cache is a hash of entries; all entries stand in one list, the last used
 * in front.  What goes while a transaction runs is put aside and freed when
 * that ends, because pointers into it may still be in use; it does not count
 * any more, so a transaction that touches more than fits holds more than that.
 */
#include "base/compat.h"

#include <limits.h>

#include "access/xact.h"
#include "base/cache.h"
#include "lib/ilist.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/* Behind its key in the hash. */
typedef struct CacheEntry
{
	dlist_node	node;
	Cache	   *cache;
	MemoryContext memory;		/* NULL: value is a chunk of the memory of all caches */
	void	   *value;
	Size		bytes;
	uint64		generation;
	int32		tenant_id;
} CacheEntry;

static dlist_head by_use = DLIST_STATIC_INIT(by_use);
static Size taken = 0;
static MemoryContext kept = NULL;
static MemoryContext retired = NULL;
static int	cache_size = 64 * 1024; /* kB */

static void
free_retired(XactEvent event, void *argument)
{
	if (retired && (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE))
		MemoryContextDeleteChildren(retired);
}

void
cache_init(void)
{
	DefineCustomIntVariable("qehs.cache_size",
							"Memory that a backend may take for API keys, names and compiled module definitions.",
							"What was not used for longest is forgotten first, and read again when it is needed.",
							&cache_size, 64 * 1024, 64, MAX_KILOBYTES, PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	RegisterXactCallback(free_retired, NULL);
}

static char *
key_of(const CacheEntry *entry)
{
	return (char *) entry - MAXALIGN(entry->cache->key_size);
}

static void
forget(CacheEntry *entry)
{
	dlist_delete(&entry->node);
	taken -= entry->bytes;
	if (entry->memory)
		MemoryContextSetParent(entry->memory, retired);
	else
		pfree(entry->value);
	hash_search(entry->cache->entries, key_of(entry), HASH_REMOVE, NULL);
}

/* The entry of a key, whatever its age. */
static CacheEntry *
find_entry(Cache *cache, const void *key)
{
	char	   *found = cache->entries ? hash_search(cache->entries, key, HASH_FIND, NULL) : NULL;

	return found ? (CacheEntry *) (found + MAXALIGN(cache->key_size)) : NULL;
}

void *
cache_find(Cache *cache, const void *key)
{
	CacheEntry *entry = find_entry(cache, key);

	if (entry == NULL)
		return NULL;
	if (entry->generation != watch_generation(cache->table, entry->tenant_id))
	{
		forget(entry);
		return NULL;
	}
	dlist_move_head(&by_use, &entry->node);
	return entry->value;
}

CacheFill
cache_begin(void)
{
	return (CacheFill)
	{
		.memory = AllocSetContextCreate(CurrentMemoryContext, "qehs cached", ALLOCSET_SMALL_SIZES),.moment = watch_moment()
	};
}

static void
create_memory(void)
{
	if (kept == NULL)
		kept = AllocSetContextCreate(TopMemoryContext, "qehs caches", ALLOCSET_DEFAULT_SIZES);
	if (retired == NULL)
		retired = AllocSetContextCreate(TopMemoryContext, "qehs retired", ALLOCSET_SMALL_SIZES);
}

static void
create_entries(Cache *cache)
{
	HASHCTL		control = {.keysize = cache->key_size,.entrysize = MAXALIGN(cache->key_size) + sizeof(CacheEntry),.hcxt = kept};

	if (cache->entries == NULL)
		cache->entries = hash_create(cache->name, 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Enter a value that is to be forgotten with its memory. */
static void
enter(Cache *cache, uint64 moment, const void *key, int32 tenant_id, MemoryContext memory, void *value, Size bytes)
{
	CacheEntry *entry = find_entry(cache, key);

	if (entry)
		forget(entry);
	bytes += MAXALIGN(cache->key_size) + sizeof(CacheEntry);
	while (!dlist_is_empty(&by_use) && taken + bytes > (Size) cache_size * 1024)
		forget(dlist_tail_element(CacheEntry, node, &by_use));
	entry = (CacheEntry *) ((char *) hash_search(cache->entries, key, HASH_ENTER, NULL) + MAXALIGN(cache->key_size));
	entry->cache = cache;
	entry->memory = memory;
	entry->value = value;
	entry->bytes = bytes;
	entry->tenant_id = tenant_id;
	entry->generation = watch_generation(cache->table, tenant_id);
	/* perhaps it was read before what was announced meanwhile: whoever is next reads again */
	if (moment != watch_moment())
		entry->generation--;
	dlist_push_head(&by_use, &entry->node);
	taken += bytes;
}

void
cache_keep(Cache *cache, CacheFill *fill, const void *key, int32 tenant_id, void *value, Size beside)
{
	create_memory();
	create_entries(cache);
	enter(cache, fill->moment, key, tenant_id, fill->memory, value, MemoryContextMemAllocated(fill->memory, true) + beside);
	MemoryContextSetIdentifier(fill->memory, cache->name);
	MemoryContextSetParent(fill->memory, kept);
}

void
cache_keep_bytes(Cache *cache, uint64 moment, const void *key, int32 tenant_id, const void *bytes, Size length)
{
	void	   *copy;

	create_memory();
	create_entries(cache);
	copy = MemoryContextAlloc(kept, length);
	memcpy(copy, bytes, length);
	enter(cache, moment, key, tenant_id, NULL, copy, length);
}
