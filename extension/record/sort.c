/*
 * sort.c
 *	  The order of a list: its SQL, and the position that a cursor carries.
 *
 * A page is a keyset: what lies beyond (values, id) of the last record shown, so
 * it costs the same at any depth where the first key has an index.  Options of a field with
 * a slot are walked one by one in their order, each by its part of the index, where they are the only key; where several keys
 * are and the first ties in many records, list_ties.c goes value by value.
 */
#include "base/compat.h"

#include "base/json.h"
#include "catalog/pg_type.h"
#include "record/record.h"
#include "record/sort.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* ---- reading ---- */

/* Read one key; false when it names no field that has an order. */
static bool
read_key(const ModuleDef *module, const char *text, SortKey *key)
{
	key->descending = text[0] == '-';
	if (!filter_field(module, text + key->descending, &key->field) || !key->field.ordered)
		return false;
	key->by_place = key->field.kind == VALUE_OPTION;
	key->type = key->by_place ? INT4OID : filter_oid(&key->field);
	return true;
}

void
sort_read(const ModuleDef *module, const char *text, const char *path, ListSort *sort, ViolationList *faults)
{
	memset(sort, 0, sizeof(*sort));
	for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
	{
		char	   *name = pnstrdup(at, strcspn(at, ","));
		SortKey		key = {0};

		while (*name == ' ')
			name++;
		for (int end = strlen(name); end > 0 && name[end - 1] == ' '; end--)
			name[end - 1] = '\0';
		if (!read_key(module, name, &key))
			violation_add_first(faults, path, "unknown_field", "must be a field of module \"%s\" that can be sorted, with - in"
								" front for descending, or several with commas between", module->key);
		else if (sort->count == QEHS_SORT_KEYS)
			violation_add_first(faults, path, "maxItems", "must have at most %d fields", QEHS_SORT_KEYS);
		else
			sort->keys[sort->count++] = key;
	}
}

void
sort_describe(StringInfo out, const ListSort *sort)
{
	for (int i = 0; i < sort->count; i++)
	{
		const SortKey *key = &sort->keys[i];

		appendStringInfo(out, "%d %s %d %d\n", key->descending, key->field.name, key->field.built_in, key->field.type);
		for (int j = 0; key->by_place && j < key->field.field->option_count; j++)
			json_string(out, key->field.field->options[j]);
	}
}

/* ---- SQL ---- */

static bool
may_lack(const SortKey *key)
{
	return key->field.built_in == BUILT_IN_NONE || key->field.built_in == BUILT_IN_DUE_AT;
}

bool
sort_has_rest(const ListSort *sort)
{
	return may_lack(&sort->keys[0]);
}

static bool
walks_options(const ListQuery *query, const ListSort *sort)
{
	return query->source == NULL && sort->count == 1 && sort->keys[0].by_place && sort->keys[0].field.slot >= 0;
}

/* Whether a key goes down; ids go with the first one. */
static bool
goes_down(const ListSort *sort, int number)
{
	return sort->keys[number].descending != sort->backward;
}

static const char *
direction(const ListSort *sort, int number)
{
	return goes_down(sort, number) ? "DESC" : "ASC";
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
	const FilterField *by = &sort->keys[0].field;
	const ModuleField *field = by->field;
	bool		down = goes_down(sort, 0);
	int			first = after ? DatumGetInt32(after->values[0]) : down ? field->option_count : 1;
	int			step = down ? -1 : 1;
	int			count = 0;
	Datum	   *options = palloc(sizeof(Datum) * (field->option_count + 1));
	Datum	   *places = palloc(sizeof(Datum) * (field->option_count + 1));
	Datum	   *ids = palloc(sizeof(Datum) * (field->option_count + 1));
	pg_uuid_t  *outermost = palloc(sizeof(pg_uuid_t));

	memset(outermost, down ? 0xff : 0, sizeof(*outermost));
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
					 query_array(query, UUIDOID, ids, count), query->alias, query->alias, conditions, query_ordered(query, by), query->alias,
					 down ? '<' : '>', direction(sort, 0), query->limit, query->alias, query->limit);
}

/* What a key sorts by, as one expression. */
static const char *
key_expression(ListQuery *query, const SortKey *key)
{
	if (!key->by_place)
		return query_ordered(query, &key->field);
	return psprintf("pg_catalog.array_position($%d, %s)", options_argument(query, key->field.field), query_whole(query, &key->field));
}

/* " AND the record lies behind the position by the keys from number on, and by id". */
static void
append_behind(ListQuery *query, const ListSort *sort, const char **expressions, int number, const SortPosition *after)
{
	int			open = 0;

	appendStringInfoString(&query->sql, " AND ");
	for (; number < sort->count; number++, open++)
	{
		const char *expression = expressions[number];
		const char *lacking = psprintf(" OR %s IS NULL", expression);
		int			value;

		/* those without a value are last, or first when all is turned round */
		if (after->nulls[number])
		{
			appendStringInfo(&query->sql, "(%s OR %s IS NULL AND ", sort->backward ? psprintf("%s IS NOT NULL", expression) : "false", expression);
			continue;
		}
		value = query_argument(query, sort->keys[number].type, after->values[number]);
		appendStringInfo(&query->sql, "(%s %c $%d%s OR %s = $%d AND ", expression, goes_down(sort, number) ? '<' : '>', value,
						 may_lack(&sort->keys[number]) && !sort->backward ? lacking : "", expression, value);
	}
	appendStringInfo(&query->sql, "id %c $%d", goes_down(sort, 0) ? '<' : '>', query_argument(query, UUIDOID, UUIDPGetDatum(&after->id)));
	while (open-- > 0)
		appendStringInfoChar(&query->sql, ')');
}

/* " ORDER BY the keys from number on and id, with the limit". */
static void
append_order(ListQuery *query, const ListSort *sort, const char **expressions, int number)
{
	appendStringInfoString(&query->sql, " ORDER BY ");
	for (; number < sort->count; number++)
		appendStringInfo(&query->sql, "%s %s%s, ", expressions[number], direction(sort, number),
						 number == 0 || !may_lack(&sort->keys[number]) ? "" : sort->backward ? " NULLS FIRST" : " NULLS LAST");
	appendStringInfo(&query->sql, "id %s LIMIT " INT64_FORMAT, direction(sort, 0), query->limit);
}

static void
write_valued(ListQuery *query, const ListSort *sort, const SortPosition *after, const char *conditions)
{
	const char *expressions[QEHS_SORT_KEYS] = {NULL};
	int			first = sort->tied ? 1 : 0;

	appendStringInfo(&query->sql, "SELECT %s", query->columns);
	for (int i = 0; i < sort->count; i++)
	{
		expressions[i] = key_expression(query, &sort->keys[i]);
		appendStringInfo(&query->sql, ", %s", expressions[i]);
	}
	appendStringInfo(&query->sql, " FROM %s WHERE %s", query_source(query), conditions);
	if (sort_has_rest(sort) && !sort->tied)
		appendStringInfo(&query->sql, " AND %s IS NOT NULL", expressions[0]);
	if (after && sort->count > 1)
	{
		/* what an index finds the beginning by */
		if (first == 0 || !may_lack(&sort->keys[first]))
			appendStringInfo(&query->sql, " AND %s %s $%d", expressions[first], goes_down(sort, first) ? "<=" : ">=",
							 query_argument(query, sort->keys[first].type, after->values[first]));
		append_behind(query, sort, expressions, first, after);
	}
	else if (after)
	{
		int			value = query_argument(query, sort->keys[0].type, after->values[0]);

		appendStringInfo(&query->sql, " AND (%s, id) %c ($%d, $%d)", expressions[0], goes_down(sort, 0) ? '<' : '>', value,
						 query_argument(query, UUIDOID, UUIDPGetDatum(&after->id)));
	}
	append_order(query, sort, expressions, first);
}

/* Records without a value of the first key, and those whose option is none any more. */
static void
write_rest(ListQuery *query, const ListSort *sort, const SortPosition *after, const char *conditions)
{
	const char *expressions[QEHS_SORT_KEYS] = {NULL};

	appendStringInfo(&query->sql, "SELECT %s, NULL::int4", query->columns);
	for (int i = 1; i < sort->count; i++)
	{
		expressions[i] = key_expression(query, &sort->keys[i]);
		appendStringInfo(&query->sql, ", %s", expressions[i]);
	}
	appendStringInfo(&query->sql, " FROM %s WHERE %s", query_source(query), conditions);
	if (walks_options(query, sort))
		appendStringInfo(&query->sql, " AND (%s = ANY ($%d)) IS NOT TRUE", query_ordered(query, &sort->keys[0].field),
						 options_argument(query, sort->keys[0].field.field));
	else
		appendStringInfo(&query->sql, " AND %s IS NULL", key_expression(query, &sort->keys[0]));
	if (after)
		append_behind(query, sort, expressions, 1, after);
	append_order(query, sort, expressions, 1);
}

void
sort_write_statement(ListQuery *query, const ListSort *sort, SortPart part, const SortPosition *after, const char *conditions)
{
	initStringInfo(&query->sql);
	if (part == SORT_REST)
		write_rest(query, sort, after, conditions);
	else if (walks_options(query, sort))
		write_option_walk(query, sort, after, conditions);
	else
		write_valued(query, sort, after, conditions);
}

/* ---- positions: the part, the id, the values, each behind its length; -1 is none ---- */

static void
write_value(StringInfo out, Oid type, Datum value)
{
	int64		number;
	text	   *bytes;

	switch (type)
	{
		case TEXTOID:
			bytes = DatumGetTextPP(value);
			appendBinaryStringInfo(out, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			break;
		case NUMERICOID:
			appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
			break;
		case UUIDOID:
			appendBinaryStringInfo(out, (const char *) DatumGetUUIDP(value), sizeof(pg_uuid_t));
			break;
		default:
			number = type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);
			appendBinaryStringInfo(out, (const char *) &number, sizeof(number));
	}
}

void
sort_write_position(StringInfo out, const ListSort *sort, const SortPosition *position)
{
	appendStringInfoChar(out, (char) position->part);
	appendBinaryStringInfo(out, (const char *) &position->id, sizeof(position->id));
	for (int i = position->part == SORT_REST; i < sort->count; i++)
	{
		int32		length = -1;
		int			start = out->len;

		appendBinaryStringInfo(out, (const char *) &length, sizeof(length));
		if (position->nulls[i])
			continue;
		write_value(out, sort->keys[i].type, position->values[i]);
		length = out->len - start - (int) sizeof(length);
		memcpy(out->data + start, &length, sizeof(length));
	}
}

static bool
read_value(Oid type, const char *bytes, int length, Datum *value)
{
	int64		number;
	pg_uuid_t  *id;

	switch (type)
	{
		case TEXTOID:
			*value = PointerGetDatum(cstring_to_text_with_len(bytes, length));
			return true;
		case NUMERICOID:
			*value = DirectFunctionCall3(numeric_in, CStringGetDatum(pnstrdup(bytes, length)), ObjectIdGetDatum(InvalidOid),
										 Int32GetDatum(-1));
			return true;
		case UUIDOID:
			id = palloc(sizeof(pg_uuid_t));
			if (length != (int) sizeof(*id))
				return false;
			memcpy(id, bytes, sizeof(*id));
			*value = UUIDPGetDatum(id);
			return true;
		default:
			if (length != (int) sizeof(number))
				return false;
			memcpy(&number, bytes, sizeof(number));
			*value = type == INT4OID ? Int32GetDatum((int32) number) : Int64GetDatum(number);
			return true;
	}
}

bool
sort_read_position(const ListSort *sort, const char *bytes, int length, SortPosition *position)
{
	const char *end = bytes + length;
	int			head = 1 + (int) sizeof(position->id);

	if (length < head)
		return false;
	position->part = bytes[0] == SORT_REST ? SORT_REST : SORT_VALUED;
	memcpy(&position->id, bytes + 1, sizeof(position->id));
	bytes += head;
	for (int i = position->part == SORT_REST; i < sort->count; i++)
	{
		int32		size;

		if (end - bytes < (int) sizeof(size))
			return false;
		memcpy(&size, bytes, sizeof(size));
		bytes += sizeof(size);
		position->nulls[i] = size < 0;
		if (size > end - bytes || (size >= 0 && !read_value(sort->keys[i].type, bytes, size, &position->values[i])))
			return false;
		bytes += Max(size, 0);
	}
	return bytes == end;
}
