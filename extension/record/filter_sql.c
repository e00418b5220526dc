/*
 * filter_sql.c
 *	  Conditions of a filter as SQL.
 *
 * A condition is true or not; "not" is IS NOT TRUE, so a record without the
 * field, for which a comparison is NULL, matches ne, nin and not.  Fields with a
 * slot compare by it; where a text is as long as a slot, the whole value of
 * the payload is looked at as well.
 */
#include "base/compat.h"

#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "permission/location.h"
#include "record/query.h"
#include "record/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static const char *const slot_columns[QEHS_SLOTS] = {"t1", "t2", "t3", "t4", "t5", "t6", "n1", "n2", "n3", "n4",
"d1", "d2", "d3", "d4"};

static const char *const built_in_columns[BUILT_IN_COUNT] = {
	[BUILT_IN_STATE] = "workflow_state",
	[BUILT_IN_CREATED_AT] = "created_at",
	[BUILT_IN_UPDATED_AT] = "updated_at",
	[BUILT_IN_CREATED_BY] = "created_by",
	[BUILT_IN_DISPLAY_CODE] = "display_no",
	[BUILT_IN_ID] = "id",
	[BUILT_IN_VERSION] = "version",
	[BUILT_IN_DUE_AT] = "due_at",
};

const char *
query_source(const ListQuery *query)
{
	return query->source ? query->source : psprintf("qehs.record AS %s", query->alias);
}

int
query_argument(ListQuery *query, Oid type, Datum value)
{
	if (query->count >= QEHS_QUERY_ARGUMENTS)
	{
		violation_add_first(query->faults, "?filter", "maxItems", "has too many conditions");
		return query->count;
	}
	query->types[query->count] = type;
	query->values[query->count] = value;
	return ++query->count;
}

int
query_array(ListQuery *query, Oid type, Datum *values, int count)
{
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	return query_argument(query, get_array_type(type), PointerGetDatum(construct_array(values, count, type, length, by_value, align)));
}

/* ---- fields ---- */

static const char *
built_in_expression(const ListQuery *query, const FilterField *field)
{
	const char *column = psprintf("%s.%s", query->alias, built_in_columns[field->built_in]);

	if (field->built_in == BUILT_IN_VERSION)
		return psprintf("%s::numeric", column);
	return field->built_in == BUILT_IN_STATE ? psprintf("%s COLLATE \"C\"", column) : column;
}

/* A call of one of the functions that read a payload (payload_value.c), of whichever version; some take the type. */
static const char *
payload_call(const ListQuery *query, const FilterField *field, const char *function, bool takes_type)
{
	const char *type = takes_type ? psprintf(", %d", (int) field->type) : "";

	return module_field_sql(field->top, psprintf("%s.", query->alias),
							psprintf("qehs.%s(%s.payload, '%%s%s'%s)", function, query->alias, field->below, type));
}

const char *
query_whole(const ListQuery *query, const FilterField *field)
{
	if (field->built_in)
		return built_in_expression(query, field);
	switch (filter_oid(field))
	{
		case NUMERICOID:
			return payload_call(query, field, "payload_number", true);
		case TIMESTAMPTZOID:
			return payload_call(query, field, "payload_time", true);
		case TEXTARRAYOID:
			return payload_call(query, field, "payload_list", false);
		default:
			return payload_call(query, field, "payload_text", true);
	}
}

const char *
query_ordered(const ListQuery *query, const FilterField *field)
{
	if (field->slot >= 0)
		return psprintf("%s.%s", query->alias, slot_columns[field->slot]);
	if (field->built_in == BUILT_IN_NONE && filter_oid(field) == TEXTOID)
		return psprintf("%s COLLATE \"C\"", payload_call(query, field, "payload_clip", true));
	return query_whole(query, field);
}

/* ---- conditions ---- */

static bool
is_long(const FilterField *field, Datum value)
{
	return field->slot >= 0 && filter_oid(field) == TEXTOID && VARSIZE_ANY_EXHDR(DatumGetPointer(value)) >= QEHS_TEXT_SLOT_BYTES;
}

/* A value as it is ordered. */
static Datum
ordered_value(const FilterField *field, Datum value)
{
	return field->built_in ? value : value_slot(field->kind, value);
}

/* Locations with all that lies in them. */
static Datum *
with_below(const ListQuery *query, const Datum *values, int *count)
{
	List	   *keys = NIL;
	ListCell   *cell;
	Datum	   *result;

	for (int i = 0; i < *count; i++)
		keys = location_add_below(keys, query->module->tenant_id, TextDatumGetCString(values[i]));
	result = palloc(sizeof(Datum) * Max(list_length(keys), 1));
	*count = 0;
	foreach(cell, keys)
		result[(*count)++] = CStringGetTextDatum(lfirst(cell));
	return result;
}

/*
 * "the field is one of the values", by its slot and, where a value is as long as that, by the whole one; a location's
 * value stands for what lies in it as well.
 */
static void
append_equality(ListQuery *query, const FilterField *field, Datum *values, int count)
{
	Oid			type = filter_oid(field);
	bool		whole = field->slot < 0;

	if (field->field && field->field->type == FIELD_LOCATION)
		values = with_below(query, values, &count);

	appendStringInfoChar(&query->sql, '(');
	if (field->slot >= 0)
	{
		Datum	   *slots = palloc(sizeof(Datum) * Max(count, 1));

		for (int i = 0; i < count; i++)
		{
			slots[i] = value_slot(field->kind, values[i]);
			whole |= is_long(field, values[i]);
		}
		if (count == 1)
			appendStringInfo(&query->sql, "%s = $%d", query_ordered(query, field), query_argument(query, type, slots[0]));
		else
			appendStringInfo(&query->sql, "%s = ANY ($%d)", query_ordered(query, field), query_array(query, type, slots, count));
		if (whole)
			appendStringInfoString(&query->sql, " AND ");
	}
	if (whole && count == 1)
		appendStringInfo(&query->sql, "%s = $%d", query_whole(query, field), query_argument(query, type, values[0]));
	else if (whole)
		appendStringInfo(&query->sql, "%s = ANY ($%d)", query_whole(query, field), query_array(query, type, values, count));
	appendStringInfoChar(&query->sql, ')');
}

/* "the list has one of the values" */
static void
append_overlap(ListQuery *query, const FilterField *field, Datum *values, int count)
{
	appendStringInfo(&query->sql, "(%s OPERATOR(pg_catalog.&&) $%d)", query_whole(query, field),
					 query_array(query, TEXTOID, values, count));
}

/* An option's order is its place: the options before, or behind, are those that match. */
static void
append_option_order(ListQuery *query, const FilterField *field, FilterOperator operator, Datum value)
{
	const ModuleField *choice = field->field;
	const char *option = TextDatumGetCString(value);
	Datum	   *matching = palloc(sizeof(Datum) * Max(choice->option_count, 1));
	int			place = 0;
	int			count = 0;

	while (place < choice->option_count && strcmp(choice->options[place], option) != 0)
		place++;
	for (int i = 0; i < choice->option_count; i++)
		if (operator == FILTER_LT ? i < place : operator == FILTER_LTE ? i <= place : operator == FILTER_GT ? i > place : i >= place)
			matching[count++] = CStringGetTextDatum(choice->options[i]);
	if (count == 0)
		appendStringInfoString(&query->sql, "false");
	else
		append_equality(query, field, matching, count);
}

static void
append_order(ListQuery *query, const FilterField *field, FilterOperator operator, Datum value)
{
	static const char *const signs[] = {[FILTER_LT] = "<", [FILTER_LTE] = "<=", [FILTER_GT] = ">", [FILTER_GTE] = ">="};

	appendStringInfo(&query->sql, "(%s %s $%d)", query_ordered(query, field), signs[operator],
					 query_argument(query, filter_oid(field), ordered_value(field, value)));
}

static void
append_contains(ListQuery *query, const FilterField *field, Datum value)
{
	const char *whole = field->built_in ? psprintf("%s.%s", query->alias, built_in_columns[field->built_in]) : query_whole(query, field);

	appendStringInfo(&query->sql, "(pg_catalog.strpos(pg_catalog.lower(%s), pg_catalog.lower($%d)) > 0)", whole,
					 query_argument(query, TEXTOID, value));
}

static void
append_starts_with(ListQuery *query, const FilterField *field, Datum value)
{
	appendStringInfoChar(&query->sql, '(');
	if (field->slot >= 0)
		appendStringInfo(&query->sql, "%s OPERATOR(pg_catalog.^@) $%d", query_ordered(query, field),
						 query_argument(query, TEXTOID, ordered_value(field, value)));
	if (field->slot < 0 || is_long(field, value))
		appendStringInfo(&query->sql, "%spg_catalog.starts_with(%s, $%d)", field->slot >= 0 ? " AND " : "", query_whole(query, field),
						 query_argument(query, TEXTOID, value));
	appendStringInfoChar(&query->sql, ')');
}

static void
append_exists(ListQuery *query, const FilterField *field, bool present)
{
	if (field->built_in == BUILT_IN_DUE_AT)
		appendStringInfo(&query->sql, "(%s IS %sNULL)", built_in_expression(query, field), present ? "NOT " : "");
	else if (field->built_in)
		appendStringInfoString(&query->sql, present ? "true" : "false");
	else
		appendStringInfo(&query->sql, "%s IS %sTRUE", payload_call(query, field, "payload_exists", false), present ? "" : "NOT ");
}

static void
append_condition(ListQuery *query, const FilterNode *node)
{
	const FilterField *field = &node->field;
	bool		negated = node->operator == FILTER_NE || node->operator == FILTER_NIN;

	switch (node->operator)
	{
		case FILTER_EXISTS:
			append_exists(query, field, node->present);
			break;
		case FILTER_LT:
		case FILTER_LTE:
		case FILTER_GT:
		case FILTER_GTE:
			if (field->kind == VALUE_OPTION)
				append_option_order(query, field, node->operator, node->values[0]);
			else
				append_order(query, field, node->operator, node->values[0]);
			break;
		case FILTER_STARTS_WITH:
			append_starts_with(query, field, node->values[0]);
			break;
		default:
			if (field->kind == VALUE_LIST)
				append_overlap(query, field, node->values, node->count);
			else if (node->operator == FILTER_CONTAINS)
				append_contains(query, field, node->values[0]);
			else
				append_equality(query, field, node->values, node->count);
			if (negated)
				appendStringInfoString(&query->sql, " IS NOT TRUE");
	}
}

void
query_filter(ListQuery *query, const FilterNode *node)
{
	if (node->kind == FILTER_CONDITION)
	{
		append_condition(query, node);
		return;
	}
	if (node->count == 0)
	{
		appendStringInfoString(&query->sql, "true");
		return;
	}
	appendStringInfoChar(&query->sql, '(');
	for (int i = 0; i < node->count; i++)
	{
		if (i > 0)
			appendStringInfoString(&query->sql, node->kind == FILTER_OR ? " OR " : " AND ");
		query_filter(query, node->items[i]);
	}
	appendStringInfoString(&query->sql, node->kind == FILTER_NOT ? ") IS NOT TRUE" : ")");
}
