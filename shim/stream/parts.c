/*
 * parts.c
 *	  One part is kept in memory, and asked for when the one before has been read.
 *
 * What goes wrong after the first (the database is lost, the key revoked) ends the
 * answer with a line {"error":<problem>}, as it does an answer of a load.
 */
#include "stream/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/pool.h"
#include "exchange/bind.h"
#include "exchange/problem.h"
#include "stream/stream_metrics.h"

typedef struct Parts
{
	StreamItem	item;			/* first, so that one is the other */
	Request    *request;		/* NULL: has gone */
	const char *conninfo;
	int			epoll;
	void		(*changed) (Request *request);	/* NULL until it is started */
	Pool	   *pool;			/* of one connection; NULL before and after it is needed */
	PgJob		job;
	bool		waiting;		/* for the job */
	bool		stopped;		/* the loop ends */
	char	   *next;			/* cursor of the next part; NULL: there is none */
	const char *bytes;			/* of the part that is read: the request's, or the job's */
	size_t		length;
	size_t		at;
} Parts;

static void
set_next(Parts *parts, const char *cursor, size_t length)
{
	free(parts->next);
	parts->next = cursor ? strndup(cursor, length) : NULL;
	if (cursor && parts->next == NULL)
		abort();
}

/* The last line, behind what has been read. */
static void
fail(Parts *parts, const char *problem, size_t length)
{
	Buffer		line = {.arena = &parts->request->arena};

	buffer_text(&line, "{\"error\":");
	buffer_append(&line, problem, length);
	buffer_text(&line, "}\n");
	set_next(parts, NULL, 0);
	parts->bytes = line.data;
	parts->length = line.length;
	parts->at = 0;
}

/* The cursor among header lines; NULL: it was the last part. */
static const char *
find_next(const char *lines, size_t length, size_t *cursor_length)
{
	static const char name[] = "@next: ";
	const char *found = memmem(lines, length, name, sizeof(name) - 1);
	const char *cursor = found ? found + sizeof(name) - 1 : NULL;
	const char *end = cursor ? memchr(cursor, '\n', length - (size_t) (cursor - lines)) : NULL;

	*cursor_length = end ? (size_t) (end - cursor) : 0;
	return end ? cursor : NULL;
}

static void
take_part(Parts *parts)
{
	size_t		length;
	size_t		lines_length;
	size_t		cursor_length;
	const char *answer = job_text(&parts->job, 0, &length);
	const char *lines;
	const char *body;
	const char *cursor;

	if (!exchange_split(answer, length, &lines, &lines_length, &body))
	{
		const char *problem = problem_of_code(parts->request, "internal", "the database gave no answer", &length);

		fail(parts, problem, length);
		return;
	}
	cursor = find_next(lines, lines_length, &cursor_length);
	set_next(parts, cursor, cursor_length);
	parts->bytes = body;
	parts->length = length - (size_t) (body - answer);
	parts->at = 0;
}

static void
part_done(PgJob *job)
{
	Parts	   *parts = job->owner;
	uint64_t	took = clock_now() - job->submitted;
	size_t		length;

	parts->waiting = false;
	if (parts->request == NULL)
		return;
	parts->request->database_time += took;
	stream_metrics_chunk(took);
	if (job->outcome == PG_DONE)
		take_part(parts);
	else
	{
		const char *problem = problem_of_job(parts->request, job, &length);

		fail(parts, problem, length);
	}
	parts->changed(parts->request);
}

/* Ask for the next part; its outcome may come at once. */
static void
ask(Parts *parts)
{
	const Endpoint *endpoint = parts->request->endpoint;
	PgStatement *statement = &parts->job.statements[0];

	if (parts->pool == NULL)
		parts->pool = pool_create_single(parts->conninfo, parts->epoll);
	job_free(&parts->job);
	parts->job = (PgJob) {.count = 1,.done = part_done,.owner = parts,.limit = endpoint->limit};
	*statement = parts->request->job.statements[0];
	statement->text = endpoint->part;
	bind_text(statement, BEGIN_PARAMETERS + endpoint->cursor, parts->next, strlen(parts->next));
	parts->bytes = NULL;
	parts->length = parts->at = 0;
	parts->waiting = true;
	pool_submit(parts->pool, &parts->job);
}

/* ---- the interface of a stream ---- */

static StreamPart
read_part(Stream *stream, char *buffer, size_t room, size_t *length)
{
	Parts	   *parts = (Parts *) stream;
	size_t		problem_length;

	*length = 0;
	while (parts->at == parts->length)
	{
		if (parts->waiting)
			return STREAM_WAIT;
		if (parts->next == NULL)
			return STREAM_END;
		if (parts->stopped)
		{
			const char *problem = problem_of_code(parts->request, "unavailable", "the server is shutting down", &problem_length);

			fail(parts, problem, problem_length);
		}
		else
			ask(parts);
	}
	*length = parts->length - parts->at < room ? parts->length - parts->at : room;
	memcpy(buffer, parts->bytes + parts->at, *length);
	parts->at += *length;
	parts->request->reply.length += *length;
	return STREAM_BYTES;
}

static void
start(Stream *stream, void (*changed) (Request *request))
{
	((Parts *) stream)->changed = changed;
	stream_metrics_running(1);
}

static void
close_parts(Stream *stream)
{
	Parts	   *parts = (Parts *) stream;

	if (parts->changed)
		stream_metrics_running(-1);
	parts->request = NULL;
	parts->item.closed = true;
	/* what it is to be sent with goes with the request */
	if (parts->waiting)
		pool_withdraw(parts->pool, &parts->job);
}

/* ---- what the event loop calls ---- */

static void
release(Parts *parts)
{
	Pool	   *pool = parts->pool;

	parts->pool = NULL;
	if (pool)
		pool_free(pool);
}

static int
tick(StreamItem *item)
{
	Parts	   *parts = (Parts *) item;

	if (parts->next == NULL && !parts->waiting)
		release(parts);
	return parts->pool ? pool_tick(parts->pool) : -1;
}

static void
end(StreamItem *item)
{
	Parts	   *parts = (Parts *) item;

	parts->stopped = true;
	release(parts);
}

static void
free_parts(StreamItem *item)
{
	Parts	   *parts = (Parts *) item;

	release(parts);
	job_free(&parts->job);
	free(parts->next);
	free(parts);
}

static const Source lines = {read_part, NULL};

StreamItem *
parts_open(Exchange *exchange, Request *request)
{
	Parts	   *parts = calloc(1, sizeof(Parts));

	if (parts == NULL)
		abort();
	parts->request = request;
	parts->conninfo = exchange->config->db;
	parts->epoll = exchange->epoll;
	parts->bytes = request->reply.body;
	parts->length = request->reply.length;
	set_next(parts, request->next_part, strlen(request->next_part));
	parts->item = (StreamItem) {.stream = {.source = &lines,.start = start,.close = close_parts},.tick = tick,.end = end,.free = free_parts};
	return &parts->item;
}
