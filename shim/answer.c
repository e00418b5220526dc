/*
 * answer.c
 *	  What is not read yet waits in spools, so that a client may send all of its
 *	  lines before it reads.
 */
#include "answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"

#define MUCH_BYTES (64 * 1024)
#define WAIT_NS (CLOCK_SECOND / 4)

void
answer_open(Answer *answer)
{
	*answer = (Answer) {0};
	spool_init(&answer->lines);
	spool_init(&answer->remarks);
}

void
answer_close(Answer *answer)
{
	spool_free(&answer->lines);
	spool_free(&answer->remarks);
}

static void
keep(Answer *answer, Spool *spool, const char *bytes, size_t length)
{
	if (length == 0 || answer->lost)
		return;
	if (spool_left(&answer->lines) == 0)
		answer->since = clock_now();
	if (!spool_append(spool, bytes, length))
	{
		log_event("error", "could not keep the answer of a bulk load: %s", strerror(errno));
		answer->lost = true;
	}
}

/* Count one answer line; as a remark it is kept here, else with those around it. */
static void
count_line(Answer *answer, const char *line, size_t length)
{
	static const char mark[] = "\"status\":\"";
	const char *status = memmem(line, length, mark, sizeof(mark) - 1);
	char		first = status ? status[sizeof(mark) - 1] : 'f';

	answer->count++;
	answer->created += first == 'c';
	answer->updated += first == 'u';
	answer->replayed += first == 'r';
	answer->failed += first == 'f';
	answer->valid += first == 'v';
	answer->stopped = answer->stopped || (first == 'f' && answer->stop);
	if (answer->atomic && (first == 'f' || first == 'r'))
	{
		keep(answer, &answer->remarks, line, length);
		keep(answer, &answer->remarks, "\n", 1);
	}
}

void
answer_take(Answer *answer, const char *text, size_t length)
{
	const char *end = text + length;

	for (const char *line = text; line < end;)
	{
		const char *newline = memchr(line, '\n', (size_t) (end - line));
		const char *stop = newline ? newline : end;

		count_line(answer, line, (size_t) (stop - line));
		line = stop + 1;
	}
	keep(answer, &answer->lines, text, length);
	if (length > 0 && end[-1] != '\n')
		keep(answer, &answer->lines, "\n", 1);
}

void
answer_long_line(Answer *answer, int64_t line, size_t limit)
{
	char		text[256];
	int			length = snprintf(text, sizeof(text), "{\"line\":%lld,\"status\":\"failed\",\"errors\":[{\"path\":\"\","
								  "\"code\":\"payload_too_large\",\"message\":\"must be at most %zu bytes long\"}]}",
								  (long long) line, limit);

	answer_take(answer, text, (size_t) length);
}

void
answer_end(Answer *answer, uint64_t milliseconds)
{
	char		text[512];
	bool		undone = answer->atomic && answer->failed > 0;
	char		updated[48] = "";
	char		valid[48] = "";
	int			length;

	answer->ended = true;
	if (answer->broken)
		return;
	if (answer->upsert)
		snprintf(updated, sizeof(updated), ",\"updated\":%lld", undone ? 0 : (long long) answer->updated);
	if (answer->dry_run)
		snprintf(valid, sizeof(valid), ",\"valid\":%lld", (long long) answer->valid);
	length = snprintf(text, sizeof(text), "{\"summary\":{\"lines\":%lld,\"created\":%lld%s%s,\"replayed\":%lld,\"failed\":%lld,"
					  "\"durationMs\":%llu}}\n", (long long) answer->count, undone ? 0 : (long long) answer->created, updated, valid,
					  (long long) answer->replayed, (long long) answer->failed, (unsigned long long) milliseconds);
	keep(answer, undone ? &answer->remarks : &answer->lines, text, (size_t) length);
}

void
answer_break(Answer *answer, const char *problem, size_t length)
{
	Spool	   *spool = answer->atomic ? &answer->remarks : &answer->lines;

	if (answer->broken)
		return;
	answer->broken = true;
	keep(answer, spool, "{\"error\":", 9);
	keep(answer, spool, problem, length);
	keep(answer, spool, "}\n", 2);
}

uint64_t
answer_due(const Answer *answer)
{
	size_t		left = spool_left(&answer->lines);

	if (left == 0 || answer->atomic)
		return 0;
	return left >= MUCH_BYTES ? answer->since : answer->since + WAIT_NS;
}

AnswerPart
answer_read(Answer *answer, char *buffer, size_t room, size_t *length)
{
	bool		undone = answer->atomic && (answer->failed > 0 || answer->broken);
	ssize_t		count;

	*length = 0;
	if (answer->lost)
		return ANSWER_LOST;
	if (answer->atomic && !answer->ended)
		return ANSWER_WAIT;
	count = spool_read(undone ? &answer->remarks : &answer->lines, buffer, room);
	if (count < 0)
		return ANSWER_LOST;
	*length = (size_t) count;
	return count > 0 ? ANSWER_BYTES : answer->ended ? ANSWER_END : ANSWER_WAIT;
}
