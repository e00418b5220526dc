/*
 * upsert.c
 *	  A line that changes a record that exists: merged as record_update merges.
 *
 * The row is locked before it is read.  What the update took is given back by
 * name when the line fails, since there is no subtransaction to roll back.
 */
#include "compat.h"

#include "audit/audit.h"
#include "bulk/bulk.h"
#include "miscadmin.h"

/* Claim the line's key; false when the row was settled by who holds it. */
static bool
claim_key(BulkLoad *load, BulkRow *row)
{
	row->id = row->existing;
	while (row->key && !load->options.dry_run && bulk_claim_keys(load, &row, 1) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		bulk_find_replays(load, &row, 1);
		if (row->status != BULK_WAITING)
			return false;
	}
	return true;
}

/* The record is still there and still has the external id. */
static bool
is_unchanged(const BulkLoad *load, const BulkRow *row, const Record *record)
{
	char	   *text = record->deleted ? NULL : record_unique_text(load->options.external, record->payload);

	return text && strcmp(text, row->external) == 0;
}

/* Store a changed record; settles the row when a unique value is another's. */
static void
store(BulkLoad *load, BulkRow *row, const ModuleDef *module, const Record *before, Record *after)
{
	AuditEvent	event = {AUDIT_UPDATE, before, after, NULL, NULL, NULL};
	const ModuleField *conflict;

	if (strcmp(before->workflow_state, after->workflow_state) == 0 &&
		compareJsonbContainers(&before->payload->root, &after->payload->root) == 0)
		return;
	conflict = record_unique_try(load->module, &after->id, before->payload, after->payload);
	if (conflict)
	{
		bulk_fail_at(load, row, psprintf("/payload/%s", module_field_key(conflict, after->payload)), "unique", "is used by another record");
		return;
	}
	record_store_row(load->context, module, before, after);
	audit_append(load->context, module, &event);
}

static void
merge(BulkLoad *load, BulkRow *row)
{
	ViolationList violations;
	const ModuleDef *module;
	Record		before;
	Record		after;

	record_fetch(load->context, &row->existing, load->options.dry_run ? RECORD_READ : RECORD_FOR_UPDATE, true, &before);
	if (!is_unchanged(load, row, &before))
	{
		bulk_fail_at(load, row, "", "conflict", "was meant for a record that has just been changed; send it again");
		return;
	}
	violations.count = 0;
	module = record_module(load->context, &before);
	after = before;
	if (row->state)
		after.workflow_state = row->state;
	after.payload = record_check_patch(load->context, module, before.payload, row->payload, after.workflow_state,
									   &violations);
	if (violations.count > 0)
		bulk_fail(load, row, &violations);
	else if (!load->options.dry_run)
		store(load, row, module, &before, &after);
}

void
bulk_update(BulkLoad *load, BulkRow *row)
{
	if (!claim_key(load, row))
		return;
	merge(load, row);
	if (row->status == BULK_WAITING)
		row->status = load->options.dry_run ? BULK_VALID : BULK_UPDATED;
	else if (row->key && !load->options.dry_run)
		bulk_release_keys(load, &row, 1);
}
