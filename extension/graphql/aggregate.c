/*
 * aggregate.c
 *	  Counts, sums, averages and bounds of the records of a module, in one
 *	  statement, of which only what is asked for is computed.
 */
#include "base/compat.h"

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

		if (!filter_field(aggregate->module, name, group) || (group->field && (group->field->type == FIELD_TABLE || group->field->type == FIELD_OBJECT)))
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

static void
write_statement(Aggregate *aggregate, ListQuery *query)
{
	StringInfoData sql;
	FilterField field;

	initStringInfo(&sql);
	json_literal(&sql, "SELECT pg_catalog.count(*)");
	for (int i = 0; i < aggregate->group_count; i++)
		appendStringInfo(&sql, ", pg_catalog.to_jsonb(%s)", query_whole(query, &aggregate->groups[i]));
	for (int i = 0; i < aggregate->column_count; i++)
	{
		filter_field(aggregate->module, aggregate->columns[i].key, &field);
		appendStringInfo(&sql, strcmp(aggregate->columns[i].function, "avg") == 0 ? ", pg_catalog.trim_scale(pg_catalog.%s(%s))" :
						 ", pg_catalog.%s(%s)", aggregate->columns[i].function, query_whole(query, &field));
	}
	appendStringInfo(&sql, " FROM qehs.record AS %s WHERE %s", query->alias, aggregate->walk.conditions);
	for (int i = 0; i < aggregate->group_count; i++)
		appendStringInfo(&sql, "%s%d", i == 0 ? " GROUP BY " : ", ", i + 2);
	appendStringInfo(&sql, " ORDER BY 1 DESC LIMIT %d", MAX_GROUPS);
	query->sql = sql;
}

static void
write_value(StringInfo out, const Column *column, Datum value)
{
	if (column->type == TIMESTAMPTZOID)
	{
		if (column->is_date)
		{
			StringInfoData time;

			initStringInfo(&time);
			json_time_raw(&time, DatumGetTimestampTz(value));
			json_string_n(out, time.data, strlen("2026-01-01"));
		}
		else
			json_time(out, DatumGetTimestampTz(value));
	}
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
				json_jsonb(out, DatumGetJsonbP(value));
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
