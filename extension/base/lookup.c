/*
 * lookup.c
 *	  Ordered scans of access/genam.h on tables of the extension.
 *
 * Locks are those that a statement takes, and are held to the end of the
 * transaction as a statement's are: a toasted value can be read afterwards.  What
 * is known of a table is looked up again after any change of it or its index, of
 * which the relation cache tells; the callback only compares numbers.
 */
#include "base/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "base/lookup.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"

#define MOST_TABLE_COLUMNS 64

static KeptLookup *lookups;

static void
on_relcache_change(Datum argument, Oid relation)
{
	for (KeptLookup *lookup = lookups; lookup; lookup = lookup->next)
		if (relation == InvalidOid || relation == lookup->table_id || relation == lookup->index_id)
			lookup->known = false;
}

static void
hear_of_changes(KeptLookup *lookup)
{
	if (lookup->listed)
		return;
	if (lookups == NULL)
		CacheRegisterRelcacheCallback(on_relcache_change, (Datum) 0);
	lookup->next = lookups;
	lookups = lookup;
	lookup->listed = true;
}

/* Are all rows of the table in its own heap, and visible to whoever reads it?  Citus has a table of those that it distributes. */
static bool
is_plain(Relation table)
{
	return table->rd_rel->relkind == RELKIND_RELATION && !table->rd_rel->relhassubclass && !table->rd_rel->relhasrules &&
		!table->rd_rel->relrowsecurity && RelationGetNumberOfAttributes(table) <= MOST_TABLE_COLUMNS &&
		!OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE));
}

/* May a scan of any snapshot use it? */
static bool
is_usable(Relation index)
{
	return index->rd_index->indisvalid && !index->rd_index->indcheckxmin;
}

static AttrNumber
number_of(const KeptLookup *lookup, const char *column)
{
	AttrNumber	number = get_attnum(lookup->table_id, column);

	if (number == InvalidAttrNumber)
		elog(ERROR, "column \"%s\" of qehs.%s is missing", column, lookup->table);
	return number;
}

static void
find_out(KeptLookup *lookup)
{
	Oid			schema = get_namespace_oid("qehs", false);
	Relation	table;
	Relation	index;

	hear_of_changes(lookup);
	lookup->direct = false;
	lookup->table_id = get_relname_relid(lookup->table, schema);
	lookup->index_id = get_relname_relid(lookup->index, schema);
	/* a change from here on is heard of */
	lookup->known = true;
	table = try_relation_open(lookup->table_id, AccessShareLock);
	index = table ? try_relation_open(lookup->index_id, AccessShareLock) : NULL;
	lookup->tenant_number = number_of(lookup, "tenant_id");
	/* an index says 0 of an expression, in place of a column's number, and so the scan finds it */
	lookup->key_number = lookup->key ? number_of(lookup, lookup->key) : InvalidAttrNumber;
	lookup->column_count = 0;
	while (lookup->column_count < LOOKUP_MOST_COLUMNS && lookup->columns[lookup->column_count])
	{
		lookup->numbers[lookup->column_count] = number_of(lookup, lookup->columns[lookup->column_count]);
		lookup->column_count++;
	}
	/* last, as an error leaves it to the statement */
	lookup->direct = index && is_plain(table) && is_usable(index);
	if (index)
		relation_close(index, NoLock);
	if (table)
		relation_close(table, NoLock);
}

/* Open and lock table and index; false when they are not to be read directly, or have just changed. */
static bool
open_both(KeptLookup *lookup, Relation *table, Relation *index)
{
	if (!lookup->known)
		find_out(lookup);
	if (!lookup->direct || (*table = try_relation_open(lookup->table_id, AccessShareLock)) == NULL)
		return false;
	/* while the table is locked its index stays */
	if (lookup->known && (*index = try_relation_open(lookup->index_id, AccessShareLock)) != NULL)
		return true;
	relation_close(*table, NoLock);
	return false;
}

static void
read_row(const KeptLookup *lookup, HeapTuple tuple, TupleDesc description, LookupRow *row)
{
	Datum		values[MOST_TABLE_COLUMNS];
	bool		nulls[MOST_TABLE_COLUMNS];

	/* a copy, as the page may change once it is not pinned */
	heap_deform_tuple(heap_copytuple(tuple), description, values, nulls);
	for (int i = 0; i < lookup->column_count; i++)
	{
		row->values[i] = values[lookup->numbers[i] - 1];
		row->nulls[i] = nulls[lookup->numbers[i] - 1];
	}
}

/* Rows whose key is equal by the operator's function. */
static int
scan(KeptLookup *lookup, int32 tenant_id, RegProcedure equal, Datum key, ScanDirection direction, int most, LookupRow *rows)
{
	Relation	table;
	Relation	index;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	int			count = 0;

	if (!open_both(lookup, &table, &index))
		return -1;
	ScanKeyInit(&keys[0], lookup->tenant_number, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(tenant_id));
	ScanKeyEntryInitialize(&keys[1], 0, lookup->key_number, BTEqualStrategyNumber, InvalidOid, index->rd_indcollation[1], equal, key);
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), 2, keys);
	while (count < most && (tuple = systable_getnext_ordered(scan, direction)) != NULL)
		read_row(lookup, tuple, RelationGetDescr(table), &rows[count++]);
	systable_endscan_ordered(scan);
	relation_close(index, NoLock);
	relation_close(table, NoLock);
	return count;
}

int
lookup_rows(KeptLookup *lookup, int32 tenant_id, const pg_uuid_t *id, ScanDirection direction, int most, LookupRow *rows)
{
	return scan(lookup, tenant_id, F_UUID_EQ, UUIDPGetDatum(id), direction, most, rows);
}

int
lookup_text(KeptLookup *lookup, int32 tenant_id, const char *text, LookupRow *row)
{
	return scan(lookup, tenant_id, F_TEXTEQ, CStringGetTextDatum(text), ForwardScanDirection, 1, row);
}
