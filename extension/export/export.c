/*
 * export.c
 *	  What an export asks for, and whether its caller may have it.
 *
 * Read twice from the same arguments: when it is asked for, so that the caller is
 * told every fault at once, and when the worker opens it, with the rights that the
 * caller has then.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "export/export.h"
#include "miscadmin.h"

static KeptPlan select_keys = {"SELECT key FROM qehs.module WHERE tenant_id = $1 ORDER BY key", 1, {INT4OID}, NULL};

/* No deleted records without the scope for their trail, no files without theirs. */
static void
require_rest(const RequestContext *context, const ExportPlan *plan, const ModuleDef *module)
{
	if (plan->deleted_too && !permission_may(context, module, ACTION_AUDIT, &permission_some_record, NULL))
		problem_raise_at(PROBLEM_FORBIDDEN, "/includeDeleted", QEHS_FORBIDDEN, "needs the scope audit.read");
	if (plan->has_attachments && !(context->scopes & SCOPE_ATTACHMENTS_READ))
		problem_raise_at(PROBLEM_FORBIDDEN, "/includeAttachments", QEHS_FORBIDDEN, "needs the scope attachments.read");
}

/* A filter that one record passes. */
static Jsonb *
filter_of_record(const char *id)
{
	JsonbValue	value = {.type = jbvString,.val.string = {(int) strlen(id), unconstify(char *, id)}};
	JsonbParseState *state = NULL;
	JsonbValue	key = {.type = jbvString,.val.string = {2, "id"}};

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, &value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static bool
may_export(const RequestContext *context, const ModuleDef *module)
{
	return permission_may(context, module, ACTION_READ, &permission_some_record, NULL) &&
		permission_may(context, module, ACTION_EXPORT, &permission_some_record, NULL);
}

/* All modules that the caller may export. */
static void
plan_modules(const RequestContext *context, ExportPlan *plan)
{
	Datum		value = Int32GetDatum(context->tenant_id);
	MemoryContext caller = CurrentMemoryContext;
	uint64		rows = plan_execute(&select_keys, &value, NULL, true, 0);
	SPITupleTable *table = SPI_tuptable;

	/* keys outlive SPI's memory */
	MemoryContextSwitchTo(caller);
	plan->module_keys = palloc(sizeof(char *) * Max(rows, 1));
	for (uint64 row = 0; row < rows; row++)
	{
		char	   *key = SPI_getvalue(table->vals[row], table->tupdesc, 1);
		const ModuleDef *module = module_lookup(context->tenant_id, key);

		CHECK_FOR_INTERRUPTS();
		if (module == NULL || !may_export(context, module))
			continue;
		require_rest(context, plan, module);
		plan->module_keys[plan->module_count++] = key;
	}
	if (plan->module_count == 0)
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the caller may export no module");
}

/* One module, by filter, search, order and columns. */
static void
plan_module(const RequestContext *context, const JsonbContainer *arguments, ExportPlan *plan, const char *key, ViolationList *faults)
{
	ListRequest request = {.filter_path = "/filter",.in_body = true,.action = ACTION_EXPORT,.deleted_too = plan->deleted_too,
	.from = plan->from,.to = plan->to};
	char	   *record_id = json_member_text(arguments, "recordId");
	JsonbValue	value;
	const JsonbContainer *names = NULL;

	plan->module = request.module = module_lookup(context->tenant_id, key);
	if (plan->module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	permission_require(context, plan->module, ACTION_READ, &permission_some_record);
	permission_require(context, plan->module, ACTION_EXPORT, &permission_some_record);
	require_rest(context, plan, plan->module);
	if (json_member(arguments, "columns", 7, &value) && value.type == jbvBinary)
		names = value.val.binary.data;
	plan->all_members = names == NULL && plan->as_objects;
	columns_read(context, plan->module, names, plan->deleted_too, &plan->columns, faults);
	if (json_member(arguments, "filter", 6, &value) && value.type == jbvBinary)
		request.filter = json_value_to_jsonb(&value);
	if (record_id)
	{
		plan->has_record = id_parse(record_id, strlen(record_id), QEHS_ID_RECORD, &plan->record_id);
		plan->has_pictures = (context->scopes & SCOPE_ATTACHMENTS_READ) != 0;
		request.filter = filter_of_record(record_id);
	}
	request.sort = json_member_text(arguments, "sort");
	request.status = json_member_text(arguments, "status");
	request.q = json_member_text(arguments, "q");
	list_open(&plan->walk, context, &request, faults);
}

void
export_plan(const RequestContext *context, const JsonbContainer *arguments, ExportPlan *plan, ViolationList *faults)
{
	char	   *key = json_member_text(arguments, "moduleKey");

	memset(plan, 0, sizeof(*plan));
	plan->format = json_member_text(arguments, "format");
	if (plan->format == NULL)
	{
		violation_add(faults, "/format", "required", "is required");
		return;
	}
	plan->has_heads = strcmp(plan->format, "json") == 0;
	plan->as_objects = plan->has_heads || strcmp(plan->format, "ndjson") == 0;
	plan->language = json_member_text(arguments, "language");
	plan->deleted_too = json_member_bool(arguments, "includeDeleted", false);
	plan->has_attachments = json_member_bool(arguments, "includeAttachments", false);
	plan->from = json_member_text(arguments, "from");
	plan->to = json_member_text(arguments, "to");
	plan->all_members = plan->as_objects;
	if (key)
		plan_module(context, arguments, plan, key, faults);
	else
		plan_modules(context, plan);
}

const ModuleDef *
export_walk(const RequestContext *context, const ExportPlan *plan, const char *key, ListWalk *walk, ViolationList *faults)
{
	ListRequest request = {.filter_path = "/filter",.in_body = true,.action = ACTION_EXPORT,.deleted_too = plan->deleted_too,
	.from = plan->from,.to = plan->to};

	request.module = module_lookup(context->tenant_id, key);
	if (request.module == NULL || !may_export(context, request.module))
		return NULL;
	list_open(walk, context, &request, faults);
	violation_raise(faults);
	return request.module;
}
