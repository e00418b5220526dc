/*
 * write_json.c
 *	  A record as JSON (CONTRACT 1).
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "record/record.h"
#include "utils/builtins.h"

int
record_display_code(char *buffer, const char *prefix, int prefix_length, int64 display_no)
{
	char	   *at = buffer + prefix_length;

	memcpy(buffer, prefix, prefix_length);
	*at++ = '-';
	at = pg_ultostr_zeropad(at, (uint32) (display_no / QEHS_DISPLAY_YEAR), 4);
	*at++ = '-';
	at = pg_ultostr_zeropad(at, (uint32) (display_no % QEHS_DISPLAY_YEAR), 4);
	return (int) (at - buffer);
}

void
record_append_display_code(StringInfo out, const ModuleDef *module, int64 display_no)
{
	int			length = strlen(module->prefix);

	enlargeStringInfo(out, length + QEHS_DISPLAY_BYTES);
	out->len += record_display_code(out->data + out->len, module->prefix, length, display_no);
	out->data[out->len] = '\0';
}

void
record_write_display_code(StringInfo out, const ModuleDef *module, int64 display_no)
{
	appendStringInfoChar(out, '"');
	record_append_display_code(out, module, display_no);
	appendStringInfoChar(out, '"');
}

/* The record without the closing brace. */
static void
write_open(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record, bool readable)
{
	PermissionSubject subject = record_subject(record);

	json_literal(out, "{\"id\":");
	json_id(out, &record->id, QEHS_ID_RECORD);
	json_literal(out, ",\"moduleKey\":");
	json_string(out, module->key);
	json_literal(out, ",\"displayCode\":");
	record_write_display_code(out, module, record->display_no);
	json_literal(out, ",\"workflowState\":");
	json_string(out, record->workflow_state);
	json_literal(out, ",\"payload\":");
	if (readable)
		permission_write_payload(out, context, module, &subject);
	else
		json_literal(out, "{}");
	json_literal(out, ",\"version\":");
	json_int(out, record->version);
	json_literal(out, ",\"definitionVersion\":");
	json_int(out, record->definition_version);
	json_literal(out, ",\"createdAt\":");
	json_time(out, record->created_at);
	json_literal(out, ",\"updatedAt\":");
	json_time(out, record->updated_at);
	json_literal(out, ",\"createdBy\":");
	context_write_actor(out, context->tenant_id, &record->created_by);
	json_literal(out, ",\"updatedBy\":");
	context_write_actor(out, context->tenant_id, &record->updated_by);
	json_literal(out, ",\"deletedAt\":");
	if (record->deleted)
		json_time(out, record->deleted_at);
	else
		json_literal(out, "null");
	if (record->has_due)
	{
		json_literal(out, ",\"dueAt\":");
		json_time(out, record->due_at);
	}
}

void
record_write_json(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record, bool open)
{
	write_open(out, context, module, record, true);
	if (!open)
		appendStringInfoCharMacro(out, '}');
}

void
record_write_answer(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record)
{
	PermissionSubject subject = record_subject(record);

	write_open(out, context, module, record, permission_may(context, module, ACTION_READ, &subject, NULL));
	appendStringInfoCharMacro(out, '}');
}
