/*
 * answer.h
 *	  The answer of a bulk load: a line for each line, and a last one that is a
 *	  summary or an error.
 *
 * Lines are kept in the order in which they are given, until they are read.  The
 * answer of an atomic load is held back until it has ended: after a failure it
 * names only the lines that failed and those that had been loaded before.
 */
#ifndef QEHS_ANSWER_H
#define QEHS_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "stream/spool.h"

/* What became of a line. */
typedef enum LineOutcome
{
	LINE_CREATED, LINE_UPDATED, LINE_REPLAYED, LINE_VALID, LINE_FAILED, LINE_OUTCOMES
} LineOutcome;

typedef struct LineCounts
{
	int64_t		of[LINE_OUTCOMES];
} LineCounts;

typedef struct Answer
{
	bool		atomic;			/* what was asked for, set by the caller as the next three */
	bool		stop;			/* at the first line that fails */
	bool		upsert;
	bool		dry_run;
	Spool		lines;
	Spool		remarks;		/* atomic: of lines that failed or were there before */
	LineCounts	counts;
	bool		stopped;		/* a line has failed that all ends with */
	bool		broken;			/* ends with an error */
	bool		ended;			/* its last line is there */
	bool		lost;			/* it could not be kept */
	uint64_t	since;			/* when the oldest part that waits came, or before */
} Answer;

/* Begin an answer; free what it holds. */
extern void answer_open(Answer *answer);
extern void answer_close(Answer *answer);

/* Lines that were answered. */
extern int64_t answer_count(const Answer *answer);
/* Is what the lines say that was stored taken back, or will it be? */
extern bool answer_undone(const Answer *answer);

/* Answer lines of qehs.bulk_load, separated by newlines. */
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

typedef enum AnswerPart
{
	ANSWER_BYTES, ANSWER_WAIT, ANSWER_END, ANSWER_LOST
} AnswerPart;

/* The next bytes, at most room; ANSWER_LOST when the answer could not be kept. */
extern AnswerPart answer_read(Answer *answer, char *buffer, size_t room, size_t *length);

#endif							/* QEHS_ANSWER_H */
