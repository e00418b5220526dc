/*
 * loop.c
 *	  A turn of the loop: outcomes of the database first, as they free
 *	  connections; then HTTP, which sends those answers and starts new requests.
 */
#include "loop.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/watcher.h"
#include "exchange/exchange.h"
#include "exchange/log.h"
#include "http/server.h"
#include "portal/portal.h"
#include "stream/streams.h"

#define MAX_EVENTS 64
#define STOP_NS (30 * CLOCK_SECOND)

struct Loop
{
	pthread_t	thread;
	int			epoll;
	Watcher		news;
	Watcher		http;
	int			wake;			/* eventfd: something below has changed */
	Router	   *incoming;		/* atomic */
	bool		stop;			/* atomic */
	Exchange	exchange;
	Streams		streams;
	Server	   *server;
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
	(void) watcher;
	(void) events;
}

static int
earlier(int left, int right)
{
	if (left < 0 || right < 0)
		return left > right ? left : right;
	return left < right ? left : right;
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
	server_run(loop->server);
	log_flush();
}

static void *
run(void *argument)
{
	Loop	   *loop = argument;
	uint64_t	deadline = 0;

	for (;;)
	{
		int			timeout = earlier(streams_tick(&loop->streams), pool_tick(loop->exchange.pool));

		/* last, as what the others resume is due at once */
		timeout = earlier(server_timeout(loop->server), timeout);

		if (deadline)
			timeout = earlier(timeout, 50);
		turn(loop, timeout);
		if (deadline == 0 && __atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE))
		{
			loop->exchange.stopping = true;
			server_quiesce(loop->server);
			deadline = clock_now() + STOP_NS;
			turn(loop, 0);
		}
		if (deadline && (server_active(loop->server) == 0 || clock_now() > deadline))
			break;
	}
	loop->exchange.ended = true;
	pool_free(loop->exchange.pool);
	streams_end(&loop->streams);
	server_run(loop->server);
	server_free(loop->server);
	streams_tick(&loop->streams);
	router_release(loop->exchange.router);
	log_flush();
	return NULL;
}

static void
watch(Loop *loop, int descriptor, Watcher *watcher)
{
	struct epoll_event event = {.events = EPOLLIN,.data.ptr = watcher};

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
		abort();
}

Loop *
loop_start(const Config *config, int listen_socket)
{
	Loop	   *loop = calloc(1, sizeof(Loop));

	if (loop == NULL || (loop->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
		(loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
		abort();
	loop->exchange.config = config;
	loop->exchange.streams = &loop->streams;
	loop->exchange.page = portal_reply;
	loop->exchange.make_stream = streams_make;
	loop->exchange.epoll = loop->epoll;
	loop->server = server_create(&loop->exchange, listen_socket);
	if (loop->server == NULL)
	{
		free(loop);
		return NULL;
	}
	loop->exchange.pool = pool_create(config->db, config->connections, loop->epoll);
	loop->news = (Watcher) {take_news};
	loop->http = (Watcher) {expect_http};
	watch(loop, loop->wake, &loop->news);
	watch(loop, server_epoll(loop->server), &loop->http);
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
