/*
 * named.c
 *	  A small table that only grows; a name that is there is found without the lock.
 */
#include "base/named.h"

#include <stdio.h>
#include <string.h>

static NamedCounter *
find(NamedCounters *counters, int count, const char *name, size_t length)
{
	for (int i = 0; i < count; i++)
		if (strncmp(counters->all[i].name, name, length) == 0 && counters->all[i].name[length] == '\0')
			return &counters->all[i];
	return NULL;
}

/* Give the name to a row, unless another thread has been first. */
static NamedCounter *
make(NamedCounters *counters, const char *name, size_t length)
{
	NamedCounter *counter;

	pthread_mutex_lock(&counters->naming);
	counter = find(counters, counters->count, name, length);
	if (counter == NULL && counters->count == NAMED_MOST)
		counter = &counters->all[NAMED_MOST - 1];
	else if (counter == NULL)
	{
		counter = &counters->all[counters->count];
		if (counters->count == NAMED_MOST - 1)
			snprintf(counter->name, sizeof(counter->name), "other");
		else
			snprintf(counter->name, sizeof(counter->name), "%.*s", (int) length, name);
		__atomic_store_n(&counters->count, counters->count + 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&counters->naming);
	return counter;
}

NamedCounter *
named_counter(NamedCounters *counters, const char *name, size_t length)
{
	NamedCounter *counter;

	length = length < sizeof(counter->name) ? length : sizeof(counter->name) - 1;
	counter = find(counters, named_count(counters), name, length);
	return counter ? counter : make(counters, name, length);
}

int
named_count(const NamedCounters *counters)
{
	return __atomic_load_n(&counters->count, __ATOMIC_ACQUIRE);
}
