/*
 * figures.h
 *	  Figures of background work, for operators: qehs.metrics().
 */
#ifndef QEHS_FIGURES_H
#define QEHS_FIGURES_H

typedef enum Figure
{
	FIGURE_TICKS,				/* runs of qehs.tick that did their work */
	FIGURE_TICK_TIME,			/* when the last one was, in seconds since 1970 */
	FIGURE_REMOVED_KEYS,		/* idempotency keys that ticks removed */
	FIGURE_REMOVED_SECRETS,
	FIGURE_MIGRATE_BATCHES,		/* calls of qehs.module_migrate */
	FIGURE_MIGRATE_TIME,
	FIGURE_MIGRATED_RECORDS,
	FIGURE_FAILED_MIGRATIONS,	/* records that the newer definition refused */
	FIGURE_JOBS_SUCCEEDED,
	FIGURE_JOBS_FAILED,
	FIGURE_JOBS_CANCELLED,
	FIGURE_JOB_RETRIES,			/* failures after which a job is tried again */
	FIGURE_JOB_STEPS,			/* of jobs that run inside the database */
	FIGURE_COUNT
} Figure;

/* Add to a figure of the current database.  Nothing happens without shared memory. */
extern void figures_add(Figure figure, uint64 amount);

/* Set a figure to the time of now. */
extern void figures_note_time(Figure figure);

/* Shared memory: how much, and where it starts (AddinShmemInitLock held). */
extern Size figures_shmem_size(void);
extern void figures_shmem_startup(void);

#endif							/* QEHS_FIGURES_H */
