/*
 * main.c
 *	  qehs-shim: HTTP in front of the qehs extension.
 *
 * The main thread opens the sockets, starts the loops, loads the endpoint and
 * problem tables for them, and waits for signals: SIGTERM and SIGINT stop, SIGHUP
 * loads the tables again and opens the log file again.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "db/pg.h"
#include "exchange/log.h"
#include "exchange/metrics.h"
#include "exchange/problem.h"
#include "exchange/token.h"
#include "http/client.h"
#include "loop.h"
#include "storage/storage.h"
#include "stream/spool.h"
#include "stream/stream_metrics.h"

#define TABLES_SQL "SELECT qehs.endpoint_list(), qehs.problem_list(), extversion FROM pg_catalog.pg_extension WHERE extname = 'qehs'"
#define MAX_LOOPS 64
#define LISTEN_BACKLOG 1024
#define TICK_SECONDS 5
#define METRICS_SECONDS 5

static Loop *loops[MAX_LOOPS];

static void
fail(const char *message, const char *what)
{
	fprintf(stderr, "qehs-shim: %s \"%s\": %s\n", message, what, strerror(errno));
	exit(1);
}

/* host:port, [v6]:port or :port. */
static struct addrinfo *
find_address(const char *listen_on)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE,.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char		host[256];
	const char *colon = strrchr(listen_on, ':');
	size_t		length = colon ? (size_t) (colon - listen_on) : 0;
	int			code;

	if (colon == NULL || length >= sizeof(host))
	{
		fprintf(stderr, "qehs-shim: --listen must be host:port, not \"%s\"\n", listen_on);
		exit(2);
	}
	memcpy(host, listen_on, length);
	host[length] = '\0';
	if (length > 2 && host[0] == '[' && host[length - 1] == ']')
	{
		host[length - 1] = '\0';
		memmove(host, host + 1, length - 1);
	}
	code = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
	if (code != 0)
	{
		fprintf(stderr, "qehs-shim: could not resolve --listen \"%s\": %s\n", listen_on, gai_strerror(code));
		exit(2);
	}
	return found;
}

/* Each loop has a socket of its own on the same address: the kernel spreads connections. */
static int
open_socket(const struct addrinfo *address, const Config *config)
{
	int			on = 1;
	int			opened = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (opened < 0)
		fail("could not open a socket for", config->listen);
	setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (config->threads > 1)
		setsockopt(opened, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(opened, address->ai_addr, address->ai_addrlen) != 0 || listen(opened, LISTEN_BACKLOG) != 0)
		fail("could not listen on", config->listen);
	return opened;
}

/* Load the tables for all loops; false when the database does not give them. */
static bool
load_tables(const Config *config)
{
	char	   *values[3];
	char		message[256];
	char		fault[256];
	Router	   *router;

	if (!pg_query_row(config->db, TABLES_SQL, 3, values, message, sizeof(message)))
	{
		metrics_failed(TASK_ENDPOINTS);
		log_event("error", "could not load the endpoints: %s", *message ? message : "the extension qehs is not installed");
		return false;
	}
	router = router_load(values[0], values[1], values[2], fault, sizeof(fault));
	for (int i = 0; i < 3; i++)
		free(values[i]);
	if (router == NULL)
	{
		metrics_failed(TASK_ENDPOINTS);
		log_event("error", "could not load the endpoints, of which this version of the shim does not know all: %s", fault);
		return false;
	}
	for (int i = 0; i < config->threads; i++)
		loop_set_router(loops[i], router);
	log_event("info", "loaded %d endpoints of qehs %s", router->endpoint_count, router->version);
	router_release(router);
	return true;
}

/* The extension's housekeeping and jobs; the next call tries again what fails.  Gives whether there is more to do. */
static bool
tick(const Config *config)
{
	char	   *answer;
	char		message[256];
	bool		more;

	if (!pg_query_row(config->db, "SELECT qehs.tick() ->> 'more'", 1, &answer, message, sizeof(message)))
	{
		metrics_failed(TASK_TICK);
		log_event("error", "could not run qehs.tick(): %s", message);
		return false;
	}
	more = strcmp(answer, "true") == 0;
	free(answer);
	return more;
}

/* Fetch the figures of the database for /metrics, which must answer when it does not. */
static void
fetch_metrics(const Config *config)
{
	char	   *text;
	char		message[256];

	if (pg_query_row(config->db, "SELECT qehs.metrics()", 1, &text, message, sizeof(message)))
	{
		metrics_database(text);
		free(text);
		return;
	}
	metrics_database(NULL);
	metrics_failed(TASK_METRICS);
}

static void
start_loops(const Config *config)
{
	struct addrinfo *address = find_address(config->listen);

	for (int i = 0; i < config->threads; i++)
	{
		loops[i] = loop_start(config, open_socket(address, config));
		if (loops[i] == NULL)
			fail("could not serve", config->listen);
	}
	freeaddrinfo(address);
}

static void
reload_token_keys(const Config *config)
{
	char		message[256];

	if (!token_load(config, message, sizeof(message)))
		log_event("error", "%s; the keys loaded before stay", message);
}

static void
reload(const Config *config)
{
	reload_token_keys(config);
	if (!log_open(config->log))
	{
		/* what is still open may be a file that nobody reads any more */
		fprintf(stderr, "qehs-shim: could not open the log \"%s\" again: %s\n", config->log, strerror(errno));
		log_event("error", "could not open the log \"%s\" again, and go on in the one that is open: %s", config->log, strerror(errno));
	}
}

/* Wait for signals; gives when the shim is to stop. */
static void
serve(const Config *config, const sigset_t *signals)
{
	bool		loaded = load_tables(config);
	uint64_t	next_tick = clock_now() + TICK_SECONDS * CLOCK_SECOND;
	bool		behind = false;

	for (;;)
	{
		struct timespec pause = {.tv_sec = loaded && !behind ? METRICS_SECONDS : 1};
		int			number;

		if (loaded)
			fetch_metrics(config);
		number = sigtimedwait(signals, NULL, &pause);
		if (number == SIGTERM || number == SIGINT)
			return;
		if (number == SIGHUP)
			reload(config);
		if (number == SIGHUP || !loaded)
			loaded = load_tables(config) || loaded;
		if (loaded && clock_now() >= next_tick)
		{
			behind = tick(config);
			next_tick = clock_now() + (behind ? 1 : TICK_SECONDS) * CLOCK_SECOND;
		}
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

int
main(int argc, char **argv)
{
	static Config config;
	char		message[256];
	StorageFault fault;
	sigset_t	signals;

	config_read(&config, argc, argv);
	problem_base(config.public_url);
	metrics_source(stream_metrics_write);
	if (!client_trust(config.trusted_proxies))
	{
		fprintf(stderr, "qehs-shim: --trusted-proxies must be networks such as 10.0.0.0/8, not \"%s\"\n", config.trusted_proxies);
		return 2;
	}
	if (!token_load(&config, message, sizeof(message)))
	{
		fprintf(stderr, "qehs-shim: %s\n", message);
		return 2;
	}
	if (!storage_open(&config, &fault))
	{
		fprintf(stderr, "qehs-shim: %s\n", fault.message);
		return 2;
	}
	log_level(config.log_level);
	spool_limit(config.max_spool, config.max_spool_total);
	if (!log_open(config.log))
		fail("could not open the log", config.log);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	raise_file_limit();
	start_loops(&config);
	log_event("info", "qehs-shim " QEHS_VERSION " listens on %s", config.listen);
	serve(&config, &signals);
	log_event("info", "stopping");
	for (int i = 0; i < config.threads; i++)
		loop_stop(loops[i]);
	for (int i = 0; i < config.threads; i++)
		loop_join(loops[i]);
	log_event("info", "stopped");
	return 0;
}
