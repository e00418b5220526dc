/*
 * shim_guard.c
 *	  libFuzzer target of the shim's guard and heads: bytes are the same heads, bodies
 *	  and breaks however they are cut.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/guard.h"
#include "http/head.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Follow to the next event that is not one of parts; a head is read from a copy, as it is changed in place. */
static size_t
follow(Guard *guard, const char *bytes, size_t from, size_t size, size_t step, GuardEvent *event, size_t *head)
{
	size_t		at = from;

	do
	{
		size_t		length = size - at < step ? size - at : step;

		at += guard_next(guard, bytes + at, length, event);
	}
	while (*event == GUARD_MORE && at < size);
	if (*event == GUARD_SKIP)
		*head = at;
	else if (*event == GUARD_HEAD)
	{
		char	   *copy = malloc(at - *head);
		Head		read;

		memcpy(copy, bytes + *head, at - *head);
		read = head_read(copy, at - *head);
		free(copy);
		if (read.fault == NULL)
			guard_body(guard, read.length, read.chunked);
		else
			*event = GUARD_BREAK;
	}
	if (guard->state == GUARD_START)
		*head = at;
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *) data;
	Guard		guards[2] = {{.state = GUARD_START}, {.state = GUARD_START}};
	size_t		at[2] = {0, 0};
	size_t		heads[2] = {0, 0};
	size_t		step = size > 0 ? 1 + data[0] % 7 : 1;

	while (at[0] < size)
	{
		GuardEvent	events[2];

		at[0] = follow(&guards[0], bytes, at[0], size, size, &events[0], &heads[0]);
		do
			at[1] = follow(&guards[1], bytes, at[1], size, step, &events[1], &heads[1]);
		while (events[1] == GUARD_DATA && events[0] == GUARD_DATA && at[1] < at[0]);
		if (at[0] != at[1] || events[0] != events[1])
			abort();
		if (events[0] == GUARD_BREAK || events[0] == GUARD_MORE)
			return 0;
	}
	return 0;
}
