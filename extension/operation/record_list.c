/*
 * record_list.c
 *	  qehs.record_list: one page of one module, by filter, sort and cursor.
 *
 * A page costs the same at any depth (record/sort.c), and rows that stand
 * throughout are seen once whatever is inserted or deleted meanwhile; a record
 * whose sort value changes during a walk may be seen twice or not at all.  The
 * executor is stopped after one row more than the page, which tells whether
 * another page follows.  Each row is written in a memory context of its own, and
 * a page ends early when it has many bytes.
 *
 * Plans are kept by SQL text, the shape of filter and sort, least recently used
 * out first.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/cursor.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "record/selection.h"
#include "record/sort.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(qehs_record_list);

#define MAX_PLANS 128
/* A page that has so many bytes ends with the record that brought them. */
#define PAGE_BYTES (16 * 1024 * 1024)
/* Characters of a record that q looks at: a tsvector ends at 1 MiB. */
#define SEARCH_CHARACTERS 200000

typedef struct ShapePlan
{
	char	   *sql;
	PreparedPlan prepared;
	uint64		used;
} ShapePlan;

/* A page in the making. */
typedef struct ListPage
{
	RequestContext *context;
	ListQuery	query;
	ListSort	sort;
	const char *conditions;		/* SQL over the alias */
	bool		keyset_only;	/* none but tenant and module */
	bool		sort_required;	/* the filter wants a value of the sort field */
	Selection  *selection;		/* or NULL: whole records */
	uint64		limit;
	StringInfoData out;
	uint64		written;
	bool		more;			/* records follow the last one written */
	SortPosition last;
	MemoryContext row_memory;
} ListPage;

static ShapePlan plans[MAX_PLANS];
static uint64 plan_clock = 0;

/*
 * The kept plan of a shape, made when it is new.  A walk without conditions has
 * one good plan, so deep pages need not pay for planning with their position's
 * values; filters are planned for theirs, which may be rare or common.
 */
static SPIPlanPtr
shape_plan(ListQuery *query, bool keyset_only)
{
	ShapePlan  *oldest = &plans[0];
	PreparedPlan prepared;
	char	   *sql;

	for (int i = 0; i < MAX_PLANS; i++)
	{
		if (plans[i].sql && strcmp(plans[i].sql, query->sql.data) == 0)
		{
			plans[i].used = ++plan_clock;
			return plan_use(&plans[i].prepared);
		}
		if (plans[i].used < oldest->used)
			oldest = &plans[i];
	}
	prepared = plan_prepare(query->sql.data, query->count, query->types, keyset_only ? CURSOR_OPT_GENERIC_PLAN : 0);
	sql = MemoryContextStrdup(TopMemoryContext, query->sql.data);
	if (oldest->sql)
	{
		SPI_freeplan(oldest->prepared.plan);
		pfree(oldest->sql);
	}
	oldest->sql = sql;
	oldest->prepared = prepared;
	oldest->used = ++plan_clock;
	return plan_use(&oldest->prepared);
}

/* ---- what is asked for ---- */

/* Raise QH403 when the caller may not read the field of every record: to order or to filter by it would tell. */
static void
require_readable(const ListPage *page, const FilterField *field, const char *path)
{
	if (field->top && !permission_reads_field(page->context, page->query.module, field->top, NULL))
		problem_raise_at(PROBLEM_FORBIDDEN, path, "forbidden", "is a field that the caller may not read");
}

static void
require_condition(const FilterField *field, void *page)
{
	require_readable(page, field, psprintf("?filter[%s]", field->name));
}

/* Whether a version before the current one had the state or the option. */
static bool
knew(const ModuleDef *module, const FilterField *field, const char *value)
{
	for (int32 version = module->version - 1; version > 0; version--)
	{
		const ModuleDef *old = module_lookup_version(module->tenant_id, module->module_id, version);
		const char *key;
		FilterField old_field;

		if (old == NULL)
			continue;
		if (field->built_in == BUILT_IN_STATE && module_has_state(old, value))
			return true;
		key = field->top ? module_field_key(field->top, version) : NULL;
		if (key == NULL || !filter_field(old, psprintf("%s%s", key, field->below), &old_field) || old_field.field == NULL)
			continue;
		for (int i = 0; i < old_field.field->option_count; i++)
			if (strcmp(old_field.field->options[i], value) == 0)
				return true;
	}
	return false;
}

static FilterNode *
read_filter(ListPage *page, Jsonb *filter)
{
	FilterScope scope = {page->query.module, "?filter", knew, page->query.faults};
	FilterNode *node = filter_parse(&scope, &filter->root);

	filter_each(node, require_condition, page);
	page->sort_required = filter_requires(node, page->sort.field.name);
	return node;
}

/* " AND created_at >= $n" of from and to; a date in to is its whole day. */
static void
append_bound(ListQuery *query, const char *text, bool is_end)
{
	TimestampTz time = 0;
	const char *operator = is_end ? "<=" : ">=";

	if (text == NULL)
		return;
	if (json_date_parse(text, strlen(text), &time))
	{
		if (is_end)
		{
			time += USECS_PER_DAY;
			operator = "<";
		}
	}
	else if (!json_time_parse(text, strlen(text), &time))
		violation_add_first(query->faults, is_end ? "?to" : "?from", "format", "must be an RFC 3339 time with offset, or a date%s",
							strchr(text, ' ') ? "; a + in a query is a blank: send %2B" : "");
	appendStringInfo(&query->sql, " AND %s.created_at %s $%d", query->alias, operator,
					 query_argument(query, TIMESTAMPTZOID, TimestampTzGetDatum(time)));
}

static void
append_status(ListQuery *query, char *status)
{
	FilterField field;

	if (status == NULL)
		return;
	filter_field(query->module, "workflowState", &field);
	if (!module_has_state(query->module, status) && !knew(query->module, &(FilterField) {.built_in = BUILT_IN_STATE}, status))
		violation_add_first(query->faults, "?status", "enum", "must be a state of the module, not \"%s\"", status);
	appendStringInfo(&query->sql, " AND %s.workflow_state = $%d", query->alias,
					 query_argument(query, TEXTOID, CStringGetTextDatum(status)));
}

/* ---- q ---- */

/* Those that are named searchable, else all texts. */
static bool
is_searched(const ModuleDef *module, const ModuleField *field)
{
	return module->has_searchable ? field->searchable : field->type == FIELD_TEXT || field->type == FIELD_RICH_TEXT;
}

/* Whether the caller may read all that the column search is made of. */
static bool
searches_all(const ListPage *page)
{
	const ModuleDef *module = page->query.module;

	for (int i = 0; i < module->field_count; i++)
		if (module->fields[i].searchable && !permission_reads_field(page->context, module, &module->fields[i], NULL))
			return false;
	return true;
}

static void
append_search(ListPage *page, const char *q)
{
	ListQuery  *query = &page->query;
	const ModuleDef *module = query->module;
	int			number;

	if (q == NULL)
		return;
	if (*q == '\0' || strlen(q) > 500)
		violation_add_first(query->faults, "?q", "length", "must be 1 to 500 bytes");
	number = query_argument(query, TEXTOID, CStringGetTextDatum(q));
	if (module->has_searchable && searches_all(page))
		appendStringInfo(&query->sql, " AND %s.search", query->alias);
	else
	{
		appendStringInfoString(&query->sql, " AND pg_catalog.to_tsvector('pg_catalog.simple', pg_catalog.left(pg_catalog.concat_ws(' ', ''");
		for (int i = 0; i < module->field_count; i++)
		{
			FilterField field;

			if (is_searched(module, &module->fields[i]) && permission_reads_field(page->context, module, &module->fields[i], NULL) &&
				filter_field(module, module->fields[i].key, &field) && filter_oid(&field) == TEXTOID)
				appendStringInfo(&query->sql, ", %s", query_whole(query, &field));
		}
		appendStringInfo(&query->sql, "), %d))", SEARCH_CHARACTERS);
	}
	appendStringInfo(&query->sql, " @@ pg_catalog.websearch_to_tsquery('pg_catalog.simple', $%d)", number);
}

/* ---- the page ---- */

/* Whatever must be the same on the next page: the module, the order by the definition of now, the conditions. */
static char *
page_binding(FunctionCallInfo fcinfo, const ListSort *sort)
{
	StringInfoData binding;

	initStringInfo(&binding);
	appendStringInfo(&binding, "%s\n", argument_text(fcinfo, 0));
	sort_describe(&binding, sort);
	for (int i = 2; i <= 5; i++)
		appendStringInfo(&binding, "%d:%s\n", i, PG_ARGISNULL(i) ? "" : argument_text(fcinfo, i));
	if (!PG_ARGISNULL(1))
		json_jsonb(&binding, PG_GETARG_JSONB_P(1));
	return binding.data;
}

/* " AND (r.created_by = $n OR …)" for a caller who may read some records only. */
static void
append_readable(ListPage *page)
{
	ListQuery  *query = &page->query;
	const char *readable = permission_predicate(page->context, query->module, ACTION_READ, psprintf("%s.", query->alias), query->count + 1);
	Datum		values[QEHS_PERMISSION_ARGUMENTS];

	if (readable == NULL)
		return;
	appendStringInfo(&query->sql, " AND %s", readable);
	permission_arguments(page->context, values);
	for (int i = 0; i < QEHS_PERMISSION_ARGUMENTS; i++)
		query_argument(query, permission_argument_types[i], values[i]);
}

/* The conditions of the request, as SQL. */
static void
read_conditions(ListPage *page, FunctionCallInfo fcinfo)
{
	ListQuery  *query = &page->query;

	initStringInfo(&query->sql);
	appendStringInfo(&query->sql, "%1$s.tenant_id = $1 AND %1$s.module_id = $2 AND %1$s.deleted_at IS NULL", query->alias);
	query_argument(query, INT4OID, Int32GetDatum(page->context->tenant_id));
	query_argument(query, INT4OID, Int32GetDatum(query->module->module_id));
	append_readable(page);
	if (!PG_ARGISNULL(1))
	{
		FilterNode *filter = read_filter(page, PG_GETARG_JSONB_P(1));

		if (query->faults->count == 0)
		{
			appendStringInfoString(&query->sql, " AND ");
			query_filter(query, filter);
		}
	}
	append_status(query, argument_text(fcinfo, 2));
	append_bound(query, argument_text(fcinfo, 3), false);
	append_bound(query, argument_text(fcinfo, 4), true);
	append_search(page, argument_text(fcinfo, 5));
	page->keyset_only = query->count == 2;
	page->conditions = query->sql.data;
}

static void
write_item(ListPage *page, uint64 row)
{
	MemoryContext previous = MemoryContextSwitchTo(page->row_memory);
	Record		record;
	const ModuleDef *module;

	record_read_row(row, &record);
	module = record_module(page->context, &record);
	if (page->selection)
		selection_write(&page->out, page->context, module, &record, page->selection);
	else
		record_write_json(&page->out, page->context, module, &record, false);
	MemoryContextSwitchTo(previous);
	MemoryContextReset(page->row_memory);
}

/* Note where the page has come to. */
static void
note_position(ListPage *page, SortPart part, uint64 row)
{
	bool		isnull;
	Datum		value = plan_value(row, 13, &isnull);
	int16		length;
	bool		by_value;

	page->last.part = part;
	page->last.id = *DatumGetUUIDP(plan_value(row, 1, &isnull));
	if (part == SORT_REST)
		return;
	get_typlenbyval(page->sort.type, &length, &by_value);
	page->last.value = datumCopy(value, by_value, length);
}

/* Write the rows of one part from a position on, until the page is full. */
static void
write_part(ListPage *page, SortPart part, const SortPosition *after)
{
	ListQuery	query = page->query;
	uint64		wanted = page->limit - page->written;
	uint64		rows;
	int			result;

	sort_write_statement(&query, &page->sort, part, after, page->conditions);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, query.faults);
	result = SPI_execute_plan(shape_plan(&query, page->keyset_only && part == SORT_VALUED), query.values, NULL, true, (long) wanted + 1);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	rows = SPI_processed;
	for (uint64 i = 0; i < Min(rows, wanted) && !page->more; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (page->written++ > 0)
			appendStringInfoChar(&page->out, ',');
		write_item(page, i);
		page->more = i + 1 < rows && page->out.len > PAGE_BYTES;
		if (page->more || i + 1 == Min(rows, wanted))
			note_position(page, part, i);
	}
	page->more |= rows > wanted;
	SPI_freetuptable(SPI_tuptable);
}

/* Write {"items":[…],"nextCursor":…}. */
static Datum
write_page(ListPage *page, const SortPosition *after, const char *binding)
{
	char	   *next = NULL;
	Datum		answer;

	json_begin(&page->out);
	json_literal(&page->out, "{\"items\":[");
	SPI_connect();
	page->row_memory = AllocSetContextCreate(CurrentMemoryContext, "qehs row", ALLOCSET_DEFAULT_SIZES);
	if (after == NULL || after->part == SORT_VALUED)
	{
		write_part(page, SORT_VALUED, after);
		after = NULL;
	}
	if (!page->more && sort_has_rest(&page->sort) && !page->sort_required)
		write_part(page, SORT_REST, after);
	if (page->more)
	{
		StringInfoData position;

		initStringInfo(&position);
		sort_write_position(&position, &page->sort, &page->last);
		next = cursor_seal(page->context->tenant_id, "record_list", binding, position.data, position.len);
	}
	answer = context_answer_page(&page->out, page->context, next);
	SPI_finish();
	return answer;
}

/* Open the cursor; raises QH400 invalid_cursor. */
static const SortPosition *
read_position(const ListPage *page, const char *binding, const char *cursor)
{
	SortPosition *position = palloc0(sizeof(SortPosition));
	int			length;
	char	   *bytes = cursor_open(page->context->tenant_id, "record_list", binding, cursor, &length);

	if (!sort_read_position(&page->sort, bytes, length, position))
		problem_raise_at(PROBLEM_INVALID_CURSOR, "?cursor", "invalid", "is not a cursor of this list with this filter and sort");
	return position;
}

/* record_list(module_key, filter, status, created_from, created_to, q, sort, fields, page_size, cursor) */
Datum
qehs_record_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	char	   *module_key = argument_text(fcinfo, 0);
	char	   *fields = argument_text(fcinfo, 7);
	char	   *cursor = argument_text(fcinfo, 9);
	ViolationList faults = {0};
	ListPage		page = {.context = context,.limit = argument_page_size(fcinfo, 8, &faults),.query = {.alias = "r",.faults = &faults}};
	Selection	selection;
	char	   *binding;

	if (module_key == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?moduleKey", "required", "is required");
	page.query.module = module_lookup(context->tenant_id, module_key);
	if (page.query.module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	permission_require(context, page.query.module, ACTION_READ, &permission_some_record);
	if (!sort_read(page.query.module, PG_ARGISNULL(6) ? "-createdAt" : argument_text(fcinfo, 6), &page.sort))
		violation_add_first(&faults, "?sort", "unknown_field", "must be a field of module \"%s\" that can be sorted, with - in"
							" front for descending", page.query.module->key);
	else
		require_readable(&page, &page.sort.field, "?sort");
	if (fields)
	{
		selection_read(page.query.module, fields, &selection, &faults);
		page.selection = &selection;
	}
	read_conditions(&page, fcinfo);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	binding = page_binding(fcinfo, &page.sort);
	PG_RETURN_DATUM(write_page(&page, cursor ? read_position(&page, binding, cursor) : NULL, binding));
}
