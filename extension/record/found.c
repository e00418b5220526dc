/*
 * found.c
 *	  The records that a question finds, by the index of words (found.h).
 *
 * A step is at most FEW_BUCKETS wide, so that a word that every record of it has costs
 * as many records at most; it is one bucket at first, which is a page of what is common.
 * Numbers that no record has, between years, are passed over.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "record/found.h"
#include "utils/builtins.h"

#define FEW_BUCKETS 4

static KeptPlan below = {
	"SELECT display_no FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND display_no < $3 ORDER BY display_no DESC LIMIT 1",
	3, {INT4OID, INT4OID, INT8OID}, NULL
};

static KeptPlan above = {
	"SELECT display_no FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND display_no > $3 ORDER BY display_no LIMIT 1",
	3, {INT4OID, INT4OID, INT8OID}, NULL
};

void
found_begin(Found *found, const Question *question, int32 tenant_id, int32 module_id, bool descending, const int64 *after)
{
	memset(found, 0, sizeof(*found));
	found->question = question;
	found->tenant_id = tenant_id;
	found->module_id = module_id;
	found->descending = descending;
	found->position = after ? *after : descending ? PG_INT64_MAX : -1;
	found->width = 1;
}

bool
found_next(Found *found)
{
	Datum		values[3] = {Int32GetDatum(found->tenant_id), Int32GetDatum(found->module_id), Int64GetDatum(found->position)};
	int64		number;
	int64		bucket;
	bool		isnull;

	if (plan_execute(found->descending ? &below : &above, values, NULL, true, 1) == 0)
		return false;
	number = DatumGetInt64(plan_value(0, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	bucket = number / QEHS_SEARCH_BUCKET;
	if (found->descending)
	{
		found->high = number;
		found->low = Max(bucket - found->width + 1, 0) * QEHS_SEARCH_BUCKET;
		found->position = found->low;
	}
	else
	{
		found->low = number;
		found->high = (bucket + found->width) * QEHS_SEARCH_BUCKET - 1;
		found->position = found->high;
	}
	found->width = Min(found->width * 2, FEW_BUCKETS);
	return true;
}

void
found_write_source(ListQuery *query, const Found *found)
{
	Datum		words = question_on_index(found->question, found->tenant_id, found->module_id, found->low / QEHS_SEARCH_BUCKET,
										found->high / QEHS_SEARCH_BUCKET);

	/* OFFSET 0: no condition from outside comes in */
	appendStringInfo(&query->sql, "(SELECT * FROM qehs.record AS %1$s WHERE qehs.search_words(%1$s.tenant_id, %1$s.module_id, %1$s.display_no, %1$s.search)"
					 " OPERATOR(pg_catalog.@@) $%2$d OFFSET 0) AS %1$s", query->alias, query_argument(query, TSQUERYOID, words));
	appendStringInfo(&query->sql, " WHERE %s.display_no BETWEEN $%d", query->alias, query_argument(query, INT8OID, Int64GetDatum(found->low)));
	appendStringInfo(&query->sql, " AND $%d", query_argument(query, INT8OID, Int64GetDatum(found->high)));
}
