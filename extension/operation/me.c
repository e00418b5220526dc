/*
 * me.c
 *	  qehs.me: who calls, and what he may do, as the door of permission says.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "permission/location.h"
#include "permission/permission.h"

PG_FUNCTION_INFO_V1(qehs_me);

static KeptPlan select_modules = {"SELECT id FROM qehs.module WHERE tenant_id = $1 ORDER BY key", 1, {INT4OID}, NULL};

static void
comma(StringInfo out)
{
	if (out->data[out->len - 1] != '[')
		appendStringInfoChar(out, ',');
}

/* Append "member":[…] of the words of actions that definitions name. */
static void
write_actions(StringInfo out, const char *member, uint32 actions)
{
	json_name(out, member);
	appendStringInfoChar(out, '[');
	for (uint32 action = 1; action & ACTION_ALL; action <<= 1)
	{
		if (!(actions & action))
			continue;
		comma(out);
		json_string(out, module_action_name((ModuleAction) action));
	}
	appendStringInfoChar(out, ']');
}

/* Append "member":[…] of the fields that the caller may not read, or read and not write, in every record. */
static void
write_fields(StringInfo out, const RequestContext *context, const ModuleDef *module, const char *member, bool hidden)
{
	json_name(out, member);
	appendStringInfoChar(out, '[');
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		bool		reads = permission_reads_all(context, module) || permission_reads_field(context, module, field, NULL);
		bool		writes = permission_reads_all(context, module) || permission_writes_field(context, module, field, NULL);

		if (hidden ? reads : !reads || writes)
			continue;
		comma(out);
		json_string(out, field->key);
	}
	appendStringInfoChar(out, ']');
}

static void
write_module(StringInfo out, const RequestContext *context, const ModuleDef *module)
{
	uint32		all = permission_actions(context, module, NULL);
	uint32		some = permission_actions(context, module, &permission_some_record);

	if (some == 0)
		return;
	comma(out);
	json_literal(out, "{\"key\":");
	json_string(out, module->key);
	appendStringInfoChar(out, ',');
	write_actions(out, "actions", all);
	appendStringInfoChar(out, ',');
	write_actions(out, "actionsOnSome", some & ~all);
	appendStringInfoChar(out, ',');
	write_fields(out, context, module, "hiddenFields", true);
	appendStringInfoChar(out, ',');
	write_fields(out, context, module, "readOnlyFields", false);
	appendStringInfoChar(out, '}');
}

static void
write_modules(StringInfo out, const RequestContext *context)
{
	Datum		tenant = Int32GetDatum(context->tenant_id);
	uint64		rows = plan_execute(&select_modules, &tenant, NULL, true, 0);
	SPITupleTable *modules = SPI_tuptable;
	bool		isnull;

	json_literal(out, ",\"modules\":[");
	for (uint64 i = 0; i < rows; i++)
		write_module(out, context, module_lookup_version(context->tenant_id,
														 DatumGetInt32(SPI_getbinval(modules->vals[i], modules->tupdesc, 1, &isnull)), 0));
	appendStringInfoChar(out, ']');
}

/* me() */
Datum
qehs_me(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_caller();
	StringInfoData out;
	const char **locations;
	int			location_count = location_given(context, &locations);

	json_begin(&out);
	json_literal(&out, "{\"tenant\":");
	json_string(&out, context->tenant_slug);
	json_literal(&out, ",\"actor\":");
	context_write_actor(&out, context->tenant_id, &context->actor_id);
	json_literal(&out, ",\"administrator\":");
	json_bool(&out, permission_is_administrator(context));
	json_literal(&out, ",\"roles\":[");
	for (int i = 0; i < context->role_count; i++)
	{
		comma(&out);
		json_string(&out, context->roles[i]);
	}
	json_literal(&out, "],\"scopes\":[");
	for (uint32 bit = 1; bit & SCOPE_ALL; bit <<= 1)
	{
		if (!(context->scopes & bit))
			continue;
		comma(&out);
		json_string(&out, scope_name((Scope) bit));
	}
	json_literal(&out, "],\"locations\":");
	json_strings(&out, locations, location_count);
	SPI_connect();
	write_modules(&out, context);
	SPI_finish();
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(context_answer(&out));
}
