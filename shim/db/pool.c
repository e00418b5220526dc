/*
 * pool.c
 *	  Which job goes to which connection and when, and what becomes of connections.
 *
 * A lost connection fails its first job in flight and is opened again after 100 ms,
 * then twice as long, up to 5 s.
 */
#include "db/pool.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "db/connection.h"
#include "db/cost.h"
#include "db/flight.h"
#include "db/queue.h"

#define MAX_WAIT_NS (10 * CLOCK_SECOND)
#define BACKOFF_FIRST_NS (CLOCK_SECOND / 10)
#define BACKOFF_LAST_NS (5 * CLOCK_SECOND)
#define HELD_NS (CLOCK_SECOND / 20)		/* a flight that takes longer holds its connection */
#define HEAVY_NS (CLOCK_SECOND / 4)		/* one that takes this long is known as heavy, and what is behind it moved */
#define RESERVE_IDLE_NS (30 * CLOCK_SECOND)
#define REPORT_AGAIN_NS (60 * CLOCK_SECOND)

struct Pool
{
	char	   *conninfo;
	int			count;			/* connections that are kept open */
	int			most;			/* with the reserve */
	bool		single;			/* see pool_create_single */
	bool		ending;
	bool		up;				/* a connection stands, or did until the last one was lost */
	Connection *connections;
	Mailbox    *mailbox;
	Queue		waiting;
	Queue		heavy;			/* those that wait for a connection for themselves */
	Costs	   *costs;
	PgJob	   *delayed;
	char		reported[512];	/* why it could not connect */
	uint64_t	reported_at;
};

static void serve_waiting(Pool *pool);

static void
report_nothing(const char *level, const char *format,...)
{
	(void) level;
	(void) format;
}

static void (*report) (const char *level, const char *format,...) = report_nothing;

void
pool_report_to(void (*to) (const char *level, const char *format,...))
{
	report = to;
}

bool
pool_check(const char *conninfo, char *message, size_t size)
{
	char	   *error = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &error);
	bool		valid = options != NULL;

	if (!valid)
		snprintf(message, size, "%.*s", error ? (int) strcspn(error, "\n") : 13, error ? error : "out of memory");
	PQfreemem(error);
	PQconninfoFree(options);
	return valid;
}

/* ---- connections ---- */

static bool
any_ready(const Pool *pool)
{
	for (int i = 0; i < pool->most; i++)
		if (pool->connections[i].state == READY)
			return true;
	return false;
}

/* Is there a connection to wait for? */
static bool
worth_waiting(const Pool *pool)
{
	return any_ready(pool) || (pool->single && pool->connections[0].state == OPENING);
}

static void
plan_next_attempt(Connection *connection)
{
	const Pool *pool = connection->pool;

	connection->due = pool->single || pool->ending ? UINT64_MAX : clock_now() + connection->backoff;
	connection->backoff = connection->backoff * 2 < BACKOFF_LAST_NS ? connection->backoff * 2 : BACKOFF_LAST_NS;
}

/* Close; the first flight has outcome, those behind it run elsewhere if they may run twice. */
static void
lose_connection(Connection *connection, PgOutcome outcome)
{
	Pool	   *pool = connection->pool;
	Flight		flights[MAX_IN_FLIGHT];
	int			count = connection->flight_count;
	char		why[256];

	snprintf(why, sizeof(why), "%.*s", (int) strcspn(PQerrorMessage(connection->pg), "\n"), PQerrorMessage(connection->pg));
	memcpy(flights, connection->flights, sizeof(flights));
	connection_close(connection);
	plan_next_attempt(connection);
	if (outcome == PG_LATE)
		report("error", "closed a connection to the database that did not answer within the time limit");
	if (pool->up && !any_ready(pool) && !pool->ending)
	{
		pool->up = false;
		if (!pool->single)
			report("error", "lost the database: %s", *why ? why : "the connection was closed");
	}
	for (int i = 0; i < count; i++)
	{
		PgJob	   *job = flights[i].job;

		if (job == NULL)
			continue;
		if (i > 0 && job->repeatable && job->moves++ == 0 && !pool->ending)
		{
			job_free(job);
			pool_submit(pool, job);
		}
		else
			job_finish(job, i == 0 ? outcome : PG_LOST);
	}
}

static void
report_failure(Pool *pool, const char *message)
{
	uint64_t	now = clock_now();

	if (strcmp(pool->reported, message) == 0 && now < pool->reported_at + REPORT_AGAIN_NS)
		return;
	snprintf(pool->reported, sizeof(pool->reported), "%s", message);
	pool->reported_at = now;
	report("error", "could not connect to the database: %s", message);
}

static void
on_opened(Work *work)
{
	Connection *connection = work->owner;
	Pool	   *pool = connection->pool;

	connection->opening = NULL;
	if (work->pg == NULL)
	{
		connection->state = CLOSED;
		plan_next_attempt(connection);
		report_failure(pool, work->message);
		return;
	}
	if (!pool->single && !pool->up)
		report("info", "connected to the database at %s:%s", PQhost(work->pg), PQport(work->pg));
	pool->up = true;
	pool->reported[0] = '\0';
	connection->backoff = BACKOFF_FIRST_NS;
	connection->idle_since = clock_now();
	if (connection_take(connection, work->pg))
		serve_waiting(pool);
	else
	{
		connection->state = CLOSED;
		plan_next_attempt(connection);
	}
	work->pg = NULL;
}

static void
open_connection(Connection *connection)
{
	Pool	   *pool = connection->pool;

	connection->state = OPENING;
	connection->opening = work_open(pool->mailbox, pool->conninfo, on_opened, connection);
}

/* ---- from the queue to a connection ---- */

static bool
is_held(const Connection *connection, uint64_t now)
{
	return connection->flight_count > 0 && (connection->flights[0].heavy || now > connection->head_since + HELD_NS);
}

static int
heavy_count(const Pool *pool)
{
	int			count = 0;

	for (int i = 0; i < pool->most; i++)
		count += pool->connections[i].flight_count > 0 && pool->connections[i].flights[0].heavy;
	return count;
}

/* A connection that may take the job; NULL: it must wait. */
static Connection *
find_place(Pool *pool, const PgJob *job, bool heavy)
{
	Connection *least = NULL;	/* with the fewest jobs */
	uint64_t	now = 0;

	if (heavy && heavy_count(pool) >= (pool->count > 1 ? pool->count / 2 : 1))
		return NULL;
	for (int i = 0; i < pool->most; i++)
	{
		Connection *connection = &pool->connections[i];

		if (connection->state != READY || connection->cancelling)
			continue;
		if (connection->flight_count == 0)
			return connection;
		if (connection->flight_count == MAX_IN_FLIGHT || (least && least->flight_count <= connection->flight_count))
			continue;
		if (now == 0)
			now = clock_now();
		if (pool->single || (!heavy && job->repeatable && !is_held(connection, now)))
			least = connection;
	}
	return least;
}

static void
send(Connection *connection, PgJob *job, bool heavy)
{
	if (!flight_send(connection, job, heavy))
		lose_connection(connection, PG_LOST);
}

static bool
is_heavy(const Pool *pool, const PgJob *job)
{
	return !pool->single && cost_is_heavy(pool->costs, job);
}

static void
wait_in(Queue *queue, PgJob *job)
{
	if (!queue_add(queue, job))
		job_finish(job, PG_REFUSED);
}

static void
serve_waiting(Pool *pool)
{
	Connection *connection;
	PgJob	   *job;

	while ((job = queue_next(&pool->heavy)) != NULL && (connection = find_place(pool, job, true)) != NULL)
		send(connection, queue_take(&pool->heavy), true);
	while ((job = queue_next(&pool->waiting)) != NULL)
	{
		/* what has turned out to take long since it came */
		if (is_heavy(pool, job))
			wait_in(&pool->heavy, queue_take(&pool->waiting));
		else if ((connection = find_place(pool, job, false)) != NULL)
			send(connection, queue_take(&pool->waiting), false);
		else
			break;
	}
}

void
pool_submit(Pool *pool, PgJob *job)
{
	bool		heavy = is_heavy(pool, job);
	Queue	   *queue = heavy ? &pool->heavy : &pool->waiting;
	Connection *connection = queue->count > 0 ? NULL : find_place(pool, job, heavy);

	if (job->moves == 0)
	{
		job->submitted = clock_now();
		job->expires = job->submitted + (job->limit > 0 && job->limit / 2 < MAX_WAIT_NS ? job->limit / 2 : MAX_WAIT_NS);
	}
	if (connection)
		send(connection, job, heavy);
	else if (pool->ending || !worth_waiting(pool))
		job_finish(job, PG_REFUSED);
	else
		wait_in(queue, job);
}

void
pool_submit_later(Pool *pool, PgJob *job, uint64_t delay)
{
	job->moves = 0;
	job->due = clock_now() + delay;
	job->next = pool->delayed;
	pool->delayed = job;
}

/* Submit what is due; all of it when the pool ends.  Returns when the next one is. */
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

/* ---- outcomes ---- */

/* Errors that say that another server process has the statements: a pooler stands between. */
static bool
is_pooled(const PgJob *job)
{
	const char *sqlstate = job->error.sqlstate;

	return sqlstate && (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0);
}

/* May the job run again, as its ERROR was not its own? */
static bool
was_disturbed(const Connection *connection, const Flight *flight)
{
	const PgJob *job = flight->job;

	if (job->error.sqlstate == NULL || job->moves > 0)
		return false;
	return is_pooled(job) || (connection->cancelling && !flight->cancelled && strcmp(job->error.sqlstate, "57014") == 0);
}

static void
on_flight_end(Connection *connection, const Flight *flight)
{
	Pool	   *pool = connection->pool;
	PgJob	   *job = flight->job;
	uint64_t	now = clock_now();

	/* the first of its kind on a connection pays for what others find prepared */
	if (job && !pool->single && flight->prepared_count == 0)
		cost_note(pool->costs, job, now - connection->head_since);
	connection->head_since = connection->idle_since = now;
	if (job == NULL)
		return;
	if (is_pooled(job) && flight_without_names())
		report("error", "the database has lost or doubled a prepared statement, as behind a pooler in transaction mode that does not know them; "
			   "requests are parsed anew each time from now on");
	if (was_disturbed(connection, flight))
	{
		job->moves++;
		job_free(job);
		pool_submit(pool, job);
	}
	else if (flight->cancelled && job->error.sqlstate)
		job_finish(job, job->limit && now > job->submitted + job->limit ? PG_LATE : PG_WITHDRAWN);
	else
		job_finish(job, job->error.sqlstate ? PG_FAILED : PG_DONE);
}

static void
on_event(Watcher *watcher, uint32_t events)
{
	Connection *connection = (Connection *) watcher;
	bool		good = true;

	if (connection->state != READY)
		return;
	if (events & EPOLLOUT)
		good = connection_flush(connection);
	if (good && (events & ~(uint32_t) EPOLLOUT))
		good = flight_receive(connection, on_flight_end);
	if (!good && connection->state == READY)
		lose_connection(connection, PG_LOST);
	serve_waiting(connection->pool);
}

/* ---- limits ---- */

static void
on_cancelled(Work *work)
{
	Connection *connection = work->owner;

	connection->cancelling = NULL;
	serve_waiting(connection->pool);
}

/* Nothing more is sent on the connection until the server has the word: it must hit this flight and no other. */
static void
cancel_head(Connection *connection)
{
	connection->flights[0].cancelled = true;
	if (connection->cancelling == NULL)
		connection->cancelling = work_cancel(((Pool *) connection->pool)->mailbox, connection->pg, on_cancelled, connection);
}

void
pool_withdraw(Pool *pool, PgJob *job)
{
	for (PgJob **link = &pool->delayed; *link; link = &(*link)->next)
		if (*link == job)
		{
			*link = job->next;
			job_finish(job, PG_WITHDRAWN);
			return;
		}
	if (queue_remove(&pool->waiting, job) || queue_remove(&pool->heavy, job))
	{
		job_finish(job, PG_WITHDRAWN);
		return;
	}
	for (int i = 0; i < pool->most; i++)
	{
		Connection *connection = &pool->connections[i];

		for (int j = 0; j < connection->flight_count; j++)
			if (connection->flights[j].job == job)
			{
				if (j == 0)
					cancel_head(connection);
				else
					job_finish(flight_leave(&connection->flights[j]), PG_WITHDRAWN);
				return;
			}
	}
}

static uint64_t
earlier(uint64_t left, uint64_t right)
{
	return left < right ? left : right;
}

static uint64_t
at_least(uint64_t value, uint64_t least)
{
	return value > least ? value : least;
}

/* Beyond its limit, which is PostgreSQL's to keep, a job is cancelled, and then its connection closed.  Returns when to look again. */
static uint64_t
enforce_limit(Connection *connection, uint64_t limit, uint64_t now)
{
	uint64_t	cancel_at = connection->head_since + limit + at_least(limit / 8, CLOCK_SECOND / 4);
	uint64_t	close_at = connection->head_since + limit + at_least(limit / 4, CLOCK_SECOND / 2);

	if (now >= close_at)
	{
		lose_connection(connection, PG_LATE);
		return now;
	}
	if (now >= cancel_at && !connection->flights[0].cancelled)
		cancel_head(connection);
	return connection->flights[0].cancelled ? close_at : cancel_at;
}

/* A flight that has turned out to take long: it is known as such, and those behind it go elsewhere if they may. */
static void
make_way(Connection *connection)
{
	Pool	   *pool = connection->pool;
	Flight	   *head = &connection->flights[0];

	head->heavy = true;
	if (head->job)
		cost_note(pool->costs, head->job, UINT64_MAX);
	for (int i = 1; i < connection->flight_count; i++)
	{
		PgJob	   *job = connection->flights[i].job;

		if (job && job->repeatable && job->moves++ == 0)
			pool_submit(pool, flight_leave(&connection->flights[i]));
	}
}

/* What follows from how long the first flight has taken; returns when to look again. */
static uint64_t
watch_flights(Connection *connection, uint64_t now)
{
	const Pool *pool = connection->pool;
	uint64_t	since = connection->head_since;
	uint64_t	limit = connection->flights[0].job ? connection->flights[0].job->limit : 0;
	uint64_t	next = UINT64_MAX;

	if (!pool->single && !connection->flights[0].heavy)
	{
		if (now > since + HEAVY_NS)
			make_way(connection);
		else
			next = now > since + HELD_NS ? since + HEAVY_NS + 1 : since + HELD_NS + 1;
	}
	return limit > 0 ? earlier(next, enforce_limit(connection, limit, now)) : next;
}

static uint64_t
tick_connection(Connection *connection, uint64_t now)
{
	const Pool *pool = connection->pool;
	bool		reserve = connection - pool->connections >= pool->count;

	if (connection->state == CLOSED && !reserve)
	{
		if (now < connection->due)
			return connection->due;
		open_connection(connection);
	}
	if (connection->state != READY)
		return UINT64_MAX;
	if (connection->flight_count > 0)
		return watch_flights(connection, now);
	if (!reserve)
		return UINT64_MAX;
	if (now < connection->idle_since + RESERVE_IDLE_NS)
		return connection->idle_since + RESERVE_IDLE_NS;
	connection_close(connection);
	return UINT64_MAX;
}

/* Open one more connection if quick jobs wait and all that stand are held. */
static void
open_reserve(Pool *pool, uint64_t now)
{
	Connection *spare = NULL;

	if (pool->waiting.count == 0 || !pool->up)
		return;
	for (int i = 0; i < pool->most; i++)
	{
		Connection *connection = &pool->connections[i];

		if (connection->state == OPENING || (connection->state == READY && !is_held(connection, now) && !connection->cancelling))
			return;
		if (connection->state == CLOSED && i >= pool->count && now >= connection->due)
			spare = spare ? spare : connection;
	}
	if (spare)
		open_connection(spare);
}

/* Jobs that nobody can serve, or that have waited too long, are refused. */
static void
expire_waiting(Pool *pool, uint64_t now)
{
	uint64_t	time = worth_waiting(pool) ? now : UINT64_MAX;
	PgJob	   *job;

	while ((job = queue_take_expired(&pool->waiting, time)) != NULL || (job = queue_take_expired(&pool->heavy, time)) != NULL)
		job_finish(job, PG_REFUSED);
}

int
pool_tick(Pool *pool)
{
	uint64_t	now = clock_now();
	uint64_t	next = serve_delayed(pool, now);

	expire_waiting(pool, now);
	for (int i = 0; i < pool->most; i++)
		next = earlier(next, tick_connection(&pool->connections[i], now));
	open_reserve(pool, now);
	if (pool->waiting.count + pool->heavy.count > 0)
		next = earlier(next, earlier(queue_expiry(&pool->waiting), queue_expiry(&pool->heavy)) + 1);
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : (int) ((next - now) / 1000000 + 1);
}

/* ---- life of a pool ---- */

static Pool *
create(const char *conninfo, int connections, int epoll, bool single)
{
	Pool	   *pool = calloc(1, sizeof(Pool));
	int			most = single ? 1 : 2 * connections;

	if (pool == NULL || (pool->connections = calloc((size_t) most, sizeof(Connection))) == NULL ||
		(pool->conninfo = strdup(conninfo)) == NULL || (!single && (pool->costs = calloc(1, sizeof(Costs))) == NULL))
		abort();
	pool->count = connections;
	pool->most = most;
	pool->single = single;
	pool->mailbox = mailbox_open(epoll);
	for (int i = 0; i < most; i++)
		pool->connections[i] = (Connection) {.watcher = {on_event},.pool = pool,.epoll = epoll,.backoff = BACKOFF_FIRST_NS};
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
	pool->ending = true;
	for (int i = 0; i < pool->most; i++)
	{
		if (pool->connections[i].pg)
			lose_connection(&pool->connections[i], PG_LOST);
		connection_close(&pool->connections[i]);
	}
	serve_delayed(pool, UINT64_MAX);
	expire_waiting(pool, clock_now());
	for (int i = 0; i < pool->most; i++)
		free(pool->connections[i].slots);
	mailbox_close(pool->mailbox);
	free(pool->connections);
	free(pool->costs);
	free(pool->conninfo);
	free(pool);
}

PoolFigures
pool_figures(const Pool *pool)
{
	PoolFigures figures = {.waiting = pool->waiting.count + pool->heavy.count,.failing = pool->reported[0] != '\0'};

	for (int i = 0; i < pool->most; i++)
	{
		figures.open += pool->connections[i].state == READY;
		figures.connecting += pool->connections[i].state == OPENING;
		for (int j = 0; j < pool->connections[i].flight_count; j++)
			figures.in_flight += pool->connections[i].flights[j].job != NULL;
	}
	return figures;
}
