/*
 * stream.c
 *	  Lines are gathered in one chunk while another is at the database; when both
 *	  are full, the body waits, which is all the back-pressure there is.
 *
 * A chunk is a pipeline of request_begin, bulk_load and request_end: the key is
 * checked again each time, and a chunk that comes back has committed.  With
 * mode=atomic all of them stand between BEGIN and COMMIT; the answer is then
 * held back until it is known which it is, and after a failure names only the
 * lines that failed and those that had been loaded before.
 *
 * What goes wrong after the answer's status has been promised (the database is
 * lost, the key revoked, the Content-Encoding broken) ends the answer with a line
 * {"error":<problem>} in place of the summary.
 */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "decode.h"
#include "log.h"
#include "problem.h"
#include "spool.h"

#define LOAD_SQL "SELECT qehs.bulk_load($1::text, $2::bytea, $3::bigint, $4::text, $5::boolean, $6::text, $7::text, $8::text)"
#define LOAD_PARAMETERS 8
#define REQUEST_END_SQL "SELECT qehs.request_end()"
#define BULK_END_SQL "SELECT qehs.bulk_end()"
#define MAX_STREAMS 32
#define CHUNK_LINES 500
#define CHUNK_BYTES (256 * 1024)
#define MAX_LINE_BYTES (64 * 1024 * 1024)
#define PIECE_BYTES (32 * 1024)
#define HOPELESS_BYTES (16 * 1024 * 1024)
#define GATHER_NS (CLOCK_SECOND / 4)
#define MAX_RETRIES 5

enum
{
	SLOT_BEGIN, SLOT_REQUEST_END, SLOT_LOAD = 1000, SLOT_BULK_END, SLOT_START, SLOT_COMMIT, SLOT_ROLLBACK
};

typedef struct Chunk
{
	PgJob		job;
	Stream	   *stream;
	char	   *bytes;
	size_t		length;			/* with the beginning of a line that is not there yet */
	size_t		whole;			/* bytes of whole lines */
	size_t		capacity;
	int			lines;
	int64_t		first_line;
	char		first_line_binary[8];
	int64_t		long_line;		/* a line behind these that is too long; 0: none */
	uint64_t	since;			/* when its first line was whole */
	int			attempts;
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
	size_t		line_limit;

	Decoder    *decoder;		/* NULL: the body comes as it is */
	char	   *input;			/* what the server has brought */
	size_t		input_length;
	size_t		input_at;
	size_t		input_capacity;
	char	   *decoded;
	bool		more_decoded;	/* the decoder may have more without input */
	const char *piece;			/* of input or decoded */
	size_t		piece_length;

	Chunk		chunks[2];
	Chunk	   *filling;
	Chunk	   *sent;			/* at the database, or NULL */
	int64_t		line;			/* whole lines so far */
	bool		skipping;		/* in a line that is too long */

	PgStatement begin;
	const char *module_key;
	const char *batch_key;
	const char *on_conflict;
	const char *external_id;
	const char *on_error;
	bool		dry_run;
	bool		atomic;
	PgJob		start;			/* BEGIN */
	PgJob		end;			/* COMMIT or ROLLBACK, then bulk_end */

	Spool		answer;
	Spool		remarks;		/* atomic: of lines that failed or were there before */
	int64_t		answered;
	int64_t		created;
	int64_t		updated;
	int64_t		replayed;
	int64_t		failed;
	int64_t		valid;			/* in a dry run */
	bool		stopped;		/* onError=stop has met an error */
	bool		broken;			/* ends without a summary */
	bool		unspooled;		/* the answer could not be kept */
	size_t		wasted;			/* bytes of the body since it broke */
	bool		body_ended;
	Ending		ending;
	bool		closed;
};

/* ---- the answer ---- */

static void
keep(Stream *stream, Spool *spool, const char *bytes, size_t length)
{
	if (!stream->unspooled && !spool_append(spool, bytes, length))
	{
		log_event("error", "could not keep the answer of a bulk load: %s", strerror(errno));
		stream->unspooled = true;
	}
}

/* One answer line of the extension, with its newline. */
static void
count_line(Stream *stream, const char *line, size_t length)
{
	static const char mark[] = "\"status\":\"";
	const char *status = memmem(line, length, mark, sizeof(mark) - 1);
	char		first = status ? status[sizeof(mark) - 1] : 'f';

	stream->answered++;
	stream->created += first == 'c';
	stream->updated += first == 'u';
	stream->replayed += first == 'r';
	stream->failed += first == 'f';
	stream->valid += first == 'v';
	stream->stopped = stream->stopped || (first == 'f' && stream->on_error && strcmp(stream->on_error, "stop") == 0);
	keep(stream, &stream->answer, line, length);
	if (stream->atomic && (first == 'f' || first == 'r'))
		keep(stream, &stream->remarks, line, length);
}

static void
take_answer(Stream *stream, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end)
	{
		const char *newline = memchr(text, '\n', (size_t) (end - text));

		if (newline == NULL)
		{
			char	   *line = arena_format(&stream->request->arena, "%.*s\n", (int) (end - text), text);

			count_line(stream, line, strlen(line));
			return;
		}
		count_line(stream, text, (size_t) (newline + 1 - text));
		text = newline + 1;
	}
}

static void
answer_long_line(Stream *stream, int64_t line)
{
	char		text[256];
	int			length = snprintf(text, sizeof(text), "{\"line\":%lld,\"status\":\"failed\",\"errors\":[{\"path\":\"\","
								  "\"code\":\"payload_too_large\",\"message\":\"must be at most %zu bytes long\"}]}\n",
								  (long long) line, stream->line_limit);

	count_line(stream, text, (size_t) length);
}

static void
answer_summary(Stream *stream)
{
	char		text[512];
	bool		undone = stream->atomic && stream->failed > 0;
	char		updated[48] = "";
	char		valid[48] = "";
	int			length;

	if (stream->on_conflict)
		snprintf(updated, sizeof(updated), ",\"updated\":%lld", undone ? 0 : (long long) stream->updated);
	if (stream->dry_run)
		snprintf(valid, sizeof(valid), ",\"valid\":%lld", (long long) stream->valid);
	length = snprintf(text, sizeof(text), "{\"summary\":{\"lines\":%lld,\"created\":%lld%s%s,\"replayed\":%lld,\"failed\":%lld,"
					  "\"durationMs\":%llu}}\n", (long long) stream->answered, undone ? 0 : (long long) stream->created, updated, valid,
					  (long long) stream->replayed, (long long) stream->failed,
					  (unsigned long long) ((clock_now() - stream->request->started) / 1000000));
	keep(stream, undone ? &stream->remarks : &stream->answer, text, (size_t) length);
}

/* The stream ends here: {"error":problem}, and nothing of the body counts any more. */
static void
break_stream(Stream *stream, const char *problem, size_t length)
{
	Spool	   *spool = stream->atomic ? &stream->remarks : &stream->answer;

	if (stream->broken)
		return;
	stream->broken = true;
	keep(stream, spool, "{\"error\":", 9);
	keep(stream, spool, problem, length);
	keep(stream, spool, "}\n", 2);
}

/* The problem that a job's outcome is; the reply of the request, already sent or queued, stays as it is. */
static void
break_with_job(Stream *stream, const PgJob *job)
{
	Request    *request = stream->request;
	Reply		reply = request->reply;

	request->job.outcome = job->outcome;
	request->job.error = job->error;
	problem_from_job(request);
	request->job.outcome = PG_DONE;
	request->job.error = (PgError) {0};
	break_stream(stream, request->reply.body, request->reply.length);
	request->reply = reply;
}

static void
break_with_code(Stream *stream, const char *code, const char *detail)
{
	Reply		reply = stream->request->reply;

	problem_reply(stream->request, code, 0, detail, NULL);
	break_stream(stream, stream->request->reply.body, stream->request->reply.length);
	stream->request->reply = reply;
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
	/* a byte order mark is no part of the first line */
	size_t		skip = chunk->first_line == 1 && chunk->whole >= 3 && memcmp(chunk->bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	uint64_t	number = (uint64_t) chunk->first_line;

	for (int i = 0; i < 8; i++)
		chunk->first_line_binary[i] = (char) (number >> (56 - 8 * i));
	set_text(load, stream->module_key);
	set_value(load, chunk->bytes + skip, chunk->whole - skip);
	set_value(load, chunk->first_line_binary, sizeof(chunk->first_line_binary));
	set_text(load, stream->batch_key);
	set_value(load, stream->dry_run ? "\1" : "\0", 1);
	set_text(load, stream->on_conflict);
	set_text(load, stream->external_id);
	set_text(load, stream->on_error);
}

static void
empty_chunk(Chunk *chunk)
{
	job_free(&chunk->job);
	chunk->length = chunk->whole = 0;
	chunk->lines = chunk->attempts = 0;
	chunk->long_line = 0;
}

static void
finish_chunk(Stream *stream, Chunk *chunk)
{
	if (chunk->long_line && !stream->broken && !stream->stopped)
		answer_long_line(stream, chunk->long_line);
	empty_chunk(chunk);
}

/* A deadlock with another session or a failed serialization has had no effect: the chunk runs again. */
static bool
retry_chunk(Stream *stream, Chunk *chunk)
{
	const char *sqlstate = chunk->job.error.sqlstate;

	if (chunk->job.outcome != PG_FAILED || stream->atomic || (strcmp(sqlstate, "40001") != 0 && strcmp(sqlstate, "40P01") != 0) ||
		chunk->attempts++ == MAX_RETRIES)
		return false;
	job_free(&chunk->job);
	pool_submit_later(stream->pool, &chunk->job, CLOCK_SECOND / 100 * (uint64_t) chunk->attempts);
	return true;
}

static void
chunk_done(PgJob *job)
{
	Chunk	   *chunk = job->owner;
	Stream	   *stream = chunk->stream;
	size_t		length;
	const char *text;

	if (stream->closed)
	{
		empty_chunk(chunk);
		return;
	}
	if (retry_chunk(stream, chunk))
		return;
	stream->sent = NULL;
	stream->request->database_time += clock_now() - job->submitted;
	if (job->outcome != PG_DONE)
		break_with_job(stream, job);
	else if ((text = job_text(job, 1, &length)) != NULL)
		take_answer(stream, text, length);
	finish_chunk(stream, chunk);
	pump(stream);
	stream->changed(stream->request);
}

static void
move_tail(const Stream *stream, const Chunk *from, Chunk *to)
{
	size_t		length = from->length - from->whole;

	if (length == 0)
		return;
	if (length > to->capacity)
	{
		to->capacity = length + PIECE_BYTES;
		to->bytes = realloc(to->bytes, to->capacity);
		if (to->bytes == NULL)
			abort();
	}
	memcpy(to->bytes, from->bytes + from->whole, length);
	to->length = length;
	to->first_line = stream->line + 1;
}

/* Send the chunk that is being filled; what has come of the next line goes to the other one. */
static void
submit_chunk(Stream *stream)
{
	Chunk	   *chunk = stream->filling;
	PgJob	   *job = &chunk->job;

	if (chunk->lines == 0)
	{
		finish_chunk(stream, chunk);
		return;
	}
	stream->filling = chunk == &stream->chunks[0] ? &stream->chunks[1] : &stream->chunks[0];
	move_tail(stream, chunk, stream->filling);
	*job = (PgJob) {.generation = stream->request->router->generation,.count = 3,.done = chunk_done,.owner = chunk};
	job->statements[0] = stream->begin;
	set_statement(job, 1, SLOT_LOAD, LOAD_SQL);
	bind_load(stream, chunk, &job->statements[1]);
	set_statement(job, 2, SLOT_REQUEST_END, REQUEST_END_SQL);
	stream->sent = chunk;
	pool_submit(stream->pool, job);
}

/* ---- lines ---- */

static bool
chunk_full(const Chunk *chunk)
{
	return chunk->long_line || chunk->lines >= CHUNK_LINES || chunk->whole >= CHUNK_BYTES;
}

static void
append_line(Stream *stream, Chunk *chunk, const char *bytes, size_t length)
{
	if (chunk->length == 0)
		chunk->first_line = stream->line + 1;
	if (chunk->length + length > chunk->capacity)
	{
		chunk->capacity = chunk->length + length + chunk->capacity / 2 + PIECE_BYTES;
		chunk->bytes = realloc(chunk->bytes, chunk->capacity);
		if (chunk->bytes == NULL)
			abort();
	}
	memcpy(chunk->bytes + chunk->length, bytes, length);
	chunk->length += length;
}

static void
end_line(Stream *stream, Chunk *chunk)
{
	stream->line++;
	chunk->whole = chunk->length;
	if (chunk->lines++ == 0)
		chunk->since = clock_now();
}

/* Take bytes into the chunk until it is full; gives how many. */
static size_t
take_bytes(Stream *stream, const char *bytes, size_t length)
{
	Chunk	   *chunk = stream->filling;
	size_t		at = 0;

	while (at < length && !chunk_full(chunk))
	{
		const char *newline = memchr(bytes + at, '\n', length - at);
		size_t		part = newline ? (size_t) (newline + 1 - (bytes + at)) : length - at;

		if (!stream->skipping && chunk->length - chunk->whole + part - (newline != NULL) > stream->line_limit)
		{
			stream->skipping = true;
			chunk->length = chunk->whole;
			chunk->long_line = stream->line + 1;
		}
		if (!stream->skipping)
		{
			append_line(stream, chunk, bytes + at, part);
			if (newline)
				end_line(stream, chunk);
		}
		else if (newline)
		{
			stream->skipping = false;
			stream->line++;
		}
		at += part;
	}
	return at;
}

/* Make the next piece of the body; false when there is none. */
static bool
next_piece(Stream *stream)
{
	const char *at = stream->input + stream->input_at;
	size_t		left = stream->input_length - stream->input_at;

	if (stream->decoder == NULL)
	{
		stream->piece = at;
		stream->piece_length = left;
		stream->input_at = stream->input_length;
		return left > 0;
	}
	if (left == 0 && !stream->more_decoded)
		return false;
	if (!decoder_run(stream->decoder, &at, &left, stream->decoded, PIECE_BYTES, &stream->piece_length) ||
		(stream->piece_length == 0 && left > 0 && left == stream->input_length - stream->input_at))
	{
		break_with_code(stream, "malformed_request", "the body is not what its Content-Encoding says");
		return false;
	}
	stream->input_at = stream->input_length - left;
	stream->piece = stream->decoded;
	stream->more_decoded = stream->piece_length == PIECE_BYTES;
	return stream->piece_length > 0 || left > 0;
}

static bool
takes_lines(const Stream *stream)
{
	return !stream->broken && !stream->stopped;
}

/* Bring what there is of the body into chunks and chunks to the database, as far as it goes. */
static void
take_input(Stream *stream)
{
	while (takes_lines(stream))
	{
		if (chunk_full(stream->filling))
		{
			if (stream->sent)
				return;
			submit_chunk(stream);
		}
		else if (stream->piece_length > 0)
		{
			size_t		taken = take_bytes(stream, stream->piece, stream->piece_length);

			stream->piece += taken;
			stream->piece_length -= taken;
		}
		else if (!next_piece(stream))
			return;
	}
	stream->piece_length = 0;
	stream->more_decoded = false;
	stream->input_at = stream->input_length;
	empty_chunk(stream->filling);
}

static bool
input_left(const Stream *stream)
{
	return takes_lines(stream) &&
		(chunk_full(stream->filling) || stream->piece_length > 0 || stream->input_at < stream->input_length || stream->more_decoded);
}

/* The last line may have no newline; a body cut in the middle of its encoding is none. */
static void
close_body(Stream *stream)
{
	Chunk	   *chunk = stream->filling;

	if (stream->decoder && !decoder_complete(stream->decoder))
	{
		break_with_code(stream, "malformed_request", "the body ends before its Content-Encoding does");
		return;
	}
	if (chunk->length > chunk->whole)
	{
		append_line(stream, chunk, "\n", 1);
		end_line(stream, chunk);
	}
	if (stream->skipping)
		stream->line++;
	stream->skipping = false;
}

/* ---- the end ---- */

static void
conclude(Stream *stream)
{
	if (!stream->broken)
		answer_summary(stream);
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
		break_with_job(stream, job);
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
	if (stream->broken)
		conclude(stream);
	else if (stream->atomic)
	{
		stream->ending = ENDING_TRANSACTION;
		if (stream->failed > 0)
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

static void
pump(Stream *stream)
{
	take_input(stream);
	if (!stream->body_ended || stream->sent || input_left(stream))
		return;
	if (takes_lines(stream))
		close_body(stream);
	if (takes_lines(stream) && stream->filling->lines > 0)
		submit_chunk(stream);
	if (stream->sent == NULL)
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
	spool_init(&stream->answer);
	spool_init(&stream->remarks);
	for (int i = 0; i < 2; i++)
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
		break_with_job(stream, job);
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
	stream->dry_run = dry_run && *dry_run == 1;
	stream->atomic = mode && strcmp(mode, "atomic") == 0;
	stream->decoder = decoder_create(request_header(request, "Content-Encoding"));
	if (stream->decoder && (stream->decoded = malloc(PIECE_BYTES)) == NULL)
		abort();
	if (stream->atomic)
		submit_control(stream, &stream->start, SLOT_START, "BEGIN", start_done);
}

size_t
stream_take(Stream *stream, const char *bytes, size_t length)
{
	if (stream_blocked(stream))
		return 0;
	if (!takes_lines(stream))
	{
		stream->wasted += length;
		return length;
	}
	if (length > stream->input_capacity)
	{
		stream->input = realloc(stream->input, length);
		if (stream->input == NULL)
			abort();
		stream->input_capacity = length;
	}
	memcpy(stream->input, bytes, length);
	stream->input_length = length;
	stream->input_at = 0;
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
	return stream->broken && stream->wasted > HOPELESS_BYTES;
}

void
stream_finish(Stream *stream)
{
	stream->body_ended = true;
	pump(stream);
}

StreamAnswer
stream_read(Stream *stream, char *buffer, size_t room, size_t *length)
{
	bool		undone = stream->atomic && (stream->failed > 0 || stream->broken);
	ssize_t		count;

	*length = 0;
	if (stream->unspooled)
		return STREAM_BROKEN;
	if (stream->atomic && stream->ending != ENDED)
		return STREAM_WAIT;
	count = spool_read(undone ? &stream->remarks : &stream->answer, buffer, room);
	if (count < 0)
		return STREAM_BROKEN;
	*length = (size_t) count;
	return count > 0 ? STREAM_BYTES : stream->ending == ENDED ? STREAM_END : STREAM_WAIT;
}

void
stream_close(Stream *stream)
{
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
	for (int i = 0; i < 2; i++)
	{
		empty_chunk(&stream->chunks[i]);
		free(stream->chunks[i].bytes);
	}
	job_free(&stream->start);
	job_free(&stream->end);
	decoder_free(stream->decoder);
	spool_free(&stream->answer);
	spool_free(&stream->remarks);
	free(stream->decoded);
	free(stream->input);
	free(stream);
}

/* What one stream has due; milliseconds until the next time, or -1. */
static int
tick(Stream *stream)
{
	const Chunk *chunk = stream->filling;
	uint64_t	now = clock_now();
	int			next = pool_tick(stream->pool);
	int			left;

	if (stream->sent || chunk->lines == 0 || stream->ending != RUNNING || !takes_lines(stream))
		return next;
	/* a slow client's lines are not kept waiting for more */
	if (now >= chunk->since + GATHER_NS)
	{
		submit_chunk(stream);
		return next;
	}
	left = (int) ((chunk->since + GATHER_NS - now) / 1000000 + 1);
	return next < 0 || left < next ? left : next;
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
		release_pool(stream);
}
