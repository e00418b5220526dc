/*
 * sort.h
 *	  The order of a list: its SQL, and the position that a cursor carries.
 *
 * A list is ordered by keys, "-severity,createdAt", and by id where they tie.  It has
 * two parts: records with a value of the first key, in its order, and behind them,
 * ascending or descending, those without one (which have no entry in the field's
 * index); within a part those without a value of a further key come last.
 */
#ifndef QEHS_SORT_H
#define QEHS_SORT_H

#include "record/query.h"

#define QEHS_SORT_KEYS 8

typedef struct SortKey
{
	FilterField field;
	bool		descending;
	bool		by_place;		/* an option, by its place among the field's */
	Oid			type;			/* of what is sorted by */
} SortKey;

typedef struct ListSort
{
	int			count;
	SortKey		keys[QEHS_SORT_KEYS];
	bool		backward;		/* the whole order turned round */
	bool		tied;			/* the conditions leave one value of the first key (list_ties.h) */
} ListSort;

typedef enum SortPart
{
	SORT_VALUED = 'v',
	SORT_REST = 'r'
} SortPart;

/* Where a page ended. */
typedef struct SortPosition
{
	SortPart	part;
	pg_uuid_t	id;
	Datum		values[QEHS_SORT_KEYS];
	bool		nulls[QEHS_SORT_KEYS];
} SortPosition;

/* Read "-severity,createdAt"; a fault at path when a key names no field of the module that has an order. */
extern void sort_read(const ModuleDef *module, const char *text, const char *path, ListSort *sort, ViolationList *faults);

/* Append all that a position depends on besides the request: a cursor is bound to it. */
extern void sort_describe(StringInfo out, const ListSort *sort);

/* Whether records may lack the first key. */
extern bool sort_has_rest(const ListSort *sort);

/*
 * Write the statement of a part into query->sql: query->columns and the values of the
 * keys (from LIST_PLACE_COLUMN on) of the records that conditions, SQL over the alias with the
 * arguments that query has already, holds for.  after is NULL for the beginning;
 * it has query->limit rows at most.
 */
extern void sort_write_statement(ListQuery *query, const ListSort *sort, SortPart part, const SortPosition *after,
								 const char *conditions);

/* A position as bytes, and back; false for bytes that are none. */
extern void sort_write_position(StringInfo out, const ListSort *sort, const SortPosition *position);
extern bool sort_read_position(const ListSort *sort, const char *bytes, int length, SortPosition *position);

#endif							/* QEHS_SORT_H */
