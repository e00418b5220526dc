/*
 * attachment_delete.c
 *	  qehs.attachment_delete: an attachment goes from its record; qehs.tick removes
 *	  the file 30 days later.
 */
#include "base/compat.h"

#include "attachment/attachment.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "record/attached.h"
#include "retention/hold.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_attachment_delete);

static KeptPlan delete_attachment = {
	"UPDATE qehs.attachment SET deleted_at = $4, deleted_by = $3 WHERE tenant_id = $1 AND id = $2",
	4, {INT4OID, UUIDOID, UUIDOID, TIMESTAMPTZOID}, NULL
};

/* attachment_delete(id) */
Datum
qehs_attachment_delete(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ATTACHMENTS_WRITE);
	Attachment	attachment;
	Record		record;
	const ModuleDef *module;

	SPI_connect();
	hold_lock(context->tenant_id, false);
	attachment_open(context, argument_text(fcinfo, 0), true, &attachment, &record, &module);
	if (module && attached_names(module, record.payload, &attachment.id))
		problem_raise(PROBLEM_CONFLICT, "Change the field first.", "a field of the record names the attachment");
	if (module)
		hold_require_none(context->tenant_id, record.module_id, &record.id, "rid of a file");
	if (module)
		attachment_note(context, module, &record, AUDIT_DETACH, &attachment);
	{
		Datum		values[4] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&attachment.id), UUIDPGetDatum(&context->actor_id),
		TimestampTzGetDatum(clock_transaction())};

		plan_execute(&delete_attachment, values, NULL, false, 0);
	}
	SPI_finish();
	PG_RETURN_NULL();
}
