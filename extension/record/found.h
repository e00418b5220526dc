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
	int64		left;			/* steps through the index before a page ends */
	bool		cut;			/* it ends here, at position */
	int64		low;			/* the numbers of this step */
	int64		high;
} Found;

/*
 * Begin behind a display number, or at the end that comes first (after NULL).  Once the index has done most steps (search_index.h) no
 * other bucket is read, and found->cut is set where it would be.
 */
extern void found_begin(Found *found, Question *question, int32 tenant_id, int32 module_id, bool descending, const int64 *after, int64 most);

/* Go to the next numbers that records have; false at the end.  With found->cut they are not to be read. */
extern bool found_next(Found *found);

/*
 * Write the statement of a step: columns of the records that have what is needed (found_is_exact) and for which conditions, SQL over
 * the query's alias, hold; within a bucket in order.  Whoever wants some of them only stops the executor: it takes bucket after bucket.
 */
extern void found_write_step(ListQuery *query, const Found *found, const char *columns, const char *conditions, const char *order);

/* Call before and behind the statement of a step: what of it is read counts, and the next one begins where it ended. */
extern void found_begin_step(const Found *found);
extern void found_end_step(Found *found);

/*
 * If the index has at most limit entries of a question, let query take them in place of all records (query->source) and
 * return true.  Reads the index alone, some 0.1 microseconds an entry.
 */
extern bool found_few(Question *question, int32 tenant_id, int32 module_id, int64 limit, ListQuery *query);

#endif							/* QEHS_FOUND_H */
