/*
 * linger.c
 *	  A list in the order of time, and a watcher for each.
 */
#include "http/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/watcher.h"

#define LINGER_NS (30 * CLOCK_SECOND)
#define READS_A_TURN 16

struct Linger
{
	Watcher		watcher;		/* first, so that one is the other */
	Lingers    *list;
	Linger	   *previous;
	Linger	   *next;
	uint64_t	due;
	int			socket;
};

static void
end(Linger *linger)
{
	Lingers    *list = linger->list;

	*(linger->previous ? &linger->previous->next : &list->first) = linger->next;
	*(linger->next ? &linger->next->previous : &list->last) = linger->previous;
	list->count--;
	close(linger->socket);
	free(linger);
}

/* Read and forget. */
static void
on_bytes(Watcher *watcher, uint32_t events)
{
	Linger	   *linger = (Linger *) watcher;
	char		bytes[16 * 1024];
	ssize_t		length = 1;

	(void) events;
	for (int i = 0; i < READS_A_TURN && length > 0; i++)
		length = recv(linger->socket, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		end(linger);
}

void
linger_start(Lingers *lingers, int socket)
{
	int			copy = fcntl(socket, F_DUPFD_CLOEXEC, 0);
	Linger	   *linger = copy < 0 ? NULL : malloc(sizeof(Linger));
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP,.data.ptr = linger};

	if (linger == NULL)
	{
		if (copy >= 0)
			close(copy);
		return;
	}
	if (lingers->count == LINGER_MOST)
		end(lingers->first);
	*linger = (Linger) {{on_bytes}, lingers, lingers->last, NULL, clock_coarse() + LINGER_NS, copy};
	*(lingers->last ? &lingers->last->next : &lingers->first) = linger;
	lingers->last = linger;
	lingers->count++;
	shutdown(copy, SHUT_WR);
	if (epoll_ctl(lingers->epoll, EPOLL_CTL_ADD, copy, &event) != 0)
		end(linger);
}

int
linger_expire(Lingers *lingers)
{
	uint64_t	now = clock_coarse();

	Linger	   *linger = lingers->first;

	while (linger && linger->due <= now)
	{
		Linger	   *next = linger->next;

		end(linger);
		linger = next;
	}
	return linger ? (int) ((linger->due - now) / 1000000 + 1) : -1;
}

void
linger_end(Lingers *lingers)
{
	for (Linger *linger = lingers->first, *next; linger; linger = next)
	{
		next = linger->next;
		end(linger);
	}
}
