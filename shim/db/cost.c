/*
 * cost.c
 *	  A moving average for each caller and statement: the last one counts for a
 *	  quarter, and for no more than 400 ms, so that it is forgotten after some quick
 *	  ones.
 */
#include "db/cost.h"

#include "base/clock.h"

#define HEAVY_NS (CLOCK_SECOND / 10)
#define MOST_NS (2 * CLOCK_SECOND / 5)

static int
text_of(const PgJob *job)
{
	return job->statements[job->count > 1 ? 1 : 0].text->number;
}

static uint32_t
place(uint32_t caller, int text)
{
	return ((caller ^ ((uint32_t) text << 20)) * UINT32_C(2654435761)) >> 22;
}

bool
cost_is_heavy(const Costs *costs, const PgJob *job)
{
	int			text = text_of(job);
	const CostEntry *entry = &costs->entries[place(job->caller, text)];

	return entry->average >= HEAVY_NS && entry->caller == job->caller && entry->text == text;
}

void
cost_note(Costs *costs, const PgJob *job, uint64_t took)
{
	int			text = text_of(job);
	CostEntry  *entry = &costs->entries[place(job->caller, text)];

	took = took < MOST_NS ? took : MOST_NS;
	if (entry->caller != job->caller || entry->text != text)
		*entry = (CostEntry) {job->caller, text, 0};
	entry->average += took / 4;
	entry->average -= entry->average / 4;
}
