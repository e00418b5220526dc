/*
 * values.c
 *	  Looking up unique values of lines: which records have external ids, and what
 *	  a dry run would find taken.
 */
#include "base/compat.h"

#include "bulk/bulk.h"
#include "common/hashfn.h"
#include "record/value.h"

/* Twins in the external id are no clash in a dry run of an upsert: the second would change the first's record. */
static bool
counts(const BulkLoad *load, const ModuleUnique *unique)
{
	return unique != load->options.external;
}

static void
fail_value(BulkLoad *load, BulkRow *row, const UniqueValue *value)
{
	if (row->status == BULK_WAITING)
		bulk_fail_taken(load, row, value->unique, load->module->version, value->exists ? &value->holder : NULL);
}

/* Which record a line is about: lines of an upsert may be about the same, others are not. */
static uint64
record_of(const BulkRow *row)
{
	return row->external ? hash_bytes_extended((const unsigned char *) row->external, strlen(row->external), 1) : (uint64) row->line;
}

/* Settle a row by the lines before it; a key that one of them has makes it a replay or a conflict. */
static void
look_at_lines(BulkLoad *load, BulkRow *row, const UniqueValue *values, int count)
{
	uint64		what;
	uint64		own = record_of(row);

	if (row->key && bulk_was_seen("", row->key, row->line, &what))
	{
		if (what == row->fingerprint)
			row->status = BULK_VALID;
		else
			bulk_fail_at(load, row, "/idempotencyKey", "idempotency_key_conflict", "was used with another line or request");
		return;
	}
	for (int i = 0; i < count; i++)
		if (bulk_was_seen(values[i].unique->name, values[i].text, row->line, &what) && what != own)
			fail_value(load, row, &values[i]);
	if (row->status != BULK_WAITING)
		return;
	row->status = BULK_VALID;
	if (row->key)
		bulk_see("", row->key, row->line, row->fingerprint);
	for (int i = 0; i < count; i++)
		bulk_see(values[i].unique->name, values[i].text, row->line, own);
}

/* Keep what a line of an upsert would create, for the lines behind it. */
static void
keep_created(const BulkLoad *load, const BulkRow *row)
{
	Record		record = {.module_id = load->module->module_id, .definition_version = load->module->version,
	.created_by = load->context->actor_id, .workflow_state = row->state, .payload = row->payload};

	bulk_keep_record(row->external, row->line, &record);
}

void
bulk_look_at_values(BulkLoad *load, BulkRow **rows, int count)
{
	UniqueSet	set = {.module = load->module};
	int			next = 0;

	for (int i = 0; i < count; i++)
		for (int u = 0; u < load->module->unique_count; u++)
		{
			const ModuleUnique *unique = &load->module->uniques[u];
			char	   *text = counts(load, unique) ? value_unique(unique, rows[i]->payload) : NULL;

			if (text)
				unique_add(&set, i, &rows[i]->id, unique, text);
		}
	unique_find(&set);
	for (int i = 0; i < count; i++)
	{
		int			first = next;

		for (; next < set.count && set.items[next].owner == i; next++)
			if (set.items[next].exists && !(rows[i]->to_update && memcmp(&set.items[next].holder, &rows[i]->existing, UUID_LEN) == 0))
				fail_value(load, rows[i], &set.items[next]);
		if (rows[i]->status == BULK_WAITING)
			look_at_lines(load, rows[i], set.items + first, next - first);
		if (rows[i]->status == BULK_VALID && rows[i]->external && !rows[i]->to_update)
			keep_created(load, rows[i]);
	}
}

void
bulk_find_existing(BulkLoad *load, BulkRow **rows, int count)
{
	UniqueSet	set = {.module = load->module};

	for (int i = 0; i < count; i++)
	{
		rows[i]->to_update = false;
		if (rows[i]->external)
			unique_add(&set, i, &rows[i]->id, load->options.external, rows[i]->external);
	}
	unique_find(&set);
	for (int i = 0; i < set.count; i++)
	{
		BulkRow    *row = rows[set.items[i].owner];

		row->to_update = set.items[i].exists;
		if (row->to_update)
			row->existing = set.items[i].holder;
		else if (load->options.dry_run)
			row->to_update = bulk_find_kept(row->external, row->line, NULL);
	}
}
