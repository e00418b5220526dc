/*
 * main.c
 *	  qehs-shim: HTTP in front of the qehs extension.
 *
 * The main thread opens the sockets, starts the loops, and waits for signals in a
 * small loop of its own, in which service.c works too.  SIGTERM and SIGINT stop: at
 * once, or after --drain seconds in which the shim serves but says that it is not
 * ready (a second signal cuts them short).  SIGHUP loads the endpoint and problem
 * tables and the token keys again and opens the log file again.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/watcher.h"
#include "db/background.h"
#include "db/pool.h"
#include "exchange/health.h"
#include "exchange/log.h"
#include "exchange/metrics.h"
#include "exchange/problem.h"
#include "exchange/token.h"
#include "http/client.h"
#include "listen.h"
#include "loop.h"
#include "service.h"
#include "storage/storage.h"
#include "stream/spool.h"
#include "stream/stream_metrics.h"
#include "worker/worker.h"

#define MAX_LOOPS 64
#define MAX_EVENTS 16
#define BACKGROUND_MS 1000		/* that threads of libpq have to end */

typedef struct Main
{
	Watcher		signals;
	int			descriptor;		/* signalfd */
	const Config *config;
	Service    *service;
	uint64_t	stop_at;		/* UINT64_MAX: no signal has said so */
} Main;

static Loop *loops[MAX_LOOPS];
static int	loop_count;

static void
refuse(const char *message)
{
	fprintf(stderr, "qehs-shim: %s\n", message);
	exit(2);
}

static void
publish(Router *router)
{
	for (int i = 0; i < loop_count; i++)
		loop_set_router(loops[i], router);
}

static void
reload(const Main *this)
{
	char		message[256];

	if (!token_load(this->config, message, sizeof(message)))
		log_event("error", "%s; the keys loaded before stay", message);
	if (!log_open(this->config->log))
	{
		/* what is still open may be a file that nobody reads any more */
		fprintf(stderr, "qehs-shim: could not open the log \"%s\" again: %s\n", this->config->log, strerror(errno));
		log_event("error", "could not open the log \"%s\" again, and go on in the one that is open: %s", this->config->log, strerror(errno));
	}
	service_reload(this->service);
}

static void
on_signal(Watcher *watcher, uint32_t events)
{
	Main	   *this = (Main *) watcher;
	struct signalfd_siginfo news;

	(void) events;
	if (read(this->descriptor, &news, sizeof(news)) != (ssize_t) sizeof(news))
		return;
	if (news.ssi_signo == SIGHUP)
		reload(this);
	else if (this->stop_at == UINT64_MAX && this->config->drain > 0)
	{
		health_drain();
		this->stop_at = clock_now() + (uint64_t) this->config->drain * CLOCK_SECOND;
		log_event("info", "stopping in %d seconds", this->config->drain);
	}
	else
		this->stop_at = 0;
}

/* Until a signal says to stop, and for as long as it leaves. */
static void
serve(Main *this, int epoll)
{
	struct epoll_event event = {.events = EPOLLIN,.data.ptr = &this->signals};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, this->descriptor, &event) != 0)
		abort();
	while (clock_now() < this->stop_at)
	{
		struct epoll_event ready[MAX_EVENTS];
		int			timeout = service_tick(this->service);
		int			count = epoll_wait(epoll, ready, MAX_EVENTS, this->stop_at == UINT64_MAX || timeout < 100 ? timeout : 100);

		for (int i = 0; i < count; i++)
		{
			Watcher    *watcher = ready[i].data.ptr;

			watcher->ready(watcher, ready[i].events);
		}
		log_flush();
	}
}

/* As many connections as the system allows. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
	{
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* What can be known to be wrong before anything is started. */
static void
check_config(const Config *config)
{
	char		message[256];
	StorageFault fault;
	char		text[300];

	if (!client_trust(config->trusted_proxies))
	{
		snprintf(text, sizeof(text), "--trusted-proxies must be networks such as 10.0.0.0/8, not \"%.200s\"", config->trusted_proxies);
		refuse(text);
	}
	if (!pool_check(config->db, message, sizeof(message)))
	{
		snprintf(text, sizeof(text), "--db is no connection string: %s", message);
		refuse(text);
	}
	if (!token_load(config, message, sizeof(message)))
		refuse(message);
	if (!storage_open(config, &fault))
		refuse(fault.message);
	if (config->worker_only && !storage_exists())
		refuse("--worker needs --storage, or the settings of S3");
	if (!log_open(config->log))
	{
		snprintf(text, sizeof(text), "could not open the log \"%.200s\": %s", config->log, strerror(errno));
		refuse(text);
	}
}

/* Block the signals that this program waits for, in all threads to come. */
static int
take_signals(void)
{
	sigset_t	signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
listen_and_start(Config *config)
{
	static char address[300];
	static char url[320];
	int			sockets[MAX_LOOPS];
	int			metrics = -1;

	listen_open(config->listen, config->threads, sockets, address, sizeof(address));
	config->listen = address;
	if (*config->public_url == '\0')
	{
		snprintf(url, sizeof(url), "http://%s", address);
		config->public_url = url;
	}
	problem_base(config->public_url);
	if (*config->metrics_listen)
		metrics = listen_open_alone("metrics-listen", config->metrics_listen);
	for (int i = 0; i < config->threads; i++)
		loops[loop_count++] = loop_start(config, sockets[i], i == 0 ? metrics : -1, i == 0);
}

int
main(int argc, char **argv)
{
	static Config config;
	Main		this = {.signals = {on_signal},.config = &config,.stop_at = UINT64_MAX};
	int			epoll = epoll_create1(EPOLL_CLOEXEC);
	Workers    *workers = NULL;

	config_read(&config, argc, argv);
	check_config(&config);
	this.descriptor = take_signals();
	if (epoll < 0 || this.descriptor < 0)
		abort();
	raise_file_limit();
	log_level(config.log_level);
	spool_limit(config.max_spool, config.max_spool_total);
	metrics_source(stream_metrics_write);
	pool_report_to(log_event);
	if (!config.worker_only)
		listen_and_start(&config);
	if (storage_exists())
		workers = workers_start(&config);
	this.service = service_create(&config, epoll, publish);
	serve(&this, epoll);
	log_event("info", "stopping");
	if (workers)
		workers_stop(workers);
	for (int i = 0; i < loop_count; i++)
		loop_stop(loops[i]);
	for (int i = 0; i < loop_count; i++)
		loop_join(loops[i]);
	service_free(this.service);
	log_event("info", "stopped");
	/* a thread that waits for a server which does not answer would wait on */
	if (!background_end(BACKGROUND_MS))
		_exit(0);
	close(this.descriptor);
	close(epoll);
	return 0;
}
