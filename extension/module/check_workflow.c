/*
 * check_workflow.c
 *	  Every fault of a definition's workflow: states, transitions, and what cannot
 *	  be reached.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/locale.h"
#include "module/members.h"

static void
read_states(const JsonbContainer *workflow, Names *states, ViolationList *faults)
{
	const JsonbContainer *array = check_array(workflow, "states", "/workflow", faults);
	uint32		count = array ? JsonContainerSize(array) : 0;

	if (count == 0 || count > QEHS_MAX_STATES)
	{
		violation_add(faults, "/workflow/states", "required", "must list 1 to %d states", QEHS_MAX_STATES);
		return;
	}
	states->items = palloc(sizeof(char *) * count);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue	value;
		char	   *name;

		check_element(array, i, &value);
		name = value.type == jbvString ? json_text_copy(&value) : NULL;
		if (!check_is_name(name, true))
			violation_add(faults, psprintf("/workflow/states/%u", i), "pattern",
						  "must be 1 to 63 lower-case letters, digits, underscores or hyphens");
		else if (check_has_name(states, name))
			violation_add(faults, psprintf("/workflow/states/%u", i), "unique", "is listed twice");
		else
			states->items[states->count++] = name;
	}
}

/* Labels are of states that there are. */
static void
check_state_labels(const JsonbContainer *workflow, const Names *states, ViolationList *faults)
{
	const char *at = "/workflow/stateLabels";
	const JsonbContainer *labels = check_object(workflow, "stateLabels", "/workflow", faults);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (labels == NULL)
		return;
	label_check_each(labels, at, faults);
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, labels));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *name = token == WJB_KEY ? json_text_copy(&value) : NULL;

		if (name && !check_has_name(states, name))
			violation_add(faults, json_pointer_to(at, name), "undefined", "is not a state: \"%s\"", name);
	}
}

/* A member that is a name (any: or *) or an array of names, each checked against the known ones. */
static void
check_names(const JsonbContainer *object, const char *key, bool any, const char *path, const Names *known,
			const char *what, ViolationList *faults)
{
	JsonbValue	value;
	uint32		count;

	if (!json_member(object, key, strlen(key), &value))
		return;
	if (value.type == jbvString)
	{
		char	   *name = json_text_copy(&value);

		if (!(any && strcmp(name, "*") == 0) && !check_has_name(known, name))
			violation_add(faults, psprintf("%s/%s", path, key), "undefined", "is not a %s: \"%s\"", what, name);
		return;
	}
	if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
	{
		violation_add(faults, psprintf("%s/%s", path, key), "type", "must be a string or an array of strings");
		return;
	}
	count = JsonContainerSize(value.val.binary.data);
	if (count == 0 && any)
		violation_add(faults, psprintf("%s/%s", path, key), "required", "must list at least one %s", what);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue	item;

		check_element(value.val.binary.data, i, &item);
		if (item.type != jbvString)
			violation_add(faults, psprintf("%s/%s/%u", path, key, i), "type", "must be a string");
		else if (!check_has_name(known, json_text_copy(&item)))
			violation_add(faults, psprintf("%s/%s/%u", path, key, i), "undefined", "is not a %s: \"%s\"", what,
						  json_text_copy(&item));
	}
}

/* Who may fire a transition: a role or an array of them. */
static void
check_roles(const JsonbContainer *transition, const char *path, const Names *fields, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(transition, "roles", 5, &value))
		return;
	path = psprintf("%s/roles", path);
	if (value.type == jbvString)
		check_role_name(&value, path, fields, faults);
	else if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		violation_add(faults, path, "type", "must be a string or an array of strings");
	else
		for (uint32 i = 0; i < JsonContainerSize(value.val.binary.data); i++)
		{
			JsonbValue	role;

			check_element(value.val.binary.data, i, &role);
			check_role_name(&role, psprintf("%s/%u", path, i), fields, faults);
		}
}

static void
check_transition(const JsonbContainer *transition, const JsonbContainer *transitions, const char *path, const Names *states, const Names *fields,
				 ViolationList *faults)
{
	JsonbValue	value;

	members_check(transition, transition_members, path, faults);
	label_check(transition, path, faults);
	for (int i = 0; i < 2; i++)
		if (!json_member(transition, i ? "to" : "from", i ? 2 : 4, &value))
			violation_add(faults, psprintf("%s/%s", path, i ? "to" : "from"), "required", "is required");
	check_names(transition, "from", true, path, states, "state", faults);
	if (json_member(transition, "to", 2, &value) && value.type != jbvString)
		violation_add(faults, psprintf("%s/to", path), "type", "must be a string");
	else
		check_names(transition, "to", false, path, states, "state", faults);
	check_names(transition, "requires", false, path, fields, "field", faults);
	check_roles(transition, path, fields, faults);
	check_flag(transition, "commentRequired", path, faults);
	check_text(transition, "description", path, faults);
	check_expression(transition, "when", path, faults);
	check_guards(transition, path, fields, faults);
	check_approvers(transition, transitions, path, fields, faults);
	check_effects(transition, path, fields, faults);
	check_timed(transition, path, fields, faults);
}

/* Mark what can be reached from the initial state, to a fixed point. */
static void
check_reachable(const JsonbContainer *transitions, const Names *states, const char *initial, ViolationList *faults)
{
	bool	   *reached = palloc0(sizeof(bool) * Max(states->count, 1));
	bool		changed = true;

	for (int i = 0; i < states->count; i++)
		reached[i] = strcmp(states->items[i], initial) == 0;
	while (changed)
	{
		JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, transitions));
		JsonbValue	value;
		JsonbIteratorToken token;

		changed = false;
		while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		{
			char	   *to;
			JsonbValue	from;
			bool		fires = false;

			if (token != WJB_VALUE || value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
				continue;
			to = json_member_text(value.val.binary.data, "to");
			if (to == NULL || !json_member(value.val.binary.data, "from", 4, &from))
				continue;
			for (int i = 0; i < states->count && !fires; i++)
			{
				JsonbValue	name = {.type = jbvString, .val.string = {strlen(states->items[i]), states->items[i]}};

				if (reached[i])
					fires = from.type == jbvString ?
						(from.val.string.len == 1 && from.val.string.val[0] == '*') || json_values_equal(&from, &name) :
						from.type == jbvBinary && findJsonbValueFromContainer(from.val.binary.data, JB_FARRAY, &name) != NULL;
			}
			for (int i = 0; i < states->count && fires; i++)
			{
				if (!reached[i] && strcmp(states->items[i], to) == 0)
					reached[i] = changed = true;
			}
		}
	}
	for (int i = 0; i < states->count; i++)
		if (!reached[i])
			violation_add(faults, psprintf("/workflow/states/%d", i), "unreachable",
						  "cannot be reached from \"%s\"", initial);
}

void
check_workflow(const JsonbContainer *workflow, const Names *fields, ViolationList *faults)
{
	Names		states = {0};
	char	   *initial = json_member_text(workflow, "initial");
	const JsonbContainer *transitions;
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *path = NULL;
	int			count_before;

	members_check(workflow, workflow_members, "/workflow", faults);
	read_states(workflow, &states, faults);
	check_state_labels(workflow, &states, faults);
	if (initial == NULL || !check_has_name(&states, initial))
		violation_add(faults, "/workflow/initial", "undefined", "must be one of the states");
	check_deadlines(workflow, &states, fields, faults);
	transitions = check_object(workflow, "transitions", "/workflow", faults);
	if (transitions == NULL)
		return;
	if (JsonContainerSize(transitions) > QEHS_MAX_TRANSITIONS)
	{
		violation_add(faults, "/workflow/transitions", "maxProperties", "must have at most %d transitions", QEHS_MAX_TRANSITIONS);
		return;
	}
	count_before = faults->count;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, transitions));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			char	   *name = json_text_copy(&value);

			path = json_pointer_to("/workflow/transitions", name);
			if (!check_is_name(name, true))
				violation_add(faults, path, "pattern", "must be a name of lower-case letters, digits, underscores or hyphens");
		}
		else if (token == WJB_VALUE && value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
			check_transition(value.val.binary.data, transitions, path, &states, fields, faults);
		else if (token == WJB_VALUE)
			violation_add(faults, path, "type", "must be an object");
	}
	if (faults->count == count_before && initial && check_has_name(&states, initial))
		check_reachable(transitions, &states, initial, faults);
}
