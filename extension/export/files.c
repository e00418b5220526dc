/*
 * files.c
 *	  The attachments of exported records, for the worker that puts their files beside
 *	  them.
 */
#include "base/compat.h"

#include "attachment/attachment.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "export/export.h"
#include "miscadmin.h"

static KeptPlan select_records = {
	"SELECT " QEHS_RECORD_COLUMNS " FROM qehs.record WHERE tenant_id = $1 AND id = ANY ($2)", 2, {INT4OID, UUIDARRAYOID}, NULL
};

static void
write_file(StringInfo out, const RequestContext *context, const Record *record, const Attachment *attachment, const Jsonb *storage)
{
	const ModuleDef *module = record_module(context, record);
	PermissionSubject subject = record_subject(record);

	/* who deletes a record takes its files away */
	if (record->deleted || !attachment_is_ready(attachment->status, storage) || !attachment_may_read(context, module, &subject, attachment))
		return;
	appendStringInfoChar(out, '{');
	attachment_write(out, attachment);
	json_literal(out, ",\"recordId\":");
	json_id(out, &record->id, QEHS_ID_RECORD);
	json_literal(out, ",\"displayCode\":");
	record_write_display_code(out, module, record->display_no);
	json_literal(out, ",\"field\":");
	json_string(out, attachment->field);
	json_literal(out, "}\n");
}

void
files_write(StringInfo out, const RequestContext *context, const pg_uuid_t *ids, int count, const Jsonb *storage)
{
	Datum	   *wanted = palloc(sizeof(Datum) * Max(count, 1));
	Datum		values[2] = {Int32GetDatum(context->tenant_id)};
	Record	   *records;
	uint64		record_count;
	uint64		rows;

	for (int i = 0; i < count; i++)
		wanted[i] = UUIDPGetDatum(&ids[i]);
	values[1] = id_array(wanted, count);
	record_count = plan_execute_generic(&select_records, values, NULL, true, 0);
	records = palloc(sizeof(Record) * Max(record_count, 1));
	for (uint64 i = 0; i < record_count; i++)
		record_read_row(i, &records[i]);
	record_sort(records, record_count);
	rows = attachment_select(context, values[1]);
	for (uint64 row = 0; row < rows; row++)
	{
		Attachment	attachment;
		int			number;

		CHECK_FOR_INTERRUPTS();
		attachment_read(row, &attachment);
		number = record_find(records, record_count, &attachment.record_id);
		if (number >= 0)
			write_file(out, context, &records[number], &attachment, storage);
	}
}
