/*
 * list_search.c
 *	  The part of a list that q asks for (list_search.h).
 *
 * In the order of the index of words, a question's records come out of it step by step
 * (found.c).  In another order few records are fetched and sorted, and of many the words are looked at
 * one by one, as they are of the few records that the filter leaves.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "optimizer/optimizer.h"
#include "permission/permission.h"
#include "record/list_search.h"
#include "record/record.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* In another order than that of the index a question's records are all fetched, and sorted, if they are so many at most. */
#define FEW_FOUND 5000

/* The keys of the searched fields that the caller may not read, as text[]; NULL when there are none. */
static ArrayType *
hidden_fields(const ListWalk *walk)
{
	const ModuleDef *module = walk->query.module;
	Datum	   *keys = palloc(sizeof(Datum) * Max(module->field_count, 1));
	int			count = 0;

	for (int i = 0; i < module->field_count; i++)
		if (module->fields[i].searchable && !permission_reads_field(walk->context, module, &module->fields[i], NULL))
			keys[count++] = CStringGetTextDatum(module->fields[i].key);
	return count > 0 ? construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT) : NULL;
}

/* The words of a record, as far as the caller may read them: the column, or what it would be made of. */
static const char *
searched_words(ListWalk *walk, bool column)
{
	ListQuery  *query = &walk->query;
	ArrayType  *hidden = hidden_fields(walk);

	if (column && hidden == NULL)
		return psprintf("%s.search", query->alias);
	return psprintf("qehs.search_readable(%1$s.tenant_id, %1$s.module_id, %1$s.definition_version, %1$s.payload, %1$s.display_no, $%2$d)", query->alias,
					query_argument(query, TEXTARRAYOID, PointerGetDatum(hidden ? hidden : construct_empty_array(TEXTOID))));
}

Question *
list_search_open(ListWalk *walk, const ListRequest *request)
{
	const ModuleDef *module = request->module;
	const char *path = psprintf("%sq", walk->root);
	Question   *question = NULL;

	if (request->q == NULL)
		return NULL;
	if (*request->q == '\0' || strlen(request->q) > 500)
		violation_add_first(walk->query.faults, path, "length", "must be 1 to 500 bytes");
	else if (!module->has_searchable)
		violation_add_first(walk->query.faults, path, "searchable", "finds nothing: no field of module \"%s\" is searchable", module->key);
	else
		question = question_read(request->q, module);
	if (question && question->has_words && question->narrows && !module->search_unfilled && !request->deleted_too)
		walk->question = question;
	return question;
}

uint64
list_search_step(const ListWalk *walk, Found *found, const char *columns, const char *order, uint64 limit)
{
	ListQuery	query = walk->query;
	uint64		rows;

	initStringInfo(&query.sql);
	found_write_step(&query, found, columns, walk->conditions, order);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, query.faults);
	found_begin_step(found);
	rows = query_execute(&query, true, limit);
	found_end_step(found);
	return rows;
}

/* Whether the order is that of the index of words. */
static bool
in_order(const ListWalk *walk)
{
	return walk->sort.count == 1 && walk->sort.keys[0].field.built_in == BUILT_IN_DISPLAY_CODE;
}

/* Whether the conditions but for the words leave few records, and an index finds these: then their words are looked at. */
static bool
few_besides(const ListQuery *query, const char *conditions)
{
	double		cost;
	bool		few;

	if (query->faults->count > 0 || query->count <= 2)
		return false;
	SPI_connect();
	few = query_expect(query, conditions, &cost) <= FEW_FOUND && cost <= FEW_FOUND * random_page_cost;
	SPI_finish();
	return few;
}

void
list_search_append(ListWalk *walk, const Question *question, const ListRequest *request)
{
	ListQuery  *query = &walk->query;
	const char *words = searched_words(walk, !request->deleted_too && !request->module->search_unfilled);
	bool		few = walk->question && few_besides(query, query->sql.data);

	if (!question->has_words)
	{
		appendStringInfoString(&query->sql, " AND false");
		return;
	}
	appendStringInfo(&query->sql, " AND %s OPERATOR(pg_catalog.@@) $%d", words, query_argument(query, TSQUERYOID, question_on_record(question)));
	if (walk->question == NULL || query->source || few)
		return;
	if (in_order(walk))
		walk->steps = true;
	else if (query->faults->count == 0)
		found_few(walk->question, walk->context->tenant_id, query->module->module_id, FEW_FOUND, query);
}

int64
list_search_count(const ListWalk *walk, int64 enough, int64 most, bool *cut)
{
	Found		found;
	int64		count = 0;
	bool		isnull;

	found_begin(&found, walk->question, walk->context->tenant_id, walk->query.module->module_id, true, NULL, most);
	while (count <= enough && found_next(&found) && !found.cut)
	{
		list_search_step(walk, &found, "pg_catalog.count(*)", "", 1);
		count += DatumGetInt64(plan_value(0, 1, &isnull));
	}
	*cut = found.cut;
	return count;
}
