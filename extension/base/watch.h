/*
 * watch.h
 *	  Generations of what backends cache: a cache compares the generation that it
 *	  was filled at with the current one.  There is one per tenant, and one for
 *	  what belongs to the database.
 *
 * Triggers on the tables announce every change, whoever makes it, TRUNCATE,
 * session_replication_role = replica and logical replication included
 * (sql/40_watch.sql).  An announcement is an invalidation message of the
 * relation cache: it is sent when the transaction commits (also a prepared
 * one), reaches every backend at its next transaction, and is replayed on
 * standbys.  No shared memory is needed.
 *
 * Not announced: changes while a superuser has disabled the triggers of a table
 * (ALTER TABLE ... DISABLE TRIGGER, pg_restore --disable-triggers).
 */
#ifndef QEHS_WATCH_H
#define QEHS_WATCH_H

typedef enum WatchedTable
{
	WATCH_IDENTITY,				/* of a tenant: keys, users, roles, limits */
	WATCH_MODULE,				/* of a tenant: definitions */
	WATCH_LOCATION,				/* of a tenant: its location tree */
	WATCH_ENDPOINT,				/* of the database, as are those below */
	WATCH_SECRET,
	WATCH_JSON_SCHEMA,
	WATCH_COUNT
} WatchedTable;

/*
 * Rises whenever a change of what the tenant has in the table was announced;
 * tenant_id is 0 for what belongs to the database.  Now and then it rises
 * without a change, as when PostgreSQL drops all of its own caches.
 */
extern uint64 watch_generation(WatchedTable table, int32 tenant_id);

/* Rises with every announcement, of whatever table and tenant. */
extern uint64 watch_moment(void);

/*
 * Announce a change of one tenant, or with tenant_id 0 of all; takes effect for
 * others when this transaction commits, here from the next command on and once
 * more if the transaction rolls back.
 */
extern void watch_announce(WatchedTable table, int32 tenant_id);

/* Watch the invalidation messages of this backend; once, at load. */
extern void watch_init(void);

#endif							/* QEHS_WATCH_H */
