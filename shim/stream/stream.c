/*
 * stream.c
 *	  From the body (lines.h) to the database (load.h) to the answer (answer.h).
 *
 * Lines are gathered in one chunk while two are at the database; when all are
 * full, the body waits, which is all the back-pressure there is.
 *
 * What goes wrong after the answer's status has been promised (the database is
 * lost, the key revoked, the Content-Encoding broken) ends the answer with a line
 * {"error":<problem>} in place of the summary.
 */
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exchange/problem.h"
#include "stream/answer.h"
#include "stream/bulk_metrics.h"
#include "stream/lines.h"
#include "stream/load.h"

#define MAX_STREAMS 32
#define MAX_LINE_BYTES (64 * 1024 * 1024)	/* QEHS_BULK_LINE_BYTES of extension/bulk/bulk.h */
#define HOPELESS_BYTES (16 * 1024 * 1024)
#define GATHER_NS (CLOCK_SECOND / 4)

typedef enum Ending
{
	RUNNING, ENDING, ENDED
} Ending;

struct Stream
{
	Stream	   *next;
	Streams    *streams;
	Request    *request;
	void		(*changed) (Request *request);	/* NULL until lines are taken */
	LineReader	reader;
	Load		load;
	Answer		answer;
	const char *problem;		/* ends the answer once what is at the database has settled; NULL: none */
	size_t		problem_length;
	LineCounts	counted;		/* of the lines that have been answered, those that the metrics have */
	size_t		line_limit;
	size_t		wasted;			/* bytes of the body since it broke */
	bool		body_ended;
	bool		told_urgent;
	Ending		ending;
	bool		closed;
};

static void pump(Stream *stream);

/* ---- what goes wrong ---- */

/* The reply of the request, already sent or queued, stays as it was before its problem was made. */
static void
note_problem(Stream *stream, const Reply *before)
{
	Reply	   *reply = &stream->request->reply;

	if (stream->problem == NULL)
	{
		stream->problem = reply->body;
		stream->problem_length = reply->length;
	}
	*reply = *before;
}

static void
fail_with_job(Stream *stream, const PgJob *job)
{
	Request    *request = stream->request;
	Reply		before = request->reply;

	request->job.outcome = job->outcome;
	request->job.error = job->error;
	problem_from_job(request);
	request->job.outcome = PG_DONE;
	request->job.error = (PgError) {0};
	note_problem(stream, &before);
}

static void
fail_with_code(Stream *stream, const char *code, const char *detail)
{
	Reply		before = stream->request->reply;

	problem_reply(stream->request, code, 0, detail, NULL);
	note_problem(stream, &before);
}

/* Chunks behind one that failed may have been loaded: their lines are answered first. */
static void
tell_problem(Stream *stream)
{
	if (stream->problem && stream->load.sent_count == 0)
		answer_break(&stream->answer, stream->problem, stream->problem_length);
}

static bool
takes_lines(const Stream *stream)
{
	return stream->problem == NULL && !stream->answer.stopped;
}

/* ---- what comes from the database ---- */

/* Those of an atomic load count when it is known what became of them. */
static void
count_lines(Stream *stream)
{
	LineCounts	news = stream->answer.counts;

	for (int i = 0; i < LINE_OUTCOMES; i++)
		news.of[i] -= stream->counted.of[i];
	stream->counted = stream->answer.counts;
	bulk_metrics_lines(&news, answer_undone(&stream->answer));
	stream->request->lines = answer_count(&stream->answer);
	stream->request->failed_lines = stream->answer.counts.of[LINE_FAILED];
}

static void
answer_chunk(void *owner, const Lines *lines, const PgJob *job, const char *text, size_t length)
{
	Stream	   *stream = owner;

	if (job->outcome != PG_DONE)
		fail_with_job(stream, job);
	else if (text)
		answer_take(&stream->answer, text, length);
	if (lines->long_line && takes_lines(stream))
		answer_long_line(&stream->answer, lines->long_line, stream->line_limit);
}

static void
on_round(void *owner, uint64_t took)
{
	Stream	   *stream = owner;

	stream->request->database_time += took;
	bulk_metrics_chunk(took);
	if (!stream->answer.atomic)
		count_lines(stream);
	tell_problem(stream);
	pump(stream);
	stream->changed(stream->request);
}

static void
on_failed(void *owner, const PgJob *job)
{
	fail_with_job(owner, job);
}

static void
conclude(void *owner)
{
	Stream	   *stream = owner;

	tell_problem(stream);
	count_lines(stream);
	answer_end(&stream->answer, (clock_now() - stream->request->started) / 1000000);
	stream->ending = ENDED;
	stream->changed(stream->request);
}

static const LoadEvents events = {answer_chunk, on_round, on_failed, conclude};

/* ---- the flow of lines ---- */

/* Send the chunk that is full, if its turn has come; one of no lines is answered for without the database. */
static bool
send_chunk(Stream *stream)
{
	Lines	   *lines = load_lines(&stream->load);

	if (lines->count > 0 ? !load_may_send(&stream->load) : stream->load.sent_count > 0)
		return false;
	if (lines->count > 0)
		load_send(&stream->load, &stream->reader);
	else
	{
		answer_long_line(&stream->answer, lines->long_line, stream->line_limit);
		lines_empty(lines);
	}
	return true;
}

/* Bring what there is of the body into chunks and chunks to the database, as far as it goes. */
static void
take_input(Stream *stream)
{
	while (takes_lines(stream))
		switch (lines_fill(&stream->reader, load_lines(&stream->load)))
		{
			case LINES_FULL:
				if (!send_chunk(stream))
					return;
				break;
			case LINES_HUNGRY:
				return;
			default:
				fail_with_code(stream, "malformed_request", "the body is not what its Content-Encoding says");
		}
	lines_drop(&stream->reader);
	lines_empty(load_lines(&stream->load));
	tell_problem(stream);
}

static bool
input_left(const Stream *stream)
{
	return takes_lines(stream) && (lines_full(load_lines(&stream->load)) || lines_waiting(&stream->reader));
}

/* All lines are answered. */
static void
end_stream(Stream *stream)
{
	if (stream->ending != RUNNING)
		return;
	stream->ending = ENDING;
	if (stream->problem)
		conclude(stream);
	else
		load_end(&stream->load, stream->answer.counts.of[LINE_FAILED] > 0);
}

static void
pump(Stream *stream)
{
	take_input(stream);
	if (!stream->body_ended || input_left(stream))
		return;
	if (takes_lines(stream) && !lines_end(&stream->reader, load_lines(&stream->load)))
		fail_with_code(stream, "malformed_request", "the body ends before its Content-Encoding does");
	if (takes_lines(stream) && load_lines(&stream->load)->count > 0)
		send_chunk(stream);
	tell_problem(stream);
	if (stream->load.sent_count == 0 && (!takes_lines(stream) || load_lines(&stream->load)->count == 0))
		end_stream(stream);
}

/* ---- what server.c and exchange.c call ---- */

Stream *
stream_open(Exchange *exchange, Request *request)
{
	Streams    *streams = exchange->streams;
	Stream	   *stream;

	if (streams->count == MAX_STREAMS)
		return NULL;
	stream = calloc(1, sizeof(Stream));
	if (stream == NULL)
		abort();
	stream->streams = streams;
	stream->request = request;
	stream->line_limit = exchange->config->max_body < MAX_LINE_BYTES ? exchange->config->max_body : MAX_LINE_BYTES;
	load_open(&stream->load, exchange->config->db, streams->epoll, &events, stream);
	answer_open(&stream->answer);
	stream->next = streams->first;
	streams->first = stream;
	streams->count++;
	return stream;
}

Pool *
stream_pool(Stream *stream)
{
	return stream->load.pool;
}

/* The text of an argument of bulk_begin by its name; NULL when it was not given. */
static const char *
argument(const Request *request, const char *name)
{
	const Endpoint *endpoint = request->endpoint;

	for (int i = 0; i < endpoint->parameter_count; i++)
		if (strcmp(endpoint->parameters[i].argument, name) == 0)
			return request->job.statements[1].values[i];
	return NULL;
}

void
stream_start(Stream *stream, const PgStatement *begin, void (*changed) (Request *request))
{
	Request    *request = stream->request;
	Answer	   *answer = &stream->answer;
	const char *mode = argument(request, "mode");
	const char *dry_run = argument(request, "dry_run");
	LoadTarget	target = {
		.begin = *begin,
		.module_key = argument(request, "module_key"),
		.batch_key = request_header(request, "Idempotency-Key"),
		.on_conflict = argument(request, "on_conflict"),
		.external_id = argument(request, "external_id"),
		.on_error = argument(request, "on_error"),
		.accept_language = argument(request, "accept_language"),
		.dry_run = dry_run && *dry_run == 1,
		.atomic = mode && strcmp(mode, "atomic") == 0,
	};

	stream->changed = changed;
	answer->dry_run = target.dry_run;
	answer->atomic = target.atomic;
	answer->upsert = target.on_conflict != NULL;
	answer->stop = target.on_error && strcmp(target.on_error, "stop") == 0;
	/* of an upsert the last line for a record wins, though its chunk may have to run again */
	target.in_turns = answer->stop || answer->upsert;
	bulk_metrics_running(1);
	lines_open(&stream->reader, request_header(request, "Content-Encoding"), stream->line_limit);
	load_start(&stream->load, &target);
}

size_t
stream_take(Stream *stream, const char *bytes, size_t length)
{
	if (stream_blocked(stream))
		return 0;
	bulk_metrics_body(length);
	if (!takes_lines(stream))
	{
		stream->wasted += length;
		return length;
	}
	lines_give(&stream->reader, bytes, length);
	pump(stream);
	return length;
}

bool
stream_blocked(const Stream *stream)
{
	return input_left(stream);
}

bool
stream_hopeless(const Stream *stream)
{
	return stream->problem && stream->wasted > HOPELESS_BYTES;
}

void
stream_finish(Stream *stream)
{
	stream->body_ended = true;
	pump(stream);
}

bool
stream_urgent(const Stream *stream)
{
	uint64_t	due = answer_due(&stream->answer);

	return due > 0 && due <= clock_now();
}

AnswerPart
stream_read(Stream *stream, char *buffer, size_t room, size_t *length)
{
	AnswerPart	part = answer_read(&stream->answer, buffer, room, length);

	stream->request->reply.length += *length;
	return part;
}

void
stream_close(Stream *stream)
{
	if (stream->changed)
		bulk_metrics_running(-1);
	load_leave(&stream->load);
	stream->closed = true;
	stream->request = NULL;
}

static void
free_stream(Stream *stream)
{
	load_free(&stream->load);
	lines_close(&stream->reader);
	answer_close(&stream->answer);
	free(stream);
}

static int
earlier(int next, uint64_t due, uint64_t now)
{
	int			left = due > now ? (int) ((due - now) / 1000000 + 1) : 0;

	return next < 0 || left < next ? left : next;
}

/* What one stream has due: a slow client's lines are not kept waiting for more, nor are their answers. */
static int
tick(Stream *stream)
{
	const Lines *lines = load_lines(&stream->load);
	uint64_t	now = clock_now();
	uint64_t	due = stream->body_ended || stream->told_urgent ? 0 : answer_due(&stream->answer);
	int			next = pool_tick(stream->load.pool);

	if (due > 0 && due <= now)
	{
		stream->told_urgent = true;
		stream->changed(stream->request);
	}
	else if (due > 0)
		next = earlier(next, due, now);
	if (stream->load.sent_count > 0 || lines->count == 0 || stream->ending != RUNNING || !takes_lines(stream))
		return next;
	if (now < lines->since + GATHER_NS)
		return earlier(next, lines->since + GATHER_NS, now);
	load_send(&stream->load, &stream->reader);
	return next;
}

int
streams_tick(Streams *streams)
{
	Stream	  **link = &streams->first;
	int			next = -1;

	while (*link)
	{
		Stream	   *stream = *link;

		if (stream->closed)
		{
			*link = stream->next;
			streams->count--;
			free_stream(stream);
			continue;
		}
		if (stream->ending == ENDED)
			load_release(&stream->load);
		if (stream->load.pool)
		{
			int			due = tick(stream);

			next = next < 0 || (due >= 0 && due < next) ? due : next;
		}
		link = &stream->next;
	}
	return next;
}

void
streams_end(Streams *streams)
{
	for (Stream *stream = streams->first; stream; stream = stream->next)
	{
		load_release(&stream->load);
		if (!stream->closed && stream->changed)
			stream->changed(stream->request);
	}
}
