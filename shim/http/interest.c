/*
 * interest.c
 *	  The link wraps epoll_ctl and epoll_wait, by which libmicrohttpd waits (the
 *	  Makefile checks that it does); other callers of them get what they ask for.
 *
 * To take a socket out is only noted, and to put it back is then no system call either.
 * Events are edges (EPOLLET), so one that comes meanwhile is kept, and told when the
 * socket is put back, if what it told of has not been read by then; a second one, but
 * for that of the end, takes the socket out of the kernel's list, so that who sends while
 * he waits does not keep the loop awake, and the next time it is put in the kernel tells
 * what there is.
 *
 * Of a client that has closed its side behind a request the library learns when it waits
 * for the next one: it would close the connection without the answer, read it that before.
 *
 * In the kernel's list a socket has the address of its entry here, which stands for what
 * the library has given.
 */
#include "http/interest.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_SOCKETS (1 << 20)

typedef struct Interest
{
	bool		open;
	bool		listed;			/* in the kernel's list */
	bool		wanted;			/* the library has put it in, and not taken it out */
	bool		drained;		/* all that had come has been read, and no event has come since */
	bool		ended;			/* the other side has, which a read that gives bytes does not tell: it is told when the socket is put back */
	int			epoll;
	int			socket;
	uint32_t	events;
	epoll_data_t data;			/* of the library */
	uint32_t	missed;			/* events that the library was not told */
	bool		late;			/* in the list of those whose missed events are to be told */
	struct Interest *next;
} Interest;

extern int	__real_epoll_ctl(int epoll, int operation, int socket, struct epoll_event *event);
extern int	__wrap_epoll_ctl(int epoll, int operation, int socket, struct epoll_event *event);
extern int	__real_epoll_wait(int epoll, struct epoll_event *events, int room, int timeout);
extern int	__wrap_epoll_wait(int epoll, struct epoll_event *events, int room, int timeout);

static pthread_once_t allocated = PTHREAD_ONCE_INIT;
static Interest *interests;		/* by socket; what is not used is not resident */
static int	socket_count;
static _Thread_local Interest *late_first;	/* of this thread's event loop */
static _Thread_local bool silent;	/* the library's epoll is known to have nothing to tell */

static void
allocate(void)
{
	long		most = sysconf(_SC_OPEN_MAX);

	socket_count = most < 0 || most > MAX_SOCKETS ? MAX_SOCKETS : (int) most;
	interests = calloc((size_t) socket_count, sizeof(Interest));
	if (interests == NULL)
		abort();
}

static Interest *
find(int socket)
{
	return interests && socket >= 0 && socket < socket_count && interests[socket].open ? &interests[socket] : NULL;
}

static void
take_out(Interest *interest)
{
	__real_epoll_ctl(interest->epoll, EPOLL_CTL_DEL, interest->socket, NULL);
	interest->listed = interest->drained = false;
	interest->missed = 0;
}

static void
be_late(Interest *interest)
{
	if (interest->late)
		return;
	interest->late = true;
	interest->next = late_first;
	late_first = interest;
}

static void
leave_late(Interest *interest)
{
	Interest  **link = &late_first;

	if (!interest->late)
		return;
	while (*link != interest)
		link = &(*link)->next;
	*link = interest->next;
	interest->late = false;
}

bool
interest_is_late(void)
{
	return late_first != NULL;
}

void
interest_expect(bool something)
{
	silent = !something;
}

void
interest_open(int socket, int epoll)
{
	pthread_once(&allocated, allocate);
	if (socket >= socket_count)
		abort();
	interests[socket] = (Interest) {.open = true,.epoll = epoll,.socket = socket};
}

void
interest_close(int socket)
{
	Interest   *interest = find(socket);

	if (interest == NULL)
		return;
	leave_late(interest);
	/* what the library has put in it takes out itself */
	if (interest->listed && !interest->wanted)
		take_out(interest);
	interest->open = false;
}

void
interest_drained(int socket)
{
	Interest   *interest = find(socket);

	if (interest == NULL)
		return;
	interest->drained = interest->listed;
	if (interest->drained)
		interest->missed = interest->ended ? EPOLLIN : 0;
}

bool
interest_is_drained(int socket)
{
	const Interest *interest = find(socket);

	return interest && (interest->drained || (interest->ended && interest->missed && !interest->wanted));
}

static int
put_in(Interest *interest, const struct epoll_event *event)
{
	struct epoll_event own = {.events = event->events | EPOLLRDHUP,.data.ptr = interest};

	if (interest->listed && interest->events != event->events)
		take_out(interest);
	if (!interest->listed && __real_epoll_ctl(interest->epoll, EPOLL_CTL_ADD, interest->socket, &own) != 0)
		return -1;
	interest->listed = interest->wanted = true;
	interest->events = event->events;
	interest->data = event->data;
	if (interest->missed)
		be_late(interest);
	return 0;
}

int
__wrap_epoll_ctl(int epoll, int operation, int socket, struct epoll_event *event)
{
	Interest   *interest = find(socket);

	if (interest && interest->epoll == epoll && operation == EPOLL_CTL_ADD && !interest->wanted)
		return put_in(interest, event);
	if (interest && interest->epoll == epoll && operation == EPOLL_CTL_DEL && interest->wanted)
	{
		interest->wanted = false;
		leave_late(interest);
		return 0;
	}
	return __real_epoll_ctl(epoll, operation, socket, event);
}

/* An event of a socket as the library is told. */
static struct epoll_event
told(const Interest *interest, uint32_t events)
{
	return (struct epoll_event) {.events = events & ~(uint32_t) EPOLLRDHUP,.data = interest->data};
}

/* Tell the events that were missed; returns how many. */
static int
tell_late(int epoll, struct epoll_event *events, int room)
{
	int			count = 0;

	for (Interest *interest = late_first, *next; interest && count < room; interest = next)
	{
		next = interest->next;
		if (interest->epoll != epoll)
			continue;
		leave_late(interest);
		interest->drained = false;
		if (interest->missed)
			events[count++] = told(interest, interest->missed);
		interest->missed = 0;
	}
	return count;
}

/* Take note of an event of a socket; is the library to be told? */
static bool
note(Interest *interest, uint32_t events)
{
	bool		ends = !interest->ended && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));

	interest->drained = false;
	interest->ended = interest->ended || ends;
	if (interest->wanted)
		return true;
	if (interest->missed && !ends)
		take_out(interest);
	else
		interest->missed |= events;
	return false;
}

int
__wrap_epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
	int			kept = tell_late(epoll, events, room);
	int			count = kept < room && !silent ? __real_epoll_wait(epoll, events + kept, room - kept, kept > 0 ? 0 : timeout) : 0;

	if (count < 0)
		return kept > 0 ? kept : count;
	for (int i = 0, first = kept; i < count; i++)
	{
		struct epoll_event event = events[first + i];
		uintptr_t	offset = (uintptr_t) event.data.ptr - (uintptr_t) interests;

		/* of something else than these sockets */
		if (interests == NULL || offset >= (uintptr_t) socket_count * sizeof(Interest))
			events[kept++] = event;
		else if (note(event.data.ptr, event.events))
			events[kept++] = told(event.data.ptr, event.events);
	}
	return kept;
}
