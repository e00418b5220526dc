/*
 * module_diff.c
 *	  qehs.module_diff: what changed between two published versions.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "module/diff.h"
#include "permission/permission.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_module_diff);

static void
write_change(StringInfo out, const Jsonb *after, bool adjacent, const DefinitionChange *change)
{
	json_literal(out, "{\"path\":");
	json_string(out, change->path);
	json_literal(out, ",\"in\":");
	json_string(out, change->in_old ? "from" : "to");
	json_literal(out, ",\"kind\":");
	json_string(out, change->kind);
	json_literal(out, ",\"compatible\":");
	json_bool(out, change->compatible);
	json_literal(out, ",\"migrated\":");
	json_bool(out, !change->compatible && adjacent && definition_says_how(after, change));
	json_literal(out, ",\"message\":");
	json_string(out, change->message);
	appendStringInfoChar(out, '}');
}

/* A version by number; raises QH404 when there is none. */
static const ModuleDef *
published_version(const ModuleDef *current, int32 version)
{
	const ModuleDef *module = version < 1 ? NULL : module_lookup_version(current->tenant_id, current->module_id, version);

	if (module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "module \"%s\" has no version %d", current->key, version);
	return module;
}

/* The arguments of qehs.module_diff. */
enum
{
	ARGUMENT_MODULE_KEY, ARGUMENT_FROM_VERSION, ARGUMENT_TO_VERSION
};

/* module_diff(module_key, from_version, to_version) */
Datum
qehs_module_diff(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_MODULES_READ);
	const ModuleDef *current = PG_ARGISNULL(ARGUMENT_MODULE_KEY) ? NULL :
		module_lookup(context->tenant_id, argument_text(fcinfo, ARGUMENT_MODULE_KEY));
	const ModuleDef *before;
	const ModuleDef *after;
	bool		adjacent;
	bool		compatible = true;
	List	   *changes;
	ListCell   *cell;
	StringInfoData out;

	if (current == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	if (context->module_count >= 0)
		permission_require(context, current, ACTION_READ, &permission_some_record);
	if (PG_ARGISNULL(ARGUMENT_FROM_VERSION))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/fromVersion", "required", "is required");
	before = published_version(current, PG_GETARG_INT32(ARGUMENT_FROM_VERSION));
	after = PG_ARGISNULL(ARGUMENT_TO_VERSION) ? current : published_version(current, PG_GETARG_INT32(ARGUMENT_TO_VERSION));
	adjacent = after->version == before->version + 1;
	changes = definition_diff(before->definition, after->definition, adjacent);
	foreach(cell, changes)
		compatible &= ((const DefinitionChange *) lfirst(cell))->compatible;
	json_begin(&out);
	json_literal(&out, "{\"moduleKey\":");
	json_string(&out, current->key);
	appendStringInfo(&out, ",\"from\":%d,\"to\":%d,\"compatible\":%s,\"changes\":[", before->version, after->version,
					 compatible ? "true" : "false");
	foreach(cell, changes)
	{
		if (cell != list_head(changes))
			appendStringInfoChar(&out, ',');
		write_change(&out, after->definition, adjacent, lfirst(cell));
	}
	json_literal(&out, "]}");
	PG_RETURN_DATUM(json_datum(&out));
}
