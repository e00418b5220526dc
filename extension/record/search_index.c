/*
 * search_index.c
 *	  The operator class of the index of words (search_ops).
 *
 * tsvector_ops of PostgreSQL makes and sorts a bitmap of all that begins with a word, before it
 * compares one entry: half the time of a question of words that are common and never meet.  Most such words begin
 * no longer one.  So here a beginning is two keys: the word itself, whose entries are read in their order as those of any
 * word are, and what is longer, of which a bitmap is made where there is some.
 * The values are those of tsvector_ops.
 *
 * These functions see all that the index does for a question, and count it.
 */
#include "base/compat.h"

#include <limits.h>

#include "access/gin.h"
#include "fmgr.h"
#include "record/search_index.h"
#include "tsearch/ts_type.h"
#include "tsearch/ts_utils.h"
#include "utils/builtins.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(qehs_search_keys);
PG_FUNCTION_INFO_V1(qehs_search_longer);
PG_FUNCTION_INFO_V1(qehs_search_consistent);
PG_FUNCTION_INFO_V1(qehs_search_goes_on);

/* Of a word that is longer than what is asked for, whose entries go into a bitmap. */
#define STEPS_A_LONGER_WORD 6

int			search_index_most = 1000000;

static int64 steps = 0;
static int64 most_steps = PG_INT64_MAX;
static int	buckets_begun = 0;

/* ---- what is counted ---- */

void
search_index_init(void)
{
	DefineCustomIntVariable("qehs.search_work",
							"Steps through the index of words after which a page of q ends, with a cursor that goes on.",
							"A step is some 25 ns; a look at a record counts 40.",
							&search_index_most, search_index_most, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
}

void
search_index_begin(int64 most)
{
	steps = 0;
	most_steps = most;
	buckets_begun = 0;
}

int64
search_index_done(int *buckets)
{
	*buckets = buckets_begun;
	return steps;
}

/* search_goes_on(words): asked before each bucket is read. */
Datum
qehs_search_goes_on(PG_FUNCTION_ARGS)
{
	if (buckets_begun > 0 && steps >= most_steps)
		PG_RETURN_BOOL(false);
	buckets_begun++;
	PG_RETURN_BOOL(true);
}

/* ---- the operator class ---- */

/* Arguments of search_keys and search_consistent, as GIN's extractQuery and triConsistent have them. */
enum
{
	KEYS_QUESTION, KEYS_COUNT, KEYS_STRATEGY, KEYS_PARTIAL, KEYS_EXTRA, KEYS_NULLS, KEYS_MODE
};
enum
{
	CONSISTENT_CHECK, CONSISTENT_STRATEGY, CONSISTENT_QUESTION, CONSISTENT_COUNT, CONSISTENT_EXTRA
};

/* search_keys(vector, &nentries, strategy, &partial, &extra, &nulls, &mode), the question in the place of the vector. */
Datum
qehs_search_keys(PG_FUNCTION_ARGS)
{
	TSQuery		question = PG_GETARG_TSQUERY(KEYS_QUESTION);
	int32	   *count = (int32 *) PG_GETARG_POINTER(KEYS_COUNT);
	bool	  **partial = (bool **) PG_GETARG_POINTER(KEYS_PARTIAL);
	Pointer   **extra = (Pointer **) PG_GETARG_POINTER(KEYS_EXTRA);
	int32	   *mode = (int32 *) PG_GETARG_POINTER(KEYS_MODE);
	const QueryItem *items = GETQUERY(question);
	Datum	   *keys = palloc(sizeof(Datum) * Max(question->size * 2, 1));
	int		   *key_of_item = palloc0(sizeof(int) * Max(question->size, 1));

	*count = 0;
	*partial = palloc0(sizeof(bool) * Max(question->size * 2, 1));
	*extra = palloc0(sizeof(Pointer) * Max(question->size * 2, 1));
	if (question->size > 0 && !tsquery_requires_match(unconstify(QueryItem *, items)))
		*mode = GIN_SEARCH_MODE_ALL;
	for (int i = 0; i < question->size; i++)
	{
		const QueryOperand *word = &items[i].qoperand;
		Datum		key;

		if (items[i].type != QI_VAL)
			continue;
		key = PointerGetDatum(cstring_to_text_with_len(GETOPERAND(question) + word->distance, word->length));
		key_of_item[i] = *count;
		(*extra)[*count] = (Pointer) key_of_item;
		keys[(*count)++] = key;
		if (!word->prefix)
			continue;
		(*partial)[*count] = true;
		(*extra)[*count] = (Pointer) key_of_item;
		keys[(*count)++] = key;
	}
	PG_RETURN_POINTER(keys);
}

/* The arguments of qehs.search_longer that it looks at. */
enum
{
	ARGUMENT_WORD, ARGUMENT_KEY
};

/* search_longer(word, key, strategy, extra): 0 if the key is longer than the word and begins with it, below if one behind it may be, above if none is. */
Datum
qehs_search_longer(PG_FUNCTION_ARGS)
{
	text	   *word = PG_GETARG_TEXT_PP(ARGUMENT_WORD);
	text	   *key = PG_GETARG_TEXT_PP(ARGUMENT_KEY);
	int			length = VARSIZE_ANY_EXHDR(word);
	int			order;

	steps += STEPS_A_LONGER_WORD;
	order = tsCompareString(VARDATA_ANY(word), length, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), true);

	if (order == 0)
		PG_RETURN_INT32((int) VARSIZE_ANY_EXHDR(key) == length ? -1 : 0);
	/* keys come in their order, from the word on: one that does not begin with it is behind all that do */
	PG_RETURN_INT32(1);
}

/*
 * search_consistent(check, strategy, question, nkeys, extra, …): whether an entry can answer a question, by which keys it has.
 * Operands follow their operator (tsearch/ts_type.h), so that from the end each finds its own done.
 */
Datum
qehs_search_consistent(PG_FUNCTION_ARGS)
{
	const GinTernaryValue *check = (const GinTernaryValue *) PG_GETARG_POINTER(CONSISTENT_CHECK);
	TSQuery		question = PG_GETARG_TSQUERY(CONSISTENT_QUESTION);
	const int  *key_of_item = ((const int **) PG_GETARG_POINTER(CONSISTENT_EXTRA))[0];
	const QueryItem *items = GETQUERY(question);
	GinTernaryValue few[64] = {0};
	GinTernaryValue *done = question->size > (int) lengthof(few) ? palloc0(question->size) : few;
	int			count = 0;

	for (int i = question->size - 1; i >= 0; i--)
	{
		int			operator = items[i].type == QI_VAL ? 0 : items[i].qoperator.oper;
		GinTernaryValue one = operator == 0 ? check[key_of_item[i]] : done[--count];
		GinTernaryValue other;

		if (operator == OP_NOT)
			one = GIN_MAYBE;
		else if (operator != 0 || items[i].qoperand.prefix)
		{
			other = operator == 0 ? check[key_of_item[i] + 1] : done[--count];
			if (operator == 0 || operator == OP_OR)
				one = one == GIN_TRUE || other == GIN_TRUE ? GIN_TRUE : Max(one, other);
			else if (one == GIN_FALSE || other == GIN_FALSE)
				one = GIN_FALSE;
			else
				one = operator == OP_AND ? Max(one, other) : GIN_MAYBE;
		}
		done[count++] = one;
	}
	if (count == 0)
		done[0] = GIN_FALSE;
	steps += done[0] == GIN_FALSE ? 1 : QEHS_ENTRIES_A_RECORD;
	PG_RETURN_GIN_TERNARY_VALUE(done[0]);
}
