/*
 * queue.c
 *	  A list for each lane and a bit for each that is not empty.
 *
 * All lanes together hold 1024 jobs; in a full queue a lane may still have 16, so
 * that who fills it keeps nobody out.
 */
#include "db/queue.h"

#define MAX_WAITING 1024
#define LEAST_OF_LANE 16

static int
lane_of(const PgJob *job)
{
	/* Knuth's multiplicative hash: the upper bits are the good ones */
	return (int) ((job->caller * UINT32_C(2654435761)) >> 26);
}

bool
queue_add(Queue *queue, PgJob *job)
{
	int			lane = lane_of(job);

	if (queue->count >= MAX_WAITING && queue->length[lane] >= LEAST_OF_LANE)
		return false;
	job->next = NULL;
	if (queue->first[lane])
		queue->last[lane]->next = job;
	else
		queue->first[lane] = job;
	queue->last[lane] = job;
	queue->busy |= UINT64_C(1) << lane;
	queue->length[lane]++;
	queue->count++;
	return true;
}

/* The lane whose turn it is; one must be busy. */
static int
next_lane(const Queue *queue)
{
	uint64_t	ahead = queue->busy & (UINT64_MAX << queue->turn);

	return __builtin_ctzll(ahead ? ahead : queue->busy);
}

PgJob *
queue_next(const Queue *queue)
{
	return queue->busy ? queue->first[next_lane(queue)] : NULL;
}

/* Take a job out of its lane; previous is the one before it, or NULL. */
static PgJob *
take_out(Queue *queue, int lane, PgJob *previous)
{
	PgJob	   *job = previous ? previous->next : queue->first[lane];

	if (previous)
		previous->next = job->next;
	else
		queue->first[lane] = job->next;
	if (queue->last[lane] == job)
		queue->last[lane] = previous;
	if (queue->first[lane] == NULL)
		queue->busy &= ~(UINT64_C(1) << lane);
	queue->length[lane]--;
	queue->count--;
	job->next = NULL;
	return job;
}

PgJob *
queue_take(Queue *queue)
{
	int			lane = next_lane(queue);

	queue->turn = (lane + 1) % QUEUE_LANES;
	return take_out(queue, lane, NULL);
}

bool
queue_remove(Queue *queue, const PgJob *job)
{
	int			lane = lane_of(job);
	PgJob	   *previous = NULL;

	for (PgJob *other = queue->first[lane]; other; previous = other, other = other->next)
		if (other == job)
		{
			take_out(queue, lane, previous);
			return true;
		}
	return false;
}

PgJob *
queue_take_expired(Queue *queue, uint64_t time)
{
	for (uint64_t busy = queue->busy; busy; busy &= busy - 1)
	{
		int			lane = __builtin_ctzll(busy);

		if (queue->first[lane]->expires < time)
			return take_out(queue, lane, NULL);
	}
	return NULL;
}

uint64_t
queue_expiry(const Queue *queue)
{
	uint64_t	first = UINT64_MAX;

	for (uint64_t busy = queue->busy; busy; busy &= busy - 1)
	{
		uint64_t	expires = queue->first[__builtin_ctzll(busy)]->expires;

		first = expires < first ? expires : first;
	}
	return first;
}
