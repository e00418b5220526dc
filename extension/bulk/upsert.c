/*
 * upsert.c
 *	  A line that changes a record that exists: merged as record_update merges.
 *
 * All rows of a chunk are locked first, in the order of their ids, so that two loads
 * of the same records do not deadlock, and what lines name is looked up after that
 * wait.  A row is read again when its line's turn comes.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "bulk/bulk.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "record/value.h"
#include "utils/array.h"

static KeptPlan lock_records = {
	"SELECT 1 FROM qehs.record WHERE tenant_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE", 2, {INT4OID, UUIDARRAYOID}, NULL
};

void
bulk_lock_existing(BulkLoad *load, BulkRow **rows, int count)
{
	Datum	   *ids = palloc(sizeof(Datum) * Max(count, 1));
	int			id_count = 0;
	Datum		values[2] = {Int32GetDatum(load->context->tenant_id)};

	for (int i = 0; i < count; i++)
		if (rows[i]->to_update)
			ids[id_count++] = UUIDPGetDatum(&rows[i]->existing);
	if (id_count == 0)
		return;
	values[1] = PointerGetDatum(construct_array(ids, id_count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	plan_execute(&lock_records, values, NULL, false, 0);
	SPI_freetuptable(SPI_tuptable);
}

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
	char	   *text = record->deleted ? NULL : value_unique(load->options.external, record_current_payload(load->module, record));

	return text && strcmp(text, row->external) == 0;
}

/* Store a changed record; settles the row when a unique value is another's. */
static void
store(BulkLoad *load, BulkRow *row, const Record *before, Record *after)
{
	Change		change = change_make(AUDIT_UPDATE, before, after);

	if (strcmp(before->workflow_state, after->workflow_state) == 0 &&
		compareJsonbContainers(&before->payload->root, &after->payload->root) == 0)
		return;
	record_apply(load->context, &change, 1, false);
	if (change.outcome == CHANGE_VALUE_TAKEN)
		bulk_fail_taken(load, row, change.taken, after->definition_version, &change.holder);
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

/* Whether the caller may update the record; else the row has failed. */
static bool
may_update(BulkLoad *load, BulkRow *row, const ModuleDef *module, const Record *record)
{
	PermissionSubject subject = record_subject(record);

	if (permission_may(load->context, module, ACTION_UPDATE, &subject, NULL))
		return true;
	bulk_fail_at(load, row, "", QEHS_FORBIDDEN, "is of a record that the caller may not update");
	return false;
}

/* The payload of a line merged into a record, which is of module; the record's state becomes the line's. */
static Jsonb *
merge_line(BulkLoad *load, BulkRow *row, const ModuleDef *module, const Record *before, Record *after, ViolationList *violations)
{
	PermissionSubject subject = record_subject(before);

	*after = *before;
	if (row->state && strcmp(row->state, before->workflow_state) != 0 &&
		!permission_edits_in(load->context, module, &subject, before->workflow_state, NULL, 0))
		violation_add(violations, "/workflowState", "locked", "cannot be changed by the caller in state \"%s\"", before->workflow_state);
	if (row->state)
		after->workflow_state = row->state;
	return record_check_patch(load->context, module, before, row->payload, NULL, after->workflow_state, violations);
}

static void
merge(BulkLoad *load, BulkRow *row)
{
	ViolationList violations;
	Record		before;
	Record		after;
	const ModuleDef *module = fetch(load, row, &before);

	if (module == NULL || !may_update(load, row, module, &before))
		return;
	violations.count = 0;
	after.payload = merge_line(load, row, module, &before, &after, &violations);
	if (violations.count > 0)
		bulk_fail_payload(load, row, row->payload, &violations);
	else
		store(load, row, &before, &after);
}

/* A dry run: merge into what the record would be after the lines before, and keep it for the next. */
static void
rehearse(BulkLoad *load, BulkRow *row)
{
	ViolationList violations;
	const ModuleDef *module;
	Record		record;
	Record		after;
	Jsonb	   *payload;

	if (bulk_find_kept(row->external, row->line, &record))
		module = record_module(load->context, &record);
	else
		module = fetch(load, row, &record);
	if (module == NULL || !may_update(load, row, module, &record))
		return;
	violations.count = 0;
	payload = merge_line(load, row, module, &record, &after, &violations);
	if (violations.count > 0)
	{
		bulk_fail_payload(load, row, row->payload, &violations);
		return;
	}
	row->existing = after.id;
	record = after;
	record.payload = row->payload = payload;
	bulk_look_at_values(load, &row, 1);
	if (row->status == BULK_VALID)
		bulk_keep_record(row->external, row->line, &record);
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
