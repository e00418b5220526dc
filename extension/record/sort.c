/*
 * sort.c
 *	  The order of a list: its SQL, and the position that a cursor carries.
 *
 * A page is a keyset: what lies beyond (value, id) of the last record shown, so
 * it costs the same at any depth.  Options of a field with a slot are walked one
 * by one in their order, each by its part of the index.
 */
#include "base/compat.h"

#include "base/json.h"
#include "catalog/pg_type.h"
#include "record/record.h"
#include "record/sort.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

bool
sort_read(const ModuleDef *module, const char *text, ListSort *sort)
{
	memset(sort, 0, sizeof(*sort));
	sort->descending = text[0] == '-';
	if (!filter_field(module, text + sort->descending, &sort->field) || !sort->field.ordered)
		return false;
	sort->by_place = sort->field.kind == VALUE_OPTION;
	sort->type = sort->by_place ? INT4OID : filter_oid(&sort->field);
	return true;
}

void
sort_describe(StringInfo out, const ListSort *sort)
{
	appendStringInfo(out, "%d %s %d %d\n", sort->descending, sort->field.name, sort->field.built_in, sort->field.type);
	for (int i = 0; sort->by_place && i < sort->field.field->option_count; i++)
		json_string(out, sort->field.field->options[i]);
}

bool
sort_has_rest(const ListSort *sort)
{
	return sort->field.built_in == BUILT_IN_NONE || sort->field.built_in == BUILT_IN_DUE_AT;
}

static bool
walks_options(const ListSort *sort)
{
	return sort->by_place && sort->field.slot >= 0;
}

/* $n of all options, as text[]. */
static int
options_argument(ListQuery *query, const ModuleField *field)
{
	Datum	   *options = palloc(sizeof(Datum) * Max(field->option_count, 1));

	for (int i = 0; i < field->option_count; i++)
		options[i] = CStringGetTextDatum(field->options[i]);
	return query_array(query, TEXTOID, options, field->option_count);
}

/*
 * The options from the position on, with the id behind which each begins: the
 * inner query takes one after the other, and what follows the page is not run.
 */
static void
write_option_walk(ListQuery *query, const ListSort *sort, const SortPosition *after, const char *conditions)
{
	const ModuleField *field = sort->field.field;
	int			first = after ? DatumGetInt32(after->value) : sort->descending ? field->option_count : 1;
	int			step = sort->descending ? -1 : 1;
	int			count = 0;
	Datum	   *options = palloc(sizeof(Datum) * (field->option_count + 1));
	Datum	   *places = palloc(sizeof(Datum) * (field->option_count + 1));
	Datum	   *ids = palloc(sizeof(Datum) * (field->option_count + 1));
	pg_uuid_t  *outermost = palloc(sizeof(pg_uuid_t));

	memset(outermost, sort->descending ? 0xff : 0, sizeof(*outermost));
	for (int place = first; place >= 1 && place <= field->option_count; place += step)
	{
		options[count] = CStringGetTextDatum(field->options[place - 1]);
		places[count] = Int32GetDatum(place);
		ids[count++] = UUIDPGetDatum(after && place == first ? &after->id : outermost);
	}
	appendStringInfo(&query->sql, "SELECT %s, o.place FROM ROWS FROM (pg_catalog.unnest($%d), ", query->columns,
					 query_array(query, TEXTOID, options, count));
	appendStringInfo(&query->sql, "pg_catalog.unnest($%d), ", query_array(query, INT4OID, places, count));
	appendStringInfo(&query->sql, "pg_catalog.unnest($%d)) AS o (option, place, after) CROSS JOIN LATERAL (SELECT"
					 " %s.* FROM qehs.record AS %s WHERE %s AND %s = o.option AND %s.id %c o.after"
					 " ORDER BY id %s LIMIT " INT64_FORMAT ") AS %s LIMIT " INT64_FORMAT,
					 query_array(query, UUIDOID, ids, count), query->alias, query->alias, conditions, query_ordered(query, &sort->field), query->alias,
					 sort->descending ? '<' : '>', sort->descending ? "DESC" : "ASC", query->limit, query->alias, query->limit);
}

/* What is sorted by, as one expression. */
static const char *
sort_expression(ListQuery *query, const ListSort *sort)
{
	if (!sort->by_place)
		return query_ordered(query, &sort->field);
	return psprintf("pg_catalog.array_position($%d, %s)", options_argument(query, sort->field.field), query_whole(query, &sort->field));
}

static void
write_valued(ListQuery *query, const ListSort *sort, const SortPosition *after, const char *conditions)
{
	const char *direction = sort->descending ? "DESC" : "ASC";
	const char *expression = sort_expression(query, sort);

	appendStringInfo(&query->sql, "SELECT %s, %s FROM qehs.record AS %s WHERE %s", query->columns, expression, query->alias, conditions);
	if (sort_has_rest(sort))
		appendStringInfo(&query->sql, " AND %s IS NOT NULL", expression);
	if (after)
	{
		int			value = query_argument(query, sort->type, after->value);

		appendStringInfo(&query->sql, " AND (%s, id) %c ($%d, $%d)", expression, sort->descending ? '<' : '>', value,
						 query_argument(query, UUIDOID, UUIDPGetDatum(&after->id)));
	}
	appendStringInfo(&query->sql, " ORDER BY %s %s, id %s LIMIT " INT64_FORMAT, expression, direction, direction, query->limit);
}

/* Records without a value, and those whose option is none any more, by id. */
static void
write_rest(ListQuery *query, const ListSort *sort, const SortPosition *after, const char *conditions)
{
	appendStringInfo(&query->sql, "SELECT %s, NULL::int4 FROM qehs.record AS %s WHERE %s", query->columns, query->alias, conditions);
	if (walks_options(sort))
		appendStringInfo(&query->sql, " AND (%s = ANY ($%d)) IS NOT TRUE", query_ordered(query, &sort->field),
						 options_argument(query, sort->field.field));
	else
		appendStringInfo(&query->sql, " AND %s IS NULL", sort_expression(query, sort));
	if (after)
		appendStringInfo(&query->sql, " AND id %c $%d", sort->descending ? '<' : '>',
						 query_argument(query, UUIDOID, UUIDPGetDatum(&after->id)));
	appendStringInfo(&query->sql, " ORDER BY id %s LIMIT " INT64_FORMAT, sort->descending ? "DESC" : "ASC", query->limit);
}

void
sort_write_statement(ListQuery *query, const ListSort *sort, SortPart part, const SortPosition *after, const char *conditions)
{
	initStringInfo(&query->sql);
	if (part == SORT_REST)
		write_rest(query, sort, after, conditions);
	else if (walks_options(sort))
		write_option_walk(query, sort, after, conditions);
	else
		write_valued(query, sort, after, conditions);
}

/* ---- positions: the part, the id, the value ---- */

void
sort_write_position(StringInfo out, const ListSort *sort, const SortPosition *position)
{
	int64		number;
	text	   *bytes;

	appendStringInfoChar(out, (char) position->part);
	appendBinaryStringInfo(out, (const char *) &position->id, sizeof(position->id));
	if (position->part == SORT_REST)
		return;
	switch (sort->type)
	{
		case TEXTOID:
			bytes = DatumGetTextPP(position->value);
			appendBinaryStringInfo(out, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			break;
		case NUMERICOID:
			appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out, position->value)));
			break;
		case UUIDOID:
			appendBinaryStringInfo(out, (const char *) DatumGetUUIDP(position->value), sizeof(pg_uuid_t));
			break;
		default:
			number = sort->type == INT4OID ? DatumGetInt32(position->value) : DatumGetInt64(position->value);
			appendBinaryStringInfo(out, (const char *) &number, sizeof(number));
	}
}

bool
sort_read_position(const ListSort *sort, const char *bytes, int length, SortPosition *position)
{
	int64		number;
	pg_uuid_t  *id;
	int			head = 1 + (int) sizeof(position->id);

	if (length < head)
		return false;
	position->part = bytes[0] == SORT_REST ? SORT_REST : SORT_VALUED;
	memcpy(&position->id, bytes + 1, sizeof(position->id));
	bytes += head;
	length -= head;
	if (position->part == SORT_REST)
		return length == 0;
	switch (sort->type)
	{
		case TEXTOID:
			position->value = PointerGetDatum(cstring_to_text_with_len(bytes, length));
			return true;
		case NUMERICOID:
			position->value = DirectFunctionCall3(numeric_in, CStringGetDatum(pnstrdup(bytes, length)), ObjectIdGetDatum(InvalidOid),
												  Int32GetDatum(-1));
			return true;
		case UUIDOID:
			id = palloc(sizeof(pg_uuid_t));
			if (length != (int) sizeof(*id))
				return false;
			memcpy(id, bytes, sizeof(*id));
			position->value = UUIDPGetDatum(id);
			return true;
		default:
			if (length != (int) sizeof(number))
				return false;
			memcpy(&number, bytes, sizeof(number));
			position->value = sort->type == INT4OID ? Int32GetDatum((int32) number) : Int64GetDatum(number);
			return true;
	}
}
