/*
 * record_create.c
 *	  qehs.record_create: a payload becomes a record.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "change/change.h"
#include "fmgr.h"
#include "module/locale.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_record_create);

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

/* The current version of a module by key, which the caller may create records of. */
static const ModuleDef *
find_module(const RequestContext *context, const char *key)
{
	const ModuleDef *module = module_lookup(context->tenant_id, key);

	if (module == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/moduleKey", "not_found", "names no module of this tenant");
	permission_require(context, module, ACTION_CREATE, &permission_some_record);
	return module;
}

/* The arguments of qehs.record_create. */
enum
{
	ARGUMENT_MODULE_KEY, ARGUMENT_PAYLOAD, ARGUMENT_WORKFLOW_STATE, ARGUMENT_ACCEPT_LANGUAGE
};

/* record_create(module_key, payload, workflow_state, accept_language) */
Datum
qehs_record_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList violations = {0};
	const ModuleDef *module;
	char	   *key;
	char	   *state = argument_text(fcinfo, ARGUMENT_WORKFLOW_STATE);
	Record		record = {0};
	Change		change = change_make(AUDIT_CREATE, NULL, &record);
	StringInfoData out;
	char		id[QEHS_ID_LENGTH + 1];

	if (PG_ARGISNULL(ARGUMENT_MODULE_KEY))
		violation_add(&violations, "/moduleKey", "required", "is required");
	if (PG_ARGISNULL(ARGUMENT_PAYLOAD))
		violation_add(&violations, "/payload", "required", "is required");
	violation_raise(&violations);
	key = text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_MODULE_KEY));
	module = find_module(context, key);
	module_hold_slots(context->tenant_id, module->module_id);
	/* again: a publisher may have been waited for, whose version permits less */
	module = find_module(context, key);
	record.workflow_state = start_state(context, module, state, &violations);
	record.payload = record_check_payload(context, module, PG_GETARG_JSONB_P(ARGUMENT_PAYLOAD), record.workflow_state, &violations);
	locale_name_fields(module->definition, argument_text(fcinfo, ARGUMENT_ACCEPT_LANGUAGE), &violations);
	violation_raise(&violations);
	id_generate(&record.id);
	record.module_id = module->module_id;
	record.definition_version = module->version;
	record.created_at = clock_transaction();
	json_begin(&out);
	SPI_connect();
	record_apply_one(context, &change);
	SPI_finish();
	record_write_answer(&out, context, module, &record);
	id_format(&record.id, QEHS_ID_RECORD, id);
	context_header(context, "Location", "/api/v1/records/%s", id);
	context_etag(context, record.version);
	PG_RETURN_DATUM(context_answer(&out));
}
