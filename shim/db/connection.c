/*
 * connection.c
 *	  Socket and prepared statements of a connection.
 *
 * A statement is named by the number of its text, which is the same text for as
 * long as the process runs: whatever endpoints are loaded meanwhile, a name never
 * means two things.
 */
#include "db/connection.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* What PostgreSQL tells besides results is in its own log. */
static void
drop_notice(void *closure, const PGresult *notice)
{
	(void) closure;
	(void) notice;
}

bool
connection_take(Connection *connection, PGconn *pg)
{
	struct epoll_event event = {.events = EPOLLIN,.data.ptr = &connection->watcher};

	connection->pg = pg;
	PQsetNoticeReceiver(pg, drop_notice, NULL);
	if (PQsetnonblocking(pg, 1) != 0 || PQenterPipelineMode(pg) != 1 || epoll_ctl(connection->epoll, EPOLL_CTL_ADD, PQsocket(pg), &event) != 0)
	{
		PQfinish(pg);
		connection->pg = NULL;
		return false;
	}
	connection->events = EPOLLIN;
	connection->state = READY;
	if (connection->slots)
		memset(connection->slots, UNKNOWN, (size_t) connection->slot_count);
	return true;
}

void
connection_close(Connection *connection)
{
	if (connection->opening)
		work_leave(connection->opening);
	if (connection->cancelling)
		work_leave(connection->cancelling);
	connection->opening = connection->cancelling = NULL;
	if (connection->pg)
	{
		epoll_ctl(connection->epoll, EPOLL_CTL_DEL, PQsocket(connection->pg), NULL);
		PQfinish(connection->pg);
	}
	connection->pg = NULL;
	connection->state = CLOSED;
	connection->flight_count = 0;
}

bool
connection_flush(Connection *connection)
{
	int			left = PQflush(connection->pg);
	struct epoll_event event = {.events = left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN,.data.ptr = &connection->watcher};

	if (left < 0)
		return false;
	if (event.events != connection->events)
		epoll_ctl(connection->epoll, EPOLL_CTL_MOD, PQsocket(connection->pg), &event);
	connection->events = event.events;
	return true;
}

unsigned char *
connection_slot(Connection *connection, int text)
{
	if (text >= connection->slot_count)
	{
		int			count = text + 32;

		connection->slots = realloc(connection->slots, (size_t) count);
		if (connection->slots == NULL)
			abort();
		memset(connection->slots + connection->slot_count, UNKNOWN, (size_t) (count - connection->slot_count));
		connection->slot_count = count;
	}
	return &connection->slots[text];
}
