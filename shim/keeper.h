/*
 * keeper.h
 *	  What the shim does for the object store on its own account: it removes objects
 *	  that are to go, looks at files that clients have sent to S3, and has files scanned
 *	  that were not.
 *
 * The database says what there is to do (qehs.storage_work) and is told what came of
 * it (qehs.storage_report); the work itself blocks, and is a task beside the loop.
 * Shims that share a database may do the same twice, which harms nothing.
 */
#ifndef QEHS_KEEPER_H
#define QEHS_KEEPER_H

#include "base/config.h"
#include "db/pool.h"

typedef struct Keeper Keeper;

/* Statements go to the pool, of the same epoll. */
extern Keeper *keeper_create(const Config *config, int epoll, Pool *pool);
/* Start what is due; returns the milliseconds until the next time. */
extern int	keeper_tick(Keeper *keeper);
/* Wait for the task that is under way, and free everything; after the pool. */
extern void keeper_free(Keeper *keeper);

#endif							/* QEHS_KEEPER_H */
