/*
 * worker.h
 *	  Threads that write the files of exports.
 */
#ifndef QEHS_WORKER_H
#define QEHS_WORKER_H

#include "base/config.h"

typedef struct Workers Workers;

/* Start so many threads, which claim jobs of kind export until they are stopped; the object store is open. */
extern Workers *workers_start(const Config *config, int count);
/* Stop: what is being written is given back to the queue.  Waits for the threads. */
extern void workers_stop(Workers *workers);

#endif							/* QEHS_WORKER_H */
