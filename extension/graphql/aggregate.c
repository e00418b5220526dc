/*
 * aggregate.c
 *	  Counts, sums, averages and bounds of the records of a module, in one
 *	  statement, of which only what is asked for is computed.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "graphql/names.h"
#include "graphql/run.h"
#include "record/list.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define MAX_GROUPS 1000
#define MAX_GROUP_FIELDS 5
#define MAX_COLUMNS 200

/* The columns of the statement: behind the fields of the key are those of the functions. */
enum
{
	COLUMN_COUNT = 1, COLUMN_FIRST_KEY
};

/* A function of a field: a column of the statement. */
typedef struct Column
{
	const char *function;		/* "sum" */
	const char *key;			/* of the field */
	Oid			type;			/* of its values */
	bool		is_date;
} Column;

typedef struct Aggregate
{
	Run		   *run;
	RunField   *field;
	const ModuleDef *module;
	ListWalk	walk;
	ViolationList faults;
	int			group_count;
	FilterField groups[MAX_GROUP_FIELDS];
	int			column_count;
	Column		columns[MAX_COLUMNS];
} Aggregate;

/* ---- what is asked for ---- */

static void
read_groups(Aggregate *aggregate)
{
	Jsonb	   *names = run_argument_json(aggregate->field, "groupBy");
	int			count = names ? (int) JsonContainerSize(&names->root) : 0;

	if (count > MAX_GROUP_FIELDS)
		violation_add(&aggregate->faults, "?groupBy", "maxItems", "must be at most %d fields", MAX_GROUP_FIELDS);
	for (int i = 0; i < Min(count, MAX_GROUP_FIELDS); i++)
	{
		char	   *name = json_text_copy(getIthJsonbValueFromContainer(&names->root, i));
		FilterField *group = &aggregate->groups[aggregate->group_count];

		if (!filter_field(aggregate->module, name, group) || group->kind == VALUE_NONE)
			violation_add(&aggregate->faults, "?groupBy", "unknown_field", "has no field \"%s\" to group by", name);
		else
		{
			list_require_readable(&aggregate->walk, group, "?groupBy");
			aggregate->group_count++;
		}
	}
}

/* The columns of one function: fields of its type. */
static void
read_columns(Aggregate *aggregate, RunField *function)
{
	RunFields  *fields = run_fields(aggregate->run, function, graphql_named_type(function->field->type));

	for (int i = 0; i < fields->count; i++)
	{
		const GraphqlSource *source = fields->items[i].source;
		Column	   *column = &aggregate->columns[aggregate->column_count];
		bool		known = source->origin == ORIGIN_TYPENAME;
		FilterField field;

		for (int j = 0; j < aggregate->column_count && !known; j++)
			known = strcmp(aggregate->columns[j].function, function->source->member) == 0 && strcmp(aggregate->columns[j].key, source->key) == 0;
		if (known || aggregate->column_count == MAX_COLUMNS || !filter_field(aggregate->module, source->key, &field))
			continue;
		*column = (Column) {function->source->member, source->key, filter_oid(&field), field.type == FIELD_DATE};
		aggregate->column_count++;
	}
}

/* ---- the statement ---- */

/* Whether the group's values are numbers that stand for texts, of which several may mean the same. */
static bool
is_span(const FilterField *group)
{
	return group->kind == VALUE_DURATION || group->kind == VALUE_TIME_OF_DAY;
}

/* What the values that a group of records share are told from: they themselves, or one of their texts. */
static const char *
key_sql(const ListQuery *query, const FilterField *group)
{
	FilterField text = *group;

	if (is_span(group))
	{
		text.type = FIELD_TEXT;
		text.kind = VALUE_TEXT;
		return psprintf("pg_catalog.min(%s COLLATE \"C\")", query_whole(query, &text));
	}
	return psprintf(filter_oid(group) == NUMERICOID || filter_oid(group) == TEXTARRAYOID ? "pg_catalog.to_jsonb(%s)" : "%s", query_whole(query, group));
}

static void
write_statement(Aggregate *aggregate, ListQuery *query)
{
	StringInfoData sql;
	FilterField field;

	initStringInfo(&sql);
	json_literal(&sql, "SELECT pg_catalog.count(*)");
	for (int i = 0; i < aggregate->group_count; i++)
		appendStringInfo(&sql, ", %s", key_sql(query, &aggregate->groups[i]));
	for (int i = 0; i < aggregate->column_count; i++)
	{
		filter_field(aggregate->module, aggregate->columns[i].key, &field);
		appendStringInfo(&sql, strcmp(aggregate->columns[i].function, "avg") == 0 ? ", pg_catalog.trim_scale(pg_catalog.%s(%s))" :
						 ", pg_catalog.%s(%s)", aggregate->columns[i].function, query_whole(query, &field));
	}
	appendStringInfo(&sql, " FROM qehs.record AS %s WHERE %s", query->alias, aggregate->walk.conditions);
	for (int i = 0; i < aggregate->group_count; i++)
		appendStringInfo(&sql, "%s%s", i == 0 ? " GROUP BY " : ", ", query_whole(query, &aggregate->groups[i]));
	json_literal(&sql, " ORDER BY 1 DESC");
	for (int i = 0; i < aggregate->group_count; i++)
		appendStringInfo(&sql, ", %d", COLUMN_FIRST_KEY + i);
	appendStringInfo(&sql, " LIMIT %d", MAX_GROUPS);
	query->sql = sql;
}

static void
write_time(StringInfo out, bool is_date, TimestampTz time)
{
	StringInfoData text;

	if (!is_date)
	{
		json_time(out, time);
		return;
	}
	initStringInfo(&text);
	json_time_raw(&text, time);
	json_string_n(out, text.data, strlen("2026-01-01"));
}

/* The id that an actor has on the wire, or null of the system. */
static void
write_actor_id(StringInfo out, int32 tenant_id, const pg_uuid_t *id)
{
	StringInfoData actor;

	initStringInfo(&actor);
	context_write_actor(&actor, tenant_id, id);
	json_string(out, json_member_text(&DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(actor.data)))->root, "id"));
}

/* A value that the records of a group share, as a filter takes it and a record shows it. */
static void
write_key(StringInfo out, const Aggregate *aggregate, const FilterField *group, Datum value)
{
	switch (filter_oid(group))
	{
		case UUIDOID:
			if (group->built_in == BUILT_IN_ID)
				json_id(out, DatumGetUUIDP(value), QEHS_ID_RECORD);
			else
				write_actor_id(out, aggregate->run->context->tenant_id, DatumGetUUIDP(value));
			break;
		case INT8OID:			/* the number of a display code */
			record_write_display_code(out, aggregate->module, DatumGetInt64(value));
			break;
		case TIMESTAMPTZOID:
			write_time(out, group->type == FIELD_DATE, DatumGetTimestampTz(value));
			break;
		case TEXTOID:
			if (group->kind == VALUE_BOOLEAN)
				appendStringInfoString(out, TextDatumGetCString(value));
			else
				json_string(out, TextDatumGetCString(value));
			break;
		default:
			if (is_span(group))
				json_string(out, TextDatumGetCString(value));
			else
				json_jsonb(out, DatumGetJsonbP(value));
	}
}

static void
write_value(StringInfo out, const Column *column, Datum value)
{
	if (column->type == TIMESTAMPTZOID)
		write_time(out, column->is_date, DatumGetTimestampTz(value));
	else
		appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
}

/* The members of one function in a row: {"sum":{field:value}} */
static void
write_function(StringInfo out, const Aggregate *aggregate, const char *function, uint64 row)
{
	bool		first = true;

	appendStringInfo(out, ",\"%s\":{", function);
	for (int i = 0; i < aggregate->column_count; i++)
	{
		bool		isnull;
		Datum		value;

		if (strcmp(aggregate->columns[i].function, function) != 0)
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		json_name(out, aggregate->columns[i].key);
		value = plan_value(row, COLUMN_FIRST_KEY + aggregate->group_count + i, &isnull);
		if (isnull)
			json_literal(out, "null");
		else
			write_value(out, &aggregate->columns[i], value);
	}
	appendStringInfoChar(out, '}');
}

/* Have the actors among the keys at hand. */
static void
load_key_actors(const Aggregate *aggregate, uint64 rows)
{
	pg_uuid_t  *ids = palloc(Max(rows, 1) * sizeof(pg_uuid_t));

	for (int i = 0; i < aggregate->group_count; i++)
	{
		bool		isnull;

		if (aggregate->groups[i].built_in != BUILT_IN_CREATED_BY)
			continue;
		for (uint64 row = 0; row < rows; row++)
			ids[row] = *DatumGetUUIDP(plan_value(row, COLUMN_FIRST_KEY + i, &isnull));
		context_load_actors(aggregate->run->context->tenant_id, ids, rows);
	}
}

static void
write_row(StringInfo out, const Aggregate *aggregate, uint64 row)
{
	static const char *const functions[] = {"sum", "avg", "min", "max"};
	bool		isnull;

	json_literal(out, "{\"count\":");
	json_int(out, DatumGetInt64(plan_value(row, COLUMN_COUNT, &isnull)));
	json_literal(out, ",\"key\":");
	if (aggregate->group_count == 0)
		json_literal(out, "null");
	else
	{
		for (int i = 0; i < aggregate->group_count; i++)
		{
			Datum		value = plan_value(row, COLUMN_FIRST_KEY + i, &isnull);

			appendStringInfoChar(out, i == 0 ? '{' : ',');
			json_name(out, aggregate->groups[i].name);
			if (isnull)
				json_literal(out, "null");
			else
				write_key(out, aggregate, &aggregate->groups[i], value);
		}
		appendStringInfoChar(out, '}');
	}
	for (int i = 0; i < (int) lengthof(functions); i++)
		write_function(out, aggregate, functions[i], row);
	appendStringInfoChar(out, '}');
}

bool
run_write_aggregate(Run *run, StringInfo out, RunField *field)
{
	Aggregate	aggregate = {.run = run,.field = field,.module = module_lookup(run->context->tenant_id, field->source->module)};
	ListRequest request = {.module = aggregate.module,.filter = run_argument_json(field, "filter"),.filter_path = "?filter",
	.q = run_argument_text(field, "q")};
	RunFields  *members = run_fields(run, field, graphql_named_type(field->field->type));
	StringInfoData text;
	Jsonb	   *parsed;
	JsonbValue	value = {.type = jbvBinary};
	ListQuery	query;
	uint64		rows;

	if (aggregate.module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	list_open(&aggregate.walk, run->context, &request, &aggregate.faults);
	read_groups(&aggregate);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &aggregate.faults);
	for (int i = 0; i < members->count; i++)
		if (members->items[i].selections)
			read_columns(&aggregate, &members->items[i]);
	query = aggregate.walk.query;
	write_statement(&aggregate, &query);
	rows = query_execute(&query, false, 0);
	load_key_actors(&aggregate, rows);
	initStringInfo(&text);
	appendStringInfoChar(&text, '[');
	for (uint64 row = 0; row < rows; row++)
	{
		if (row > 0)
			appendStringInfoChar(&text, ',');
		write_row(&text, &aggregate, row);
	}
	appendStringInfoChar(&text, ']');
	parsed = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
	value.val.binary.data = &parsed->root;
	value.val.binary.len = VARSIZE_ANY_EXHDR(parsed);
	return run_write_json(run, out, field, field->field->type, &value);
}
