/*
 * record_create.c
 *	  qehs.record_create: one statement inserts the record and its audit event.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "audit/audit.h"
#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "module/locale.h"
#include "record/record.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_record_create);

#define ARGUMENT_COUNT 27

static KeptPlan insert_record = {
	"WITH made AS (INSERT INTO qehs.record (tenant_id, module_id, id, definition_version, display_no, workflow_state,"
	" payload, created_at, created_by, updated_at, updated_by, t1, t2, t3, t4, t5, t6, n1, n2, n3, n4, d1, d2, d3, d4,"
	" search) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
	" $20, $21, $22, $23, CASE WHEN $24::text IS NULL THEN NULL ELSE pg_catalog.to_tsvector('pg_catalog.simple', $24) END))"
	" INSERT INTO qehs.audit_event (tenant_id, module_id, id, record_id, actor_id, at, action, to_state, record_version,"
	" trace_id) VALUES ($1, $2, $25, $3, $9, $8, 'created', $6, 1, $26)",
	26, {INT4OID, INT4OID, UUIDOID, INT4OID, INT8OID, TEXTOID, JSONBOID, TIMESTAMPTZOID, UUIDOID,
		TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, UUIDOID, TEXTOID}, NULL
};

/* Insert the record and its event; inside SPI. */
static void
insert(const RequestContext *context, const ModuleDef *module, const Record *record)
{
	Datum		values[ARGUMENT_COUNT];
	char		nulls[ARGUMENT_COUNT];
	RecordSlots slots;
	pg_uuid_t	event_id;
	char	   *search = record_search_text(module, record->payload);

	memset(nulls, ' ', sizeof(nulls));
	id_generate(&event_id);
	record_slots(module, record->payload, &slots);
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = Int32GetDatum(module->module_id);
	values[2] = UUIDPGetDatum(&record->id);
	values[3] = Int32GetDatum(module->version);
	values[4] = Int64GetDatum(record->display_no);
	values[5] = CStringGetTextDatum(record->workflow_state);
	values[6] = JsonbPGetDatum(record->payload);
	values[7] = TimestampTzGetDatum(record->created_at);
	values[8] = UUIDPGetDatum(&record->created_by);
	for (int i = 0; i < QEHS_SLOTS; i++)
	{
		values[9 + i] = slots.values[i];
		nulls[9 + i] = slots.isnull[i] ? 'n' : ' ';
	}
	values[23] = search ? CStringGetTextDatum(search) : (Datum) 0;
	nulls[23] = search ? ' ' : 'n';
	values[24] = UUIDPGetDatum(&event_id);
	values[25] = CStringGetTextDatum(context->trace_id);
	nulls[25] = context->trace_id[0] ? ' ' : 'n';
	PG_TRY();
	{
		plan_execute(&insert_record, values, nulls, false, 0);
	}
	PG_CATCH();
	{
		/* the counter lags behind the table only after data came in by another door */
		if (geterrcode() == ERRCODE_UNIQUE_VIOLATION)
			record_forget_display_no(context->tenant_id, module->module_id, record->created_at);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* The state to start in: the initial one, or another with the permission for it. */
static const char *
start_state(const RequestContext *context, const ModuleDef *module, char *wanted, ViolationList *violations)
{
	if (wanted == NULL)
		return module->initial;
	if (!module_has_state(module, wanted))
		violation_add(violations, "/workflowState", "enum", "is not a state of module \"%s\"", module->key);
	else if (!permission_may_start_in(context, module, wanted))
		problem_raise_at(PROBLEM_FORBIDDEN, "/workflowState", "forbidden",
						 "may be other than \"%s\" with the permission bulk.state only", module->initial);
	return wanted;
}

/* The current version of a module by key, its slots held. */
static const ModuleDef *
find_module(const RequestContext *context, const char *key)
{
	const ModuleDef *module = module_lookup(context->tenant_id, key);

	if (module == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/moduleKey", "not_found", "names no module of this tenant");
	permission_require(context, module, ACTION_CREATE, NULL);
	module_hold_slots(context->tenant_id, module->module_id);
	/* again: a publisher may have been waited for */
	return module_lookup(context->tenant_id, key);
}

/* record_create(module_key, payload, workflow_state, accept_language) */
Datum
qehs_record_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList violations = {0};
	const ModuleDef *module;
	char	   *state = argument_text(fcinfo, 2);
	Record		record = {0};
	StringInfoData out;
	char		id[QEHS_ID_LENGTH + 1];

	if (PG_ARGISNULL(0))
		violation_add(&violations, "/moduleKey", "required", "is required");
	if (PG_ARGISNULL(1))
		violation_add(&violations, "/payload", "required", "is required");
	violation_raise(&violations);
	module = find_module(context, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	record.workflow_state = start_state(context, module, state, &violations);
	record.payload = record_check_payload(context, module, PG_GETARG_JSONB_P(1), record.workflow_state, &violations);
	locale_name_fields(module->definition, argument_text(fcinfo, 3), &violations);
	violation_raise(&violations);
	id_generate(&record.id);
	record.module_id = module->module_id;
	record.version = 1;
	record.definition_version = module->version;
	record.created_at = record.updated_at = GetCurrentTransactionStartTimestamp();
	record.created_by = record.updated_by = context->actor_id;
	json_begin(&out);
	SPI_connect();
	record.display_no = record_next_display_no(context->tenant_id, module->module_id, record.created_at);
	record_unique_replace(module, &record.id, NULL, record.payload, false);
	insert(context, module, &record);
	SPI_finish();
	record_write_json(&out, context, module, &record, false);
	id_format(&record.id, QEHS_ID_RECORD, id);
	context_header(context, "Location", "/api/v1/records/%s", id);
	context_etag(context, record.version);
	PG_RETURN_DATUM(context_answer(&out));
}
