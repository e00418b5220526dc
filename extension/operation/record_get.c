/*
 * record_get.c
 *	  qehs.record_get: one record with its newest events and the transitions that
 *	  the caller may fire.
 */
#include "base/compat.h"

#include "attachment/attachment.h"
#include "audit/audit.h"
#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "fmgr.h"
#include "retention/hold.h"
#include "workflow/workflow.h"

PG_FUNCTION_INFO_V1(qehs_record_get);

/* record_get(id) */
Datum
qehs_record_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	const ModuleDef *module;
	Record		record;
	pg_uuid_t	id;
	StringInfoData out;

	record_parse_id(argument_text(fcinfo, 0), &id);
	json_begin(&out);
	SPI_connect();
	record_fetch(context, &id, RECORD_READ, false, &record);
	module = record_module(context, &record);
	record_require(context, module, ACTION_READ, &record);
	record_write_json(&out, context, module, &record, true);
	audit_write_activity(&out, context, module, &record);
	json_literal(&out, ",\"attachments\":");
	attachment_write_list(&out, context, module, &record);
	workflow_write_available(&out, context, module, &record);
	hold_write(&out, context, module, &record);
	appendStringInfoChar(&out, '}');
	SPI_finish();
	context_etag(context, record.version);
	PG_RETURN_DATUM(context_answer(&out));
}
