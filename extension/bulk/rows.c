/*
 * rows.c
 *	  Storing the checked rows of a chunk.
 *
 * Keys are claimed first, so that a line sent twice at once is a replay and not
 * a clash of its own unique values; then record_apply stores all at once.
 */
#include "base/compat.h"

#include "base/id.h"
#include "bulk/bulk.h"
#include "miscadmin.h"

/* The rows before end that wait to be created, in the order of lines. */
static int
waiting_rows(BulkLoad *load, int end, BulkRow **rows)
{
	int			count = 0;

	for (int i = load->stored; i < end; i++)
		if (load->rows[i].status == BULK_WAITING && load->rows[i].payload && !load->rows[i].to_update)
			rows[count++] = &load->rows[i];
	return count;
}

static int
rows_with_key(BulkRow **rows, int count, BulkRow **keyed)
{
	int			found = 0;

	for (int i = 0; i < count; i++)
		if (rows[i]->key)
			keyed[found++] = rows[i];
	return found;
}

/* Keep rows of one status, in order; gives how many. */
static int
rows_of_status(BulkRow **rows, int count, BulkStatus status, BulkRow **chosen)
{
	int			found = 0;

	for (int i = 0; i < count; i++)
		if (rows[i]->status == status)
			chosen[found++] = rows[i];
	return found;
}

/* A value that was free at the look-up and is not now: an upsert turns to the record that has it. */
static void
turn_to_updates(BulkLoad *load, BulkRow **failed, int count)
{
	bulk_find_existing(load, failed, count);
	for (int i = 0; i < count; i++)
	{
		BulkRow    *row = failed[i];

		if (row->to_update)
		{
			row->status = BULK_WAITING;
			row->payload = NULL;
			bulk_check_line(load, row);
			if (row->status == BULK_WAITING)
				bulk_update(load, row);
		}
		if (row->status == BULK_FAILED && load->options.stop)
			return;
	}
}

/* Claim the keys of rows; those that others hold are moved to lost.  Gives how many are left. */
static int
claim_keys(BulkLoad *load, BulkRow **rows, int count, BulkRow **lost, int *lost_count)
{
	int			keyed_count = rows_with_key(rows, count, lost);

	*lost_count = bulk_claim_keys(load, lost, keyed_count);
	memmove(lost, lost + keyed_count - *lost_count, sizeof(BulkRow *) * *lost_count);
	for (int i = 0; i < *lost_count; i++)
		lost[i]->status = BULK_REPLAYED;
	count = rows_of_status(rows, count, BULK_WAITING, rows);
	/* who holds them is looked up later, when the rows of this chunk among the holders are settled */
	for (int i = 0; i < *lost_count; i++)
		lost[i]->status = BULK_WAITING;
	return count;
}

/* Give back the keys of rows. */
static void
release_keys(BulkLoad *load, BulkRow **rows, int count)
{
	BulkRow   **keyed = palloc(sizeof(BulkRow *) * Max(count, 1));

	bulk_release_keys(load, keyed, rows_with_key(rows, count, keyed));
}

/* Create the records of rows; a row whose value another record has fails. */
static void
create_records(BulkLoad *load, BulkRow **rows, int count)
{
	Change	   *changes = palloc(sizeof(Change) * Max(count, 1));
	Record	   *records = palloc0(sizeof(Record) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		records[i].id = rows[i]->id;
		records[i].module_id = load->module->module_id;
		records[i].definition_version = load->module->version;
		records[i].workflow_state = rows[i]->state;
		records[i].payload = rows[i]->payload;
		records[i].created_at = rows[i]->created_at;
		changes[i] = change_make(AUDIT_CREATE, NULL, &records[i]);
	}
	record_apply(load->context, changes, count, load->options.stop);
	for (int i = 0; i < count; i++)
	{
		if (changes[i].outcome == CHANGE_APPLIED)
			rows[i]->status = BULK_CREATED;
		else if (changes[i].outcome == CHANGE_VALUE_TAKEN)
			bulk_fail_taken(load, rows[i], changes[i].taken, load->module->version, &changes[i].holder);
	}
	pfree(changes);
	pfree(records);
}

/*
 * With stop, nothing behind a line whose key another holds is stored in the same
 * round, since that line may fail.  Gives how many of rows stand before it.
 */
static int
rows_before_lost(BulkLoad *load, BulkRow **rows, int count, BulkRow **lost, int lost_count)
{
	int			kept = count;

	for (int i = 0; i < lost_count && load->options.stop; i++)
		while (kept > 0 && rows[kept - 1]->line > lost[i]->line)
			kept--;
	release_keys(load, rows + kept, count - kept);
	return kept;
}

/* With stop, the load ends at the first row that failed. */
static void
stop_at_failure(BulkLoad *load, int end)
{
	for (int i = load->stored; i < end && load->options.stop; i++)
		if (load->rows[i].status == BULK_FAILED)
		{
			load->count = i + 1;
			return;
		}
}

/* One round; gives whether rows wait still. */
static bool
store_round(BulkLoad *load, int end)
{
	int			room = Max(end - load->stored, 1);
	BulkRow   **rows = palloc(sizeof(BulkRow *) * room);
	BulkRow   **lost = palloc(sizeof(BulkRow *) * room);
	BulkRow   **others = palloc(sizeof(BulkRow *) * room);
	int			count = waiting_rows(load, end, rows);
	int			lost_count;
	int			failed_count;

	for (int i = 0; i < count; i++)
		id_generate(&rows[i]->id);
	count = claim_keys(load, rows, count, lost, &lost_count);
	count = rows_before_lost(load, rows, count, lost, lost_count);
	create_records(load, rows, count);
	failed_count = rows_of_status(rows, count, BULK_FAILED, others);
	release_keys(load, others, failed_count);
	if (load->options.upsert)
		turn_to_updates(load, others, failed_count);
	release_keys(load, others, rows_of_status(rows, count, BULK_WAITING, others));
	bulk_find_replays(load, lost, lost_count);
	stop_at_failure(load, end);
	return load->count >= end && waiting_rows(load, end, rows) > 0;
}

static void
look_at_values(BulkLoad *load, int end)
{
	BulkRow   **rows = palloc(sizeof(BulkRow *) * Max(end - load->stored, 1));
	int			count = waiting_rows(load, end, rows);

	bulk_look_at_values(load, rows, count);
	stop_at_failure(load, end);
}

void
bulk_store(BulkLoad *load, int end)
{
	if (load->options.dry_run)
		look_at_values(load, end);
	else
		while (store_round(load, end))
			CHECK_FOR_INTERRUPTS();
	load->stored = end;
}
