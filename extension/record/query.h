/*
 * query.h
 *	  Building the SQL of a list: text of a shape and its typed values.
 *
 * Values never enter the text; field keys do, and are checked by the module's
 * definition to be plain names.
 */
#ifndef QEHS_QUERY_H
#define QEHS_QUERY_H

#include "record/filter.h"

#define QEHS_QUERY_ARGUMENTS 100

typedef struct ListQuery
{
	const ModuleDef *module;
	const char *alias;			/* of qehs.record in the statement */
	const char *source;			/* SQL of what stands in place of "qehs.record AS alias", with its arguments; or NULL */
	const char *changed;		/* " AND at >= $n …": what the filter says of updatedAt, of events; or NULL */
	ViolationList *faults;		/* of the parameters; with any the query is not run, and may be incomplete */
	const char *columns;		/* that a statement of sort.h gives; as many as QEHS_RECORD_COLUMNS, in that order */
	int64		limit;			/* rows that it gives at most */
	StringInfoData sql;
	int			count;
	Oid			types[QEHS_QUERY_ARGUMENTS];
	Datum		values[QEHS_QUERY_ARGUMENTS];
} ListQuery;

/* "qehs.record AS r", or what stands in its place. */
extern const char *query_source(const ListQuery *query);

/* Add a value; gives its number ($n).  Too many are a fault at ?filter. */
extern int	query_argument(ListQuery *query, Oid type, Datum value);

/* Add an array of values, which are of type. */
extern int	query_array(ListQuery *query, Oid type, Datum *values, int count);

/* SQL of what a field compares as: whole (equality), and as it is ordered and kept in a slot; NULL where a record lacks it. */
extern const char *query_whole(const ListQuery *query, const FilterField *field);
extern const char *query_ordered(const ListQuery *query, const FilterField *field);

/* Append a filter as a condition that is true for the records that match, and not (false or NULL) for others. */
extern void query_filter(ListQuery *query, const FilterNode *node);

/* Run a statement whose plan is kept by its text; generic: a plan without regard to the values is good.  limit 0: all rows.  Returns SPI_processed. */
extern uint64 query_execute(ListQuery *query, bool generic, uint64 limit);

/*
 * How many records the planner expects for conditions, by the values of their arguments, and (unless NULL) its cost of reading them.
 * Inside SPI.
 */
extern double query_expect(const ListQuery *query, const char *conditions, double *cost);

#endif							/* QEHS_QUERY_H */
