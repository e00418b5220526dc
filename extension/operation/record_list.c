/*
 * record_list.c
 *	  qehs.record_list: one page of one module, by filter, sort and cursor.
 *
 * The page is a keyset: (sort value, id) beyond the cursor's, so it costs the
 * same at any depth, and rows that stand throughout are seen once whatever is
 * inserted or deleted meanwhile; a record whose sort value changes during a walk
 * may be seen twice or not at all.  The executor is stopped after one row more
 * than the page, which tells whether another page follows.
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
#include "nodes/parsenodes.h"
#include "record/query.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(qehs_record_list);
PG_FUNCTION_INFO_V1(qehs_payload_time);

#define MAX_PLANS 128

typedef struct ShapePlan
{
	char	   *sql;
	PreparedPlan prepared;
	uint64		used;
} ShapePlan;

typedef struct ListSort
{
	QueryField	field;
	const char *name;
	bool		descending;
	Oid			type;
} ListSort;

static ShapePlan plans[MAX_PLANS];
static uint64 plan_clock = 0;

/* payload_time(payload, key): a date or date-time member, or NULL. */
Datum
qehs_payload_time(PG_FUNCTION_ARGS)
{
	Jsonb	   *payload = PG_GETARG_JSONB_P(0);
	text	   *key = PG_GETARG_TEXT_PP(1);
	JsonbValue	value;
	TimestampTz time;

	if (!json_member(&payload->root, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), &value) || value.type != jbvString ||
		(!json_time_parse(value.val.string.val, value.val.string.len, &time) &&
		 !json_date_parse(value.val.string.val, value.val.string.len, &time)))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(time);
}

/*
 * The kept plan of a shape, made when it is new.  A walk without conditions has
 * one good plan, so deep pages need not pay for planning with their position's
 * values; filters are planned for theirs, which may be rare or common.
 */
static SPIPlanPtr
shape_plan(ListQuery *query)
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
	prepared = plan_prepare(query->sql.data, query->count, query->types, query->keyset_only ? CURSOR_OPT_GENERIC_PLAN : 0);
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

static void
read_sort(const ListQuery *query, const char *text, ListSort *sort)
{
	sort->descending = text[0] == '-';
	sort->name = sort->descending ? text + 1 : text;
	if (!query_field(query->module, sort->name, &sort->field) || sort->field.kind == SLOT_NONE)
		violation_add_first(query->faults, "?sort", "unknown_field", "must be a field of module \"%s\" that can be sorted, with - in"
							" front for descending", query->module->key);
	sort->type = sort->field.is_uuid ? UUIDOID : sort->field.is_display_code ? INT8OID :
		sort->field.kind == SLOT_TEXT ? TEXTOID : sort->field.kind == SLOT_NUMBER ? FLOAT8OID : TIMESTAMPTZOID;
	query_require_readable(query, &sort->field, "?sort");
}

/* The sort value of a cursor's position, behind the 16 bytes of the id. */
static Datum
position_value(const ListSort *sort, const char *bytes, int length)
{
	int64		number;

	if (sort->type == TEXTOID)
		return PointerGetDatum(cstring_to_text_with_len(bytes, length));
	if (sort->type == UUIDOID)
	{
		pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

		memcpy(id, bytes, Min(length, (int) sizeof(*id)));
		return UUIDPGetDatum(id);
	}
	memcpy(&number, bytes, sizeof(number));
	return sort->type == FLOAT8OID ? Float8GetDatum(*(double *) &number) : Int64GetDatum(number);
}

static char *
seal_position(const RequestContext *context, const char *binding, const ListSort *sort, const pg_uuid_t *id, Datum value)
{
	StringInfoData position;
	int64		number;

	initStringInfo(&position);
	appendBinaryStringInfo(&position, (const char *) id, sizeof(*id));
	if (sort->type == TEXTOID)
		appendBinaryStringInfo(&position, VARDATA_ANY(DatumGetPointer(value)), VARSIZE_ANY_EXHDR(DatumGetPointer(value)));
	else if (sort->type == UUIDOID)
		appendBinaryStringInfo(&position, DatumGetPointer(value), sizeof(pg_uuid_t));
	else
	{
		double		real = sort->type == FLOAT8OID ? DatumGetFloat8(value) : 0;

		number = DatumGetInt64(value);
		appendBinaryStringInfo(&position, sort->type == FLOAT8OID ? (char *) &real : (char *) &number, 8);
	}
	return cursor_seal(context->tenant_id, "record_list", binding, position.data, position.len);
}

/* " AND created_at >= $n" of from and to. */
static void
append_bound(ListQuery *query, const char *text, const char *name, const char *operator)
{
	TimestampTz time = 0;

	if (text == NULL)
		return;
	if (!json_time_parse(text, strlen(text), &time))
		violation_add_first(query->faults, psprintf("?%s", name), "format", "must be an RFC 3339 time with offset");
	appendStringInfo(&query->sql, " AND created_at %s $%d", operator, query_argument(query, TIMESTAMPTZOID, TimestampTzGetDatum(time)));
}

/* Those that are named searchable, else all texts. */
static bool
is_searched(const ModuleDef *module, const ModuleField *field)
{
	return module->has_searchable ? field->searchable : field->type == FIELD_TEXT || field->type == FIELD_RICH_TEXT;
}

/* Whether the caller may read all that the column search is made of. */
static bool
searches_all(const ListQuery *query)
{
	for (int i = 0; i < query->module->field_count; i++)
		if (query->module->fields[i].searchable && !permission_reads_field(query->context, query->module, &query->module->fields[i], NULL))
			return false;
	return true;
}

static void
append_search(ListQuery *query, const char *q)
{
	const ModuleDef *module = query->module;
	int			number;

	if (q == NULL)
		return;
	if (*q == '\0' || strlen(q) > 500)
		violation_add_first(query->faults, "?q", "length", "must be 1 to 500 bytes");
	number = query_argument(query, TEXTOID, CStringGetTextDatum(q));
	if (module->has_searchable && searches_all(query))
		appendStringInfoString(&query->sql, " AND search");
	else
	{
		appendStringInfoString(&query->sql, " AND pg_catalog.to_tsvector('pg_catalog.simple', pg_catalog.concat_ws(' ', ''");
		for (int i = 0; i < module->field_count; i++)
			if (is_searched(module, &module->fields[i]) && permission_reads_field(query->context, module, &module->fields[i], NULL))
				appendStringInfo(&query->sql, ", %s", query_payload_text(&module->fields[i]));
		appendStringInfoString(&query->sql, "))");
	}
	appendStringInfo(&query->sql, " @@ pg_catalog.websearch_to_tsquery('pg_catalog.simple', $%d)", number);
}

/* The keyset condition, order and a constant limit (the executor is stopped earlier). */
static void
append_order(ListQuery *query, const ListSort *sort, const char *position, int length)
{
	const char *direction = sort->descending ? "DESC" : "ASC";

	if (sort->field.field && sort->field.field->slot >= 0)
		appendStringInfo(&query->sql, " AND %s IS NOT NULL", sort->field.expression);
	if (position)
	{
		pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
		int			value;

		memcpy(id, position, sizeof(*id));
		value = query_argument(query, sort->type, position_value(sort, position + sizeof(*id), length - (int) sizeof(*id)));
		appendStringInfo(&query->sql, " AND (%s, id) %c ($%d, $%d)", sort->field.expression, sort->descending ? '<' : '>',
						 value, query_argument(query, UUIDOID, UUIDPGetDatum(id)));
	}
	appendStringInfo(&query->sql, " ORDER BY %s %s, id %s LIMIT %d", sort->field.expression, direction, direction, QEHS_MAX_PAGE + 1);
}

/* Names of fields=…, checked against the module. */
typedef struct Selection
{
	const ModuleDef *module;	/* the current definition: it knows a field's old keys */
	int			count;
	char	   *names[64];
} Selection;

static bool
is_selected(const Selection *selection, const char *name)
{
	for (int i = 0; i < selection->count; i++)
		if (strcmp(selection->names[i], name) == 0)
			return true;
	return false;
}

/* A name that comes again says nothing new. */
static void
read_selection(const ListQuery *query, char *fields, Selection *selection)
{
	static const char *const known[] = {"id", "moduleKey", "displayCode", "workflowState", "payload", "version",
	"definitionVersion", "createdAt", "updatedAt", "createdBy", "updatedBy", "deletedAt"};

	selection->module = query->module;
	selection->count = 0;
	for (char *name = strsep(&fields, ","); name; name = strsep(&fields, ","))
	{
		bool		found = strncmp(name, "payload.", 8) == 0 && module_field(query->module, name + 8, strlen(name + 8));

		for (int i = 0; i < (int) lengthof(known) && !found; i++)
			found = strcmp(known[i], name) == 0;
		if (!found || selection->count >= (int) lengthof(selection->names))
			violation_add_first(query->faults, "?fields", "unknown_field", "has no field \"%s\" to select", name);
		else if (!is_selected(selection, name))
			selection->names[selection->count++] = name;
	}
}

/* Copy the selected members of a whole record's JSON. */
static void
write_selected(StringInfo out, const char *whole, const Selection *selection)
{
	Jsonb	   *record = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(whole)));
	JsonbValue	value;
	JsonbValue	payload;
	Jsonb	   *members;
	bool		in_payload = false;

	json_literal(out, "{\"id\":");
	json_member(&record->root, "id", 2, &value);
	json_jsonb_value(out, &value);
	for (int i = 0; i < selection->count; i++)
	{
		const char *name = selection->names[i];

		if (strcmp(name, "id") == 0 || strncmp(name, "payload.", 8) == 0 || !json_member(&record->root, name, strlen(name), &value))
			continue;
		appendStringInfoChar(out, ',');
		json_name(out, name);
		json_jsonb_value(out, &value);
	}
	json_member(&record->root, "payload", 7, &payload);
	members = json_value_to_jsonb(&payload);
	for (int i = 0; i < selection->count && !is_selected(selection, "payload"); i++)
	{
		const char *name = selection->names[i];

		if (strncmp(name, "payload.", 8) != 0)
			continue;
		if (!in_payload)
			json_literal(out, ",\"payload\":{");
		if (module_field_value(module_field(selection->module, name + 8, strlen(name + 8)), members, &value))
		{
			if (out->data[out->len - 1] != '{')
				appendStringInfoChar(out, ',');
			json_name(out, name + 8);
			json_jsonb_value(out, &value);
		}
		in_payload = true;
	}
	if (in_payload)
		appendStringInfoChar(out, '}');
	appendStringInfoChar(out, '}');
}

static void
write_item(StringInfo out, const RequestContext *context, uint64 row, const Selection *selection)
{
	Record		record;
	const ModuleDef *module;
	StringInfoData whole;

	record_read_row(row, &record);
	module = record_module(context, &record);
	if (selection == NULL)
	{
		record_write_json(out, context, module, &record, false);
		return;
	}
	initStringInfo(&whole);
	record_write_json(&whole, context, module, &record, false);
	write_selected(out, whole.data, selection);
	pfree(whole.data);
}

/* Whatever must be the same on the next page: the module, the sort, the conditions. */
static char *
page_binding(FunctionCallInfo fcinfo, const char *sort)
{
	StringInfoData binding;

	initStringInfo(&binding);
	appendStringInfo(&binding, "%s\n%s\n", argument_text(fcinfo, 0), sort);
	for (int i = 2; i <= 5; i++)
		appendStringInfo(&binding, "%d:%s\n", i, PG_ARGISNULL(i) ? "" : argument_text(fcinfo, i));
	if (!PG_ARGISNULL(1))
		json_jsonb(&binding, PG_GETARG_JSONB_P(1));
	return binding.data;
}

/* The statement up to its order. */
static void
begin_query(ListQuery *query, const RequestContext *context, const ListSort *sort, FunctionCallInfo fcinfo)
{
	char	   *status = argument_text(fcinfo, 2);

	initStringInfo(&query->sql);
	appendStringInfo(&query->sql, "SELECT " QEHS_RECORD_COLUMNS ", %s FROM qehs.record"
					 " WHERE tenant_id = $1 AND module_id = $2 AND deleted_at IS NULL", sort->field.expression);
	query_argument(query, INT4OID, Int32GetDatum(context->tenant_id));
	query_argument(query, INT4OID, Int32GetDatum(query->module->module_id));
	if (!PG_ARGISNULL(1))
		query_filter(query, context, PG_GETARG_JSONB_P(1));
	if (status)
		appendStringInfo(&query->sql, " AND workflow_state = $%d", query_argument(query, TEXTOID, CStringGetTextDatum(status)));
	append_bound(query, argument_text(fcinfo, 3), "from", ">=");
	append_bound(query, argument_text(fcinfo, 4), "to", "<=");
	append_search(query, argument_text(fcinfo, 5));
	query->keyset_only = query->count == 2;
}

/* Run the query and write {"items":[…],"nextCursor":…}. */
static Datum
write_page(ListQuery *query, RequestContext *context, const ListSort *sort, const Selection *selection,
		   const char *binding, int32 limit)
{
	StringInfoData out;
	char	   *next = NULL;
	Datum		answer;
	uint64		rows;
	int			result;
	bool		isnull;

	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	result = SPI_execute_plan(shape_plan(query), query->values, NULL, true, limit + 1);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	rows = SPI_processed;
	for (uint64 i = 0; i < Min(rows, (uint64) limit); i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		write_item(&out, context, i, selection);
	}
	if (rows > (uint64) limit)
		next = seal_position(context, binding, sort, DatumGetUUIDP(plan_value(limit - 1, 1, &isnull)),
							 plan_value(limit - 1, 13, &isnull));
	answer = context_answer_page(&out, context, next);
	SPI_finish();
	return answer;
}

/* record_list(module_key, filter, status, created_from, created_to, q, sort, fields, page_size, cursor) */
Datum
qehs_record_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	char	   *module_key = argument_text(fcinfo, 0);
	char	   *sort_text = PG_ARGISNULL(6) ? "-createdAt" : argument_text(fcinfo, 6);
	char	   *fields = argument_text(fcinfo, 7);
	char	   *cursor = argument_text(fcinfo, 9);
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, 8, &faults);
	ListQuery	query = {.context = context,.faults = &faults};
	ListSort	sort;
	Selection	selection = {0};
	char	   *binding;
	char	   *position = NULL;
	int			length = 0;

	if (module_key == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?moduleKey", "required", "is required");
	query.module = module_lookup(context->tenant_id, module_key);
	if (query.module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	permission_require(context, query.module, ACTION_READ, &permission_some_record);
	read_sort(&query, sort_text, &sort);
	if (fields)
		read_selection(&query, fields, &selection);
	begin_query(&query, context, &sort, fcinfo);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	binding = page_binding(fcinfo, sort_text);
	if (cursor)
		position = cursor_open(context->tenant_id, "record_list", binding, cursor, &length);
	append_order(&query, &sort, position, length);
	PG_RETURN_DATUM(write_page(&query, context, &sort, fields ? &selection : NULL, binding, limit));
}
