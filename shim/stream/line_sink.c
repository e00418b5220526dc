/*
 * line_sink.c
 *	  From the body (lines.h) to the database (load.h) to the answer (answer.h).
 *
 * Lines are gathered in one chunk while two are at the database; when all are
 * full, the body waits, which is all the back-pressure there is.
 *
 * What goes wrong after the answer's status has been promised (the database is
 * lost, the key revoked, the Content-Encoding broken) ends the answer with a line
 * {"error":<problem>} in place of the summary.
 *
 * The locks of a load in one transaction are held while it waits for its client: one
 * that brings too little in that time is given up.
 */
#include "stream/line_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "exchange/log.h"
#include "exchange/problem.h"
#include "stream/answer.h"
#include "stream/lines.h"
#include "stream/load.h"
#include "stream/stream_metrics.h"

#define MAX_LINE_BYTES (64 * 1024 * 1024)
#define SPENT_BYTES (16 * 1024 * 1024)
#define GATHER_NS (CLOCK_SECOND / 4)
/* What a transaction must get of its body while it waits for it, and in what time: 500 bytes a second. */
#define SLOW_BYTES 5000
#define SLOW_NS (10 * CLOCK_SECOND)

typedef enum Ending
{
	RUNNING, ENDING, ENDED
} Ending;

typedef struct LineSink
{
	StreamItem	item;			/* first, so that one is the other */
	Request    *request;
	void		(*changed) (Request *request);	/* NULL until lines are taken */
	LineReader	reader;
	Load		load;
	Answer		answer;
	const char *problem;		/* ends the answer once what is at the database has settled; NULL: none */
	size_t		problem_length;
	int64_t		counted[ANSWER_MOST_STATUSES];	/* of the lines that have been answered, those that the metrics have */
	PgStatement arguments;		/* of the request, in the order of its endpoint's parameters */
	size_t		line_limit;
	size_t		wasted;			/* bytes of the body since it broke */
	bool		held;			/* all chunks are one transaction, in which there is one */
	uint64_t	idle_since;		/* that transaction has waited for the body from then on; 0: it does not */
	uint64_t	idle;			/* nanoseconds that it has waited before */
	size_t		idle_bytes;		/* and what has come in that time */
	bool		body_ended;
	bool		told_urgent;
	Ending		ending;
} LineSink;

static void pump(LineSink *sink);

/* ---- what goes wrong ---- */

static void
fail_with_job(LineSink *sink, const PgJob *job)
{
	size_t		length;
	const char *problem = problem_of_job(sink->request, job, &length);

	if (sink->problem)
		return;
	sink->problem = problem;
	sink->problem_length = length;
}

static void
fail_with_code(LineSink *sink, const char *code, const char *detail)
{
	size_t		length;
	const char *problem = problem_of_code(sink->request, code, detail, &length);

	if (sink->problem)
		return;
	sink->problem = problem;
	sink->problem_length = length;
}

/* Chunks behind one that failed may have been loaded: their lines are answered first. */
static void
tell_problem(LineSink *sink)
{
	if (sink->problem && sink->load.sent_count == 0)
		answer_break(&sink->answer, sink->problem, sink->problem_length);
}

/* ---- who sends too slowly ---- */

/* The database has nothing to do for the transaction, or has again. */
static void
note_idle(LineSink *sink)
{
	bool		idle = sink->held && sink->load.sent_count == 0;
	uint64_t	now = clock_now();

	if (sink->idle_since > 0)
		sink->idle += now - sink->idle_since;
	sink->idle_since = idle ? now : 0;
}

static void
note_bytes(LineSink *sink, size_t bytes)
{
	sink->idle_bytes += bytes;
	if (sink->idle_bytes < SLOW_BYTES)
		return;
	sink->idle_bytes = sink->idle = 0;
	sink->idle_since = sink->idle_since > 0 ? clock_now() : 0;
}

/* When the transaction will have waited for too long; 0: it does not wait. */
static uint64_t
idle_end(const LineSink *sink)
{
	return sink->idle_since > 0 && !sink->body_ended && sink->ending == RUNNING && sink->problem == NULL ?
		sink->idle_since + SLOW_NS - (sink->idle < SLOW_NS ? sink->idle : SLOW_NS) : 0;
}

static bool
takes_lines(const LineSink *sink)
{
	return sink->problem == NULL && !sink->answer.stopped;
}

/* ---- what comes from the database ---- */

/* Those of one transaction count when it is known what became of them. */
static void
count_lines(LineSink *sink)
{
	const Answer *answer = &sink->answer;

	for (int i = 0; i < answer->status_count; i++)
	{
		const AnswerStatus *status = &answer->statuses[i];

		stream_metrics_lines(status->fate == STATUS_UNDONE && answer_undone(answer) ? "undone" : status->name, status->count - sink->counted[i]);
		sink->counted[i] = status->count;
	}
	sink->request->lines = answer_count(answer);
	sink->request->failed_lines = answer->failed;
}

/* The answer lacks lines: those that are loaded are found again by the load's Idempotency-Key. */
static void
check_kept(LineSink *sink)
{
	Request    *request = sink->request;

	if (sink->answer.lost == 0 || sink->problem)
		return;
	request->error = arena_format(&request->arena, "could not keep the answer of a stream: %s", strerror(sink->answer.lost));
	log_event("error", "%s, traceId %s", request->error, request->trace_id);
	fail_with_code(sink, "unavailable", "the server has no room for what the client has not read of the answer; more lines than are answered may have been "
				   "loaded, so read the answer while sending, and repeat the load with its Idempotency-Key");
}

static void
answer_chunk(void *owner, const Lines *lines, const PgJob *job, const char *text, size_t length)
{
	LineSink   *sink = owner;

	if (job->outcome != PG_DONE)
		fail_with_job(sink, job);
	else if (text)
		answer_take(&sink->answer, text, length);
	if (lines->long_line && takes_lines(sink))
		answer_long_line(&sink->answer, lines->long_line, sink->line_limit);
	check_kept(sink);
}

static void
on_round(void *owner, uint64_t took)
{
	LineSink   *sink = owner;

	sink->request->database_time += took;
	stream_metrics_chunk(took);
	note_idle(sink);
	if (!sink->answer.held)
		count_lines(sink);
	tell_problem(sink);
	pump(sink);
	sink->changed(sink->request);
}

static void
on_failed(void *owner, const PgJob *job)
{
	fail_with_job(owner, job);
}

static void
conclude(void *owner)
{
	LineSink   *sink = owner;

	tell_problem(sink);
	count_lines(sink);
	answer_end(&sink->answer, (clock_now() - sink->request->started) / 1000000);
	sink->ending = ENDED;
	sink->changed(sink->request);
}

static const LoadEvents events = {answer_chunk, on_round, on_failed, conclude};

/* ---- the flow of lines ---- */

static void
send_lines(LineSink *sink)
{
	load_send(&sink->load);
	sink->held = sink->load.target.transaction;
	note_idle(sink);
}

/* Send the chunk that is full, if its turn has come; one of no lines is answered for without the database. */
static bool
send_chunk(LineSink *sink)
{
	Lines	   *lines = load_lines(&sink->load);

	if (lines->count > 0 ? !load_may_send(&sink->load) : sink->load.sent_count > 0)
		return false;
	if (lines->count > 0)
		send_lines(sink);
	else
	{
		answer_long_line(&sink->answer, lines->long_line, sink->line_limit);
		lines_empty(lines);
	}
	return true;
}

/* Bring what there is of the body into chunks and chunks to the database, as far as it goes. */
static void
take_input(LineSink *sink)
{
	while (takes_lines(sink))
		switch (lines_fill(&sink->reader, load_lines(&sink->load)))
		{
			case LINES_FULL:
				if (!send_chunk(sink))
					return;
				break;
			case LINES_HUNGRY:
				return;
			default:
				fail_with_code(sink, "malformed_request", "the body is not what its Content-Encoding says");
		}
	lines_drop(&sink->reader);
	lines_empty(load_lines(&sink->load));
	tell_problem(sink);
}

static bool
input_left(const LineSink *sink)
{
	return takes_lines(sink) && (lines_full(load_lines(&sink->load)) || lines_waiting(&sink->reader));
}

/* All lines are answered. */
static void
end_stream(LineSink *sink)
{
	if (sink->ending != RUNNING)
		return;
	sink->ending = ENDING;
	if (sink->problem)
		conclude(sink);
	else
		load_end(&sink->load, sink->answer.failed > 0);
}

static void
pump(LineSink *sink)
{
	take_input(sink);
	/* what has failed needs no more of the body to be answered */
	if (sink->problem == NULL && (!sink->body_ended || input_left(sink)))
		return;
	if (takes_lines(sink) && !lines_end(&sink->reader, load_lines(&sink->load)))
		fail_with_code(sink, "malformed_request", "the body ends before its Content-Encoding does");
	if (takes_lines(sink) && load_lines(&sink->load)->count > 0)
		send_chunk(sink);
	tell_problem(sink);
	if (sink->load.sent_count == 0 && (!takes_lines(sink) || load_lines(&sink->load)->count == 0))
		end_stream(sink);
}

/* ---- the interface of a stream ---- */

static size_t
take(Stream *stream, const char *bytes, size_t length)
{
	LineSink   *sink = (LineSink *) stream;

	if (input_left(sink))
		return 0;
	stream_metrics_body(length);
	note_bytes(sink, length);
	if (!takes_lines(sink))
	{
		sink->wasted += length;
		return length;
	}
	lines_give(&sink->reader, bytes, length);
	pump(sink);
	return length;
}

static bool
is_blocked(const Stream *stream)
{
	return input_left((const LineSink *) stream);
}

static bool
is_spent(const Stream *stream)
{
	const LineSink *sink = (const LineSink *) stream;

	return sink->problem && sink->wasted > SPENT_BYTES;
}

static void
finish(Stream *stream)
{
	LineSink   *sink = (LineSink *) stream;

	sink->body_ended = true;
	pump(sink);
}

static bool
is_urgent(const Stream *stream)
{
	const LineSink *sink = (const LineSink *) stream;
	uint64_t	due = answer_due(&sink->answer);

	/* what has ended before its body was given up */
	return sink->ending == ENDED || (due > 0 && due <= clock_now());
}

static StreamPart
read_part(Stream *stream, char *buffer, size_t room, size_t *length)
{
	LineSink   *sink = (LineSink *) stream;
	StreamPart	part = answer_read(&sink->answer, buffer, room, length);

	sink->request->reply.length += *length;
	return part;
}

static StatusFate
fate_of(const char *word)
{
	return strcmp(word, "undone") == 0 ? STATUS_UNDONE : strcmp(word, "counted") == 0 ? STATUS_COUNTED : STATUS_TOLD;
}

static void
read_statuses(Answer *answer, const JsonMember *list, Arena *arena)
{
	JsonDocument *statuses = arena_alloc(arena, sizeof(JsonDocument));
	size_t		length;

	if (!json_scan(list->value, list->length, arena, statuses))
		return;
	for (int i = 0; i < statuses->count && answer->status_count < ANSWER_MOST_STATUSES; i++)
	{
		AnswerStatus *status = &answer->statuses[answer->status_count++];

		snprintf(status->name, sizeof(status->name), "%s", statuses->members[i].name);
		if (statuses->members[i].type == JSON_STRING)
			status->fate = fate_of(json_decode(statuses->members[i].value, statuses->members[i].length, arena, &length));
		/* a counter is there from its first load on, though it counts none */
		stream_metrics_lines(status->name, 0);
	}
}

/* What the endpoint's begin has said of how its load is to be run (qehs.endpoint.stream_begin).  Returns the delimiter of CSV, or NUL. */
static char
read_description(LineSink *sink, LoadTarget *target)
{
	Arena	   *arena = &sink->request->arena;
	JsonDocument *description = arena_alloc(arena, sizeof(JsonDocument));
	size_t		length;
	char		delimiter = '\0';
	const char *text = job_text(&sink->request->job, 1, &length);

	if (text == NULL || !json_scan(text, length, arena, description))
		return '\0';
	for (int i = 0; i < description->count; i++)
	{
		const JsonMember *member = &description->members[i];
		bool		is_true = member->type == JSON_TRUE;

		if (strcmp(member->name, "transaction") == 0)
			target->transaction = sink->answer.held = is_true;
		else if (strcmp(member->name, "inTurns") == 0)
			target->in_turns = is_true;
		else if (strcmp(member->name, "stopOnFailure") == 0)
			sink->answer.stop = is_true;
		else if (strcmp(member->name, "statuses") == 0)
			read_statuses(&sink->answer, member, arena);
		else if (strcmp(member->name, "delimiter") == 0 && member->type == JSON_STRING)
			delimiter = *json_decode(member->value, member->length, arena, &length);
	}
	return delimiter;
}

static void
start(Stream *stream, void (*changed) (Request *request))
{
	LineSink   *sink = (LineSink *) stream;
	Request    *request = sink->request;
	char		delimiter;
	LoadTarget	target = {
		.endpoint = request->endpoint,
		.begin = request->job.statements[0],
		.request_end = request->router->end,
		.arguments = sink->arguments,
		.reader = &sink->reader,
	};

	sink->changed = changed;
	stream_metrics_lines("undone", 0);
	delimiter = read_description(sink, &target);
	stream_metrics_running(1);
	lines_open(&sink->reader, request_header(request, "Content-Encoding"), sink->line_limit, delimiter);
	load_start(&sink->load, &target);
}

static void
close_sink(Stream *stream)
{
	LineSink   *sink = (LineSink *) stream;

	if (sink->changed)
		stream_metrics_running(-1);
	load_leave(&sink->load);
	sink->item.closed = true;
	sink->request = NULL;
}

/* ---- what the event loop calls ---- */

static void
free_sink(StreamItem *item)
{
	LineSink   *sink = (LineSink *) item;

	load_free(&sink->load);
	lines_close(&sink->reader);
	answer_close(&sink->answer);
	free(sink);
}

static int
earlier(int next, uint64_t due, uint64_t now)
{
	int			left = due > now ? (int) ((due - now) / 1000000 + 1) : 0;

	return next < 0 || left < next ? left : next;
}

/* What one stream has due: a slow client's lines are not kept waiting for more, nor are their answers. */
static int
tick(LineSink *sink)
{
	const Lines *lines = load_lines(&sink->load);
	uint64_t	now = clock_now();
	uint64_t	due = sink->body_ended || sink->told_urgent ? 0 : answer_due(&sink->answer);
	uint64_t	slow = idle_end(sink);
	int			next = pool_tick(sink->load.pool);

	if (slow > 0 && slow <= now)
	{
		fail_with_code(sink, "timeout", "the client sent less than 500 bytes a second while the transaction held its locks; nothing is loaded: send faster, "
					   "or without mode=atomic");
		pump(sink);
		return next;
	}
	if (slow > 0)
		next = earlier(next, slow, now);
	if (due > 0 && due <= now)
	{
		sink->told_urgent = true;
		sink->changed(sink->request);
	}
	else if (due > 0)
		next = earlier(next, due, now);
	if (sink->load.sent_count > 0 || lines->count == 0 || sink->ending != RUNNING || !takes_lines(sink))
		return next;
	if (now < lines->since + GATHER_NS)
		return earlier(next, lines->since + GATHER_NS, now);
	send_lines(sink);
	return next;
}

static int
tick_sink(StreamItem *item)
{
	LineSink   *sink = (LineSink *) item;

	if (sink->ending == ENDED)
		load_release(&sink->load);
	return sink->load.pool ? tick(sink) : -1;
}

static void
end_sink(StreamItem *item)
{
	LineSink   *sink = (LineSink *) item;

	load_release(&sink->load);
	if (!item->closed && sink->changed)
		sink->changed(sink->request);
}

static const Sink body = {take, is_blocked, is_spent, finish};
static const Source answer = {read_part, is_urgent};

StreamItem *
line_sink_open(Exchange *exchange, Request *request)
{
	LineSink   *sink = calloc(1, sizeof(LineSink));

	if (sink == NULL)
		abort();
	sink->request = request;
	sink->arguments = request->job.statements[1];
	sink->line_limit = exchange->config->max_body < MAX_LINE_BYTES ? exchange->config->max_body : MAX_LINE_BYTES;
	load_open(&sink->load, exchange->config->db, exchange->epoll, &events, sink);
	answer_open(&sink->answer);
	sink->item = (StreamItem) {
		.stream = {.sink = &body,.source = &answer,.pool = sink->load.pool,.start = start,.close = close_sink},
		.tick = tick_sink,.end = end_sink,.free = free_sink,
	};
	return &sink->item;
}
