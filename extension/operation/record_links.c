/*
 * record_links.c
 *	  qehs.record_links: the records that a record names, and those that name it.
 *
 * Of both only those are told that the caller may read, and only by fields that he may
 * read: a link by a hidden field alone is none to him.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/cursor.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "record/link.h"
#include "record/record.h"

PG_FUNCTION_INFO_V1(qehs_record_links);

#define BATCH_ROWS 50

static KeptPlan select_links = {
	"SELECT " QEHS_RECORD_COLUMNS ", is_in FROM (SELECT source_id AS other, true AS is_in FROM qehs.record_link WHERE tenant_id = $1 AND target_id = $2"
	" UNION ALL SELECT target_id, false FROM qehs.record_link WHERE tenant_id = $1 AND source_id = $2) AS l"
	" JOIN qehs.record AS r ON r.tenant_id = $1 AND r.id = l.other"
	" WHERE r.deleted_at IS NULL AND (l.other, l.is_in) > ($3, $4) ORDER BY l.other, l.is_in LIMIT 50",
	4, {INT4OID, UUIDOID, UUIDOID, BOOLOID}, NULL
};

/* What stands before a page: the last record that was told, and how it is linked. */
typedef struct Position
{
	pg_uuid_t	other;
	bool		is_in;
} Position;

/* Append the keys of the fields of one record that name another, of those that the caller may read; false when there is none. */
static bool
write_fields(StringInfo out, const RequestContext *context, const Record *from, const pg_uuid_t *to)
{
	const ModuleDef *module = record_module(context, from);
	const ModuleField **fields = palloc(sizeof(ModuleField *) * Max(module->field_count, 1));
	int			count = link_fields(module, from->payload, to, fields);
	PermissionSubject subject = record_subject(from);
	int			start = out->len;

	for (int i = 0; i < count; i++)
	{
		if (!permission_reads_key(context, module, &subject, module->version, fields[i]->key, fields[i]->key_length))
			continue;
		if (out->len > start)
			appendStringInfoChar(out, ',');
		json_string(out, fields[i]->key);
	}
	pfree(fields);
	return out->len > start;
}

/* Append a link; false, with nothing appended, when it is none for the caller. */
static bool
write_link(StringInfo out, const RequestContext *context, const Record *record, const Record *other, bool is_in)
{
	const ModuleDef *module = record_module(context, other);
	PermissionSubject subject = record_subject(other);
	int			start = out->len;

	if (!permission_may(context, module, ACTION_READ, &subject, NULL))
		return false;
	appendStringInfo(out, "%s{\"direction\":\"%s\",\"fields\":[", out->data[start - 1] == '[' ? "" : ",", is_in ? "in" : "out");
	if (!(is_in ? write_fields(out, context, other, &record->id) : write_fields(out, context, record, &other->id)))
	{
		out->len = start;
		out->data[start] = '\0';
		return false;
	}
	json_literal(out, "],\"record\":{\"id\":");
	json_id(out, &other->id, QEHS_ID_RECORD);
	json_literal(out, ",\"moduleKey\":");
	json_string(out, module->key);
	json_literal(out, ",\"displayCode\":");
	record_write_display_code(out, module, other->display_no);
	json_literal(out, ",\"workflowState\":");
	json_string(out, other->workflow_state);
	json_literal(out, "}}");
	return true;
}

/* Append the links behind a position, which becomes that of the last one written.  Returns whether more follow. */
static bool
write_links(StringInfo out, const RequestContext *context, const Record *record, int32 limit, Position *last)
{
	Position	at = *last;
	int			written = 0;

	for (;;)
	{
		Datum		values[4] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id), UUIDPGetDatum(&at.other), BoolGetDatum(at.is_in)};
		uint64		rows = plan_execute(&select_links, values, NULL, true, BATCH_ROWS);
		int			direction = SPI_fnumber(SPI_tuptable->tupdesc, "is_in");
		bool		isnull;

		for (uint64 i = 0; i < rows; i++)
		{
			Record		other;
			int			start = out->len;

			CHECK_FOR_INTERRUPTS();
			record_read_row(i, &other);
			at = (Position) {other.id, DatumGetBool(plan_value(i, direction, &isnull))};
			if (!write_link(out, context, record, &other, at.is_in))
				continue;
			if (written++ == limit)
			{
				out->len = start;
				out->data[start] = '\0';
				return true;
			}
			*last = at;
		}
		SPI_freetuptable(SPI_tuptable);
		if (rows < BATCH_ROWS)
			return false;
	}
}

/* The arguments of qehs.record_links. */
enum
{
	ARGUMENT_ID, ARGUMENT_PAGE_SIZE, ARGUMENT_CURSOR
};

/* record_links(id, page_size, cursor) */
Datum
qehs_record_links(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, ARGUMENT_PAGE_SIZE, &faults);
	char	   *cursor = argument_text(fcinfo, ARGUMENT_CURSOR);
	Position	last = {{{0}}, false};
	Record		record;
	pg_uuid_t	id;
	StringInfoData out;
	char		binding[QEHS_ID_LENGTH + 1];
	char	   *next = NULL;

	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	record_parse_id(argument_text(fcinfo, ARGUMENT_ID), &id);
	json_begin(&out);
	SPI_connect();
	record_fetch(context, &id, RECORD_READ, false, &record);
	record_require(context, record_module(context, &record), ACTION_READ, &record);
	id_format(&id, QEHS_ID_RECORD, binding);
	if (cursor)
	{
		int			length;
		char	   *position = cursor_open(context->tenant_id, "record_links", binding, cursor, &length);

		memcpy(&last, position, Min(length, (int) sizeof(last)));
	}
	json_literal(&out, "{\"items\":[");
	if (write_links(&out, context, &record, limit, &last))
		next = cursor_seal(context->tenant_id, "record_links", binding, (const char *) &last, sizeof(last));
	SPI_finish();
	PG_RETURN_DATUM(context_answer_page(&out, context, next));
}
