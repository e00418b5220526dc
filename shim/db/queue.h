/*
 * queue.h
 *	  Jobs that wait, served in turns of their callers, so that one caller with a
 *	  thousand jobs keeps another's only one waiting for one of them.
 *
 * Callers share 64 lanes by their number (stochastic fairness queueing, McKenney
 * 1990): two who meet in one share its turns.  In a lane the first to come is the
 * first served.
 */
#ifndef QEHS_QUEUE_H
#define QEHS_QUEUE_H

#include "db/job.h"

#define QUEUE_LANES 64

typedef struct Queue
{
	PgJob	   *first[QUEUE_LANES];
	PgJob	   *last[QUEUE_LANES];
	int			length[QUEUE_LANES];
	uint64_t	busy;			/* a bit for each lane that is not empty */
	int			turn;			/* lane that is served next */
	int			count;
} Queue;

/* Add a job behind those of its caller; false when the queue is full of them. */
extern bool queue_add(Queue *queue, PgJob *job);
/* The job whose turn it is, which stays; NULL: none waits. */
extern PgJob *queue_next(const Queue *queue);
/* Take that one out. */
extern PgJob *queue_take(Queue *queue);
/* Take this one out; false when it is not in the queue. */
extern bool queue_remove(Queue *queue, const PgJob *job);
/* Take out a first one of a lane that expires before a time; NULL: there is none. */
extern PgJob *queue_take_expired(Queue *queue, uint64_t time);
/* When the first of them expires; UINT64_MAX: none waits. */
extern uint64_t queue_expiry(const Queue *queue);

#endif							/* QEHS_QUEUE_H */
