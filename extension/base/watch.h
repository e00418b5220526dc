/*
 * watch.h
 *	  Generations of the tables that backends cache: a cache compares the
 *	  generation it was filled at with the current one.
 *
 * Triggers on the tables announce changes, whoever makes them (sql/40_watch.sql).
 * A change is announced by a relcache invalidation of the table, which is
 * transactional, reaches every backend at its next transaction, and is
 * replayed on standbys; no shared memory is needed.
 */
#ifndef QEHS_WATCH_H
#define QEHS_WATCH_H

typedef enum WatchedTable
{
	WATCH_API_KEY,				/* keys, users, roles: who may do what */
	WATCH_ENDPOINT,
	WATCH_SECRET,
	WATCH_MODULE,
	WATCH_JSON_SCHEMA,
	WATCH_COUNT
} WatchedTable;

/* Rises whenever the table was announced as changed. */
extern uint64 watch_generation(WatchedTable table);

/* Announce a change; takes effect for others when this transaction commits. */
extern void watch_announce(WatchedTable table);

/* Watch the cache invalidations of this backend; once, at load. */
extern void watch_init(void);

#endif							/* QEHS_WATCH_H */
