/*
 * page.h
 *	  The frame of a list that goes by a cursor: a page of rows in the order of a key of fixed size, behind the
 *	  last one of the page before.
 */
#ifndef QEHS_PAGE_H
#define QEHS_PAGE_H

#include "base/plan.h"
#include "caller/context.h"
#include "fmgr.h"

typedef struct ListPage
{
	RequestContext *context;
	const char *endpoint;		/* cursors are bound to it, */
	const char *binding;		/* and to what narrows the list; NULL: nothing does */
	void	   *position;		/* key of the last row that was read; at first that behind which the list begins */
	int			size;			/* bytes of it */
	int32		limit;
	bool		more;			/* rows follow */
	bool		has_item;
	StringInfoData out;
} ListPage;

/*
 * Begin the answer, with page_size and cursor of the caller, the arguments first and the one after: position becomes that of
 * the cursor.  Raises QH400 invalid_parameter, invalid_cursor.
 */
extern void page_begin(ListPage *page, FunctionCallInfo fcinfo, int first);

/* Run the statement that gives rows in their order; gives how many of them are of the page.  Inside SPI. */
extern uint64 page_select(ListPage *page, KeptPlan *plan, Datum *values, const char *nulls);

/* Between items of the page: what is appended to page->out next is one. */
extern void page_next(ListPage *page);

/* The answer: items, nextCursor and the Link header. */
extern Datum page_end(ListPage *page);

#endif							/* QEHS_PAGE_H */
