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
#include "export/export.h"

/* Only the records that the caller may read and export, and none that are deleted without the scope for their trail. */
static void
require_rights(const RequestContext *context, const ExportPlan *plan)
{
	permission_require(context, plan->module, ACTION_READ, &permission_some_record);
	permission_require(context, plan->module, ACTION_EXPORT, &permission_some_record);
	if (plan->deleted_too && !permission_may(context, plan->module, ACTION_AUDIT, &permission_some_record, NULL))
		problem_raise_at(PROBLEM_FORBIDDEN, "/includeDeleted", QEHS_FORBIDDEN, "needs the scope audit.read");
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

void
export_plan(const RequestContext *context, const JsonbContainer *arguments, ExportPlan *plan, ViolationList *faults)
{
	ListRequest request = {.filter_path = "/filter",.in_body = true,.action = ACTION_EXPORT};
	char	   *key = json_member_text(arguments, "moduleKey");
	char	   *record_id = json_member_text(arguments, "recordId");
	JsonbValue	value;
	const JsonbContainer *names = NULL;

	memset(plan, 0, sizeof(*plan));
	plan->format = json_member_text(arguments, "format");
	plan->language = json_member_text(arguments, "language");
	plan->deleted_too = request.deleted_too = json_member_bool(arguments, "includeDeleted", false);
	plan->module = request.module = key ? module_lookup(context->tenant_id, key) : NULL;
	if (plan->module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	require_rights(context, plan);
	if (json_member(arguments, "columns", 7, &value) && value.type == jbvBinary)
		names = value.val.binary.data;
	plan->all_members = names == NULL && strcmp(plan->format, "ndjson") == 0;
	columns_read(context, plan->module, names, plan->deleted_too, &plan->columns, faults);
	if (json_member(arguments, "filter", 6, &value) && value.type == jbvBinary)
		request.filter = json_value_to_jsonb(&value);
	if (record_id)
	{
		plan->has_record = id_parse(record_id, strlen(record_id), QEHS_ID_RECORD, &plan->record_id);
		request.filter = filter_of_record(record_id);
	}
	request.sort = json_member_text(arguments, "sort");
	request.status = json_member_text(arguments, "status");
	request.from = json_member_text(arguments, "from");
	request.to = json_member_text(arguments, "to");
	request.q = json_member_text(arguments, "q");
	list_open(&plan->walk, context, &request, faults);
}
