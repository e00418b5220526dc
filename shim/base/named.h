/*
 * named.h
 *	  Counters whose names are learnt while counting: statuses of answer lines, policies
 *	  of rate limits, whatever the extension calls them.  From any thread.
 */
#ifndef QEHS_NAMED_H
#define QEHS_NAMED_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define NAMED_MOST 16

typedef struct NamedCounter
{
	char		name[24];
	uint64_t	counts[2];		/* what they count is the owner's; atomic */
} NamedCounter;

typedef struct NamedCounters
{
	pthread_mutex_t naming;
	int			count;			/* of those that have a name; atomic */
	NamedCounter all[NAMED_MOST];
} NamedCounters;

#define NAMED_COUNTERS {.naming = PTHREAD_MUTEX_INITIALIZER}

/* The counter of a name, made if there is none; the last one, "other", takes those for which there is no room. */
extern NamedCounter *named_counter(NamedCounters *counters, const char *name, size_t length);
/* How many there are. */
extern int	named_count(const NamedCounters *counters);

#endif							/* QEHS_NAMED_H */
