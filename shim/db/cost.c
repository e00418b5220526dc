/*
 * cost.c
 *	  A moving average for each caller and kind: the last one counts for a
 *	  quarter, and for no more than 400 ms, so that it is forgotten after some quick
 *	  ones.
 */
#include "db/cost.h"

#include "base/clock.h"

#define HEAVY_NS (CLOCK_SECOND / 10)
#define MOST_NS (2 * CLOCK_SECOND / 5)

static uint32_t
place(const PgJob *job)
{
	return ((job->caller ^ (job->kind << 20)) * UINT32_C(2654435761)) >> 22;
}

bool
cost_is_heavy(const Costs *costs, const PgJob *job)
{
	const CostEntry *entry = &costs->entries[place(job)];

	return entry->average >= HEAVY_NS && entry->caller == job->caller && entry->kind == job->kind;
}

void
cost_note(Costs *costs, const PgJob *job, uint64_t took)
{
	CostEntry  *entry = &costs->entries[place(job)];

	took = took < MOST_NS ? took : MOST_NS;
	if (entry->caller != job->caller || entry->kind != job->kind)
		*entry = (CostEntry) {job->caller, job->kind, 0};
	entry->average += took / 4;
	entry->average -= entry->average / 4;
}
