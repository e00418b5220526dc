/*
 * children.c
 *	  Guards over the records that refer to one: {"moduleKey","via","state","min"}.
 *
 * They are looked at with the place of the record held alone (record/link.h), so
 * none comes, goes or changes between the look and the end of the transaction, and
 * with the newest snapshot, whatever the transaction's own.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "record/link.h"
#include "utils/builtins.h"
#include "workflow/workflow.h"

static KeptPlan select_children = {
	"SELECT r.definition_version, r.workflow_state, r.payload FROM qehs.record_link AS l JOIN qehs.record AS r ON r.tenant_id = $1 AND r.id = l.source_id"
	" WHERE l.tenant_id = $1 AND l.target_id = $2 AND r.module_id = $3 AND r.deleted_at IS NULL",
	3, {INT4OID, UUIDOID, INT4OID}, NULL
};

/* Whether the field that a guard names, by the current definition, holds the record's id. */
static bool
refers_by(const ModuleDef *current, const char *via, int32 version, const Jsonb *payload, const pg_uuid_t *id)
{
	const ModuleField *field = module_field(current, via, strlen(via));
	const char *key = field ? module_field_key(field, version) : NULL;
	JsonbValue	value;
	LinkSet		named = {0};

	if (key == NULL || !json_member(&payload->root, key, strlen(key), &value))
		return false;
	link_add_value(&named, field, &value);
	link_sort(&named);
	return link_has(&named, id);
}

static bool
has_name(const ModuleRoles *names, const char *name)
{
	for (int i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return names->count < 0;
}

bool
children_hold(int32 tenant_id, const ModuleChildren *guard, const pg_uuid_t *id)
{
	const ModuleDef *module = module_lookup(tenant_id, guard->module_key);
	Datum		values[3] = {Int32GetDatum(tenant_id), UUIDPGetDatum(id), Int32GetDatum(module ? module->module_id : 0)};
	uint64		rows = module ? plan_execute_latest(&select_children, values, NULL, 0) : 0;
	int			count = 0;

	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (!refers_by(module, guard->via, DatumGetInt32(plan_value(i, 1, &isnull)), DatumGetJsonbP(plan_value(i, 3, &isnull)), id))
			continue;
		if (!has_name(&guard->states, plan_text(i, 2)))
			return false;
		count++;
	}
	return count >= guard->min;
}

/* Modules of guards, in their order, so that two transitions of one record do not meet in a circle. */
typedef struct Held
{
	int			count;
	int32		modules[QEHS_MAX_CHILDREN_GUARDS * 2];
} Held;

static void
add_held(Held *held, int32 tenant_id, const ModuleTransition *transition)
{
	for (int i = 0; transition && i < transition->children_count; i++)
	{
		const ModuleDef *module = module_lookup(tenant_id, transition->children[i].module_key);
		int			at = held->count;

		if (module == NULL || held->count == (int) lengthof(held->modules))
			continue;
		while (at > 0 && held->modules[at - 1] > module->module_id)
		{
			held->modules[at] = held->modules[at - 1];
			at--;
		}
		held->modules[at] = module->module_id;
		held->count++;
	}
}

void
children_lock(int32 tenant_id, const ModuleDef *module, const ModuleTransition *transition, const pg_uuid_t *id)
{
	Held		held = {0};

	add_held(&held, tenant_id, transition);
	if (transition->reject)
		add_held(&held, tenant_id, module_transition(module, transition->reject));
	for (int i = 0; i < held.count; i++)
		link_hold_children(tenant_id, held.modules[i], id);
}

void
children_describe(StringInfo out, const ModuleChildren *guard)
{
	if (guard->min > 0)
		appendStringInfo(out, "needs at least %d record%s of module \"%s\" whose field \"%s\" names it", guard->min, guard->min > 1 ? "s" : "",
						 guard->module_key, guard->via);
	else
		appendStringInfo(out, "needs every record of module \"%s\" whose field \"%s\" names it", guard->module_key, guard->via);
	for (int i = 0; i < guard->states.count; i++)
		appendStringInfo(out, "%s%s", i > 0 ? " or " : guard->min > 0 ? ", each of them " : " to be ", guard->states.names[i]);
}
