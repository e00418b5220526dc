/*
 * list_search.c
 *	  The part of a list that q asks for (list_search.h).
 *
 * In the order of the index of words, a question's records come out of it step by step
 * (found.c).  In another order few records are named, and of many the words are looked at
 * one by one.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "permission/permission.h"
#include "record/list_search.h"
#include "record/record.h"
#include "utils/builtins.h"

/* Records whose ids are gathered where a question's records are wanted in another order than that of the index. */
#define MOST_GATHERED 5000

/* Whether the caller may read all that the column search is made of. */
static bool
reads_searched(const ListWalk *walk)
{
	const ModuleDef *module = walk->query.module;

	for (int i = 0; i < module->field_count; i++)
		if (module->fields[i].searchable && !permission_reads_field(walk->context, module, &module->fields[i], NULL))
			return false;
	return true;
}

/* Whether the caller may read a searched field of the module; it is found. */
static bool
reads_field(const ListWalk *walk, const ModuleField *field, FilterField *found)
{
	return field->searchable && permission_reads_field(walk->context, walk->query.module, field, NULL) &&
		filter_field(walk->query.module, field->key, found);
}

/* Append what records are found by in the fields that the caller may read: options, or texts. */
static void
append_read_fields(StringInfo out, const ListWalk *walk, bool options)
{
	const ModuleDef *module = walk->query.module;

	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		FilterField found;
		const char *before = options ? psprintf("\\x01=%s=", field->key) : "\\n";
		const char *value;

		if (options != search_has_options(field) || !reads_field(walk, field, &found) || !(filter_oid(&found) == TEXTOID || found.kind == VALUE_LIST))
			continue;
		value = query_whole(&walk->query, &found);
		appendStringInfo(out, found.kind == VALUE_LIST ? ", E'%s' || pg_catalog.array_to_string(%s, E'%s')" : ", E'%s' || %s", before, value, before);
	}
}

/* The words of a record, as far as the caller may read them: the column, or what it would be made of, as record_search_text has it. */
static const char *
searched_words(const ListWalk *walk, bool column)
{
	const ListQuery *query = &walk->query;
	StringInfoData text;

	if (column && reads_searched(walk))
		return psprintf("%s.search", query->alias);
	initStringInfo(&text);
	appendStringInfoString(&text, "qehs.search_vector(pg_catalog.left(pg_catalog.concat(''");
	append_read_fields(&text, walk, true);
	appendStringInfo(&text, ", E'\\x01', '%s-', pg_catalog.to_char(%s.display_no / " INT64_FORMAT ", 'FM0000-'), pg_catalog.to_char(%s.display_no %% "
					 INT64_FORMAT ", 'FM999990000')", query->module->prefix, query->alias, QEHS_DISPLAY_YEAR, query->alias, QEHS_DISPLAY_YEAR);
	append_read_fields(&text, walk, false);
	appendStringInfo(&text, "), %d))", QEHS_SEARCH_BYTES);
	return text.data;
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
list_search_step(const ListWalk *walk, const Found *found, const char *columns, const char *conditions, const char *order, uint64 limit)
{
	ListQuery	query = walk->query;

	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT %s FROM ", columns);
	found_write_source(&query, found);
	appendStringInfo(&query.sql, " AND %s%s", conditions, order);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, query.faults);
	return query_execute(&query, true, limit);
}

bool
list_search_in_order(const ListWalk *walk)
{
	return walk->sort.count == 1 && walk->sort.keys[0].field.built_in == BUILT_IN_DISPLAY_CODE;
}

/* The ids of all records with the words of the question, if they are MOST_GATHERED at most; else -1. */
static int
gather_ids(const ListWalk *walk, const char *conditions, pg_uuid_t *ids)
{
	Found		found;
	int			count = 0;

	SPI_connect();
	found_begin(&found, walk->question, walk->context->tenant_id, walk->query.module->module_id, true, NULL);
	while (count >= 0 && found_next(&found))
	{
		uint64		rows = list_search_step(walk, &found, psprintf("%s.id", walk->query.alias), conditions, "", MOST_GATHERED - count + 1);
		bool		isnull;

		if (count + rows > MOST_GATHERED)
			count = -1;
		for (uint64 row = 0; row < rows && count >= 0; row++)
			ids[count++] = *DatumGetUUIDP(plan_value(row, 1, &isnull));
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_finish();
	return count;
}

void
list_search_append(ListWalk *walk, const Question *question, const ListRequest *request)
{
	ListQuery  *query = &walk->query;
	const char *words = searched_words(walk, !request->deleted_too && !request->module->search_unfilled);
	const char *holds;
	pg_uuid_t  *ids = NULL;
	Datum	   *values;
	int			count = -1;

	if (!question->has_words)
	{
		appendStringInfoString(&query->sql, " AND false");
		return;
	}
	holds = psprintf(" AND %s OPERATOR(pg_catalog.@@) $%d", words, query_argument(query, TSQUERYOID, question_on_record(question)));
	if (walk->question)
	{
		bool		sure = question->exact && reads_searched(walk);

		walk->besides = psprintf("%s%s", query->sql.data, sure ? "" : holds);
		if (!list_search_in_order(walk) && query->faults->count == 0)
		{
			ids = palloc(sizeof(pg_uuid_t) * MOST_GATHERED);
			count = gather_ids(walk, sure ? "true" : holds + strlen(" AND "), ids);
		}
	}
	if (count < 0)
	{
		appendStringInfoString(&query->sql, holds);
		return;
	}
	values = palloc(sizeof(Datum) * Max(count, 1));
	for (int i = 0; i < count; i++)
		values[i] = UUIDPGetDatum(&ids[i]);
	appendStringInfo(&query->sql, " AND %s.id = ANY ($%d)", query->alias, query_array(query, UUIDOID, values, count));
}

int64
list_search_count(const ListWalk *walk)
{
	Found		found;
	int64		count = 0;
	bool		isnull;

	found_begin(&found, walk->question, walk->context->tenant_id, walk->query.module->module_id, true, NULL);
	while (found_next(&found))
	{
		list_search_step(walk, &found, "pg_catalog.count(*)", walk->besides, "", 1);
		count += DatumGetInt64(plan_value(0, 1, &isnull));
	}
	return count;
}
