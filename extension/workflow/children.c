/*
 * children.c
 *	  Guards over the records that refer to one: {"moduleKey","via","state","min"}.
 *
 * They are looked at with the place of the record held alone (record/link.h), so
 * none comes, goes or changes between the look and the end of the transaction, and
 * with the newest snapshot, whatever the transaction's own.  What effects make may refer
 * to the record as well: all places are taken here, before its row is locked.
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
/* The columns of select_children. */
enum
{
	COLUMN_DEFINITION_VERSION = 1, COLUMN_WORKFLOW_STATE, COLUMN_PAYLOAD
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
		if (!refers_by(module, guard->via, DatumGetInt32(plan_value(i, COLUMN_DEFINITION_VERSION, &isnull)),
					   DatumGetJsonbP(plan_value(i, COLUMN_PAYLOAD, &isnull)), id))
			continue;
		if (!has_name(&guard->states, plan_text(i, COLUMN_WORKFLOW_STATE)))
			return false;
		count++;
	}
	return count >= guard->min;
}

/* The places of a record that are to be held, in the order of their modules, so that two who hold some do not meet in a circle. */
typedef struct Places
{
	int			count;
	struct
	{
		int32		module_id;
		bool		alone;
	}			items[(QEHS_MAX_CHILDREN_GUARDS + QEHS_MAX_EFFECTS) * 2];
} Places;

static void
add_place(Places *places, const ModuleDef *module, bool alone)
{
	int			at = 0;

	while (at < places->count && places->items[at].module_id < module->module_id)
		at++;
	if (at < places->count && places->items[at].module_id == module->module_id)
	{
		places->items[at].alone |= alone;
		return;
	}
	memmove(&places->items[at + 1], &places->items[at], sizeof(places->items[0]) * (places->count - at));
	places->items[at].module_id = module->module_id;
	places->items[at].alone = alone;
	places->count++;
}

/* Of the modules of guards alone; of those whose records effects make, if these may keep the record from being deleted, beside others. */
static void
add_places(Places *places, int32 tenant_id, const ModuleTransition *transition)
{
	const ModuleDef *module;

	for (int i = 0; transition && i < transition->children_count; i++)
		if ((module = module_lookup(tenant_id, transition->children[i].module_key)))
			add_place(places, module, true);
	for (int i = 0; transition && i < transition->effect_count; i++)
		if (transition->effects[i].kind == EFFECT_CREATE_RECORD && (module = module_lookup(tenant_id, transition->effects[i].module_key)) &&
			module->restricts)
			add_place(places, module, false);
}

void
children_lock(int32 tenant_id, const ModuleDef *module, const ModuleTransition *transition, const pg_uuid_t *id)
{
	Places		places = {0};
	pg_uuid_t	target = *id;
	LinkSet		self = {.count = 1,.items = &target};

	add_places(&places, tenant_id, transition);
	if (transition->reject)
		add_places(&places, tenant_id, module_transition(module, transition->reject));
	for (int i = 0; i < places.count; i++)
	{
		if (places.items[i].alone)
			link_hold_children(tenant_id, places.items[i].module_id, id);
		else
			link_hold_targets(tenant_id, places.items[i].module_id, &self);
	}
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
