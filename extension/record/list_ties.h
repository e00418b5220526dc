/*
 * list_ties.h
 *	  Lists by several keys whose first ties in many records; used by list.c only.
 *
 * Records that tie would all be read to be sorted by the other keys.  So those of one value are a statement of their
 * own, in which the planner may take the index of the next key, and value follows value by the index of the first.
 */
#ifndef QEHS_LIST_TIES_H
#define QEHS_LIST_TIES_H

#include "record/sort.h"

typedef struct Ties
{
	const ListQuery *query;
	const ListSort *sort;
	Datum		key;			/* the value that is next, as a position has it */
	Datum		value;			/* and as records have it */
	bool		many;			/* so many records tie in it that they are walked by themselves */
} Ties;

/* Whether a list is walked so: by several keys, whose first has an index, and is not an option of too many. */
extern bool ties_walk(const ListQuery *query, const ListSort *sort);

/* Begin with the first value, or that of a position (NULL: none); false when there is none.  Inside SPI. */
extern bool ties_begin(Ties *ties, const ListQuery *query, const ListSort *sort, const SortPosition *after);

/* Go to the next value; false behind the last. */
extern bool ties_next(Ties *ties);

/* Conditions for the records of the value alone, or of it and all that follow, with their arguments in query. */
extern char *ties_conditions(const Ties *ties, ListQuery *query, const char *conditions, bool alone);

#endif							/* QEHS_LIST_TIES_H */
