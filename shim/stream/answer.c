/*
 * answer.c
 *	  What is not read yet waits in spools, so that a client may send all of its
 *	  lines before it reads.
 */
#include "stream/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

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
	free(answer->last);
}

static void
keep(Answer *answer, Spool *spool, const char *bytes, size_t length)
{
	if (length == 0 || answer->lost)
		return;
	if (spool_left(&answer->lines) == 0)
		answer->since = clock_now();
	if (!spool_append(spool, bytes, length))
		answer->lost = errno;
}

/* The line's status; one without a known status has failed. */
static AnswerStatus *
status_of(Answer *answer, const char *line, size_t length)
{
	static const char mark[] = "\"status\":\"";
	const char *found = memmem(line, length, mark, sizeof(mark) - 1);
	const char *end = line + length;

	for (int i = 0; found && i < answer->status_count; i++)
	{
		AnswerStatus *status = &answer->statuses[i];
		size_t		size = strlen(status->name);
		const char *name = found + sizeof(mark) - 1;

		if ((size_t) (end - name) > size && memcmp(name, status->name, size) == 0 && name[size] == '"')
			return status;
	}
	return NULL;
}

int64_t
answer_count(const Answer *answer)
{
	int64_t		sum = 0;

	for (int i = 0; i < answer->status_count; i++)
		sum += answer->statuses[i].count;
	return sum;
}

bool
answer_undone(const Answer *answer)
{
	return answer->held && (answer->failed > 0 || answer->broken);
}

/* Count one answer line; as a remark it is kept here, else with those around it. */
static void
count_line(Answer *answer, const char *line, size_t length)
{
	AnswerStatus *status = status_of(answer, line, length);
	bool		failed = status == NULL || strcmp(status->name, "failed") == 0;

	if (status)
		status->count++;
	answer->failed += failed;
	answer->stopped = answer->stopped || (failed && answer->stop);
	if (answer->held && (status == NULL || status->fate == STATUS_TOLD))
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

/* The last line, which is kept in memory: there is room for it when there is none for others. */
static void
set_last(Answer *answer, const char *before, const char *text, size_t length, const char *after)
{
	size_t		size = strlen(before) + length + strlen(after) + 1;

	free(answer->last);
	answer->last = malloc(size);
	if (answer->last == NULL)
		abort();
	answer->last_length = (size_t) snprintf(answer->last, size, "%s%.*s%s", before, (int) length, text, after);
	if (spool_left(&answer->lines) == 0)
		answer->since = clock_now();
}

void
answer_end(Answer *answer, uint64_t milliseconds)
{
	char		text[512];
	bool		undone = answer_undone(answer);
	int			length;

	answer->ended = true;
	if (answer->broken)
		return;
	length = snprintf(text, sizeof(text), "{\"summary\":{\"lines\":%lld", (long long) answer_count(answer));
	for (int i = 0; i < answer->status_count; i++)
		length += snprintf(text + length, sizeof(text) - (size_t) length, ",\"%s\":%lld", answer->statuses[i].name,
						   undone && answer->statuses[i].fate == STATUS_UNDONE ? 0LL : (long long) answer->statuses[i].count);
	length += snprintf(text + length, sizeof(text) - (size_t) length, ",\"durationMs\":%llu}}\n", (unsigned long long) milliseconds);
	set_last(answer, "", text, (size_t) length, "");
}

void
answer_break(Answer *answer, const char *problem, size_t length)
{
	if (answer->broken)
		return;
	answer->broken = true;
	set_last(answer, "{\"error\":", problem, length, "}\n");
}

uint64_t
answer_due(const Answer *answer)
{
	size_t		left = spool_left(&answer->lines) + answer->last_length - answer->last_read;

	if (left == 0 || answer->held)
		return 0;
	return left >= MUCH_BYTES ? answer->since : answer->since + WAIT_NS;
}

StreamPart
answer_read(Answer *answer, char *buffer, size_t room, size_t *length)
{
	size_t		left = answer->last_length - answer->last_read;
	ssize_t		count;

	*length = 0;
	if (answer->held && !answer->ended)
		return STREAM_WAIT;
	count = spool_read(answer_undone(answer) ? &answer->remarks : &answer->lines, buffer, room);
	if (count < 0)
		return STREAM_BROKEN;
	if (count == 0 && answer->last)
	{
		count = (ssize_t) (left < room ? left : room);
		memcpy(buffer, answer->last + answer->last_read, (size_t) count);
		answer->last_read += (size_t) count;
	}
	*length = (size_t) count;
	return count > 0 ? STREAM_BYTES : answer->ended ? STREAM_END : STREAM_WAIT;
}
