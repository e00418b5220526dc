/*
 * load_workflow.c
 *	  The workflow of a definition as the backend uses it: states, transitions with
 *	  their guards, and states that lock.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/load.h"

/* Names of a member; count -1 when it is absent. */
static void
load_roles_or_none(ModuleRoles *roles, const JsonbContainer *source, const char *key)
{
	JsonbValue	value;

	roles->names = load_names(source, key, &roles->count);
	if (!json_member(source, key, strlen(key), &value))
		roles->count = -1;
}

/* ---- guards ---- */

/* One guard {"moduleKey","via","state","min"}, or an array of them. */
static void
load_children(ModuleTransition *transition, const JsonbContainer *source)
{
	JsonbValue	value;
	ModuleChildren *children;
	bool		is_array;

	if (!json_member(source, "children", 8, &value))
		return;
	is_array = JsonContainerIsArray(value.val.binary.data);
	transition->children_count = is_array ? JsonContainerSize(value.val.binary.data) : 1;
	transition->children = children = palloc0(sizeof(ModuleChildren) * Max(transition->children_count, 1));
	for (int i = 0; i < transition->children_count; i++)
	{
		const JsonbContainer *item = is_array ? getIthJsonbValueFromContainer(value.val.binary.data, i)->val.binary.data : value.val.binary.data;

		children[i].module_key = json_member_text(item, "moduleKey");
		children[i].via = json_member_text(item, "via");
		json_member_int(item, "min", &children[i].min);
		load_roles_or_none(&children[i].states, item, "state");
	}
}

/* One guard {"min","field","mediaTypes"}, or an array of them. */
static void
load_files(ModuleTransition *transition, const JsonbContainer *source)
{
	JsonbValue	value;
	ModuleFiles *files;
	bool		is_array;

	if (!json_member(source, "attachments", 11, &value))
		return;
	is_array = JsonContainerIsArray(value.val.binary.data);
	transition->file_count = is_array ? JsonContainerSize(value.val.binary.data) : 1;
	transition->files = files = palloc0(sizeof(ModuleFiles) * Max(transition->file_count, 1));
	for (int i = 0; i < transition->file_count; i++)
	{
		const JsonbContainer *item = is_array ? getIthJsonbValueFromContainer(value.val.binary.data, i)->val.binary.data : value.val.binary.data;

		if (!json_member_int(item, "min", &files[i].min))
			files[i].min = 1;
		files[i].field = json_member_text(item, "field");
		files[i].types = load_names(item, "mediaTypes", &files[i].type_count);
	}
}

/* ---- approvals and signatures ---- */

static void
load_step(ModuleStep *step, const JsonbContainer *source)
{
	if (!json_member_int(source, "count", &step->count))
		step->count = 1;
	step->roles.names = load_names(source, "role", &step->roles.count);
}

/* {"count","role","reject"} is one step; "steps" has several, one after the other unless "order" is "parallel". */
static void
load_approvers(ModuleTransition *transition, const JsonbContainer *source)
{
	const JsonbContainer *approvers;
	JsonbValue	value;
	JsonbValue	list;
	ModuleStep *steps;
	char	   *order;

	if (!json_member(source, "approvers", 9, &value))
		return;
	approvers = value.val.binary.data;
	transition->reject = json_member_text(approvers, "reject");
	order = json_member_text(approvers, "order");
	transition->parallel = order && strcmp(order, "parallel") == 0;
	if (!json_member(approvers, "steps", 5, &list))
	{
		transition->step_count = 1;
		transition->steps = steps = palloc0(sizeof(ModuleStep));
		load_step(steps, approvers);
		return;
	}
	transition->step_count = JsonContainerSize(list.val.binary.data);
	transition->steps = steps = palloc0(sizeof(ModuleStep) * transition->step_count);
	for (int i = 0; i < transition->step_count; i++)
		load_step(&steps[i], getIthJsonbValueFromContainer(list.val.binary.data, i)->val.binary.data);
}

/* true, or {"meaning":"reviewed"}, or an array of meanings in it. */
static void
load_signature(ModuleTransition *transition, const JsonbContainer *source)
{
	JsonbValue	value;

	transition->meanings.count = -1;
	if (!json_member(source, "signature", 9, &value) || (value.type == jbvBool && !value.val.boolean))
		return;
	transition->meanings.count = 0;
	if (value.type == jbvBinary)
		transition->meanings.names = load_names(value.val.binary.data, "meaning", &transition->meanings.count);
}

/* ---- effects ---- */

/* An object with one member, the kind of effect. */
static void
load_effect(ModuleEffect *effect, const JsonbContainer *source, int number)
{
	static const char *const kinds[] = {
		[EFFECT_CREATE_RECORD] = "createRecord", [EFFECT_UPDATE_PARENT] = "updateParent", [EFFECT_SET_FIELD] = "setField",
		[EFFECT_ASSIGN] = "assign", [EFFECT_EVENT] = "event"
	};
	const JsonbContainer *object;
	JsonbValue	value;
	JsonbValue	payload;

	while (!json_member(source, kinds[effect->kind], strlen(kinds[effect->kind]), &value))
		effect->kind++;
	effect->path = psprintf("/effects/%d/%s", number, kinds[effect->kind]);
	if (value.type == jbvString)
	{
		effect->name = json_text_copy(&value);
		return;
	}
	object = value.val.binary.data;
	if (effect->kind == EFFECT_SET_FIELD)
	{
		effect->payload = object;
		return;
	}
	effect->module_key = json_member_text(object, "moduleKey");
	effect->via = json_member_text(object, "via");
	effect->name = json_member_text(object, effect->kind == EFFECT_ASSIGN ? "field" : "name");
	effect->to = json_member_text(object, "to");
	if (json_member(object, "payload", 7, &payload))
		effect->payload = payload.val.binary.data;
}

static void
load_effects(ModuleTransition *transition, const JsonbContainer *source)
{
	JsonbValue	value;
	ModuleEffect *effects;

	if (!json_member(source, "effects", 7, &value))
		return;
	transition->effect_count = JsonContainerSize(value.val.binary.data);
	transition->effects = effects = palloc0(sizeof(ModuleEffect) * Max(transition->effect_count, 1));
	for (int i = 0; i < transition->effect_count; i++)
		load_effect(&effects[i], getIthJsonbValueFromContainer(value.val.binary.data, i)->val.binary.data, i);
}

static void
load_transition(ModuleDef *module, ModuleTransition *transition, const char *name, const JsonbContainer *source)
{
	transition->name = name;
	transition->from = load_names(source, "from", &transition->from_count);
	if (transition->from_count == 1 && strcmp(transition->from[0], "*") == 0)
		transition->from_count = -1;
	transition->to = json_member_text(source, "to");
	transition->description = json_member_text(source, "description");
	transition->requires = load_names(source, "requires", &transition->requires_count);
	transition->roles = load_names(source, "roles", &transition->role_count);
	transition->when_text = json_member_text(source, "when");
	transition->when = load_expression(source, "when");
	transition->comment_required = json_member_bool(source, "commentRequired", false);
	load_roles_or_none(&transition->not_same_actor, source, "notSameActorAs");
	load_children(transition, source);
	load_files(transition, source);
	load_approvers(transition, source);
	load_signature(transition, source);
	load_effects(transition, source);
	load_timed(module, transition, source);
}

void
load_workflow(ModuleDef *module)
{
	JsonbValue	workflow;
	JsonbValue	value;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	char	   *name = NULL;

	json_member(&module->definition->root, "workflow", 8, &workflow);
	module->states = load_names(workflow.val.binary.data, "states", &module->state_count);
	module->initial = json_member_text(workflow.val.binary.data, "initial");
	load_deadlines(module, workflow.val.binary.data);
	if (!json_member(workflow.val.binary.data, "transitions", 11, &value))
		return;
	module->transitions = palloc0(sizeof(ModuleTransition) * Max(JsonContainerSize(value.val.binary.data), 1));
	iterator = JsonbIteratorInit(value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = json_text_copy(&value);
		else if (token == WJB_VALUE)
			load_transition(module, &module->transitions[module->transition_count++], name, value.val.binary.data);
	}
}

/* ---- locks ---- */

static void
load_field_editors(ModuleLock *lock, const JsonbContainer *fields)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, fields));
	JsonbValue	value;
	JsonbIteratorToken token;

	lock->keys = palloc(sizeof(char *) * Max(JsonContainerSize(fields), 1));
	lock->field_editors = palloc(sizeof(ModuleRoles) * Max(JsonContainerSize(fields), 1));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		lock->keys[lock->field_count] = json_text_copy(&value);
		load_roles_or_none(&lock->field_editors[lock->field_count], fields, lock->keys[lock->field_count]);
		lock->field_count++;
	}
}

void
load_locks(ModuleDef *module)
{
	JsonbValue	value;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	char	   *name = NULL;

	if (!json_member(&module->definition->root, "permissions", 11, &value) ||
		!json_member(value.val.binary.data, "states", 6, &value))
		return;
	module->locks = palloc0(sizeof(ModuleLock) * Max(JsonContainerSize(value.val.binary.data), 1));
	iterator = JsonbIteratorInit(value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		ModuleLock *lock = &module->locks[module->lock_count];
		JsonbValue	fields;

		if (token == WJB_KEY)
			name = json_text_copy(&value);
		if (token != WJB_VALUE)
			continue;
		module->lock_count++;
		lock->state = name;
		load_roles_or_none(&lock->editors, value.val.binary.data, "edit");
		if (json_member(value.val.binary.data, "fields", 6, &fields))
			load_field_editors(lock, fields.val.binary.data);
	}
}
