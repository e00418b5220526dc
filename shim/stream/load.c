/*
 * load.c
 *	  A chunk is a pipeline of request_begin, the endpoint's function and request_end:
 *	  the key is checked again each time, and a chunk that comes back has committed.
 *	  Where all are one transaction they stand between BEGIN and COMMIT.
 *
 * Two chunks are sent, the second of which waits in the connection until the
 * first has ended, so that the database has work while the shim hands on an answer.
 */
#include "stream/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exchange/arguments.h"
#include "exchange/bind.h"

#define CHUNKS (LOAD_MAX_SENT + 1)
#define MAX_RETRIES 5

void
load_open(Load *load, const char *conninfo, int epoll, const LoadEvents *events, void *owner)
{
	load->owner = owner;
	load->events = events;
	load->pool = pool_create_single(conninfo, epoll);
	for (int i = 0; i < CHUNKS; i++)
		load->chunks[i].load = load;
	load->filling = &load->chunks[0];
}

static void
submit_control(Load *load, PgJob *job, const PgText *text, void (*done) (PgJob *job))
{
	*job = (PgJob) {.count = 1,.done = done,.owner = load,.limit = load->target.endpoint->limit,.statements = {{.text = text}}};
	pool_submit(load->pool, job);
}

static void
start_done(PgJob *job)
{
	Load	   *load = job->owner;

	if (load->owner && job->outcome != PG_DONE)
		load->events->failed(load->owner, job);
	job_free(job);
}

void
load_start(Load *load, const LoadTarget *target)
{
	load->target = *target;
	if (target->transaction)
		submit_control(load, &load->start, pg_text("BEGIN"), start_done);
}

/* ---- chunks ---- */

Lines *
load_lines(const Load *load)
{
	return &load->filling->lines;
}

bool
load_may_send(const Load *load)
{
	return load->sent_count < (load->target.in_turns ? 1 : LOAD_MAX_SENT);
}

static void
bind_chunk(const LoadTarget *target, LoadChunk *chunk, PgStatement *statement)
{
	const Call *call = &target->endpoint->calls[CALL_FUNCTION];
	const Lines *lines = &chunk->lines;

	/* a byte order mark is no part of the first line */
	size_t		skip = lines->first == 1 && lines->whole >= 3 && memcmp(lines->bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	uint64_t	number = (uint64_t) lines->first;

	for (int i = 0; i < 8; i++)
		chunk->first_line[i] = (char) (number >> (56 - 8 * i));
	arguments_pick(call, &target->arguments, statement);
	for (int i = 0; i < call->count; i++)
		switch (target->endpoint->parameters[call->from[i]].place)
		{
			case IN_LINES:
				bind_text(statement, i, lines->bytes + skip, lines->whole - skip);
				break;
			case IN_LINE_NUMBER:
				bind_text(statement, i, chunk->first_line, sizeof(chunk->first_line));
				break;
			case IN_HEADER_LINE:
				if (target->reader->header)
					bind_text(statement, i, target->reader->header, target->reader->header_length);
				break;
			default:
				break;
		}
}

static void
empty_chunk(LoadChunk *chunk)
{
	job_free(&chunk->job);
	lines_empty(&chunk->lines);
	chunk->attempts = 0;
	chunk->sent = chunk->settled = false;
}

/* A deadlock with another session or a failed serialization has had no effect: the chunk runs again. */
static bool
retry_chunk(Load *load, LoadChunk *chunk)
{
	const char *sqlstate = chunk->job.error.sqlstate;

	if (chunk->job.outcome != PG_FAILED || load->target.transaction ||
		(strcmp(sqlstate, "40001") != 0 && strcmp(sqlstate, "40P01") != 0) || chunk->attempts++ == MAX_RETRIES)
		return false;
	job_free(&chunk->job);
	pool_submit_later(load->pool, &chunk->job, CLOCK_SECOND / 100 * (uint64_t) chunk->attempts);
	return true;
}

/* Tell the outcomes that are there, in the order of the lines. */
static void
settle(Load *load)
{
	while (load->sent_count > 0 && load->sent[0]->settled)
	{
		LoadChunk  *chunk = load->sent[0];
		size_t		length = 0;
		const char *text = chunk->job.outcome == PG_DONE ? job_text(&chunk->job, 1, &length) : NULL;

		load->sent_count--;
		memmove(load->sent, load->sent + 1, sizeof(LoadChunk *) * (size_t) load->sent_count);
		load->events->chunk(load->owner, &chunk->lines, &chunk->job, text, length);
		empty_chunk(chunk);
	}
}

static void
chunk_done(PgJob *job)
{
	LoadChunk  *chunk = job->owner;
	Load	   *load = chunk->load;
	uint64_t	now = clock_now();
	uint64_t	took;

	if (load->owner == NULL)
	{
		empty_chunk(chunk);
		return;
	}
	if (retry_chunk(load, chunk))
		return;
	/* the time that it waited for the one ahead has been counted */
	took = now - (job->submitted > load->last_settled ? job->submitted : load->last_settled);
	load->last_settled = now;
	chunk->settled = true;
	settle(load);
	load->events->round(load->owner, took);
}

void
load_send(Load *load)
{
	LoadChunk  *chunk = load->filling;
	PgJob	   *job = &chunk->job;

	chunk->sent = true;
	load->sent[load->sent_count++] = chunk;
	for (int i = 0; i < CHUNKS; i++)
		if (!load->chunks[i].sent)
			load->filling = &load->chunks[i];
	lines_move_tail(load->target.reader, &chunk->lines, &load->filling->lines);
	*job = (PgJob) {.count = 3,.done = chunk_done,.owner = chunk,.limit = load->target.endpoint->limit};
	job->statements[0] = load->target.begin;
	bind_chunk(&load->target, chunk, &job->statements[1]);
	job->statements[2].text = load->target.request_end;
	pool_submit(load->pool, job);
}

/* ---- the end ---- */

static void
left_done(PgJob *job)
{
	Load	   *load = job->owner;

	job_free(job);
	if (load->owner)
		load->events->ended(load->owner);
}

static void
submit_end(Load *load, PgJob *job)
{
	const Call *call = &load->target.endpoint->calls[CALL_END];

	submit_control(load, job, call->text, left_done);
	arguments_pick(call, &load->target.arguments, &job->statements[0]);
}

static void
transaction_done(PgJob *job)
{
	Load	   *load = job->owner;

	if (load->owner && job->outcome != PG_DONE)
		load->events->failed(load->owner, job);
	job_free(job);
	if (load->owner)
		submit_end(load, job);
}

void
load_end(Load *load, bool undo)
{
	if (!load->target.transaction)
		submit_end(load, &load->end);
	else if (undo)
		submit_control(load, &load->end, pg_text("ROLLBACK"), transaction_done);
	else
		submit_control(load, &load->end, pg_text("COMMIT"), transaction_done);
}

void
load_release(Load *load)
{
	Pool	   *pool = load->pool;

	if (pool)
		pool_free(pool);
	load->pool = NULL;
}

void
load_leave(Load *load)
{
	load->owner = NULL;
}

void
load_free(Load *load)
{
	load_leave(load);
	load_release(load);
	for (int i = 0; i < CHUNKS; i++)
	{
		empty_chunk(&load->chunks[i]);
		free(load->chunks[i].lines.bytes);
	}
	job_free(&load->start);
	job_free(&load->end);
}
