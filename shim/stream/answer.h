/*
 * answer.h
 *	  The answer of a body of lines: a line for each line, and a last one that is a
 *	  summary or an error.
 *
 * Lines are kept in the order in which they are given, until they are read.  The
 * answer of a load that is one transaction is held back until it has ended: after a
 * failure it names only some of them, as their status says.
 *
 * What cannot be kept any more (no room in TMPDIR, the bounds of spool.h) breaks the
 * answer: the lines kept before are sent, then the error that says so.
 */
#ifndef QEHS_ANSWER_H
#define QEHS_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/stream.h"
#include "stream/spool.h"

#define ANSWER_MOST_STATUSES 8
#define ANSWER_STATUS_BYTES 24

/* What a rollback makes of a line with a status. */
typedef enum StatusFate
{
	STATUS_UNDONE,				/* it has not happened: neither told nor counted */
	STATUS_COUNTED,				/* not told, but counted */
	STATUS_TOLD
} StatusFate;

/* A status that an answer line can have. */
typedef struct AnswerStatus
{
	char		name[ANSWER_STATUS_BYTES];
	StatusFate	fate;
	int64_t		count;
} AnswerStatus;

typedef struct Answer
{
	bool		held;			/* until all has ended, as it is one transaction; set by the caller as the next three */
	bool		stop;			/* at the first line that fails */
	int			status_count;	/* in the order of the summary */
	AnswerStatus statuses[ANSWER_MOST_STATUSES];
	int64_t		failed;			/* lines that failed */
	Spool		lines;
	Spool		remarks;		/* held: of lines that are told after a rollback */
	char	   *last;			/* the last line */
	size_t		last_length;
	size_t		last_read;
	bool		stopped;		/* a line has failed that all ends with */
	bool		broken;			/* ends with an error */
	bool		ended;			/* its last line is there */
	int			lost;			/* errno of what could not be kept; 0: all could */
	uint64_t	since;			/* when the oldest part that waits came, or before */
} Answer;

/* Begin an answer; free what it holds. */
extern void answer_open(Answer *answer);
extern void answer_close(Answer *answer);

/* Lines that were answered. */
extern int64_t answer_count(const Answer *answer);
/* Is what the lines say that was stored taken back, or will it be? */
extern bool answer_undone(const Answer *answer);

/* Answer lines of the endpoint's function, separated by newlines. */
extern void answer_take(Answer *answer, const char *text, size_t length);
/* A line failed for being longer than limit bytes. */
extern void answer_long_line(Answer *answer, int64_t line, size_t limit);
/* The last line will be {"error":problem}, unless it is one already. */
extern void answer_break(Answer *answer, const char *problem, size_t length);
/* Nothing more comes: unless it broke, the last line is the summary.  milliseconds is how long the load took. */
extern void answer_end(Answer *answer, uint64_t milliseconds);

/*
 * When a part that waits is to be sent though the body has not ended: at once if
 * it is much, a moment after it came otherwise.  0: nothing waits.
 */
extern uint64_t answer_due(const Answer *answer);

/* The next bytes, at most room; STREAM_BROKEN when what was kept cannot be read. */
extern StreamPart answer_read(Answer *answer, char *buffer, size_t room, size_t *length);

#endif							/* QEHS_ANSWER_H */
