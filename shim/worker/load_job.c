/*
 * load_job.c
 *	  A job that loads a body which waits in the object store (Prefer: respond-async).
 *
 * The body is read and split as one that arrives (stream/lines.h) and goes to the
 * database chunk by chunk (qehs.bulk_job_load), which keeps how far it is with each:
 * who takes the job up begins at the body's start and passes over the lines that are
 * settled.  A load that is one transaction (mode=atomic, dryRun) begins anew.
 *
 * Memory is that of a chunk, whatever the body has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exchange/log.h"
#include "storage/storage.h"
#include "stream/lines.h"
#include "stream/stream_metrics.h"
#include "worker/held.h"

#define LOAD "SELECT qehs.bulk_job_load($1, $2, $3, $4::bytea, $5::int8, $6::int8, $7::bytea, $8::int8, $9::int8, $10::jsonb)"
#define LOAD_ARGUMENTS 10
#define END "SELECT qehs.bulk_job_end($1, $2, $3, $4::jsonb)"
#define READ_BYTES (64 * 1024)
#define MAX_LINE_BYTES (64 * 1024 * 1024)

typedef struct BodyLoad
{
	HeldJob    *job;
	bool		transaction;	/* all of it is one */
	const char *encoding;
	char		delimiter;		/* of CSV, or NUL */
	int			file;			/* the body; -1: not open */
	int64_t		size;
	int64_t		taken;			/* bytes of it that were read */
	LineReader	reader;
	Lines		chunks[2];		/* one that is filled, and one for what has come of the next line */
	int			filling;
	char	   *so_far;			/* what the last chunk gave; NULL: nothing yet */
	bool		stopped;		/* nothing more is to be loaded */
	bool		undo;			/* the transaction is to be rolled back */
} BodyLoad;

/* ---- what is to be loaded ---- */

/* Take over a position, or what a chunk gave; returns the last line that is settled. */
static int64_t
take_so_far(BodyLoad *load, const char *text)
{
	Arena		arena = {0};
	const JsonDocument *so_far = held_object(&arena, text, text ? strlen(text) : 0);
	const JsonMember *line = held_member(so_far, "line", JSON_NUMBER);
	int64_t		number = line ? strtoll(line->value, NULL, 10) : 0;

	load->stopped = held_member(so_far, "stopped", JSON_TRUE) != NULL;
	load->undo = held_member(so_far, "undo", JSON_TRUE) != NULL;
	arena_free(&arena);
	free(load->so_far);
	load->so_far = text ? strdup(text) : NULL;
	if (text && load->so_far == NULL)
		abort();
	return number;
}

static void
read_arguments(BodyLoad *load)
{
	Arena	   *arena = &load->job->arena;
	const char *text = load->job->claim.arguments;
	const JsonDocument *arguments = held_object(arena, text, text ? strlen(text) : 0);
	const char *type = held_text(arguments, "contentType", arena);
	const char *delimiter = held_text(arguments, "delimiter", arena);

	load->transaction = held_member(arguments, "transaction", JSON_TRUE) != NULL;
	load->encoding = held_text(arguments, "contentEncoding", arena);
	load->delimiter = type && strcmp(type, "text/csv") == 0 ? (delimiter ? *delimiter : ',') : '\0';
}

static bool
open_body(BodyLoad *load)
{
	HeldJob    *job = load->job;
	StorageName name = {job->claim.tenant, job->claim.job_id};
	StorageOutcome outcome = STORAGE_FAILED;
	StorageFault fault = {""};
	size_t		limit = job->config->max_body < MAX_LINE_BYTES ? job->config->max_body : MAX_LINE_BYTES;

	load->file = storage_read_open(&name, held_sign(job, "GET", job->claim.job_id, NULL), &load->size, &outcome, &fault);
	if (load->file < 0 && outcome == STORAGE_ABSENT)
		return held_fail(job, "internal", false, "the body is not in the object store any more: send it again");
	if (load->file < 0)
		return held_fail(job, "unavailable", true, fault.message);
	lines_open(&load->reader, load->encoding, limit, load->delimiter);
	if (!load->transaction)
		load->reader.from = take_so_far(load, job->claim.position);
	return true;
}

/* ---- chunks ---- */

/* Load the chunk, if there is something in it; what has come of the next line goes to the other. */
static bool
load_chunk(BodyLoad *load)
{
	HeldJob    *job = load->job;
	Lines	   *lines = &load->chunks[load->filling];
	Lines	   *next = &load->chunks[1 - load->filling];
	bool		has_lines = lines->count > 0;
	char		first[24];
	char		last[24];
	char		long_line[24];
	char		limit[24];
	const char *arguments[LOAD_ARGUMENTS] = {job->claim.tenant, job->claim.job_id, job->worker, has_lines ? lines->bytes : NULL, first, last,
	load->reader.header, lines->long_line ? long_line : NULL, limit, load->so_far};
	int			lengths[LOAD_ARGUMENTS] = {0};
	int			formats[LOAD_ARGUMENTS] = {0};
	const char *gave = NULL;

	if (!has_lines && lines->long_line == 0)
		return true;
	snprintf(first, sizeof(first), "%lld", (long long) (has_lines ? lines->first : lines->long_line));
	snprintf(last, sizeof(last), "%lld", (long long) (has_lines ? lines->first + lines->count - 1 : 0));
	snprintf(long_line, sizeof(long_line), "%lld", (long long) lines->long_line);
	snprintf(limit, sizeof(limit), "%zu", load->reader.limit);
	lengths[3] = (int) lines->whole;
	lengths[6] = (int) load->reader.header_length;
	formats[3] = formats[6] = 1;
	if (!session_value_of(job->session, LOAD, LOAD_ARGUMENTS, arguments, lengths, formats, &gave, NULL))
		return held_refused(job);
	take_so_far(load, gave);
	lines_move_tail(&load->reader, lines, next);
	lines_empty(lines);
	load->filling = 1 - load->filling;
	return true;
}

/* Give the reader more of the body; *ended when there is none. */
static bool
read_body(BodyLoad *load, char *buffer, bool *ended)
{
	ssize_t		length = pread(load->file, buffer, READ_BYTES, load->taken);

	if (length < 0)
		return held_fail(load->job, "unavailable", true, "the body could not be read");
	*ended = length == 0;
	load->taken += length;
	if (length > 0)
		lines_give(&load->reader, buffer, (size_t) length);
	pulse_progress(load->job->pulse, load->taken, load->size);
	return true;
}

static bool
load_lines(BodyLoad *load, char *buffer)
{
	bool		ended = false;

	while (!ended && !load->stopped)
	{
		if (pulse_state(load->job->pulse) != PULSE_GOES_ON)
			return held_fail(load->job, "unavailable", true, "it is to be stopped");
		switch (lines_fill(&load->reader, &load->chunks[load->filling]))
		{
			case LINES_FULL:
				if (!load_chunk(load))
					return false;
				break;
			case LINES_HUNGRY:
				if (!read_body(load, buffer, &ended))
					return false;
				break;
			default:
				return held_fail(load->job, "malformed_request", false, "the body is not what its Content-Encoding says");
		}
	}
	if (load->stopped)
		return true;
	if (!lines_end(&load->reader, &load->chunks[load->filling]))
		return held_fail(load->job, "malformed_request", false, "the body ends before its Content-Encoding does");
	return load_chunk(load);
}

/* ---- the whole ---- */

static bool
end_load(BodyLoad *load)
{
	HeldJob    *job = load->job;
	const char *arguments[] = {job->claim.tenant, job->claim.job_id, job->worker, load->so_far};
	const char *state = NULL;

	if (load->undo && !held_run(job, "ROLLBACK", 0, NULL, NULL, NULL))
		return false;
	if (!held_run(job, END, 4, arguments, &state, NULL))
		return false;
	log_event("info", "%s %s of tenant %s has %s", job->claim.kind, job->claim.job_id, job->claim.tenant, state ? state : "ended");
	return !load->transaction || load->undo || held_run(job, "COMMIT", 0, NULL, NULL, NULL);
}

bool
load_job_run(HeldJob *job)
{
	BodyLoad	load = {.job = job,.file = -1};
	char	   *buffer = arena_alloc(&job->arena, READ_BYTES);
	bool		done;

	stream_metrics_running(1);
	read_arguments(&load);
	done = open_body(&load) && (!load.transaction || held_run(job, "BEGIN", 0, NULL, NULL, NULL)) && load_lines(&load, buffer) && end_load(&load);
	if (load.file >= 0)
	{
		lines_close(&load.reader);
		close(load.file);
	}
	for (int i = 0; i < 2; i++)
		free(load.chunks[i].bytes);
	free(load.so_far);
	stream_metrics_running(-1);
	return done;
}
