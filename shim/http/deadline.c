/*
 * deadline.c
 *	  A late connection's socket is shut down; the HTTP library then sees its end
 *	  and closes it.
 */
#include "http/deadline.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/clock.h"

#define ANSWER_SECONDS 30

static const uint64_t allowed[STAGE_COUNT] = {
	[STAGE_NEW] = 10 * CLOCK_SECOND,
	[STAGE_HEAD] = 10 * CLOCK_SECOND,
	[STAGE_BODY] = 120 * CLOCK_SECOND,
	[STAGE_CUT] = CLOCK_SECOND,
	[STAGE_ANSWER] = ANSWER_SECONDS * CLOCK_SECOND,
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

/* How many bytes the other side has acknowledged. */
static uint64_t
acknowledged(int socket)
{
	struct tcp_info info;
	socklen_t	size = sizeof(info);

	return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_acked : 0;
}

/* A client that has read enough of its answer since it was looked at last has the same time again. */
static bool
goes_on(Deadlines *deadlines, Watch *watch)
{
	uint64_t	now = acknowledged(watch->socket);

	if (watch->stage != STAGE_ANSWER || now - watch->acknowledged < (uint64_t) ANSWER_SECONDS * DEADLINE_LEAST_RATE)
		return false;
	deadline_move(deadlines, watch, STAGE_ANSWER);
	watch->acknowledged = now;
	return true;
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
	watch->since = clock_coarse();
	watch->acknowledged = 0;
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
	uint64_t	now = clock_coarse();
	uint64_t	next = UINT64_MAX;

	for (int stage = 0; stage < STAGE_COUNT; stage++)
	{
		while (deadlines->first[stage] && deadlines->first[stage]->since + allowed[stage] <= now)
			if (!goes_on(deadlines, deadlines->first[stage]))
				end(deadlines, deadlines->first[stage]);
		if (deadlines->first[stage] && deadlines->first[stage]->since + allowed[stage] < next)
			next = deadlines->first[stage]->since + allowed[stage];
	}
	return next == UINT64_MAX ? -1 : (int) ((next - now) / 1000000 + 1);
}
