/*
 * answer.c
 *	  What is not read yet waits in spools, so that a client may send all of its
 *	  lines before it reads.
 */
#include "stream/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "exchange/log.h"

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

static LineOutcome
outcome_of(const char *line, size_t length)
{
	static const char mark[] = "\"status\":\"";
	const char *status = memmem(line, length, mark, sizeof(mark) - 1);

	switch (status ? status[sizeof(mark) - 1] : 'f')
	{
		case 'c':
			return LINE_CREATED;
		case 'u':
			return LINE_UPDATED;
		case 'r':
			return LINE_REPLAYED;
		case 'v':
			return LINE_VALID;
		default:
			return LINE_FAILED;
	}
}

int64_t
answer_count(const Answer *answer)
{
	int64_t		sum = 0;

	for (int i = 0; i < LINE_OUTCOMES; i++)
		sum += answer->counts.of[i];
	return sum;
}

bool
answer_undone(const Answer *answer)
{
	return answer->atomic && (answer->counts.of[LINE_FAILED] > 0 || answer->broken);
}

/* Count one answer line; as a remark it is kept here, else with those around it. */
static void
count_line(Answer *answer, const char *line, size_t length)
{
	LineOutcome outcome = outcome_of(line, length);

	answer->counts.of[outcome]++;
	answer->stopped = answer->stopped || (outcome == LINE_FAILED && answer->stop);
	if (answer->atomic && (outcome == LINE_FAILED || outcome == LINE_REPLAYED))
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
	const int64_t *of = answer->counts.of;
	bool		undone = answer_undone(answer);
	char		updated[48] = "";
	char		valid[48] = "";
	int			length;

	answer->ended = true;
	if (answer->broken)
		return;
	if (answer->upsert)
		snprintf(updated, sizeof(updated), ",\"updated\":%lld", undone ? 0 : (long long) of[LINE_UPDATED]);
	if (answer->dry_run)
		snprintf(valid, sizeof(valid), ",\"valid\":%lld", (long long) of[LINE_VALID]);
	length = snprintf(text, sizeof(text), "{\"summary\":{\"lines\":%lld,\"created\":%lld%s%s,\"replayed\":%lld,\"failed\":%lld,"
					  "\"durationMs\":%llu}}\n", (long long) answer_count(answer), undone ? 0 : (long long) of[LINE_CREATED], updated, valid,
					  (long long) of[LINE_REPLAYED], (long long) of[LINE_FAILED], (unsigned long long) milliseconds);
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
	ssize_t		count;

	*length = 0;
	if (answer->lost)
		return ANSWER_LOST;
	if (answer->atomic && !answer->ended)
		return ANSWER_WAIT;
	count = spool_read(answer_undone(answer) ? &answer->remarks : &answer->lines, buffer, room);
	if (count < 0)
		return ANSWER_LOST;
	*length = (size_t) count;
	return count > 0 ? ANSWER_BYTES : answer->ended ? ANSWER_END : ANSWER_WAIT;
}
