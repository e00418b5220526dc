/*
 * loop.c
 *	  A turn of the loop: outcomes of the database first, as they free
 *	  connections; then HTTP, which sends those answers and starts new requests.
 *
 * A loop listens once its connections are open and it has a router, so that a
 * balancer that finds the port open is not refused; without a database it listens
 * as soon as that is known, or after some seconds.
 */
#include "loop.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tasks.h"
#include "base/watcher.h"
#include "exchange/exchange.h"
#include "exchange/log.h"
#include "http/server.h"
#include "portal/portal.h"
#include "stream/streams.h"

#define MAX_EVENTS 64
#define LISTEN_BACKLOG 1024
#define STOP_NS (30 * CLOCK_SECOND)
#define LINGER_NS (CLOCK_SECOND / 10)	/* for requests that were on their way when listening ended */
#define OPEN_NS (5 * CLOCK_SECOND)		/* that a loop waits for the database before it listens all the same */

/* The sockets that a loop accepts connections from. */
enum
{
	FOR_CLIENTS, FOR_METRICS, LISTENERS
};

/* The epoll of a server: has it something to tell in this turn? */
typedef struct Readiness
{
	Watcher		watcher;		/* first, so that one is the other */
	bool		ready;
} Readiness;

struct Loop
{
	pthread_t	thread;
	int			epoll;
	Watcher		news;
	Readiness	http[LISTENERS];	/* of the servers */
	int			wake;			/* eventfd: something below has changed */
	Router	   *incoming;		/* atomic */
	bool		stop;			/* atomic */
	Exchange	exchange;
	Streams		streams;
	int			listeners[LISTENERS];	/* bound, and not yet listening unless systemd has passed it; -1: none */
	bool		first;			/* says for all that they listen */
	Server	   *servers[LISTENERS];	/* NULL until it listens */
};

static void
wake_up(Loop *loop)
{
	uint64_t	one = 1;

	if (write(loop->wake, &one, sizeof(one)) < 0)
		return;					/* the counter is full: it is awake */
}

static void
take_news(Watcher *watcher, uint32_t events)
{
	Loop	   *loop = (Loop *) ((char *) watcher - offsetof(Loop, news));
	uint64_t	count;
	Router	   *router = __atomic_exchange_n(&loop->incoming, NULL, __ATOMIC_ACQ_REL);

	(void) events;
	if (read(loop->wake, &count, sizeof(count)) < 0)
		count = 0;
	if (router)
	{
		router_release(loop->exchange.router);
		loop->exchange.router = router;
	}
}

/* HTTP is served at the end of each turn. */
static void
expect_http(Watcher *watcher, uint32_t events)
{
	(void) events;
	((Readiness *) watcher)->ready = true;
}

static void
turn(Loop *loop, int timeout)
{
	struct epoll_event events[MAX_EVENTS];
	int			count = epoll_wait(loop->epoll, events, MAX_EVENTS, timeout);

	for (int i = 0; i < count; i++)
	{
		Watcher    *watcher = events[i].data.ptr;

		watcher->ready(watcher, events[i].events);
	}
	for (int i = 0; i < LISTENERS; i++)
		if (loop->servers[i])
		{
			server_run(loop->servers[i], loop->http[i].ready);
			loop->http[i].ready = false;
		}
	log_flush();
}

static void
watch(Loop *loop, int descriptor, Watcher *watcher)
{
	struct epoll_event event = {.events = EPOLLIN,.data.ptr = watcher};

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
		abort();
}

/* Can the first request be served, which a balancer sends as soon as somebody listens, or is it known that it can't? */
static bool
is_open(const Loop *loop)
{
	PoolFigures figures = pool_figures(loop->exchange.pool);

	return figures.failing || (loop->exchange.router && figures.open >= loop->exchange.config->connections);
}

static void
start_listening(Loop *loop, int which, const char *address)
{
	if (loop->listeners[which] < 0)
		return;
	if (listen(loop->listeners[which], LISTEN_BACKLOG) != 0 ||
		(loop->servers[which] = server_create(&loop->exchange, loop->listeners[which], which == FOR_METRICS)) == NULL)
	{
		log_event("error", "could not listen on %s: %s", address, strerror(errno));
		_exit(1);
	}
	watch(loop, server_epoll(loop->servers[which]), &loop->http[which].watcher);
	if (loop->first)
		log_event("info", "qehs-shim " QEHS_VERSION " listens on %s%s", address, which == FOR_METRICS ? " for metrics" : "");
}

static int
earlier(int left, int right)
{
	if (left < 0 || right < 0)
		return left > right ? left : right;
	return left < right ? left : right;
}

/* What is due at the beginning of a turn; returns the milliseconds until more is. */
static int
tick(Loop *loop, uint64_t open_by)
{
	int			timeout = earlier(streams_tick(&loop->streams), pool_tick(loop->exchange.pool));

	if (loop->servers[FOR_CLIENTS] == NULL && !__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE))
	{
		if (!is_open(loop) && clock_now() < open_by)
			return earlier(timeout, 50);
		start_listening(loop, FOR_CLIENTS, loop->exchange.config->listen);
		start_listening(loop, FOR_METRICS, loop->exchange.config->metrics_listen);
	}
	/* last, as what the others resume is due at once */
	for (int i = 0; i < LISTENERS; i++)
		if (loop->servers[i])
			timeout = earlier(server_timeout(loop->servers[i]), timeout);
	return timeout;
}

static int
active(const Loop *loop)
{
	int			count = 0;

	for (int i = 0; i < LISTENERS; i++)
		if (loop->servers[i])
			count += server_active(loop->servers[i]);
	return count;
}

static void *
run(void *argument)
{
	Loop	   *loop = argument;
	uint64_t	open_by = clock_now() + OPEN_NS;
	uint64_t	deadline = 0;

	for (;;)
	{
		int			timeout = tick(loop, open_by);
		uint64_t	now;

		turn(loop, deadline ? earlier(timeout, 20) : timeout);
		now = clock_coarse();
		if (deadline == 0 && __atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE))
		{
			loop->exchange.stopping = true;
			for (int i = 0; i < LISTENERS; i++)
				if (loop->servers[i])
					server_quiesce(loop->servers[i]);
			deadline = now + STOP_NS;
		}
		if (deadline && ((active(loop) == 0 && now > deadline - STOP_NS + LINGER_NS) || now > deadline))
			break;
	}
	loop->exchange.ended = true;
	pool_free(loop->exchange.pool);
	streams_end(&loop->streams);
	for (int i = 0; i < LISTENERS; i++)
		if (loop->servers[i])
		{
			server_run(loop->servers[i], true);
			server_free(loop->servers[i]);
		}
	tasks_finish(loop->exchange.tasks);
	streams_tick(&loop->streams);
	tasks_free(loop->exchange.tasks);
	router_release(loop->exchange.router);
	log_flush();
	return NULL;
}

Loop *
loop_start(const Config *config, int listener, int metrics_listener, bool first)
{
	Loop	   *loop = calloc(1, sizeof(Loop));

	if (loop == NULL || (loop->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
		(loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
		abort();
	loop->exchange.config = config;
	loop->exchange.streams = &loop->streams;
	loop->listeners[FOR_CLIENTS] = listener;
	loop->listeners[FOR_METRICS] = metrics_listener;
	loop->first = first;
	loop->exchange.page = portal_reply;
	loop->exchange.make_stream = streams_make;
	loop->exchange.make_lines = streams_follow;
	loop->exchange.epoll = loop->epoll;
	loop->exchange.tasks = tasks_create(loop->epoll);
	loop->exchange.pool = pool_create(config->db, config->connections, loop->epoll);
	loop->news = (Watcher) {take_news};
	for (int i = 0; i < LISTENERS; i++)
		loop->http[i] = (Readiness) {{expect_http}, false};
	watch(loop, loop->wake, &loop->news);
	if (pthread_create(&loop->thread, NULL, run, loop) != 0)
		abort();
	return loop;
}

void
loop_set_router(Loop *loop, Router *router)
{
	router_release(__atomic_exchange_n(&loop->incoming, router_hold(router), __ATOMIC_ACQ_REL));
	wake_up(loop);
}

void
loop_stop(Loop *loop)
{
	__atomic_store_n(&loop->stop, true, __ATOMIC_RELEASE);
	wake_up(loop);
}

void
loop_join(Loop *loop)
{
	pthread_join(loop->thread, NULL);
	router_release(loop->incoming);
	close(loop->wake);
	close(loop->epoll);
	free(loop);
}
