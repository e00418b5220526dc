/*
 * deadline.c
 *	  A late connection's socket is shut down; the HTTP library then sees its end
 *	  and closes it.
 */
#include "http/deadline.h"

#include <stddef.h>
#include <sys/socket.h>

#include "base/clock.h"

static const uint64_t allowed[STAGE_COUNT] = {
	[STAGE_NEW] = 10 * CLOCK_SECOND,
	[STAGE_HEAD] = 10 * CLOCK_SECOND,
	[STAGE_BODY] = 120 * CLOCK_SECOND,
	[STAGE_CUT] = CLOCK_SECOND,
	[STAGE_ANSWER] = 120 * CLOCK_SECOND,
	[STAGE_IDLE] = 75 * CLOCK_SECOND,
};

static void
unlink_watch(Deadlines *deadlines, Watch *watch)
{
	if (watch->stage == STAGE_NONE)
		return;
	if (watch->previous)
		watch->previous->next = watch->next;
	else
		deadlines->first[watch->stage] = watch->next;
	if (watch->next)
		watch->next->previous = watch->previous;
	else
		deadlines->last[watch->stage] = watch->previous;
	watch->stage = STAGE_NONE;
}

static void
end(Deadlines *deadlines, Watch *watch)
{
	unlink_watch(deadlines, watch);
	shutdown(watch->socket, SHUT_RDWR);
}

/* The silent ones go first, then those that are slow with their headers. */
static void
make_room(Deadlines *deadlines)
{
	static const Stage order[] = {STAGE_CUT, STAGE_IDLE, STAGE_NEW, STAGE_HEAD, STAGE_BODY, STAGE_ANSWER};

	for (int i = 0; i < STAGE_COUNT; i++)
		if (deadlines->first[order[i]])
		{
			end(deadlines, deadlines->first[order[i]]);
			return;
		}
}

void
deadline_open(Deadlines *deadlines, Watch *watch, int socket)
{
	if (++deadlines->count > deadlines->limit - deadlines->limit / 8)
		make_room(deadlines);
	*watch = (Watch) {.stage = STAGE_NONE,.socket = socket};
	deadline_move(deadlines, watch, STAGE_NEW);
}

void
deadline_move(Deadlines *deadlines, Watch *watch, Stage stage)
{
	unlink_watch(deadlines, watch);
	watch->stage = stage;
	if (stage == STAGE_NONE)
		return;
	watch->since = clock_now();
	watch->next = NULL;
	watch->previous = deadlines->last[stage];
	if (watch->previous)
		watch->previous->next = watch;
	else
		deadlines->first[stage] = watch;
	deadlines->last[stage] = watch;
}

void
deadline_close(Deadlines *deadlines, Watch *watch)
{
	unlink_watch(deadlines, watch);
	deadlines->count--;
}

int
deadline_expire(Deadlines *deadlines)
{
	uint64_t	now = clock_now();
	uint64_t	next = UINT64_MAX;

	for (int stage = 0; stage < STAGE_COUNT; stage++)
	{
		while (deadlines->first[stage] && deadlines->first[stage]->since + allowed[stage] <= now)
			end(deadlines, deadlines->first[stage]);
		if (deadlines->first[stage] && deadlines->first[stage]->since + allowed[stage] < next)
			next = deadlines->first[stage]->since + allowed[stage];
	}
	return next == UINT64_MAX ? -1 : (int) ((next - now) / 1000000 + 1);
}
