/*
 * list.h
 *	  Records of a module by filter, search and order: a walk that REST, GraphQL
 *	  and exports share.
 *
 * Usage, inside SPI:
 *		list_open(&walk, context, &request, &faults);
 *		... raise what faults holds ...
 *		more = list_rows(&walk, after, backward, limit, columns, visit, owner);
 *
 * Only records that the caller may read are walked, and only by fields that he may
 * read of every record.
 */
#ifndef QEHS_LIST_H
#define QEHS_LIST_H

#include "record/question.h"
#include "record/sort.h"

/* What is asked for; whatever is NULL is not. */
typedef struct ListRequest
{
	const ModuleDef *module;	/* the current definition */
	Jsonb	   *filter;
	const char *filter_path;	/* of the filter in the request, for faults: "?filter" */
	const char *status;
	const char *from;
	const char *to;
	const char *q;
	const char *sort;			/* NULL: -createdAt, with q -displayCode */
	const char *sort_name;		/* of the parameter; NULL: sort */
	bool		deleted_too;
	uint32		action;			/* that the caller must have on a record beside read; 0: none */
	bool		in_body;		/* faults are at /filter…, /sort in place of ?filter…, ?sort */
} ListRequest;

typedef struct ListWalk
{
	const RequestContext *context;
	ListQuery	query;			/* the arguments of the conditions */
	ListSort	sort;
	const char *conditions;		/* SQL over the alias */
	bool		keyset_only;	/* none but tenant and module */
	bool		sort_required;	/* the filter wants a value of the sort field */
	const char *root;			/* in front of the names of parameters in faults: "?" or "/" */
	Question   *question;		/* q, where the index of words can answer it; else NULL */
	bool		steps;			/* its records come out of the index step by step, in the order that is wanted */
	bool		bounded;		/* set by who can tell where a page ended: it ends when the index has done its work (search_index.h) */
	bool		stopped;		/* by list_rows: it ended so, at stop */
	SortPosition stop;
} ListWalk;

/* Read a request; faults are added (paths ?filter…, ?sort, ?status, ?from, ?to, ?q).  Raises QH403 for fields that the caller may not read. */
extern void list_open(ListWalk *walk, const RequestContext *context, const ListRequest *request, ViolationList *faults);

/* Whatever must be the same on the next page: the module, the order by the definition of now, the conditions. */
extern char *list_binding(const ListWalk *walk, const ListRequest *request);

/* Take a row of SPI_tuptable, which stays until SPI_finish; true: no more rows are wanted. */
typedef bool (*ListVisit) (void *owner, const SortPosition *position, uint64 row);

/*
 * Visit the rows behind a position (NULL: from the beginning), at most limit of them; backward
 * before it, in the opposite order (NULL: from the end).  columns stand for QEHS_RECORD_COLUMNS, in number
 * and order.  Returns whether more rows follow the last one visited, or, with walk->stopped, may follow.
 */
extern bool list_rows(ListWalk *walk, const SortPosition *after, bool backward, uint64 limit, const char *columns, ListVisit visit,
					  void *owner);

/* Where the page behind the one that list_rows has visited begins; last is the position of its last row. */
static inline const SortPosition *
list_end(const ListWalk *walk, const SortPosition *last)
{
	return walk->stopped ? &walk->stop : last;
}

/*
 * The same for a whole walk by portals, which live as long as the transaction and show what was there
 * when they were opened: list_portals_open opens them under a name, list_portals_fetch visits count rows
 * more at most, from where the last call ended, and returns how many.  list_portals_close makes room for others.
 */
extern void list_portals_open(ListWalk *walk, const char *name, const char *columns);
extern void list_portals_close(const char *name);
extern uint64 list_portals_fetch(const char *name, uint64 count, void (*visit) (void *owner, uint64 row), void *owner);

/*
 * How many records there are, over all pages; and the same, or where there are more than
 * 10,000 an estimate (list_count.c).
 */
extern int64 list_count(ListWalk *walk);
extern int64 list_estimate(ListWalk *walk, bool *estimated);

/*
 * Records whose field names one of ids (text, rec_…), the newest first, at most limit of each:
 * columns, and in column LIST_PLACE_COLUMN the id's place in ids, from 1, by which they come together.  Returns how many.
 */
extern uint64 list_rows_that_name(ListWalk *walk, const char *field_key, const Datum *ids, int id_count, int32 limit, const char *columns);

/* The id among columns, the first of QEHS_RECORD_COLUMNS, and the first column behind them. */
#define LIST_ID_COLUMN 1
#define LIST_PLACE_COLUMN 14

/* Raise QH403 when the caller may not read the field of every record: to order, group or filter by it would tell. */
extern void list_require_readable(const ListWalk *walk, const FilterField *field, const char *path);

#endif							/* QEHS_LIST_H */
