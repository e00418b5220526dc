/*
 * module_publish_all.c
 *	  qehs.module_publish_all: definitions that may refer to each other, in one call.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/plan.h"
#include "caller/context.h"
#include "fmgr.h"
#include "module/definition.h"
#include "operation/module_publish.h"
#include "permission/permission.h"

PG_FUNCTION_INFO_V1(qehs_module_publish_all);

/* Definitions of one call. */
#define MOST_TOGETHER 100

/* The keys of definitions, each an object with a key of its own that the caller may publish; raises QH400, QH403. */
static void
check_keys(const RequestContext *context, const JsonbContainer *definitions)
{
	ViolationList faults = {0};
	uint32		count = JsonContainerSize(definitions);
	char	  **keys = palloc(sizeof(char *) * (count + 1));

	if (count == 0 || count > MOST_TOGETHER)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/definitions", count == 0 ? "minItems" : "maxItems", "must have 1 to %d definitions", MOST_TOGETHER);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, definitions), i);

		keys[i] = item->type == jbvBinary && JsonContainerIsObject(item->val.binary.data) ? json_member_text(item->val.binary.data, "key") : NULL;
		if (keys[i] == NULL)
			violation_add(&faults, psprintf("/definitions/%u/key", i), "required", "is required");
		for (uint32 j = 0; keys[i] && j < i; j++)
			if (keys[j] && strcmp(keys[i], keys[j]) == 0)
				violation_add_first(&faults, psprintf("/definitions/%u/key", i), "unique", "is that of another definition");
		if (keys[i])
			permission_require_definition(context, keys[i], "publish");
	}
	violation_raise(&faults);
}

static Jsonb *
definition_at(const JsonbContainer *definitions, uint32 number)
{
	return json_value_to_jsonb(getIthJsonbValueFromContainer(unconstify(JsonbContainer *, definitions), number));
}

/* References are held against what is there once all are published. */
static void
check_references(int32 tenant_id, const JsonbContainer *definitions)
{
	SPI_connect();
	for (uint32 i = 0; i < JsonContainerSize(definitions); i++)
	{
		PublishRequest request = {.path = psprintf("/definitions/%u", i)};
		ViolationList faults = {0};

		definition_check_references(tenant_id, definition_at(definitions, i), &faults);
		module_publish_raise(&request, &faults);
	}
	SPI_finish();
}

/* module_publish_all(definitions) */
Datum
qehs_module_publish_all(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_MODULES_WRITE);
	Jsonb	   *definitions = PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0);
	StringInfoData out;

	if (definitions == NULL || !JB_ROOT_IS_ARRAY(definitions) || JB_ROOT_IS_SCALAR(definitions))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/definitions", "type", "must be an array of definitions");
	check_keys(context, &definitions->root);
	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	for (uint32 i = 0; i < JB_ROOT_COUNT(definitions); i++)
	{
		Jsonb	   *definition = definition_at(&definitions->root, i);
		int32		version;

		module_publish_apply(&(PublishRequest) {context->tenant_id, &context->actor_id, NULL, NULL, psprintf("/definitions/%u", i), true}, definition, &version);
		json_literal(&out, "{\"key\":");
		json_string(&out, json_member_text(&definition->root, "key"));
		appendStringInfo(&out, ",\"definitionVersion\":%d}%s", version, i + 1 < JB_ROOT_COUNT(definitions) ? "," : "]}");
	}
	check_references(context->tenant_id, &definitions->root);
	PG_RETURN_DATUM(context_answer(&out));
}
