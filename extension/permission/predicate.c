/*
 * predicate.c
 *	  Which records of a module a caller may do something to, as an SQL condition.
 *
 * It says of a row of qehs.record what permission_may says of the record, so that
 * a list holds all records that its caller may read, and pages stay full.
 */
#include "base/compat.h"

#include "base/id.h"
#include "catalog/pg_type.h"
#include "permission/location.h"
#include "permission/roles.h"
#include "utils/builtins.h"

const Oid	permission_argument_types[QEHS_PERMISSION_ARGUMENTS] = {UUIDOID, TEXTOID, TEXTARRAYOID};

void
permission_arguments(const RequestContext *context, Datum *values)
{
	char		id[QEHS_ID_LENGTH + 1];

	id_format(&context->actor_id, QEHS_ID_USER, id);
	values[0] = UUIDPGetDatum(&context->actor_id);
	values[1] = CStringGetTextDatum(id);
	values[2] = location_reached(context);
}

/* Append that the record gives the caller a role, unless it never does. */
static void
append_role(StringInfo sql, const RequestContext *context, const ModuleDef *module, const char *role, const char *alias, int first)
{
	const ModuleField *field = module_field(module, role + 1, strlen(role + 1));
	const char *joint = sql->len > 0 ? " OR " : "";

	if (strcmp(role, QEHS_ROLE_CREATOR) == 0)
		appendStringInfo(sql, "%s%screated_by = $%d", joint, alias, first);
	/* no API key is a user */
	else if (field && field->type == FIELD_USER && context->actor_type == ACTOR_USER)
		appendStringInfo(sql, "%s%s = $%d", joint, module_field_sql(field, alias, psprintf("%spayload->>'%%s'", alias)), first + 1);
}

/*
 * Append a condition that a right depends on (the record is the caller's own, or in a location that he reaches), for a
 * role that he has or that the record gives him.
 */
static void
append_scoped(StringInfo sql, const RequestContext *context, const ModuleDef *module, const char *role, const char *condition, const char *alias, int first)
{
	StringInfoData given;

	initStringInfo(&given);
	if (role[0] == '@')
		append_role(&given, context, module, role, alias, first);
	if (role[0] == '@' ? given.len == 0 : !roles_has(context, role))
		return;
	appendStringInfo(sql, "%s%s", sql->len > 0 ? " OR " : "", condition);
	if (given.len > 0)
		appendStringInfo(sql, " AND %s", given.data);
}

/* The column of a text slot, or the payload's member where the field has none as yet, or deleted records count. */
static const char *
location_value(const ModuleField *field, const char *alias, bool deleted_too)
{
	return field->slot >= 0 && !deleted_too ? psprintf("%st%d", alias, field->slot + 1) :
		module_field_sql(field, alias, psprintf("%spayload->>'%%s'", alias));
}

const char *
permission_predicate(const RequestContext *context, const ModuleDef *module, ModuleAction action, const char *alias, int first)
{
	StringInfoData sql;

	if (permission_may(context, module, action, NULL, NULL))
		return NULL;
	if (!permission_may(context, module, action, &permission_some_record, NULL))
		return "false";
	module = roles_current(module);
	initStringInfo(&sql);
	for (int i = 0; i < module->role_count; i++)
	{
		const ModuleRole *role = &module->roles[i];

		if (role->name[0] == '@' && (roles_implied(role->actions) & action))
			append_role(&sql, context, module, role->name, alias, first);
		if (role->own_actions && (roles_implied(role->own_actions) & action))
			append_scoped(&sql, context, module, role->name, psprintf("%screated_by = $%d", alias, first), alias, first);
		if (role->location_actions && module->location && (roles_implied(role->location_actions) & action))
			append_scoped(&sql, context, module, role->name,
						  psprintf("%s = ANY ($%d)", location_value(module->location, alias, action == ACTION_AUDIT), first + 2), alias, first);
	}
	return sql.len > 0 ? psprintf("(%s)", sql.data) : "false";
}
