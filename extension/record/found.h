/*
 * found.h
 *	  The records that a question finds, by the index of words, in the order of their
 *	  display numbers.
 *
 * The index is asked for bucket after bucket of numbers (search.c), from the end that is
 * wanted on, until the caller has enough.  All but found_few is called inside SPI.
 */
#ifndef QEHS_FOUND_H
#define QEHS_FOUND_H

#include "record/query.h"
#include "record/question.h"

typedef struct Found
{
	Question   *question;
	int32		tenant_id;
	int32		module_id;
	bool		descending;
	int64		position;		/* numbers behind it are to come */
	int			width;			/* buckets of the next step */
	int64		low;			/* the numbers of this step */
	int64		high;
} Found;

/* Begin behind a display number, or at the end that comes first (after NULL). */
extern void found_begin(Found *found, Question *question, int32 tenant_id, int32 module_id, bool descending, const int64 *after);

/* Go to the next numbers that records have; false at the end. */
extern bool found_next(Found *found);

/*
 * Write the statement of a step: columns of the records that have what is needed (found_is_exact) and for which conditions, SQL over
 * the query's alias, hold; within a bucket in order.  Whoever wants some of them only stops the executor: it takes bucket after bucket.
 */
extern void found_write_step(ListQuery *query, const Found *found, const char *columns, const char *conditions, const char *order);

/*
 * If the index has at most limit entries of a question, let query take them in place of all records (query->source) and
 * return true.  Reads the index alone, some 0.1 microseconds an entry.
 */
extern bool found_few(Question *question, int32 tenant_id, int32 module_id, int64 limit, ListQuery *query);

#endif							/* QEHS_FOUND_H */
