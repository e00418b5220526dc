/*
 * found.c
 *	  The records that a question finds, by the index of words (found.h).
 *
 * A step is one statement over up to MOST_BUCKETS buckets, one after the other, each a scan of the index for that
 * bucket alone: scans for several at once compare every entry with the words of all.  It is one bucket at first, which
 * is a page of what is common.  From the second step on some records of its buckets are looked at first, so that the index
 * is asked for those needs of the question only that narrow it for less than looking at the records costs.
 * Numbers that no record has, between years, are passed over.
 */
#include "base/compat.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "base/plan.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "record/found.h"
#include "record/search_index.h"
#include "tsearch/ts_utils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#define MOST_BUCKETS 64
/* tsquery[], which the server gives no name to */
#define TSQUERY_ARRAY_OID 3645
/* Where samples are taken in the numbers of a step, and records of each. */
#define SAMPLES 8
#define SAMPLE 32

static KeptPlan below = {
	"SELECT display_no FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND display_no < $3 ORDER BY display_no DESC LIMIT 1",
	3, {INT4OID, INT4OID, INT8OID}, NULL
};

static KeptPlan above = {
	"SELECT display_no FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND display_no > $3 ORDER BY display_no LIMIT 1",
	3, {INT4OID, INT4OID, INT8OID}, NULL
};

/* How many records of a sample there are, and how many of them meet each need. */
static KeptPlan sample = {
	"SELECT pg_catalog.count(*) FILTER (WHERE r.search OPERATOR(pg_catalog.@@) n.words), pg_catalog.count(*)"
	" FROM pg_catalog.unnest($3) WITH ORDINALITY AS n (words, place), pg_catalog.unnest($4) AS s (begin) CROSS JOIN LATERAL"
	" (SELECT search FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND display_no >= s.begin AND display_no <= $5"
	" ORDER BY display_no LIMIT " CppAsString2(SAMPLE) ") AS r GROUP BY n.place ORDER BY n.place",
	5, {INT4OID, INT4OID, TSQUERY_ARRAY_OID, INT8ARRAYOID, INT8OID}, NULL
};
/* The columns of sample. */
enum
{
	COLUMN_MEETING = 1, COLUMN_COUNTED
};

/* ---- steps ---- */

void
found_begin(Found *found, Question *question, int32 tenant_id, int32 module_id, bool descending, const int64 *after, int64 most)
{
	memset(found, 0, sizeof(*found));
	found->question = question;
	found->tenant_id = tenant_id;
	found->module_id = module_id;
	found->descending = descending;
	found->position = after ? *after : descending ? PG_INT64_MAX : -1;
	found->width = 1;
	found->left = most;
	question_ask_all(question);
}

static Datum
make_array(Oid type, const Datum *values, int count)
{
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(unconstify(Datum *, values), count, type, length, by_value, align));
}

/* Look at records here and there in the step, and ask the index for what is worth it. */
static void
choose_needs(const Found *found)
{
	Datum		begins[SAMPLES];
	Datum	   *needs;
	int			count = question_needs(found->question, &needs);
	double	   *shares = palloc(sizeof(double) * Max(count, 1));
	Datum		values[5] = {Int32GetDatum(found->tenant_id), Int32GetDatum(found->module_id)};
	bool		isnull;

	if (count < 2)
		return;
	for (int i = 0; i < SAMPLES; i++)
		begins[i] = Int64GetDatum(found->low + (found->high - found->low) / SAMPLES * i);
	values[2] = make_array(TSQUERYOID, needs, count);
	values[3] = make_array(INT8OID, begins, SAMPLES);
	values[4] = Int64GetDatum(found->high);
	if (plan_execute(&sample, values, NULL, true, 0) == (uint64) count)
	{
		for (int i = 0; i < count; i++)
			shares[i] = (DatumGetInt64(plan_value(i, COLUMN_MEETING, &isnull)) + 0.5) / (DatumGetInt64(plan_value(i, COLUMN_COUNTED, &isnull)) + 1);
		question_ask(found->question, shares);
	}
	SPI_freetuptable(SPI_tuptable);
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
	if (found->cut)
		return true;
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
	if (found->width > 1)
		choose_needs(found);
	found->width = Min(found->width * 4, MOST_BUCKETS);
	return true;
}

void
found_begin_step(const Found *found)
{
	search_index_begin(found->left);
}

void
found_end_step(Found *found)
{
	int64		first = found->low / QEHS_SEARCH_BUCKET;
	int64		last = found->high / QEHS_SEARCH_BUCKET;
	int			buckets;

	found->left -= search_index_done(&buckets);
	found->cut = found->left <= 0;
	if (found->descending)
		found->position = Max(last - buckets + 1, first) * QEHS_SEARCH_BUCKET;
	else
		found->position = Min(first + buckets, last + 1) * QEHS_SEARCH_BUCKET - 1;
}

/*
 * What stands in place of the records: those of buckets that have what is needed, bucket after bucket, as long as goes_on, a
 * condition on a bucket, holds.  OFFSET 0: no condition from outside comes in, so that the index of words is the only way.
 */
static char *
source_of(ListQuery *query, Datum *buckets, int count, const char *goes_on, const char *conditions)
{
	return psprintf("(SELECT * FROM pg_catalog.unnest($%1$d) AS b (words)%4$s OFFSET 0) AS b CROSS JOIN LATERAL"
					" (SELECT %2$s.* FROM (SELECT * FROM qehs.record AS %2$s WHERE"
					" qehs.search_words(%2$s.tenant_id, %2$s.module_id, %2$s.display_no, %2$s.search) OPERATOR(pg_catalog.@@) b.words OFFSET 0)"
					" AS %2$s%3$s) AS %2$s", query_array(query, TSQUERYOID, buckets, count), query->alias, conditions, goes_on);
}

void
found_write_step(ListQuery *query, const Found *found, const char *columns, const char *conditions, const char *order)
{
	int64		first = found->low / QEHS_SEARCH_BUCKET;
	int			count = (int) (found->high / QEHS_SEARCH_BUCKET - first) + 1;
	Datum	   *buckets = palloc(sizeof(Datum) * count);
	char	   *inside;

	for (int i = 0; i < count; i++)
		buckets[i] = question_on_index(found->question, found->tenant_id, found->module_id, first + (found->descending ? count - 1 - i : i));
	inside = psprintf(" WHERE %s.display_no BETWEEN $%d AND $%d AND %s%s", query->alias, query_argument(query, INT8OID, Int64GetDatum(found->low)),
					  query_argument(query, INT8OID, Int64GetDatum(found->high)), conditions, order);
	appendStringInfo(&query->sql, "SELECT %s FROM %s", columns, source_of(query, buckets, count, " WHERE qehs.search_goes_on(words)", inside));
}

/* ---- few records ---- */

/* The scan of the index of words for one question after the other. */
typedef struct WordScan
{
	Relation	index;
	IndexScanDesc scan;
} WordScan;

static void
open_words(WordScan *words)
{
	words->index = index_open(get_relname_relid("record_search", get_namespace_oid("qehs", false)), AccessShareLock);
	words->scan = index_scan_bitmap(words->index, GetActiveSnapshot(), 1);
}

static void
close_words(WordScan *words)
{
	index_endscan(words->scan);
	index_close(words->index, AccessShareLock);
}

/* How many entries the index has of a question to it: of records that are visible, and of some that are not any more. */
static int64
count_words(WordScan *words, Datum query)
{
	TIDBitmap  *bitmap = tbm_create(work_mem * 1024L, NULL);
	ScanKeyData key;
	int64		count;

	ScanKeyEntryInitialize(&key, 0, 1, TSearchStrategyNumber, InvalidOid, InvalidOid, F_TS_MATCH_VQ, query);
	index_rescan(words->scan, &key, 1, NULL, 0);
	count = index_getbitmap(words->scan, bitmap);
	tbm_free(bitmap);
	return count;
}

bool
found_few(Question *question, int32 tenant_id, int32 module_id, int64 limit, ListQuery *query)
{
	Found		found;
	WordScan	words;
	int64		count = 0;
	int			bucket_count = 0;
	int			room = MOST_BUCKETS;
	Datum	   *buckets = palloc(sizeof(Datum) * room);
	MemoryContext kept = CurrentMemoryContext;

	SPI_connect();
	found_begin(&found, question, tenant_id, module_id, true, NULL, PG_INT64_MAX);
	open_words(&words);
	while (count <= limit && found_next(&found))
		for (int64 bucket = found.low / QEHS_SEARCH_BUCKET; bucket <= found.high / QEHS_SEARCH_BUCKET && count <= limit; bucket++)
		{
			MemoryContext previous = MemoryContextSwitchTo(kept);
			Datum		on_index = question_on_index(question, tenant_id, module_id, bucket);
			int64		entries = count_words(&words, on_index);

			MemoryContextSwitchTo(previous);
			CHECK_FOR_INTERRUPTS();
			if (entries == 0)
				continue;
			count += entries;
			if (bucket_count == room)
				buckets = repalloc(buckets, sizeof(Datum) * (room *= 2));
			buckets[bucket_count++] = on_index;
		}
	close_words(&words);
	SPI_finish();
	if (count > limit)
		return false;
	query->source = psprintf("(SELECT %s.* FROM %s) AS %s", query->alias, source_of(query, buckets, bucket_count, "", ""), query->alias);
	return true;
}
