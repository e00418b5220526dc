/*
 * list_ties.c
 *	  Lists by several keys whose first ties in many records (list_ties.h).
 *
 * Which value follows is one look at the index, whatever the conditions of the list.  Options are taken in their order,
 * those that no record has as well.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "record/list_ties.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* So many records are sorted at no cost to speak of. */
#define MANY 2000
/* A statement for each of so many options at most. */
#define MOST_OPTIONS 50

static bool
goes_down(const Ties *ties)
{
	return ties->sort->keys[0].descending != ties->sort->backward;
}

/* The type of a value as records have it. */
static Oid
value_type(const Ties *ties)
{
	return ties->sort->keys[0].by_place ? TEXTOID : ties->sort->keys[0].type;
}

static bool
has_index(const SortKey *key)
{
	if (key->by_place)
		return key->field.slot >= 0 && key->field.field->option_count <= MOST_OPTIONS;
	return key->field.slot >= 0 || key->field.built_in == BUILT_IN_STATE || key->field.built_in == BUILT_IN_CREATED_BY;
}

/* Take the option at a place, from 1; false when there is none. */
static bool
take_option(Ties *ties, int place)
{
	const ModuleField *field = ties->sort->keys[0].field.field;

	if (place < 1 || place > field->option_count)
		return false;
	ties->key = Int32GetDatum(place);
	ties->value = CStringGetTextDatum(field->options[place - 1]);
	ties->many = true;
	return true;
}

/* Take a value that is none of options, and ask the planner how many records have it. */
static void
take_value(Ties *ties, Datum value)
{
	ListQuery	query = *ties->query;

	ties->key = ties->value = value;
	query.count = 2;
	ties->many = query_expect(&query, ties_conditions(ties, &query, psprintf("%1$s.tenant_id = $1 AND %1$s.module_id = $2", query.alias), true), NULL) >= MANY;
}

/* Take the first value, or the first behind one; false when there is none. */
static bool
take_next(Ties *ties, const Datum *behind)
{
	ListQuery	query = *ties->query;
	const SortKey *key = &ties->sort->keys[0];
	const char *expression = query_ordered(&query, &key->field);
	bool		isnull;
	int16		length;
	bool		by_value;
	Datum		value;

	query.count = 2;
	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT %1$s FROM qehs.record AS %2$s WHERE %2$s.tenant_id = $1 AND %2$s.module_id = $2 AND %2$s.deleted_at IS NULL"
					 " AND %1$s IS NOT NULL", expression, query.alias);
	if (behind)
		appendStringInfo(&query.sql, " AND %s %c $%d", expression, goes_down(ties) ? '<' : '>', query_argument(&query, key->type, *behind));
	appendStringInfo(&query.sql, " ORDER BY %s %s LIMIT 1", expression, goes_down(ties) ? "DESC" : "ASC");
	if (query_execute(&query, true, 1) == 0)
		return false;
	get_typlenbyval(key->type, &length, &by_value);
	value = datumCopy(plan_value(0, 1, &isnull), by_value, length);
	SPI_freetuptable(SPI_tuptable);
	take_value(ties, value);
	return true;
}

bool
ties_walk(const ListQuery *query, const ListSort *sort)
{
	return sort->count > 1 && query->source == NULL && has_index(&sort->keys[0]);
}

bool
ties_begin(Ties *ties, const ListQuery *query, const ListSort *sort, const SortPosition *after)
{
	const SortKey *key = &sort->keys[0];

	*ties = (Ties) {.query = query,.sort = sort};
	if (key->by_place)
		return take_option(ties, after ? DatumGetInt32(after->values[0]) : goes_down(ties) ? key->field.field->option_count : 1);
	if (after == NULL)
		return take_next(ties, NULL);
	take_value(ties, after->values[0]);
	return true;
}

bool
ties_next(Ties *ties)
{
	if (ties->sort->keys[0].by_place)
		return take_option(ties, DatumGetInt32(ties->key) + (goes_down(ties) ? -1 : 1));
	return take_next(ties, &ties->value);
}

char *
ties_conditions(const Ties *ties, ListQuery *query, const char *conditions, bool alone)
{
	return psprintf("%s AND %s %s $%d", conditions, query_ordered(query, &ties->sort->keys[0].field), alone ? "=" : goes_down(ties) ? "<=" : ">=",
					query_argument(query, value_type(ties), ties->value));
}
