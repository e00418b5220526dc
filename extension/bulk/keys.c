/*
 * keys.c
 *	  Idempotency keys of lines, in qehs.idempotency.
 *
 * INSERT … ON CONFLICT DO NOTHING waits for a twin in flight and then tells by
 * leaving the row out.  Keys are claimed in their order, so that two loads of
 * the same keys do not deadlock.
 *
 * Look-ups are LATERAL with OFFSET 0, so that they go from the keys to the
 * table: a plan is often made when the table is empty, and kept.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/plan.h"
#include "bulk/bulk.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

static KeptPlan select_uses = {
	"SELECT k.number, i.fingerprint, i.body, i.created_at > $4 - interval '24 hours'"
	" FROM pg_catalog.unnest($3) WITH ORDINALITY AS k (key, number) CROSS JOIN LATERAL"
	" (SELECT u.* FROM qehs.idempotency AS u WHERE u.tenant_id = $1 AND u.key_id = $2 AND u.idempotency_key = k.key OFFSET 0) AS i",
	4, {INT4OID, UUIDOID, TEXTARRAYOID, TIMESTAMPTZOID}, NULL
};
/* The columns of select_uses. */
enum
{
	COLUMN_NUMBER = 1, COLUMN_FINGERPRINT, COLUMN_BODY, COLUMN_IS_FRESH
};
static KeptPlan insert_uses = {
	"INSERT INTO qehs.idempotency (tenant_id, key_id, idempotency_key, fingerprint, status, headers, body, created_at)"
	" SELECT $1, $2, k.key, k.fingerprint, 201, '', k.body, $6"
	" FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5))"
	" AS k (key, fingerprint, body)"
	" ON CONFLICT DO NOTHING RETURNING idempotency_key",
	6, {INT4OID, UUIDOID, TEXTARRAYOID, BYTEAARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan delete_uses = {
	"DELETE FROM qehs.idempotency WHERE ctid = ANY (ARRAY("
	"SELECT i.ctid FROM pg_catalog.unnest($3) AS k (key) CROSS JOIN LATERAL"
	" (SELECT u.ctid FROM qehs.idempotency AS u WHERE u.tenant_id = $1 AND u.key_id = $2 AND u.idempotency_key = k.key OFFSET 0) AS i))",
	3, {INT4OID, UUIDOID, TEXTARRAYOID}, NULL
};

static int
compare_keys(const void *left, const void *right)
{
	const BulkRow *a = *(BulkRow *const *) left;
	const BulkRow *b = *(BulkRow *const *) right;
	int			order = strcmp(a->key, b->key);

	return order ? order : a->line < b->line ? -1 : 1;
}

/* Arguments that each statement begins with. */
static void
set_arguments(const BulkLoad *load, BulkRow **rows, int count, Datum *values)
{
	Datum	   *keys = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		keys[i] = CStringGetTextDatum(rows[i]->key);
	values[0] = Int32GetDatum(load->context->tenant_id);
	values[1] = UUIDPGetDatum(&load->context->key_id);
	values[2] = PointerGetDatum(construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
settle_replay(BulkLoad *load, BulkRow *row, const bytea *fingerprint, const text *body)
{
	bool		same = VARSIZE_ANY_EXHDR(fingerprint) == sizeof(row->fingerprint) &&
		memcmp(VARDATA_ANY(fingerprint), &row->fingerprint, sizeof(row->fingerprint)) == 0;

	if (same && body && id_parse(VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), QEHS_ID_RECORD, &row->id))
		row->status = BULK_REPLAYED;
	else
		bulk_fail_at(load, row, "/idempotencyKey", "idempotency_key_conflict", "was used with another line or request");
}

void
bulk_find_replays(BulkLoad *load, BulkRow **rows, int count)
{
	Datum		values[4];
	BulkRow   **expired = palloc(sizeof(BulkRow *) * Max(count, 1));
	int			expired_count = 0;
	uint64		found;

	if (count == 0)
		return;
	set_arguments(load, rows, count, values);
	values[3] = TimestampTzGetDatum(clock_transaction());
	found = plan_execute(&select_uses, values, NULL, false, 0);
	for (uint64 i = 0; i < found; i++)
	{
		bool		isnull;
		BulkRow    *row = rows[DatumGetInt64(plan_value(i, COLUMN_NUMBER, &isnull)) - 1];
		bytea	   *fingerprint = DatumGetByteaPP(plan_value(i, COLUMN_FINGERPRINT, &isnull));
		Datum		body;

		if (DatumGetBool(plan_value(i, COLUMN_IS_FRESH, &isnull)))
		{
			body = plan_value(i, COLUMN_BODY, &isnull);
			settle_replay(load, row, fingerprint, isnull ? NULL : DatumGetTextPP(body));
		}
		else
			expired[expired_count++] = row;
	}
	SPI_freetuptable(SPI_tuptable);
	if (!load->options.dry_run)
		bulk_release_keys(load, expired, expired_count);
}

int
bulk_claim_keys(BulkLoad *load, BulkRow **rows, int count)
{
	Datum		values[6];
	Datum	   *fingerprints = palloc(sizeof(Datum) * Max(count, 1));
	Datum	   *bodies = palloc(sizeof(Datum) * Max(count, 1));
	BulkRow   **lost = palloc(sizeof(BulkRow *) * Max(count, 1));
	int			lost_count = 0;
	uint64		made;
	uint64		next = 0;
	int			kept = 0;
	char		id[QEHS_ID_LENGTH + 1];

	if (count == 0)
		return 0;
	qsort(rows, count, sizeof(BulkRow *), compare_keys);
	set_arguments(load, rows, count, values);
	for (int i = 0; i < count; i++)
	{
		id_format(&rows[i]->id, QEHS_ID_RECORD, id);
		bodies[i] = CStringGetTextDatum(id);
		fingerprints[i] = PointerGetDatum(cstring_to_text_with_len((char *) &rows[i]->fingerprint, sizeof(uint64)));
	}
	values[3] = PointerGetDatum(construct_array(fingerprints, count, BYTEAOID, -1, false, TYPALIGN_INT));
	values[4] = PointerGetDatum(construct_array(bodies, count, TEXTOID, -1, false, TYPALIGN_INT));
	values[5] = TimestampTzGetDatum(clock_transaction());
	made = plan_execute(&insert_uses, values, NULL, false, 0);
	/* what was inserted comes back in the same order */
	for (int i = 0; i < count; i++)
	{
		bool		isnull;
		text	   *key = next < made ? DatumGetTextPP(plan_value(next, 1, &isnull)) : NULL;

		if (key && strlen(rows[i]->key) == VARSIZE_ANY_EXHDR(key) &&
			memcmp(rows[i]->key, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)) == 0)
		{
			rows[kept++] = rows[i];
			next++;
		}
		else
			lost[lost_count++] = rows[i];
	}
	memcpy(rows + kept, lost, sizeof(BulkRow *) * lost_count);
	SPI_freetuptable(SPI_tuptable);
	return lost_count;
}

void
bulk_release_keys(BulkLoad *load, BulkRow **rows, int count)
{
	Datum		values[3];

	if (count == 0)
		return;
	set_arguments(load, rows, count, values);
	plan_execute(&delete_uses, values, NULL, false, 0);
}
