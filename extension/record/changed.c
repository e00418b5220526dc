/*
 * changed.c
 *	  Records by the time of their last change (changed.h).
 *
 * An index of qehs.record by updated_at would be written with each update, and with it
 * all other indexes of the record (no update would be HOT).  Each change has its event, whose index by
 * time (audit_event_time) is only added to: updated_at is the time of one of the record's events, so the events
 * in their order, each with its record where that is its time, are the records in theirs.  Two events of one time are one.
 *
 * A walk passes the events that later changes have left behind; near the end that is now,
 * where people and clients look, these are few.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "record/changed.h"

/* Changes at most whose records are taken in place of all. */
#define FEW_CHANGES 5000

static void
read_condition(const FilterField *field, const FilterNode *node, ListQuery *query)
{
	const char *sign = NULL;

	if (node->operator == FILTER_GT || node->operator == FILTER_GTE)
		sign = ">=";
	else if (node->operator == FILTER_LT || node->operator == FILTER_LTE)
		sign = "<=";
	else if (node->operator == FILTER_EQ)
		sign = "=";
	if (field->built_in != BUILT_IN_UPDATED_AT || sign == NULL)
		return;
	query->changed = psprintf("%s AND at %s $%d", query->changed ? query->changed : "", sign,
							  query_argument(query, TIMESTAMPTZOID, node->values[0]));
}

void
changed_read(ListQuery *query, const FilterNode *filter)
{
	if (filter->kind == FILTER_CONDITION)
		read_condition(&filter->field, filter, query);
	for (int i = 0; filter->kind == FILTER_AND && i < filter->count; i++)
		changed_read(query, filter->items[i]);
}

/* Append the events of the module at the times that the filter leaves. */
static void
append_events(StringInfo sql, const ListQuery *query)
{
	appendStringInfo(sql, "qehs.audit_event WHERE tenant_id = $1 AND module_id = $2%s", query->changed ? query->changed : "");
}

void
changed_few(ListQuery *query)
{
	ListQuery	count = *query;
	StringInfoData source;
	bool		isnull;
	bool		few;

	if (query->changed == NULL)
		return;
	SPI_connect();
	initStringInfo(&count.sql);
	appendStringInfoString(&count.sql, "SELECT pg_catalog.count(*) FROM (SELECT FROM ");
	append_events(&count.sql, query);
	appendStringInfo(&count.sql, " LIMIT %d) AS e", FEW_CHANGES + 1);
	query_execute(&count, true, 1);
	few = DatumGetInt64(plan_value(0, 1, &isnull)) <= FEW_CHANGES;
	SPI_finish();
	if (!few)
		return;
	initStringInfo(&source);
	appendStringInfoString(&source, "(SELECT r.* FROM (SELECT DISTINCT record_id FROM ");
	append_events(&source, query);
	appendStringInfo(&source, ") AS e CROSS JOIN LATERAL (SELECT * FROM qehs.record AS r WHERE r.tenant_id = $1 AND r.id = e.record_id OFFSET 0) AS r) AS %s",
					 query->alias);
	query->source = source.data;
}

bool
changed_orders(const ListQuery *query, const ListSort *sort)
{
	return query->source == NULL && sort->count == 1 && sort->keys[0].field.built_in == BUILT_IN_UPDATED_AT;
}

void
changed_write_statement(ListQuery *query, const ListSort *sort, const SortPosition *after, const char *conditions)
{
	bool		down = sort->keys[0].descending != sort->backward;
	const char *direction = down ? "DESC" : "ASC";

	appendStringInfo(&query->sql, "SELECT %s, %s.updated_at FROM (SELECT DISTINCT at, record_id FROM ", query->columns, query->alias);
	append_events(&query->sql, query);
	if (after)
	{
		int			value = query_argument(query, TIMESTAMPTZOID, after->values[0]);

		appendStringInfo(&query->sql, " AND (at, record_id) %c ($%d, $%d)", down ? '<' : '>', value,
						 query_argument(query, UUIDOID, UUIDPGetDatum(&after->id)));
	}
	/* OFFSET 0: a record is looked up for each event, and no more of them than the page takes */
	appendStringInfo(&query->sql, " ORDER BY at %1$s, record_id %1$s) AS e CROSS JOIN LATERAL (SELECT * FROM qehs.record AS %2$s WHERE %3$s"
					 " AND %2$s.id = e.record_id AND %2$s.updated_at = e.at OFFSET 0) AS %2$s ORDER BY e.at %1$s, e.record_id %1$s", direction, query->alias, conditions);
	appendStringInfo(&query->sql, " LIMIT " INT64_FORMAT, query->limit);
}
