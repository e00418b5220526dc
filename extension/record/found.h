/*
 * found.h
 *	  The records that a question finds, by the index of words, in the order of their
 *	  display numbers.
 *
 * The index is asked for a few buckets of numbers at a time (search.c), from the end
 * that is wanted on, until the caller has enough.
 */
#ifndef QEHS_FOUND_H
#define QEHS_FOUND_H

#include "record/query.h"
#include "record/question.h"

typedef struct Found
{
	const Question *question;
	int32		tenant_id;
	int32		module_id;
	bool		descending;
	int64		position;		/* numbers behind it are to come */
	int			width;			/* buckets of the next step */
	int64		low;			/* the numbers of this step */
	int64		high;
} Found;

/* Begin behind a display number, or at the end that comes first (after NULL). */
extern void found_begin(Found *found, const Question *question, int32 tenant_id, int32 module_id, bool descending, const int64 *after);

/* Go to the next numbers that records have; false at the end.  Inside SPI. */
extern bool found_next(Found *found);

/*
 * Append "(…) AS r WHERE r.display_no BETWEEN …": the records of the step that have the words of the question, under the query's alias.
 * Planned once for all steps: the index of words is the only way in.
 */
extern void found_write_source(ListQuery *query, const Found *found);

#endif							/* QEHS_FOUND_H */
