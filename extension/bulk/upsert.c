/*
 * upsert.c
 *	  A line that changes a record that exists: merged as record_update merges.
 *
 * The row is locked before it is read.  What the update took is given back by
 * name when the line fails, since there is no subtransaction to roll back.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "bulk/bulk.h"
#include "miscadmin.h"

/* Claim the line's key; false when the row was settled by who holds it. */
static bool
claim_key(BulkLoad *load, BulkRow *row)
{
	row->id = row->existing;
	while (row->key && bulk_claim_keys(load, &row, 1) > 0)
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

/* The record as it is; NULL with the row failed when it is no longer the one that was meant. */
static const ModuleDef *
fetch(BulkLoad *load, BulkRow *row, Record *record)
{
	record_fetch(load->context, &row->existing, load->options.dry_run ? RECORD_READ : RECORD_FOR_UPDATE, true, record);
	if (is_unchanged(load, row, record))
		return record_module(load->context, record);
	bulk_fail_at(load, row, "", "conflict", "was meant for a record that has just been changed; send it again");
	return NULL;
}

static void
merge(BulkLoad *load, BulkRow *row)
{
	ViolationList violations;
	Record		before;
	Record		after;
	const ModuleDef *module = fetch(load, row, &before);

	if (module == NULL)
		return;
	violations.count = 0;
	after = before;
	if (row->state)
		after.workflow_state = row->state;
	after.payload = record_check_patch(load->context, module, &before, row->payload, after.workflow_state,
									   &violations);
	if (violations.count > 0)
		bulk_fail(load, row, &violations);
	else
		store(load, row, module, &before, &after);
}

static const BulkRow *
valid_twin(const BulkRow *row)
{
	for (row = row->twin; row; row = row->twin)
		if (row->status == BULK_VALID)
			return row;
	return NULL;
}

bool
bulk_has_twin(const BulkRow *row)
{
	return valid_twin(row) != NULL;
}

/* A dry run: merge into what the record would be after the line before, and keep it for the next. */
static void
rehearse(BulkLoad *load, BulkRow *row)
{
	ViolationList violations;
	const BulkRow *twin = valid_twin(row);
	const ModuleDef *module = load->module;
	Record		record = {0};
	Jsonb	   *payload;

	if (twin)
	{
		record.payload = twin->payload;
		record.definition_version = module->version;
		record.created_by = load->context->actor_id;
		record.workflow_state = twin->state;
	}
	else
		module = fetch(load, row, &record);
	if (module == NULL)
		return;
	violations.count = 0;
	if (row->state == NULL)
		row->state = MemoryContextStrdup(load->memory, record.workflow_state);
	payload = record_check_patch(load->context, module, &record, row->payload, row->state, &violations);
	if (violations.count > 0)
	{
		bulk_fail(load, row, &violations);
		return;
	}
	row->payload = MemoryContextAlloc(load->memory, VARSIZE(payload));
	memcpy(row->payload, payload, VARSIZE(payload));
	row->status = BULK_VALID;
}

void
bulk_update(BulkLoad *load, BulkRow *row)
{
	if (load->options.dry_run)
	{
		rehearse(load, row);
		return;
	}
	if (!claim_key(load, row))
		return;
	merge(load, row);
	if (row->status == BULK_WAITING)
		row->status = BULK_UPDATED;
	else if (row->key)
		bulk_release_keys(load, &row, 1);
}
