/*
 * cache.h
 *	  What a backend keeps of the tables, of all tenants, within qehs.cache_size
 *	  bytes; what was not used for longest goes first.
 *
 * A Cache is one static variable of the file that fills it.  An entry belongs to
 * a tenant, and is not found again once a change of the tenant's data was
 * announced (watch.h).
 *
 * Usage:
 *		value = cache_find(&cache, key);
 *		if (value == NULL)
 *		{
 *			CacheFill	fill = cache_begin();
 *
 *			... read with plan_execute_latest, build in fill.memory ...
 *			cache_keep(&cache, &fill, key, tenant_id, value, 0);
 *		}
 *
 * A value is good until the transaction ends, also when its entry goes before.
 * An error while one is built leaves nothing behind: fill.memory is a child of
 * the context that was current, until it is kept.
 */
#ifndef QEHS_CACHE_H
#define QEHS_CACHE_H

#include "base/watch.h"
#include "utils/hsearch.h"
#include "utils/palloc.h"

typedef struct Cache
{
	const char *name;			/* identifies the memory in pg_backend_memory_contexts */
	Size		key_size;		/* keys are compared by their bytes: clear padding */
	WatchedTable table;			/* whose changes make entries old */
	HTAB	   *entries;		/* NULL until first use */
} Cache;

/* A value in the making. */
typedef struct CacheFill
{
	MemoryContext memory;		/* of the value and all it points to */
	uint64		moment;			/* when it was begun: what is announced since makes the value old */
} CacheFill;

/* The value under a key; NULL when there is none, or it is old. */
extern void *cache_find(Cache *cache, const void *key);

/* Begin a value, before the tables are read. */
extern CacheFill cache_begin(void);

/* Keep a value; beside is what it takes outside of its memory, in bytes.  Others go to make room. */
extern void cache_keep(Cache *cache, CacheFill *fill, const void *key, int32 tenant_id, void *value, Size beside);

/*
 * Keep a copy of bytes that hold no pointers, without a memory context for it;
 * moment is watch_moment() from before the tables were read.  It is good only
 * until the next call of a function of this file.
 */
extern void cache_keep_bytes(Cache *cache, uint64 moment, const void *key, int32 tenant_id, const void *bytes, Size length);

/* Define the settings of this file; once, at load. */
extern void cache_init(void);

#endif							/* QEHS_CACHE_H */
