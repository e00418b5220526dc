/*
 * list_search.h
 *	  The part of a list that q asks for; used by list.c and list_count.c only.
 *
 * Inside SPI.
 */
#ifndef QEHS_LIST_SEARCH_H
#define QEHS_LIST_SEARCH_H

#include "record/found.h"
#include "record/list.h"

/* Read q and say whether the index can answer it (walk->question); with a fault, or without q, NULL. */
extern Question *list_search_open(ListWalk *walk, const ListRequest *request);

/*
 * Append that a record has the words of q to the conditions, which are whole but for that, and say how its records are
 * found: step by step (walk->steps), or all at once (walk->query.source), or by their order.
 */
extern void list_search_append(ListWalk *walk, const Question *question, const ListRequest *request);

/* Run one step of walk->question: columns of its records, in each bucket in order.  Returns SPI_processed, at most limit (0: all). */
extern uint64 list_search_step(const ListWalk *walk, Found *found, const char *columns, const char *order, uint64 limit);

/* How many records walk->question finds, counted step by step until there are more than enough, or the work is done (found.h): then *cut. */
extern int64 list_search_count(const ListWalk *walk, int64 enough, int64 most, bool *cut);

#endif							/* QEHS_LIST_SEARCH_H */
