/*
 * worker.h
 *	  Threads that write the files of exports, and that load bodies which wait in the object store.
 */
#ifndef QEHS_WORKER_H
#define QEHS_WORKER_H

#include "base/config.h"

typedef struct Workers Workers;

/* Start as many threads as the settings say, which claim jobs of their kind until they are stopped; the object store is open. */
extern Workers *workers_start(const Config *config);
/* Stop: what is being done is given back to the queue.  Waits for the threads. */
extern void workers_stop(Workers *workers);

#endif							/* QEHS_WORKER_H */
