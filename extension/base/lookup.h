/*
 * lookup.h
 *	  Rows of a tenant by an id or a text, found by an index without the executor.
 *
 * To start and end a statement costs several times what it takes to find a row by
 * a key.  So the reads of which a request has one each time go to the index
 * by themselves, with the snapshot of the statement that calls.  That holds for
 * a table that is all here and plain: where it is distributed by Citus,
 * partitioned, inherited from, or has rules or row security, lookup_rows says so and
 * the caller runs the statement that says the same.
 */
#ifndef QEHS_LOOKUP_H
#define QEHS_LOOKUP_H

#include "access/attnum.h"
#include "access/sdir.h"
#include "utils/uuid.h"

#define LOOKUP_MOST_COLUMNS 16

/* What is looked up: static, and used for as long as the backend lives. */
typedef struct KeptLookup
{
	const char *table;			/* in the schema qehs */
	const char *index;			/* a B-tree that begins with tenant_id (int4) and key */
	const char *key;			/* a column (uuid), or NULL: the index has an expression (text) there */
	const char *columns[LOOKUP_MOST_COLUMNS];	/* what is read, up to a NULL */

	/* found by lookup_rows */
	bool		known;			/* what follows is true */
	bool		direct;			/* the table is plain */
	int			column_count;
	Oid			table_id;
	Oid			index_id;
	AttrNumber	tenant_number;
	AttrNumber	key_number;
	AttrNumber	numbers[LOOKUP_MOST_COLUMNS];
	bool		listed;			/* among those that hear of changes */
	struct KeptLookup *next;
} KeptLookup;

typedef struct LookupRow
{
	Datum		values[LOOKUP_MOST_COLUMNS];
	bool		nulls[LOOKUP_MOST_COLUMNS];
} LookupRow;

/*
 * Read the first rows, most at most, with the tenant and the id, in the order of the index or its reverse,
 * as the active snapshot shows them.  Values live in the current memory context.  Returns how many there are,
 * or -1 where the statement must be used.
 */
extern int	lookup_rows(KeptLookup *lookup, int32 tenant_id, const pg_uuid_t *id, ScanDirection direction, int most, LookupRow *rows);

/* The same of one row, by what the index's expression gives; a partial index finds the rows that it has. */
extern int	lookup_text(KeptLookup *lookup, int32 tenant_id, const char *text, LookupRow *row);

#endif							/* QEHS_LOOKUP_H */
