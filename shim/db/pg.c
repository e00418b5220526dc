/*
 * pg.c
 *	  PostgreSQL through libpq in pipeline mode; the only file that includes it.
 *
 * Each connection keeps the jobs in flight in order and, for each, the results
 * that are still to come: one per PREPARE, one per statement, then the sync.  An
 * error makes PostgreSQL skip the rest up to the sync, so jobs do not harm each
 * other.  A lost connection fails its jobs in flight and is opened again after
 * 100 ms, then twice as long, up to 5 s.
 *
 * Memory: a PGresult belongs to its job until job_free.
 */
#include "db/pg.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/clock.h"
#include "base/watcher.h"

#define MAX_IN_FLIGHT 2
#define MAX_WAITING 1024
#define MAX_WAIT_NS (10 * CLOCK_SECOND)
#define CONNECT_TIMEOUT_NS (10 * CLOCK_SECOND)
#define BACKOFF_FIRST_NS (CLOCK_SECOND / 10)
#define BACKOFF_LAST_NS (5 * CLOCK_SECOND)

typedef enum SlotState
{
	UNKNOWN, PENDING, PREPARED
} SlotState;

typedef struct Slot
{
	SlotState	state;
	char		name[28];		/* of the prepared statement */
} Slot;

typedef struct Flight
{
	PgJob	   *job;
	int			prepares;		/* results of PREPARE still to come */
	int			prepared_slots[PG_JOB_STATEMENTS];
	int			prepared_count;
	int			current;		/* statement whose result comes next */
} Flight;

typedef enum ConnectionState
{
	CLOSED, CONNECTING, READY
} ConnectionState;

typedef struct Connection
{
	Watcher		watcher;
	Pool	   *pool;
	PGconn	   *pg;
	ConnectionState state;
	int			socket;			/* registered with epoll, or -1 */
	uint32_t	events;
	uint64_t	due;			/* CLOSED: when to connect; CONNECTING: when to give up */
	uint64_t	backoff;
	int			generation;
	int			slot_count;
	Slot	   *slots;
	int			flight_count;
	Flight		flights[MAX_IN_FLIGHT];
} Connection;

struct Pool
{
	char	   *conninfo;
	int			epoll;
	int			count;
	bool		single;			/* see pool_create_single */
	Connection *connections;
	PgJob	   *first;			/* waiting */
	PgJob	   *last;
	int			waiting;
	PgJob	   *delayed;
};

static void serve_waiting(Pool *pool);

static void
watch_socket(Connection *connection, uint32_t events)
{
	int			socket = PQsocket(connection->pg);
	struct epoll_event event = {.events = events,.data.ptr = &connection->watcher};

	if (connection->socket == socket && connection->events == events)
		return;
	if (connection->socket != socket)
	{
		/* libpq closes the old socket itself when it tries the next address */
		epoll_ctl(connection->pool->epoll, EPOLL_CTL_ADD, socket, &event);
		connection->socket = socket;
	}
	else
		epoll_ctl(connection->pool->epoll, EPOLL_CTL_MOD, socket, &event);
	connection->events = events;
}

static void
finish_job(PgJob *job, PgOutcome outcome)
{
	job->outcome = outcome;
	job->done(job);
}

/* Close, fail what was in flight, and plan the next attempt. */
static void
lose_connection(Connection *connection)
{
	Flight		flights[MAX_IN_FLIGHT];
	int			count = connection->flight_count;

	memcpy(flights, connection->flights, sizeof(flights));
	if (connection->socket >= 0)
		epoll_ctl(connection->pool->epoll, EPOLL_CTL_DEL, connection->socket, NULL);
	PQfinish(connection->pg);
	connection->pg = NULL;
	connection->socket = -1;
	connection->state = CLOSED;
	connection->flight_count = 0;
	connection->due = connection->pool->single ? UINT64_MAX : clock_now() + connection->backoff;
	connection->backoff = connection->backoff * 2 < BACKOFF_LAST_NS ? connection->backoff * 2 : BACKOFF_LAST_NS;
	for (int i = 0; i < count; i++)
		finish_job(flights[i].job, PG_LOST);
}

/* What PostgreSQL tells besides results is in its own log. */
static void
drop_notice(void *closure, const PGresult *notice)
{
	(void) closure;
	(void) notice;
}

static void
open_connection(Connection *connection)
{
	const char *const names[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
	const char *const values[] = {connection->pool->conninfo, "qehs-shim", "UTF8", NULL};

	connection->due = clock_now() + CONNECT_TIMEOUT_NS;
	connection->pg = PQconnectStartParams(names, values, 1);
	connection->socket = -1;
	connection->state = CONNECTING;
	if (connection->pg == NULL || PQstatus(connection->pg) == CONNECTION_BAD || PQsocket(connection->pg) < 0)
		lose_connection(connection);
	else
	{
		PQsetNoticeReceiver(connection->pg, drop_notice, NULL);
		watch_socket(connection, EPOLLOUT);
	}
}

/* The connection stands: nothing is prepared on it yet. */
static void
start_connection(Connection *connection)
{
	if (PQsetnonblocking(connection->pg, 1) != 0 || PQenterPipelineMode(connection->pg) != 1)
	{
		lose_connection(connection);
		return;
	}
	connection->state = READY;
	connection->backoff = BACKOFF_FIRST_NS;
	free(connection->slots);
	connection->slots = NULL;
	connection->slot_count = 0;
	connection->generation = 0;
	watch_socket(connection, EPOLLIN);
	serve_waiting(connection->pool);
}

static void
poll_connection(Connection *connection)
{
	switch (PQconnectPoll(connection->pg))
	{
		case PGRES_POLLING_READING:
			watch_socket(connection, EPOLLIN);
			break;
		case PGRES_POLLING_WRITING:
			watch_socket(connection, EPOLLOUT);
			break;
		case PGRES_POLLING_OK:
			start_connection(connection);
			break;
		default:
			lose_connection(connection);
	}
}

static bool
flush_output(Connection *connection)
{
	int			left = PQflush(connection->pg);

	if (left < 0)
		return false;
	watch_socket(connection, left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

/* The slot of a statement; those of an older generation are forgotten. */
static Slot *
find_slot(Connection *connection, int generation, int number)
{
	if (generation != connection->generation)
	{
		connection->generation = generation;
		connection->slot_count = 0;
	}
	if (number >= connection->slot_count)
	{
		int			count = number + 32;
		Slot	   *slots = realloc(connection->slots, sizeof(Slot) * (size_t) count);

		if (slots == NULL)
			abort();
		for (int i = connection->slot_count; i < count; i++)
		{
			slots[i].state = UNKNOWN;
			snprintf(slots[i].name, sizeof(slots[i].name), "qehs_%d_%d", generation, i);
		}
		connection->slots = slots;
		connection->slot_count = count;
	}
	return &connection->slots[number];
}

/* Put one job into the pipeline; false when the connection is broken. */
static bool
send_job(Connection *connection, PgJob *job)
{
	Flight	   *flight = &connection->flights[connection->flight_count++];
	bool		sent = true;

	*flight = (Flight) {.job = job};
	/* PREPAREs go first: an error of a statement would make PostgreSQL skip them */
	for (int i = 0; i < job->count; i++)
	{
		Slot	   *slot = find_slot(connection, job->generation, job->statements[i].slot);

		if (slot->state != UNKNOWN)
			continue;
		sent = sent && PQsendPrepare(connection->pg, slot->name, job->statements[i].sql, 0, NULL) == 1;
		slot->state = PENDING;
		flight->prepared_slots[flight->prepared_count++] = job->statements[i].slot;
	}
	flight->prepares = flight->prepared_count;
	for (int i = 0; i < job->count; i++)
	{
		PgStatement *statement = &job->statements[i];

		sent = sent && PQsendQueryPrepared(connection->pg, connection->slots[statement->slot].name, statement->count, statement->values, statement->lengths,
										   statement->formats, 0) == 1;
	}
	return sent && PQpipelineSync(connection->pg) == 1 && flush_output(connection);
}

static Connection *
least_busy(Pool *pool)
{
	Connection *best = NULL;

	for (int i = 0; i < pool->count; i++)
	{
		Connection *connection = &pool->connections[i];

		if (connection->state == READY && connection->flight_count < MAX_IN_FLIGHT &&
			(best == NULL || connection->flight_count < best->flight_count))
			best = connection;
	}
	return best;
}

/* Is there a connection to wait for? */
static bool
any_ready(const Pool *pool)
{
	for (int i = 0; i < pool->count; i++)
		if (pool->connections[i].state == READY || (pool->single && pool->connections[i].state == CONNECTING))
			return true;
	return false;
}

static void
serve_waiting(Pool *pool)
{
	Connection *connection;

	while (pool->first && (connection = least_busy(pool)) != NULL)
	{
		PgJob	   *job = pool->first;

		pool->first = job->next;
		if (pool->first == NULL)
			pool->last = NULL;
		pool->waiting--;
		if (!send_job(connection, job))
			lose_connection(connection);
	}
}

void
pool_submit(Pool *pool, PgJob *job)
{
	Connection *connection = pool->first ? NULL : least_busy(pool);

	job->submitted = clock_now();
	job->next = NULL;
	if (connection)
	{
		if (!send_job(connection, job))
			lose_connection(connection);
		return;
	}
	if (pool->waiting >= MAX_WAITING || !any_ready(pool))
	{
		finish_job(job, PG_REFUSED);
		return;
	}
	if (pool->last)
		pool->last->next = job;
	else
		pool->first = job;
	pool->last = job;
	pool->waiting++;
}

void
pool_submit_later(Pool *pool, PgJob *job, uint64_t delay)
{
	job->due = clock_now() + delay;
	job->next = pool->delayed;
	pool->delayed = job;
}

/* Submit what is due; all of it when the pool ends.  Gives when the next one is. */
static uint64_t
serve_delayed(Pool *pool, uint64_t now)
{
	PgJob	   *job = pool->delayed;
	uint64_t	next = UINT64_MAX;

	pool->delayed = NULL;
	while (job)
	{
		PgJob	   *following = job->next;

		if (job->due <= now)
			pool_submit(pool, job);
		else
		{
			next = job->due < next ? job->due : next;
			job->next = pool->delayed;
			pool->delayed = job;
		}
		job = following;
	}
	return next;
}

static void
keep_error(PgJob *job, PGresult *result)
{
	job->results[job->reached] = result;
	job->error = (PgError) {
		.sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE),
		.constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME),
		.message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
		.detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL),
		.hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT),
	};
	if (job->error.sqlstate == NULL)
		job->error.sqlstate = "08006";
}

/* The sync has come: the oldest job of the connection is finished. */
static void
land(Connection *connection)
{
	Flight		flight = connection->flights[0];

	connection->flight_count--;
	memmove(connection->flights, connection->flights + 1, sizeof(Flight) * (size_t) connection->flight_count);
	for (int i = 0; i < flight.prepared_count; i++)
		if (flight.prepared_slots[i] < connection->slot_count && flight.job->generation == connection->generation)
			connection->slots[flight.prepared_slots[i]].state =
				i < flight.prepared_count - flight.prepares ? PREPARED : UNKNOWN;
	finish_job(flight.job, flight.job->error.sqlstate ? PG_FAILED : PG_DONE);
}

/* One result of the pipeline; false when it makes the connection useless. */
static bool
take_result(Connection *connection, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	Flight	   *flight = &connection->flights[0];
	PgJob	   *job;

	if (connection->flight_count == 0)
	{
		/* e.g. FATAL: terminating connection due to administrator command */
		PQclear(result);
		return false;
	}
	job = flight->job;
	if (status == PGRES_PIPELINE_SYNC)
	{
		PQclear(result);
		land(connection);
		return true;
	}
	if (status == PGRES_FATAL_ERROR && job->error.sqlstate == NULL)
		keep_error(job, result);
	else if (status == PGRES_TUPLES_OK && flight->prepares == 0 && job->reached < job->count)
		job->results[job->reached++] = result;
	else
	{
		if (status == PGRES_COMMAND_OK && flight->prepares > 0)
			flight->prepares--;
		PQclear(result);
	}
	return true;
}

static void
read_results(Connection *connection)
{
	int			nulls = 0;

	if (PQconsumeInput(connection->pg) != 1 || !flush_output(connection))
	{
		lose_connection(connection);
		return;
	}
	/* each statement's results end with a NULL; two in a row: nothing is under way */
	while (connection->state == READY && nulls < 2 && !PQisBusy(connection->pg))
	{
		PGresult   *result = PQgetResult(connection->pg);

		if (result == NULL)
			nulls++;
		else
		{
			nulls = 0;
			if (!take_result(connection, result))
			{
				lose_connection(connection);
				return;
			}
		}
	}
	if (PQstatus(connection->pg) == CONNECTION_BAD)
		lose_connection(connection);
}

static void
on_event(Watcher *watcher, uint32_t events)
{
	Connection *connection = (Connection *) watcher;

	if (connection->state == CONNECTING)
		poll_connection(connection);
	else if (connection->state == READY)
	{
		if ((events & EPOLLOUT) && !flush_output(connection))
			lose_connection(connection);
		else if (events & ~(uint32_t) EPOLLOUT)
			read_results(connection);
	}
	serve_waiting(connection->pool);
}

/* Jobs that nobody can serve, or that have waited too long, are refused. */
static void
expire_waiting(Pool *pool, uint64_t now)
{
	bool		ready = any_ready(pool);

	while (pool->first && (!ready || now > pool->first->submitted + MAX_WAIT_NS))
	{
		PgJob	   *job = pool->first;

		pool->first = job->next;
		if (pool->first == NULL)
			pool->last = NULL;
		pool->waiting--;
		finish_job(job, PG_REFUSED);
	}
}

int
pool_tick(Pool *pool)
{
	uint64_t	now = clock_now();
	uint64_t	next = serve_delayed(pool, now);

	expire_waiting(pool, now);
	for (int i = 0; i < pool->count; i++)
	{
		Connection *connection = &pool->connections[i];

		if (connection->state == CONNECTING && now >= connection->due)
			lose_connection(connection);
		else if (connection->state == CLOSED && now >= connection->due)
			open_connection(connection);
		if (connection->state != READY && connection->due < next)
			next = connection->due;
	}
	if (pool->first && pool->first->submitted + MAX_WAIT_NS < next)
		next = pool->first->submitted + MAX_WAIT_NS;
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : (int) ((next - now) / 1000000 + 1);
}

static Pool *
create(const char *conninfo, int connections, int epoll, bool single)
{
	Pool	   *pool = calloc(1, sizeof(Pool));

	if (pool == NULL || (pool->connections = calloc((size_t) connections, sizeof(Connection))) == NULL ||
		(pool->conninfo = strdup(conninfo)) == NULL)
		abort();
	pool->epoll = epoll;
	pool->count = connections;
	pool->single = single;
	for (int i = 0; i < connections; i++)
		pool->connections[i] = (Connection) {.watcher = {on_event},.pool = pool,.socket = -1,.backoff = BACKOFF_FIRST_NS};
	pool_tick(pool);
	return pool;
}

Pool *
pool_create(const char *conninfo, int connections, int epoll)
{
	return create(conninfo, connections, epoll, false);
}

Pool *
pool_create_single(const char *conninfo, int epoll)
{
	return create(conninfo, 1, epoll, true);
}

void
pool_free(Pool *pool)
{
	for (int i = 0; i < pool->count; i++)
		if (pool->connections[i].pg)
			lose_connection(&pool->connections[i]);
	serve_delayed(pool, UINT64_MAX);
	expire_waiting(pool, clock_now());
	for (int i = 0; i < pool->count; i++)
		free(pool->connections[i].slots);
	free(pool->connections);
	free(pool->conninfo);
	free(pool);
}

PoolFigures
pool_figures(const Pool *pool)
{
	PoolFigures figures = {.waiting = pool->waiting};

	for (int i = 0; i < pool->count; i++)
	{
		figures.open += pool->connections[i].state == READY;
		figures.connecting += pool->connections[i].state == CONNECTING;
		figures.in_flight += pool->connections[i].flight_count;
	}
	return figures;
}

const char *
job_text(const PgJob *job, int statement, size_t *length)
{
	const PGresult *result = job->results[statement];

	*length = 0;
	if (statement >= job->reached || PQntuples(result) == 0 || PQgetisnull(result, 0, 0))
		return NULL;
	*length = (size_t) PQgetlength(result, 0, 0);
	return PQgetvalue(result, 0, 0);
}

void
job_free(PgJob *job)
{
	for (int i = 0; i <= PG_JOB_STATEMENTS; i++)
	{
		PQclear(job->results[i]);
		job->results[i] = NULL;
	}
	job->error = (PgError) {0};
	job->reached = 0;
}

bool
pg_query_row(const char *conninfo, const char *sql, int columns, char **values, char *message, size_t size)
{
	const char *const names[] = {"dbname", "fallback_application_name", "client_encoding", "connect_timeout", NULL};
	const char *const settings[] = {conninfo, "qehs-shim", "UTF8", "5", NULL};
	PGconn	   *pg = PQconnectdbParams(names, settings, 1);
	PGresult   *result = NULL;
	bool		found = false;

	if (PQstatus(pg) == CONNECTION_OK)
		result = PQexec(pg, sql);
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 && PQnfields(result) >= columns)
	{
		found = true;
		for (int i = 0; i < columns; i++)
			if ((values[i] = strdup(PQgetvalue(result, 0, i))) == NULL)
				abort();
	}
	else
	{
		snprintf(message, size, "%s", PQerrorMessage(pg));
		message[strcspn(message, "\n")] = '\0';
	}
	PQclear(result);
	PQfinish(pg);
	return found;
}
