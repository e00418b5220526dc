/*
 * file_sink.c
 *	  The body goes into a writer of the store part by part; when all has come, a task
 *	  makes it an object; then the endpoint's function is told what has come, and answers.
 *
 * Of a file the endpoint's begin gives {"size":bytes that must come,"most":bytes that may come,"sha256":what
 * it must be}, each where it matters, and the task looks at its type and has it scanned.  Of a body that
 * is kept for a job (Prefer: respond-async) it gives {"tenant","id","quota":bytes that may come}; when
 * the job is not made after all, because the request is refused or was answered before,
 * the object is removed.
 *
 * What is wrong with the body (too large, another digest) is answered without the function, and
 * nothing is kept.  A body that is of no use any more is read on for a while, so
 * that its sender sees the answer.
 */
#include "stream/file_sink.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/tasks.h"
#include "exchange/log.h"
#include "exchange/problem.h"
#include "exchange/sign.h"
#include "storage/sniff.h"
#include "storage/storage.h"
#include "stream/digest_fields.h"
#include "stream/stream_metrics.h"

#define SPENT_BYTES (16 * 1024 * 1024)
#define MESSAGE_BYTES 300

typedef struct FileSink
{
	StreamItem	item;			/* first, so that one is the other */
	TaskWork		task;
	Exchange   *exchange;
	Request    *request;		/* NULL once it has gone */
	void		(*changed) (Request *request);
	StorageWriter *writer;		/* NULL: not begun, or no use any more */
	DigestFields *digests;		/* that the body has to have; NULL: any */
	char		tenant[64];
	char		id[64];
	PgStatement arguments;
	int64_t		size;			/* bytes that must come; -1: any number */
	int64_t		most;			/* bytes that may come; -1: any number */
	int64_t		quota;			/* bytes that the tenant may store still; -1: any number */
	char		sha256[2 * STORAGE_SHA256_BYTES + 1];	/* empty: any */
	int64_t		taken;
	size_t		wasted;
	bool		failed;			/* the request has its problem for a reply */
	bool		busy;			/* its task is under way */
	bool		async;			/* the body is kept for a job */
	bool		kept;			/* it is an object */
	/* what the task found */
	StorageFacts facts;
	StorageOutcome outcome;
	StorageFault fault;
	char		type[128];
	char		scan[MESSAGE_BYTES];
	bool		scan_failed;
} FileSink;

static void
give_up(FileSink *sink)
{
	if (sink->writer)
		storage_discard(sink->writer);
	sink->writer = NULL;
	digest_fields_free(sink->digests);
	sink->digests = NULL;
}

/* The reply is a problem from now on. */
static void
fail(FileSink *sink, const char *code, const char *path, const char *word, const char *detail)
{
	Request    *request = sink->request;

	give_up(sink);
	if (sink->failed)
		return;
	sink->failed = true;
	request->reply = (Reply) {0};
	if (path)
		problem_violation(request, path, word, detail);
	problem_reply(request, code, 0, detail, path ? request->violations.list.data : NULL);
	exchange_finish(sink->exchange, request);
}

static void
fail_outcome(FileSink *sink, StorageOutcome outcome)
{
	Request    *request = sink->request;

	if (outcome == STORAGE_DIFFERS)
		fail(sink, "conflict", NULL, NULL, "the attachment has been uploaded already, with other bytes");
	else
	{
		request->error = arena_format(&request->arena, "%s", sink->fault.message);
		log_event("error", "%s, traceId %s", request->error, request->trace_id);
		if (outcome == STORAGE_FULL)
			fail(sink, "insufficient_storage", NULL, NULL, "the object store has no room");
		else
			fail(sink, "unavailable", NULL, NULL, "the object store cannot take the file at present");
	}
}

/* ---- the body ---- */

static bool
is_too_large(const FileSink *sink, int64_t size)
{
	return (sink->most >= 0 && size > sink->most) || (uint64_t) size > sink->exchange->config->max_object;
}

static void
fail_quota(FileSink *sink)
{
	fail(sink, "insufficient_storage", NULL, NULL, "the body has more bytes than the tenant may store still");
}

/* Header fields that say what the body digests to do not fit it, or cannot be checked: they have been noted. */
static void
fail_digests(FileSink *sink, const char *detail)
{
	Request    *request = sink->request;

	give_up(sink);
	sink->failed = true;
	request->reply = (Reply) {0};
	problem_reply(request, "invalid_parameter", 0, detail, request->violations.list.data);
	exchange_finish(sink->exchange, request);
}

/* A body that says that it is too large is refused before it comes. */
static void
check_length(FileSink *sink)
{
	const char *header = request_header(sink->request, "Content-Length");
	int64_t		length = header ? strtoll(header, NULL, 10) : 0;

	if ((uint64_t) length > sink->exchange->config->max_object)
		fail(sink, "payload_too_large", NULL, NULL, "the body is larger than the server takes");
	else if (sink->quota >= 0 && length > sink->quota)
		fail_quota(sink);
}

static size_t
take(Stream *stream, const char *bytes, size_t length)
{
	FileSink   *sink = (FileSink *) stream;
	StorageOutcome outcome;

	stream_metrics_body(length);
	if (sink->failed)
	{
		sink->wasted += length;
		return length;
	}
	sink->taken += (int64_t) length;
	if (is_too_large(sink, sink->taken))
		fail(sink, "payload_too_large", NULL, NULL, "the body is larger than was announced, or than the server takes");
	else if (sink->quota >= 0 && sink->taken > sink->quota)
		fail_quota(sink);
	else if ((outcome = storage_write(sink->writer, bytes, length, &sink->fault)) != STORAGE_DONE)
		fail_outcome(sink, outcome);
	else
		digest_fields_take(sink->digests, bytes, length);
	return length;
}

static bool
is_blocked(const Stream *stream)
{
	(void) stream;
	return false;
}

static bool
is_spent(const Stream *stream)
{
	const FileSink *sink = (const FileSink *) stream;

	return sink->failed && sink->wasted > SPENT_BYTES;
}

/* ---- when all has come ---- */

/* Of S3: its URL is signed by the database, for what the object is. */
static void
keep_async(FileSink *sink)
{
	Arena		arena = {0};
	StorageName name = {sink->tenant, sink->id};
	Session    *session = storage_is_local() ? NULL : session_open(sink->exchange->config->db, "qehs-shim store");
	const char *message;
	const char *url = NULL;

	if (session == NULL || sign_url(session, "PUT", &name, &sink->facts, &arena, &url))
		sink->outcome = storage_keep(sink->writer, &name, url, &sink->fault);
	else
	{
		session_problem(session, &message);
		sink->outcome = STORAGE_FAILED;
		snprintf(sink->fault.message, sizeof(sink->fault.message), "%s", message);
	}
	if (session)
		session_close(session);
	arena_free(&arena);
}

static void
run_task(TaskWork *task)
{
	FileSink   *sink = (FileSink *) ((char *) task - offsetof(FileSink, task));
	const char *clamd = sink->exchange->config->clamd;
	int			file = storage_write_descriptor(sink->writer);
	StorageName name = {sink->tenant, sink->id};

	if (sink->async)
	{
		keep_async(sink);
		return;
	}
	sniff_type(file, sink->type, sizeof(sink->type));
	if (*clamd)
	{
		ScanOutcome found = clamd_scan(clamd, file, sink->scan, sizeof(sink->scan));

		sink->scan_failed = found == SCAN_FAILED;
		/* what does harm, or may, is not kept; what could not be scanned waits to be (status uploaded) */
		if (found == SCAN_INFECTED || found == SCAN_REFUSED)
			return;
	}
	sink->outcome = storage_keep(sink->writer, &name, NULL, &sink->fault);
}

/* Put what has come in the places of the endpoint's parameters. */
static void
bind_stored(FileSink *sink)
{
	Request    *request = sink->request;
	const Endpoint *endpoint = request->endpoint;

	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const Parameter *parameter = &endpoint->parameters[i];
		const char *text = NULL;

		if (parameter->place != IN_STORED)
			continue;
		if (strcmp(parameter->name, "sizeBytes") == 0)
			text = arena_format(&request->arena, "%lld", (long long) sink->facts.size);
		else if (strcmp(parameter->name, "sha256") == 0)
			text = sign_sha256(&sink->facts, &request->arena);
		else if (strcmp(parameter->name, "type") == 0)
			text = arena_format(&request->arena, "%s", sink->type);
		else if (strcmp(parameter->name, "id") == 0)
			text = sink->id;
		else if (*sink->scan && !sink->scan_failed)
			text = arena_format(&request->arena, "%s", sink->scan);
		sink->arguments.values[i] = text;
		sink->arguments.lengths[i] = text ? (int) strlen(text) : 0;
		sink->arguments.formats[i] = 0;
	}
}

static void
task_done(TaskWork *task)
{
	FileSink   *sink = (FileSink *) ((char *) task - offsetof(FileSink, task));
	Request    *request = sink->request;

	sink->busy = false;
	give_up(sink);
	sink->kept = sink->outcome == STORAGE_DONE;
	if (request == NULL)
		return;
	if (sink->scan_failed)
		log_event("error", "%s, traceId %s", sink->scan, request->trace_id);
	if (sink->outcome == STORAGE_DONE)
	{
		bind_stored(sink);
		request->digest = sink->async ? sink->facts.sha256 : NULL;
		exchange_conclude(sink->exchange, request, &sink->arguments, sink->changed);
		return;
	}
	fail_outcome(sink, sink->outcome);
	request->waiting = false;
	sink->changed(request);
}

static void
finish(Stream *stream)
{
	FileSink   *sink = (FileSink *) stream;

	if (sink->failed)
		return;
	storage_write_facts(sink->writer, &sink->facts);
	if (sink->size >= 0 && sink->facts.size != sink->size)
	{
		fail(sink, "validation_failed", "", "size", "the body has another size than was announced");
		return;
	}
	if (*sink->sha256 && strcmp(sign_sha256(&sink->facts, &sink->request->arena), sink->sha256) != 0)
	{
		fail(sink, "validation_failed", "", "sha256", "the body has another SHA-256 than was announced");
		return;
	}
	if (!digest_fields_fit(sink->digests, sink->request))
	{
		fail_digests(sink, "the body is not what its header says, and is not kept");
		return;
	}
	sink->request->waiting = true;
	sink->busy = true;
	sink->task = (TaskWork) {run_task, task_done, NULL, NULL};
	tasks_submit(sink->exchange->tasks, &sink->task);
}

/* ---- the interface of a stream ---- */

/* What begin has said. */
static void
read_description(FileSink *sink)
{
	Request    *request = sink->request;
	JsonDocument *description = arena_alloc(&request->arena, sizeof(JsonDocument));
	size_t		length;
	const char *text = job_text(&request->job, 1, &length);

	sink->size = sink->most = sink->quota = -1;
	if (text == NULL || !json_scan(text, length, &request->arena, description))
		return;
	for (int i = 0; i < description->count; i++)
	{
		const JsonMember *member = &description->members[i];

		if (strcmp(member->name, "most") == 0)
			sink->most = strtoll(member->value, NULL, 10);
		else if (strcmp(member->name, "size") == 0)
			sink->size = sink->most = strtoll(member->value, NULL, 10);
		else if (strcmp(member->name, "quota") == 0)
			sink->quota = strtoll(member->value, NULL, 10);
		else if (strcmp(member->name, "tenant") == 0 && member->type == JSON_STRING)
			snprintf(sink->tenant, sizeof(sink->tenant), "%s", json_decode(member->value, member->length, &request->arena, &length));
		else if (strcmp(member->name, "id") == 0 && member->type == JSON_STRING)
			snprintf(sink->id, sizeof(sink->id), "%s", json_decode(member->value, member->length, &request->arena, &length));
		else if (strcmp(member->name, "sha256") == 0 && member->type == JSON_STRING)
			snprintf(sink->sha256, sizeof(sink->sha256), "%s", json_decode(member->value, member->length, &request->arena, &length));
	}
}

static void
start(Stream *stream, void (*changed) (Request *request))
{
	FileSink   *sink = (FileSink *) stream;
	StorageOutcome outcome;
	bool		checkable = true;

	sink->changed = changed;
	stream_metrics_running(1);
	read_description(sink);
	if (!sink->async)
	{
		snprintf(sink->tenant, sizeof(sink->tenant), "%s", sink->request->path_values[0]);
		snprintf(sink->id, sizeof(sink->id), "%s", sink->request->path_values[1]);
	}
	sink->writer = storage_write_open(&outcome, &sink->fault);
	if (sink->writer == NULL)
		fail_outcome(sink, outcome);
	else if (sink->async)
		check_length(sink);
	else
	{
		sink->digests = digest_fields_read(sink->request, &checkable);
		if (!checkable)
			fail_digests(sink, "a digest of the body cannot be checked");
	}
}

/* ---- a body of which no job was made ---- */

static void
run_removal(TaskWork *task)
{
	FileSink   *sink = (FileSink *) ((char *) task - offsetof(FileSink, task));
	Arena		arena = {0};
	StorageName name = {sink->tenant, sink->id};
	Session    *session = storage_is_local() ? NULL : session_open(sink->exchange->config->db, "qehs-shim store");
	const char *url = NULL;

	/* what cannot be removed now is collected in a day */
	if (session == NULL || sign_url(session, "DELETE", &name, NULL, &arena, &url))
		storage_remove(&name, url, &sink->fault);
	if (session)
		session_close(session);
	arena_free(&arena);
}

static void
removal_done(TaskWork *task)
{
	FileSink   *sink = (FileSink *) ((char *) task - offsetof(FileSink, task));

	sink->busy = false;
}

/* The answer says that there is no job of this body; without one, or when the server failed, nobody knows. */
static bool
is_refused(const Request *request)
{
	const Reply *reply = &request->reply;

	for (int i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, "Idempotency-Replayed") == 0)
			return true;
	return reply->status >= 400 && reply->status < 500;
}

static void
close_sink(Stream *stream)
{
	FileSink   *sink = (FileSink *) stream;

	if (sink->changed)
		stream_metrics_running(-1);
	if (sink->async && sink->kept && is_refused(sink->request))
	{
		sink->busy = true;
		sink->task = (TaskWork) {run_removal, removal_done, NULL, NULL};
		tasks_submit(sink->exchange->tasks, &sink->task);
	}
	if (!sink->busy)
		give_up(sink);
	sink->request = NULL;
	sink->item.closed = true;
}

static int
tick_sink(StreamItem *item)
{
	(void) item;
	return -1;
}

static void
end_sink(StreamItem *item)
{
	(void) item;
}

static bool
is_free(const StreamItem *item)
{
	return !((const FileSink *) item)->busy;
}

static void
free_sink(StreamItem *item)
{
	give_up((FileSink *) item);
	free(item);
}

static const Sink body = {take, is_blocked, is_spent, finish};

StreamItem *
file_sink_open(Exchange *exchange, Request *request)
{
	FileSink   *sink = calloc(1, sizeof(FileSink));

	if (sink == NULL)
		abort();
	sink->exchange = exchange;
	sink->request = request;
	sink->arguments = request->job.statements[1];
	sink->async = request->async;
	sink->quota = -1;
	sink->item = (StreamItem) {
		.stream = {.sink = &body,.pool = exchange->pool,.start = start,.close = close_sink},
		.tick = tick_sink,.end = end_sink,.is_free = is_free,.free = free_sink,
	};
	return &sink->item;
}
