/*
 * link.c
 *	  qehs.record_link follows the payloads: which records refer to which.
 *
 * A deleted record keeps its rows, as its payload stays: who reads them looks
 * whether it lives.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "record/link.h"
#include "utils/array.h"

static KeptPlan insert_links = {
	"INSERT INTO qehs.record_link (tenant_id, target_id, source_id) SELECT $1, u.target, u.source"
	" FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) AS u (target, source) ON CONFLICT DO NOTHING",
	3, {INT4OID, UUIDARRAYOID, UUIDARRAYOID}, NULL
};
static KeptPlan delete_links = {
	"DELETE FROM qehs.record_link AS l USING ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) AS u (target, source)"
	" WHERE l.tenant_id = $1 AND l.target_id = u.target AND l.source_id = u.source",
	3, {INT4OID, UUIDARRAYOID, UUIDARRAYOID}, NULL
};

/* Pairs of target and source, as a statement takes them. */
typedef struct Pairs
{
	int			count;
	int			room;
	Datum	   *targets;
	Datum	   *sources;
} Pairs;

static void
add_pair(Pairs *pairs, const pg_uuid_t *target, const pg_uuid_t *source)
{
	if (pairs->count == pairs->room)
	{
		pairs->room = Max(16, pairs->room * 2);
		pairs->targets = pairs->targets ? repalloc(pairs->targets, sizeof(Datum) * pairs->room) : palloc(sizeof(Datum) * pairs->room);
		pairs->sources = pairs->sources ? repalloc(pairs->sources, sizeof(Datum) * pairs->room) : palloc(sizeof(Datum) * pairs->room);
	}
	pairs->targets[pairs->count] = UUIDPGetDatum(target);
	pairs->sources[pairs->count++] = UUIDPGetDatum(source);
}

static void
run_pairs(KeptPlan *plan, int32 tenant_id, const Pairs *pairs)
{
	Datum		values[3] = {Int32GetDatum(tenant_id)};

	if (pairs->count == 0)
		return;
	values[1] = PointerGetDatum(construct_array(pairs->targets, pairs->count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	values[2] = PointerGetDatum(construct_array(pairs->sources, pairs->count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	plan_execute(plan, values, NULL, false, 0);
}

/* What a record, or NULL, refers to. */
static LinkSet
targets_of(const RequestContext *context, const Record *record)
{
	LinkSet		set = {0};

	if (record)
		link_add_payload(&set, record_module(context, record), record->payload);
	link_sort(&set);
	return set;
}

/* Whether some version that the changes are of refers to records: most modules do not, and cost nothing more. */
static bool
some_refer(const RequestContext *context, const Change *changes, int count)
{
	for (int i = 0; i < count; i++)
		if (record_module(context, changes[i].after)->refers ||
			(changes[i].event.before && record_module(context, changes[i].event.before)->refers))
			return true;
	return false;
}

void
change_hold_links(const RequestContext *context, const Change *changes, int count)
{
	LinkSet		all = {0};

	if (!some_refer(context, changes, count))
		return;
	for (int i = 0; i < count; i++)
	{
		link_add_payload(&all, record_module(context, changes[i].after), changes[i].after->payload);
		if (changes[i].event.before)
			link_add_payload(&all, record_module(context, changes[i].event.before), changes[i].event.before->payload);
	}
	link_hold_targets(context->tenant_id, changes[0].after->module_id, &all);
}

void
change_store_links(const RequestContext *context, const Change *changes, int count)
{
	Pairs		added = {0};
	Pairs		gone = {0};

	if (!some_refer(context, changes, count))
		return;
	for (int i = 0; i < count; i++)
	{
		LinkSet		before;
		LinkSet		after;

		if (changes[i].outcome != CHANGE_APPLIED)
			continue;
		before = targets_of(context, changes[i].event.before);
		after = targets_of(context, changes[i].after);
		for (int j = 0; j < after.count; j++)
			if (!link_has(&before, &after.items[j]))
				add_pair(&added, &after.items[j], &changes[i].after->id);
		for (int j = 0; j < before.count; j++)
			if (!link_has(&after, &before.items[j]))
				add_pair(&gone, &before.items[j], &changes[i].after->id);
	}
	run_pairs(&delete_links, context->tenant_id, &gone);
	run_pairs(&insert_links, context->tenant_id, &added);
}
