/*
 * cost.h
 *	  What a caller's jobs of a kind have taken of late: those that take long get a
 *	  connection for themselves, and not all of them.
 */
#ifndef QEHS_COST_H
#define QEHS_COST_H

#include "db/job.h"

#define COST_ENTRIES 1024		/* 2^10: see place() */

typedef struct CostEntry
{
	uint32_t	caller;
	uint32_t	kind;
	uint64_t	average;		/* nanoseconds */
} CostEntry;

/* Two callers or kinds that meet in an entry put each other out, and are taken for quick. */
typedef struct Costs
{
	CostEntry	entries[COST_ENTRIES];
} Costs;

/* Does what the caller does take long? */
extern bool cost_is_heavy(const Costs *costs, const PgJob *job);
/* It took, or has taken until now, so many nanoseconds. */
extern void cost_note(Costs *costs, const PgJob *job, uint64_t took);

#endif							/* QEHS_COST_H */
