/*
 * references.c
 *	  The modules that a definition's fields and transitions name must be there.
 *
 * A module may refer to itself, to modules of the tenant and to those of the
 * catalogue, which can be installed in any order.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "module/index.h"
#include "module/load.h"
#include "utils/builtins.h"

static KeptPlan select_key = {
	"SELECT 1 FROM qehs.module WHERE tenant_id = $1 AND key = $2"
	" UNION ALL SELECT 1 FROM qehs.module_catalogue WHERE key = $2",
	2, {INT4OID, TEXTOID}, NULL
};

/* Add a fault when the key is of no module. */
static void
check_module(int32 tenant_id, const char *own, const char *key, const char *path, ViolationList *faults)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), CStringGetTextDatum(key)};

	/* not read-only: a publisher may have been waited for, whose module this snapshot sees */
	if (strcmp(key, own) != 0 && plan_execute(&select_key, values, NULL, false, 1) == 0)
		violation_add(faults, path, "undefined", "is not a module: \"%s\"", key);
}

static void
check_fields(int32 tenant_id, const char *own, const JsonbContainer *fields, const char *path, ViolationList *faults)
{
	check_stack_depth();
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
	{
		const JsonbContainer *field = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), i)->val.binary.data;
		JsonbValue	nested;
		int			count;
		const char **keys = load_names(field, "references", &count);

		for (int j = 0; j < count; j++)
			check_module(tenant_id, own, keys[j], json_member_text(field, "references") ? psprintf("%s/%u/references", path, i) :
						 psprintf("%s/%u/references/%d", path, i, j), faults);
		if (json_member_bool(field, "acyclic", false) && (count != 1 || strcmp(keys[0], own) != 0))
			violation_add(faults, psprintf("%s/%u/acyclic", path, i), "type", "is for references to the module itself: \"references\" must be \"%s\"", own);
		if (json_member(field, "fields", 6, &nested))
			check_fields(tenant_id, own, nested.val.binary.data, psprintf("%s/%u/fields", path, i), faults);
	}
}

/* The states of a guard that the other module, which is there, has not. */
static void
check_child_states(const ModuleDef *module, const JsonbContainer *guard, const char *path, ViolationList *faults)
{
	JsonbValue	value;
	bool		is_array;

	if (!json_member(guard, "state", 5, &value))
		return;
	is_array = value.type == jbvBinary;
	for (uint32 i = 0; i < (is_array ? JsonContainerSize(value.val.binary.data) : 1); i++)
	{
		JsonbValue	item = is_array ? *getIthJsonbValueFromContainer(value.val.binary.data, i) : value;
		char	   *state = json_text_copy(&item);

		if (!module_has_state(module, state))
			violation_add(faults, is_array ? psprintf("%s/state/%u", path, i) : psprintf("%s/state", path), "undefined",
						  "is not a state of module \"%s\": \"%s\"", module->key, state);
	}
}

/* A guard over children: a module of the tenant must have the field and the states; one of the catalogue may be installed later. */
static void
check_children(int32 tenant_id, const char *own, const JsonbContainer *guard, const char *path, ViolationList *faults)
{
	char	   *key = json_member_text(guard, "moduleKey");
	char	   *via = json_member_text(guard, "via");
	const ModuleDef *module = strcmp(key, own) == 0 ? NULL : module_lookup(tenant_id, key);
	const ModuleField *field = module ? module_field(module, via, strlen(via)) : NULL;

	check_module(tenant_id, own, key, psprintf("%s/moduleKey", path), faults);
	if (module == NULL)
		return;
	if (field == NULL || !module_names_records(field->type))
		violation_add(faults, psprintf("%s/via", path), "undefined", "is not a field of module \"%s\" that names records: \"%s\"", key, via);
	check_child_states(module, guard, path, faults);
}

/* A field of the definition is of type record-reference. */
static void
check_reference_field(Jsonb *definition, const char *key, const char *path, ViolationList *faults)
{
	const JsonbContainer *field = index_find_field(index_fields(definition), key);

	if (field == NULL || definition_field_type(field) != FIELD_RECORD_REFERENCE)
		violation_add(faults, path, "undefined", "is not a field of type record-reference: \"%s\"", key);
}

/* The fields of a payload that a module, which is there, has not. */
static void
check_payload_keys(int32 tenant_id, const char *own, const JsonbContainer *effect, const char *path, ViolationList *faults)
{
	char	   *key = json_member_text(effect, "moduleKey");
	const ModuleDef *module = strcmp(key, own) == 0 ? NULL : module_lookup(tenant_id, key);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	payload;
	JsonbValue	name;

	check_module(tenant_id, own, key, psprintf("%s/moduleKey", path), faults);
	if (module == NULL || !json_member(effect, "payload", 7, &payload))
		return;
	iterator = JsonbIteratorInit(payload.val.binary.data);
	path = psprintf("%s/payload", path);
	while ((token = JsonbIteratorNext(&iterator, &name, true)) != WJB_DONE)
		if (token == WJB_KEY && module_field(module, name.val.string.val, name.val.string.len) == NULL)
			violation_add(faults, json_pointer_to(path, json_text_copy(&name)), "undefined", "is not a field of module \"%s\"", key);
}

static void
check_effects(int32 tenant_id, Jsonb *definition, const JsonbContainer *effects, const char *path, ViolationList *faults)
{
	const char *own = json_member_text(&definition->root, "key");

	for (uint32 i = 0; i < JsonContainerSize(effects); i++)
	{
		const JsonbContainer *effect = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, effects), i)->val.binary.data;
		JsonbValue	value;

		if (json_member(effect, "createRecord", strlen("createRecord"), &value))
			check_payload_keys(tenant_id, own, value.val.binary.data, psprintf("%s/%u/createRecord", path, i), faults);
		else if (json_member(effect, "updateParent", strlen("updateParent"), &value))
			check_reference_field(definition, json_member_text(value.val.binary.data, "via"), psprintf("%s/%u/updateParent/via", path, i), faults);
	}
}

static void
check_transition(int32 tenant_id, Jsonb *definition, const JsonbContainer *transition, const char *path, ViolationList *faults)
{
	const char *own = json_member_text(&definition->root, "key");
	JsonbValue	value;

	if (json_member(transition, "effects", 7, &value))
		check_effects(tenant_id, definition, value.val.binary.data, psprintf("%s/effects", path), faults);
	if (!json_member(transition, "children", 8, &value))
		return;
	path = psprintf("%s/children", path);
	if (JsonContainerIsObject(value.val.binary.data))
		check_children(tenant_id, own, value.val.binary.data, path, faults);
	else
		for (uint32 i = 0; i < JsonContainerSize(value.val.binary.data); i++)
			check_children(tenant_id, own, getIthJsonbValueFromContainer(value.val.binary.data, i)->val.binary.data, psprintf("%s/%u", path, i),
						   faults);
}

static void
check_transitions(int32 tenant_id, Jsonb *definition, const JsonbContainer *transitions, ViolationList *faults)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, transitions));
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *path = NULL;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			path = json_pointer_to("/workflow/transitions", json_text_copy(&value));
		else if (token == WJB_VALUE)
			check_transition(tenant_id, definition, value.val.binary.data, path, faults);
	}
}

void
definition_check_references(int32 tenant_id, Jsonb *definition, ViolationList *faults)
{
	const char *own = json_member_text(&definition->root, "key");
	JsonbValue	fields;
	JsonbValue	workflow;
	JsonbValue	transitions;

	json_member(&definition->root, "fields", 6, &fields);
	check_fields(tenant_id, own, fields.val.binary.data, "/fields", faults);
	json_member(&definition->root, "workflow", 8, &workflow);
	if (json_member(workflow.val.binary.data, "transitions", 11, &transitions))
		check_transitions(tenant_id, definition, transitions.val.binary.data, faults);
}
