/*
 * linked.c
 *	  The records that a record names, and those that name it.
 *
 * Of both only those are told that the caller may read, and only by fields that he may
 * read: a link by a hidden field alone is none to him.  Whether it is shows only when the
 * rows are there: records of which some were hidden are asked again, behind those.
 */
#include "base/compat.h"

#include "base/cursor.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "record/link.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* Links of a record that are asked for at least where some of the first were hidden. */
#define BATCH_ROWS 50

/* Both branches go along an index in the order of the other's id, as far as they are needed. */
static KeptPlan select_links = {
	"SELECT l.*, w.place FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) WITH ORDINALITY"
	" AS w (record, other, is_in, place) CROSS JOIN LATERAL (SELECT * FROM"
	" (SELECT " QEHS_RECORD_COLUMNS ", true AS is_in FROM qehs.record_link AS n JOIN qehs.record AS r ON r.tenant_id = $1 AND r.id = n.source_id"
	" WHERE n.tenant_id = $1 AND n.target_id = w.record AND n.source_id >= w.other AND (n.source_id > w.other OR NOT w.is_in)"
	" AND r.deleted_at IS NULL ORDER BY n.source_id LIMIT $5) AS i UNION ALL SELECT * FROM"
	" (SELECT " QEHS_RECORD_COLUMNS ", false FROM qehs.record_link AS n JOIN qehs.record AS r ON r.tenant_id = $1 AND r.id = n.target_id"
	" WHERE n.tenant_id = $1 AND n.source_id = w.record AND n.target_id > w.other AND r.deleted_at IS NULL ORDER BY n.target_id LIMIT $5) AS o"
	" ORDER BY id, is_in LIMIT $5) AS l ORDER BY place, id, is_in",
	5, {INT4OID, UUIDARRAYOID, UUIDARRAYOID, BOOLARRAYOID, INT4OID}, NULL
};

/* A record whose links are walked. */
typedef struct Walked
{
	int			place;
	LinkPosition at;
	int			told;
	int			rows;			/* of the last statement */
} Walked;

/* Append the keys of the fields of one record that name another, of those that the caller may read, as a list; false when there is none. */
static bool
write_fields(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *from, const pg_uuid_t *to)
{
	const ModuleField **fields = palloc(sizeof(ModuleField *) * Max(module->field_count, 1));
	int			count = link_fields(module, from->payload, to, fields);
	PermissionSubject subject = record_subject(from);

	for (int i = 0; i < count; i++)
	{
		if (!permission_reads_key(context, module, &subject, module->version, fields[i]->key, fields[i]->key_length))
			continue;
		appendStringInfoChar(out, out->len > 0 ? ',' : '[');
		json_string(out, fields[i]->key);
	}
	if (out->len == 0)
		return false;
	appendStringInfoChar(out, ']');
	return true;
}

/* Whether the caller may be told of the link between a record and the other one, whose fields are filled in. */
static bool
is_told(const RequestContext *context, const Record *record, LinkTold *link)
{
	PermissionSubject subject = record_subject(link->other);
	StringInfoData fields;

	if (!permission_may(context, link->module, ACTION_READ, &subject, NULL))
		return false;
	initStringInfo(&fields);
	if (!(link->position.is_in ? write_fields(&fields, context, link->module, link->other, &record->id) :
		  write_fields(&fields, context, record_module(context, record), record, &link->position.other)))
		return false;
	link->fields = fields.data;
	return true;
}

/* The rows behind where each of walked stands, in SPI_tuptable. */
static uint64
fetch(int32 tenant_id, const Record *records, const Walked *walked, int count, int32 limit)
{
	Datum	   *ids = palloc(count * sizeof(Datum));
	Datum	   *others = palloc(count * sizeof(Datum));
	Datum	   *directions = palloc(count * sizeof(Datum));
	Datum		values[5] = {Int32GetDatum(tenant_id), 0, 0, 0, Int32GetDatum(limit)};

	for (int i = 0; i < count; i++)
	{
		ids[i] = UUIDPGetDatum(&records[walked[i].place].id);
		others[i] = UUIDPGetDatum(&walked[i].at.other);
		directions[i] = BoolGetDatum(walked[i].at.is_in);
	}
	values[1] = id_array(ids, count);
	values[2] = id_array(others, count);
	values[3] = PointerGetDatum(construct_array(directions, count, BOOLOID, 1, true, TYPALIGN_CHAR));
	return plan_execute_generic(&select_links, values, NULL, true, 0);
}

/* Give the owner the link of a row, unless its record has enough of them. */
static void
take_row(const RequestContext *context, const Record *records, Walked *walked, int32 limit, uint64 row, int direction, LinkTake take, void *owner)
{
	Record		other;
	LinkTold	link = {.place = walked->place,.other = &other};
	bool		isnull;

	record_read_row(row, &other);
	walked->rows++;
	link.module = record_module(context, &other);
	link.position = walked->at = (LinkPosition) {other.id, DatumGetBool(plan_value(row, direction, &isnull))};
	if (walked->told == limit || !is_told(context, &records[walked->place], &link))
		return;
	walked->told++;
	take(owner, &link);
}

void
link_walk(const RequestContext *context, const Record *records, const LinkPosition *after, int count, int32 limit, LinkTake take, void *owner)
{
	Walked	   *walked = palloc0(Max(count, 1) * sizeof(Walked));
	MemoryContext round = AllocSetContextCreate(CurrentMemoryContext, "qehs links", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(round);

	for (int i = 0; i < count; i++)
	{
		walked[i].place = i;
		if (after)
			walked[i].at = after[i];
	}
	for (int32 batch = limit; count > 0; batch = Max(limit, BATCH_ROWS))
	{
		uint64		rows = fetch(context->tenant_id, records, walked, count, batch);
		int			direction = rows > 0 ? SPI_fnumber(SPI_tuptable->tupdesc, "is_in") : 0;
		int			place = rows > 0 ? SPI_fnumber(SPI_tuptable->tupdesc, "place") : 0;
		int			left = 0;
		bool		isnull;

		for (int i = 0; i < count; i++)
			walked[i].rows = 0;
		for (uint64 row = 0; row < rows; row++)
		{
			CHECK_FOR_INTERRUPTS();
			take_row(context, records, &walked[DatumGetInt64(plan_value(row, place, &isnull)) - 1], limit, row, direction, take, owner);
		}
		SPI_freetuptable(SPI_tuptable);
		for (int i = 0; i < count; i++)
			if (walked[i].rows == batch && walked[i].told < limit)
				walked[left++] = walked[i];
		count = left;
		MemoryContextReset(round);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(round);
}

/* ---- cursors ---- */

LinkPosition
link_open_cursor(int32 tenant_id, const pg_uuid_t *record_id, const char *cursor)
{
	LinkPosition position = {{{0}}, false};
	char		binding[QEHS_ID_LENGTH + 1];
	int			length;
	char	   *bytes;

	if (cursor == NULL)
		return position;
	id_format(record_id, QEHS_ID_RECORD, binding);
	bytes = cursor_open(tenant_id, "record_links", binding, cursor, &length);
	memcpy(&position, bytes, Min(length, (int) sizeof(position)));
	return position;
}

char *
link_seal_cursor(int32 tenant_id, const pg_uuid_t *record_id, const LinkPosition *position)
{
	char		binding[QEHS_ID_LENGTH + 1];

	id_format(record_id, QEHS_ID_RECORD, binding);
	return cursor_seal(tenant_id, "record_links", binding, (const char *) position, sizeof(*position));
}
