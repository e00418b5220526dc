/*
 * stream.c
 *	  Lines are gathered in one chunk while two are at the database, one of them
 *	  waiting there for the other; when all are full, the body waits, which is all
 *	  the back-pressure there is.
 *
 * A chunk is a pipeline of request_begin, bulk_load and request_end: the key is
 * checked again each time, and a chunk that comes back has committed.  With
 * mode=atomic all of them stand between BEGIN and COMMIT.  Where a chunk must not
 * run before the one ahead has ended well (onError=stop, and an upsert, whose last
 * line for a record wins though a chunk may have to run again) only one is there.
 *
 * What goes wrong after the answer's status has been promised (the database is
 * lost, the key revoked, the Content-Encoding broken) ends the answer with a line
 * {"error":<problem>} in place of the summary.
 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "bulk_metrics.h"
#include "clock.h"
#include "lines.h"
#include "problem.h"

#define LOAD_SQL "SELECT qehs.bulk_load($1::text, $2::bytea, $3::bigint, $4::text, $5::boolean, $6::text, $7::text, $8::text, $9::text)"
#define REQUEST_END_SQL "SELECT qehs.request_end()"
#define BULK_END_SQL "SELECT qehs.bulk_end()"
#define MAX_STREAMS 32
#define MAX_LINE_BYTES (64 * 1024 * 1024)	/* QEHS_BULK_LINE_BYTES of extension/bulk/bulk.h */
#define HOPELESS_BYTES (16 * 1024 * 1024)
#define GATHER_NS (CLOCK_SECOND / 4)
#define MAX_RETRIES 5
#define MAX_SENT 2
#define CHUNKS (MAX_SENT + 1)

enum
{
	SLOT_BEGIN, SLOT_REQUEST_END, SLOT_LOAD = 1000, SLOT_BULK_END, SLOT_START, SLOT_COMMIT, SLOT_ROLLBACK
};

typedef struct Chunk
{
	PgJob		job;
	Stream	   *stream;
	Lines		lines;
	char		first_line_binary[8];
	int			attempts;
	bool		sent;
	bool		settled;		/* its outcome is there */
} Chunk;

typedef enum Ending
{
	RUNNING, ENDING_TRANSACTION, LEAVING, ENDED
} Ending;

struct Stream
{
	Stream	   *next;
	Streams    *streams;
	Request    *request;
	Pool	   *pool;			/* NULL once it is not needed */
	void		(*changed) (Request *request);

	LineReader	reader;
	Chunk		chunks[CHUNKS];
	Chunk	   *filling;
	Chunk	   *sent[MAX_SENT];	/* at the database, the oldest first */
	int			sent_count;
	int			sent_limit;
	Answer		answer;

	PgStatement begin;
	const char *module_key;
	const char *batch_key;
	const char *on_conflict;
	const char *external_id;
	const char *on_error;
	const char *accept_language;
	PgJob		start;			/* BEGIN */
	PgJob		end;			/* COMMIT or ROLLBACK, then bulk_end */

	const char *problem;		/* ends the answer once what is at the database has settled; NULL: none */
	size_t		problem_length;
	uint64_t	last_settled;
	LineCounts	counted;		/* of the lines that have been answered, those that the metrics have */
	size_t		line_limit;
	size_t		wasted;			/* bytes of the body since it broke */
	bool		started;
	bool		body_ended;
	bool		told_urgent;
	Ending		ending;
	bool		closed;
};

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
	if (stream->problem && stream->sent_count == 0)
		answer_break(&stream->answer, stream->problem, stream->problem_length);
}

static bool
takes_lines(const Stream *stream)
{
	return stream->problem == NULL && !stream->answer.stopped;
}

/* ---- the database ---- */

static void pump(Stream *stream);

static void
set_statement(PgJob *job, int number, int slot, const char *sql)
{
	job->statements[number] = (PgStatement) {.slot = slot,.sql = sql};
}

static void
submit_control(Stream *stream, PgJob *job, int slot, const char *sql, void (*done) (PgJob *job))
{
	*job = (PgJob) {.generation = stream->request->router->generation,.count = 1,.done = done,.owner = stream};
	set_statement(job, 0, slot, sql);
	pool_submit(stream->pool, job);
}

static void
set_value(PgStatement *statement, const char *value, size_t length)
{
	statement->values[statement->count] = value;
	statement->lengths[statement->count] = (int) length;
	statement->formats[statement->count++] = 1;
}

static void
set_text(PgStatement *statement, const char *value)
{
	set_value(statement, value, value ? strlen(value) : 0);
}

static void
bind_load(const Stream *stream, Chunk *chunk, PgStatement *load)
{
	const Lines *lines = &chunk->lines;

	/* a byte order mark is no part of the first line */
	size_t		skip = lines->first == 1 && lines->whole >= 3 && memcmp(lines->bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	uint64_t	number = (uint64_t) lines->first;

	for (int i = 0; i < 8; i++)
		chunk->first_line_binary[i] = (char) (number >> (56 - 8 * i));
	set_text(load, stream->module_key);
	set_value(load, lines->bytes + skip, lines->whole - skip);
	set_value(load, chunk->first_line_binary, sizeof(chunk->first_line_binary));
	set_text(load, stream->batch_key);
	set_value(load, stream->answer.dry_run ? "\1" : "\0", 1);
	set_text(load, stream->on_conflict);
	set_text(load, stream->external_id);
	set_text(load, stream->on_error);
	set_text(load, stream->accept_language);
}

static void
empty_chunk(Chunk *chunk)
{
	job_free(&chunk->job);
	lines_empty(&chunk->lines);
	chunk->attempts = 0;
	chunk->sent = chunk->settled = false;
}

static void
finish_chunk(Stream *stream, Chunk *chunk)
{
	if (chunk->lines.long_line && takes_lines(stream))
		answer_long_line(&stream->answer, chunk->lines.long_line, stream->line_limit);
	empty_chunk(chunk);
}

/* A deadlock with another session or a failed serialization has had no effect: the chunk runs again. */
static bool
retry_chunk(Stream *stream, Chunk *chunk)
{
	const char *sqlstate = chunk->job.error.sqlstate;

	if (chunk->job.outcome != PG_FAILED || stream->answer.atomic ||
		(strcmp(sqlstate, "40001") != 0 && strcmp(sqlstate, "40P01") != 0) || chunk->attempts++ == MAX_RETRIES)
		return false;
	job_free(&chunk->job);
	pool_submit_later(stream->pool, &chunk->job, CLOCK_SECOND / 100 * (uint64_t) chunk->attempts);
	return true;
}

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

/* Take the outcomes that are there, in the order of the lines. */
static void
settle(Stream *stream)
{
	while (stream->sent_count > 0 && stream->sent[0]->settled)
	{
		Chunk	   *chunk = stream->sent[0];
		size_t		length;
		const char *text;

		stream->sent_count--;
		memmove(stream->sent, stream->sent + 1, sizeof(Chunk *) * (size_t) stream->sent_count);
		if (chunk->job.outcome != PG_DONE)
			fail_with_job(stream, &chunk->job);
		else if ((text = job_text(&chunk->job, 1, &length)) != NULL)
			answer_take(&stream->answer, text, length);
		finish_chunk(stream, chunk);
	}
	if (!stream->answer.atomic)
		count_lines(stream);
	tell_problem(stream);
}

static void
chunk_done(PgJob *job)
{
	Chunk	   *chunk = job->owner;
	Stream	   *stream = chunk->stream;
	uint64_t	now = clock_now();
	uint64_t	took;

	if (stream->closed)
	{
		empty_chunk(chunk);
		return;
	}
	if (retry_chunk(stream, chunk))
		return;
	/* the time that it waited for the one ahead has been counted */
	took = now - (job->submitted > stream->last_settled ? job->submitted : stream->last_settled);
	stream->request->database_time += took;
	bulk_metrics_chunk(took);
	stream->last_settled = now;
	chunk->settled = true;
	settle(stream);
	pump(stream);
	stream->changed(stream->request);
}

/* Send the chunk that is being filled; what has come of the next line goes to another. */
static void
submit_chunk(Stream *stream)
{
	Chunk	   *chunk = stream->filling;
	PgJob	   *job = &chunk->job;

	if (chunk->lines.count == 0)
	{
		finish_chunk(stream, chunk);
		return;
	}
	chunk->sent = true;
	stream->sent[stream->sent_count++] = chunk;
	for (int i = 0; i < CHUNKS; i++)
		if (!stream->chunks[i].sent)
			stream->filling = &stream->chunks[i];
	lines_move_tail(&stream->reader, &chunk->lines, &stream->filling->lines);
	*job = (PgJob) {.generation = stream->request->router->generation,.count = 3,.done = chunk_done,.owner = chunk};
	job->statements[0] = stream->begin;
	set_statement(job, 1, SLOT_LOAD, LOAD_SQL);
	bind_load(stream, chunk, &job->statements[1]);
	set_statement(job, 2, SLOT_REQUEST_END, REQUEST_END_SQL);
	pool_submit(stream->pool, job);
}

/* A chunk of no lines is answered for without the database, when its turn has come. */
static bool
may_submit(const Stream *stream)
{
	return stream->sent_count < (stream->filling->lines.count > 0 ? stream->sent_limit : 1);
}

/* ---- the end ---- */

static void
conclude(Stream *stream)
{
	tell_problem(stream);
	count_lines(stream);
	answer_end(&stream->answer, (clock_now() - stream->request->started) / 1000000);
	stream->ending = ENDED;
	stream->changed(stream->request);
}

static void
left_done(PgJob *job)
{
	Stream	   *stream = job->owner;

	job_free(job);
	if (!stream->closed)
		conclude(stream);
}

static void
transaction_done(PgJob *job)
{
	Stream	   *stream = job->owner;

	if (stream->closed)
	{
		job_free(job);
		return;
	}
	if (job->outcome != PG_DONE)
		fail_with_job(stream, job);
	job_free(job);
	stream->ending = LEAVING;
	submit_control(stream, job, SLOT_BULK_END, BULK_END_SQL, left_done);
}

/* All lines are answered: end the transaction, give the place back, write the summary. */
static void
end_stream(Stream *stream)
{
	if (stream->ending != RUNNING)
		return;
	if (stream->problem)
		conclude(stream);
	else if (stream->answer.atomic)
	{
		stream->ending = ENDING_TRANSACTION;
		if (stream->answer.counts.of[LINE_FAILED] > 0)
			submit_control(stream, &stream->end, SLOT_ROLLBACK, "ROLLBACK", transaction_done);
		else
			submit_control(stream, &stream->end, SLOT_COMMIT, "COMMIT", transaction_done);
	}
	else
	{
		stream->ending = LEAVING;
		submit_control(stream, &stream->end, SLOT_BULK_END, BULK_END_SQL, left_done);
	}
}

/* ---- the flow of lines ---- */

/* Bring what there is of the body into chunks and chunks to the database, as far as it goes. */
static void
take_input(Stream *stream)
{
	while (takes_lines(stream))
		switch (lines_fill(&stream->reader, &stream->filling->lines))
		{
			case LINES_FULL:
				if (!may_submit(stream))
					return;
				submit_chunk(stream);
				break;
			case LINES_HUNGRY:
				return;
			default:
				fail_with_code(stream, "malformed_request", "the body is not what its Content-Encoding says");
		}
	lines_drop(&stream->reader);
	empty_chunk(stream->filling);
	tell_problem(stream);
}

static bool
input_left(const Stream *stream)
{
	return takes_lines(stream) && (lines_full(&stream->filling->lines) || lines_waiting(&stream->reader));
}

static void
pump(Stream *stream)
{
	take_input(stream);
	if (!stream->body_ended || input_left(stream))
		return;
	if (takes_lines(stream) && !lines_end(&stream->reader, &stream->filling->lines))
		fail_with_code(stream, "malformed_request", "the body ends before its Content-Encoding does");
	if (takes_lines(stream) && stream->filling->lines.count > 0 && may_submit(stream))
		submit_chunk(stream);
	tell_problem(stream);
	if (stream->sent_count == 0 && (!takes_lines(stream) || stream->filling->lines.count == 0))
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
	stream->pool = pool_create_single(exchange->config->db, streams->epoll);
	stream->line_limit = exchange->config->max_body < MAX_LINE_BYTES ? exchange->config->max_body : MAX_LINE_BYTES;
	answer_open(&stream->answer);
	for (int i = 0; i < CHUNKS; i++)
		stream->chunks[i].stream = stream;
	stream->filling = &stream->chunks[0];
	stream->next = streams->first;
	streams->first = stream;
	streams->count++;
	return stream;
}

Pool *
stream_pool(Stream *stream)
{
	return stream->pool;
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

static void
start_done(PgJob *job)
{
	Stream	   *stream = job->owner;

	if (!stream->closed && job->outcome != PG_DONE)
		fail_with_job(stream, job);
	job_free(job);
}

void
stream_start(Stream *stream, const PgStatement *begin, void (*changed) (Request *request))
{
	Request    *request = stream->request;
	const char *mode = argument(request, "mode");
	const char *dry_run = argument(request, "dry_run");

	stream->begin = *begin;
	stream->changed = changed;
	stream->module_key = argument(request, "module_key");
	stream->batch_key = request_header(request, "Idempotency-Key");
	stream->on_conflict = argument(request, "on_conflict");
	stream->external_id = argument(request, "external_id");
	stream->on_error = argument(request, "on_error");
	stream->accept_language = argument(request, "accept_language");
	stream->answer.dry_run = dry_run && *dry_run == 1;
	stream->answer.upsert = stream->on_conflict != NULL;
	stream->answer.stop = stream->on_error && strcmp(stream->on_error, "stop") == 0;
	stream->answer.atomic = mode && strcmp(mode, "atomic") == 0;
	stream->sent_limit = stream->answer.stop || stream->answer.upsert ? 1 : MAX_SENT;
	bulk_metrics_running(1);
	stream->started = true;
	lines_open(&stream->reader, request_header(request, "Content-Encoding"), stream->line_limit);
	if (stream->answer.atomic)
		submit_control(stream, &stream->start, SLOT_START, "BEGIN", start_done);
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
	if (stream->started)
		bulk_metrics_running(-1);
	stream->closed = true;
	stream->request = NULL;
}

static void
release_pool(Stream *stream)
{
	if (stream->pool)
		pool_free(stream->pool);
	stream->pool = NULL;
}

static void
free_stream(Stream *stream)
{
	release_pool(stream);
	for (int i = 0; i < CHUNKS; i++)
	{
		empty_chunk(&stream->chunks[i]);
		free(stream->chunks[i].lines.bytes);
	}
	job_free(&stream->start);
	job_free(&stream->end);
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
	const Lines *lines = &stream->filling->lines;
	uint64_t	now = clock_now();
	uint64_t	due = stream->body_ended || stream->told_urgent ? 0 : answer_due(&stream->answer);
	int			next = pool_tick(stream->pool);

	if (due > 0 && due <= now)
	{
		stream->told_urgent = true;
		stream->changed(stream->request);
	}
	else if (due > 0)
		next = earlier(next, due, now);
	if (stream->sent_count > 0 || lines->count == 0 || stream->ending != RUNNING || !takes_lines(stream))
		return next;
	if (now < lines->since + GATHER_NS)
		return earlier(next, lines->since + GATHER_NS, now);
	submit_chunk(stream);
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
			release_pool(stream);
		if (stream->pool)
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
		release_pool(stream);
		if (!stream->closed && stream->changed)
			stream->changed(stream->request);
	}
}
