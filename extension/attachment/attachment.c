/*
 * attachment.c
 *	  Reading attachments, who may have them, and their JSON.
 */
#include "base/compat.h"

#include "attachment/attachment.h"
#include "base/argument.h"
#include "base/json.h"
#include "base/lookup.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "utils/builtins.h"

/* The columns of QEHS_ATTACHMENT_COLUMNS. */
enum
{
	COLUMN_ID = 1, COLUMN_RECORD_ID, COLUMN_FIELD, COLUMN_FIELD_VERSION, COLUMN_FILENAME, COLUMN_CONTENT_TYPE, COLUMN_SIZE,
	COLUMN_SHA256, COLUMN_STATUS, COLUMN_CREATED_AT, COLUMN_CREATED_BY
};

static KeptPlan select_one = {
	"SELECT " QEHS_ATTACHMENT_COLUMNS " FROM qehs.attachment WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan lock_one = {
	"SELECT " QEHS_ATTACHMENT_COLUMNS " FROM qehs.attachment WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_of_records = {
	"SELECT " QEHS_ATTACHMENT_COLUMNS " FROM qehs.attachment WHERE tenant_id = $1 AND record_id = ANY ($2) AND deleted_at IS NULL ORDER BY id",
	2, {INT4OID, UUIDARRAYOID}, NULL
};

static KeptLookup attachments_of_record = {
	.table = "attachment",.index = "attachment_record",.key = "record_id"
};

void
attachment_read(uint64 row, Attachment *attachment)
{
	bool		isnull;
	Datum		value;

	attachment->id = *DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull));
	value = plan_value(row, COLUMN_RECORD_ID, &isnull);
	attachment->bound = !isnull;
	if (!isnull)
		attachment->record_id = *DatumGetUUIDP(value);
	attachment->field = plan_text(row, COLUMN_FIELD);
	attachment->field_version = DatumGetInt32(plan_value(row, COLUMN_FIELD_VERSION, &isnull));
	attachment->filename = plan_text(row, COLUMN_FILENAME);
	attachment->content_type = plan_text(row, COLUMN_CONTENT_TYPE);
	value = plan_value(row, COLUMN_SIZE, &isnull);
	attachment->size = isnull ? -1 : DatumGetInt64(value);
	attachment->sha256 = plan_text(row, COLUMN_SHA256);
	attachment->status = plan_text(row, COLUMN_STATUS);
	attachment->created_at = DatumGetTimestampTz(plan_value(row, COLUMN_CREATED_AT, &isnull));
	attachment->created_by = *DatumGetUUIDP(plan_value(row, COLUMN_CREATED_BY, &isnull));
}

void
attachment_not_found(void)
{
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such attachment");
}

void
attachment_write(StringInfo out, const Attachment *attachment)
{
	json_literal(out, "\"id\":");
	json_id(out, &attachment->id, QEHS_ID_ATTACHMENT);
	json_literal(out, ",\"filename\":");
	json_string(out, attachment->filename);
	json_literal(out, ",\"contentType\":");
	json_string(out, attachment->content_type);
	json_literal(out, ",\"sizeBytes\":");
	if (attachment->size < 0)
		json_literal(out, "null");
	else
		json_int(out, attachment->size);
	json_literal(out, ",\"sha256\":");
	json_string(out, attachment->sha256);
	json_literal(out, ",\"status\":");
	json_string(out, attachment->status);
	json_literal(out, ",\"createdAt\":");
	json_time(out, attachment->created_at);
}

/* A nested field has the rule of the field around it. */
bool
attachment_may_read(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const Attachment *attachment)
{
	return attachment->field == NULL ||
		permission_reads_key(context, module, subject, attachment->field_version, attachment->field, strcspn(attachment->field, "."));
}

static bool
writes_field(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const Attachment *attachment)
{
	return attachment->field == NULL ||
		permission_writes_key(context, module, subject, attachment->field_version, attachment->field, strcspn(attachment->field, "."));
}

uint64
attachment_select(const RequestContext *context, Datum record_ids)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), record_ids};

	return plan_execute_generic(&select_of_records, values, NULL, true, 0);
}

bool
attachment_write_item(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, uint64 row)
{
	Attachment	attachment;

	attachment_read(row, &attachment);
	if (!attachment_may_read(context, module, subject, &attachment))
		return false;
	appendStringInfoChar(out, '{');
	attachment_write(out, &attachment);
	appendStringInfoChar(out, '}');
	return true;
}

void
attachment_write_list(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record)
{
	PermissionSubject subject = record_subject(record);
	Datum		ids[1] = {UUIDPGetDatum(&record->id)};
	LookupRow	any;
	/* most records have none */
	uint64		rows = lookup_rows(&attachments_of_record, context->tenant_id, &record->id, ForwardScanDirection, 1, &any) == 0 ? 0 :
		attachment_select(context, id_array(ids, 1));
	int			start = out->len;

	for (uint64 row = 0; row < rows; row++)
	{
		appendStringInfoChar(out, out->len > start ? ',' : '[');
		if (!attachment_write_item(out, context, module, &subject, row))
			out->data[--out->len] = '\0';
	}
	appendStringInfoString(out, out->len > start ? "]" : "[]");
}

void
attachment_open(const RequestContext *context, const char *wire, bool write, Attachment *attachment, Record *record, const ModuleDef **module)
{
	pg_uuid_t	id;
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id)};
	PermissionSubject subject;

	*module = NULL;
	if (wire == NULL || !id_parse(wire, strlen(wire), QEHS_ID_ATTACHMENT, &id) ||
		plan_execute(write ? &lock_one : &select_one, values, NULL, !write, 1) == 0)
		attachment_not_found();
	attachment_read(0, attachment);
	if (!attachment->bound)
	{
		if (memcmp(&attachment->created_by, &context->actor_id, sizeof(pg_uuid_t)) != 0)
			attachment_not_found();
		return;
	}
	record_fetch(context, &attachment->record_id, write ? RECORD_FOR_UPDATE : RECORD_READ, true, record);
	if (record->deleted)
		attachment_not_found();
	*module = record_module(context, record);
	subject = record_subject(record);
	if (record_is_hidden(context, *module, record))
		attachment_not_found();
	record_require(context, *module, ACTION_READ, record);
	if (!attachment_may_read(context, *module, &subject, attachment))
		attachment_not_found();
	if (!write)
		return;
	record_require(context, *module, ACTION_UPDATE, record);
	if (!writes_field(context, *module, &subject, attachment))
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the caller may not write the field that the attachment belongs to");
	record_require_unlocked(context, *module, record, attachment->field);
}

bool
attachment_is_ready(const char *status, const Jsonb *storage)
{
	return strcmp(status, "clean") == 0 || (strcmp(status, "uploaded") == 0 && !(storage && json_member_bool(&storage->root, "scanned", false)));
}

void
attachment_note(const RequestContext *context, const ModuleDef *module, Record *record, AuditAction action, const Attachment *attachment)
{
	Change		change = change_make(action, record, record);
	const char *side = action == AUDIT_ATTACH ? "to" : "from";
	StringInfoData changes;

	initStringInfo(&changes);
	json_literal(&changes, "[{\"path\":");
	json_string(&changes, attachment->field ?
				psprintf("/payload/%.*s", (int) strcspn(attachment->field, "."), attachment->field) : "/attachments");
	appendStringInfo(&changes, ",\"%s\":{", side);
	attachment_write(&changes, attachment);
	json_literal(&changes, "}}]");
	change.event.changes = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(changes.data)));
	change_store_event(context, module, &change);
}
