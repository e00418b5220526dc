/*
 * check_times.c
 *	  Every fault of the times of a workflow: deadlines of states, their escalations,
 *	  and transitions that are fired by themselves.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/members.h"

#define MAX_ESCALATIONS 20
#define MAX_RECIPIENTS 20

/* Whether the key is of a field of type date or datetime. */
static bool
is_time_field(const Names *fields, const char *key)
{
	for (int i = 0; i < fields->count; i++)
		if (strcmp(fields->items[i], key) == 0)
			return fields->types[i] == FIELD_DATE || fields->types[i] == FIELD_DATETIME;
	return false;
}

/* "calendar": business, or absent.  Gives whether it is business. */
static bool
check_calendar(const JsonbContainer *object, const char *path, ViolationList *faults)
{
	JsonbValue	value;
	char	   *name = json_member_text(object, "calendar");

	if (!json_member(object, "calendar", 8, &value))
		return false;
	if (name == NULL || strcmp(name, "business") != 0)
		violation_add(faults, psprintf("%s/calendar", path), "enum", "must be \"business\"; without it days are those of the clock on the wall");
	return true;
}

/* A duration in business days has no other parts than days and what is less. */
static void
check_business(const char *text, const Duration *duration, const char *path, ViolationList *faults)
{
	if (duration->months > 0 || strpbrk(text, "W"))
		violation_add(faults, path, "pattern", "must be in days, hours, minutes or seconds where \"calendar\" is \"business\"");
}

/* A member that is a moment; gives whether it is one. */
static bool
check_moment(const JsonbContainer *object, const char *key, bool business, const char *path, const Names *fields, ModuleMoment *moment,
			 ViolationList *faults)
{
	char	   *text = json_member_text(object, key);

	path = psprintf("%s/%s", path, key);
	if (text == NULL || !module_moment_read(text, moment))
	{
		violation_add(faults, path, "pattern", "must be a duration of at most %d years such as P30D, or @ and the key of a field of type date or datetime,"
					  " alone or with a duration: @due_date-P7D", QEHS_DURATION_YEARS);
		return false;
	}
	if (moment->field && !is_time_field(fields, moment->field))
		violation_add(faults, path, "undefined", "is not a field of type date or datetime: \"%s\"", moment->field);
	if (moment->field == NULL && duration_is_zero(&moment->duration))
		violation_add(faults, path, "minimum", "must be longer than no time");
	if (business)
		check_business(text, &moment->duration, path, faults);
	return true;
}

/* ---- deadlines ---- */

/* Who is told: roles, "@createdBy", "@field". */
static void
check_recipients(const JsonbContainer *escalation, const char *path, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *names = check_array(escalation, "to", path, faults);

	path = psprintf("%s/to", path);
	if (names == NULL || JsonContainerSize(names) == 0 || JsonContainerSize(names) > MAX_RECIPIENTS)
		violation_add_first(faults, path, "required", "must list 1 to %d roles, \"@createdBy\" or @ and the key of a field of type user", MAX_RECIPIENTS);
	for (uint32 i = 0; names && i < JsonContainerSize(names); i++)
	{
		JsonbValue	name;

		check_element(names, i, &name);
		check_role_name(&name, psprintf("%s/%u", path, i), fields, faults);
	}
}

/* {"before" or "after","event","to"} */
static void
check_escalation(const JsonbContainer *escalation, bool business, const char *path, const Names *fields, ViolationList *faults)
{
	static const char *const offsets[] = {"before", "after"};
	JsonbValue	value;
	int			count = 0;

	members_check(escalation, escalation_members, path, faults);
	for (int i = 0; i < (int) lengthof(offsets); i++)
	{
		char	   *text = json_member_text(escalation, offsets[i]);
		const char *at = psprintf("%s/%s", path, offsets[i]);
		Duration	duration;

		if (!json_member(escalation, offsets[i], strlen(offsets[i]), &value))
			continue;
		count++;
		if (text == NULL || !duration_read(text, strlen(text), &duration))
			violation_add(faults, at, "pattern", "must be a duration of at most %d years such as P2D", QEHS_DURATION_YEARS);
		else if (business)
			check_business(text, &duration, at, faults);
	}
	if (count != 1)
		violation_add(faults, path, "required", "must have one of \"before\" and \"after\"");
	if (!json_member(escalation, "event", 5, &value) || !check_is_line(&value, QEHS_NAME_BYTES))
		violation_add(faults, psprintf("%s/event", path), "required", "must be the name of an event, of 1 to %d bytes", QEHS_NAME_BYTES);
	check_recipients(escalation, path, fields, faults);
}

static void
check_deadline(const JsonbContainer *deadline, const char *path, const Names *fields, ViolationList *faults)
{
	bool		business = check_calendar(deadline, path, faults);
	const JsonbContainer *escalations = check_array(deadline, "escalate", path, faults);
	ModuleMoment moment;

	members_check(deadline, deadline_members, path, faults);
	check_moment(deadline, "due", business, path, fields, &moment, faults);
	path = psprintf("%s/escalate", path);
	if (escalations && JsonContainerSize(escalations) > MAX_ESCALATIONS)
	{
		violation_add(faults, path, "maxItems", "must have at most %d steps", MAX_ESCALATIONS);
		return;
	}
	for (uint32 i = 0; escalations && i < JsonContainerSize(escalations); i++)
	{
		JsonbValue	value;
		const JsonbContainer *escalation = check_element(escalations, i, &value);

		if (escalation)
			check_escalation(escalation, business, psprintf("%s/%u", path, i), fields, faults);
		else
			violation_add(faults, psprintf("%s/%u", path, i), "type", "must be an object");
	}
}

void
check_deadlines(const JsonbContainer *workflow, const Names *states, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *deadlines = check_object(workflow, "deadlines", "/workflow", faults);
	JsonbIterator *iterator = deadlines ? JsonbIteratorInit(unconstify(JsonbContainer *, deadlines)) : NULL;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *path = NULL;

	while (deadlines && (token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			char	   *state = json_text_copy(&value);

			path = json_pointer_to("/workflow/deadlines", state);
			if (!check_has_name(states, state))
				violation_add(faults, path, "undefined", "is not a state: \"%s\"", state);
		}
		else if (token == WJB_VALUE && value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
			check_deadline(value.val.binary.data, path, fields, faults);
		else if (token == WJB_VALUE)
			violation_add(faults, path, "type", "must be an object with \"due\"");
	}
}

/* A due date is shown to all who may read the record: it must not tell what a field has that some may not read. */
void
check_due_is_open(const JsonbContainer *definition, ViolationList *faults)
{
	static const char *const rules_path[] = {"permissions", "fields"};
	const JsonbContainer *rules = definition;
	const JsonbContainer *deadlines;
	JsonbValue	value;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	char	   *state = NULL;

	for (int i = 0; i < (int) lengthof(rules_path); i++)
	{
		if (!json_member(rules, rules_path[i], strlen(rules_path[i]), &value))
			return;
		rules = value.val.binary.data;
	}
	json_member(definition, "workflow", 8, &value);
	deadlines = check_object(value.val.binary.data, "deadlines", "/workflow", faults);
	iterator = deadlines ? JsonbIteratorInit(unconstify(JsonbContainer *, deadlines)) : NULL;
	while (deadlines && (token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		ModuleMoment moment;
		JsonbValue	rule;

		if (token == WJB_KEY)
			state = json_text_copy(&value);
		else if (token == WJB_VALUE && module_moment_read(json_member_text(value.val.binary.data, "due"), &moment) && moment.field &&
				 json_member(rules, moment.field, strlen(moment.field), &rule) && json_member(rule.val.binary.data, "read", 4, &value))
			violation_add(faults, psprintf("%s/due", json_pointer_to("/workflow/deadlines", state)), "conflict",
						  "must not be a field that only some may read: dueAt would tell it");
	}
}

/* ---- transitions that are fired by themselves ---- */

/* Whether the transition starts in the state that it leads to. */
static bool
leads_back(const JsonbContainer *transition)
{
	JsonbValue	from;
	JsonbValue	to;

	if (!json_member(transition, "from", 4, &from) || !json_member(transition, "to", 2, &to) || to.type != jbvString)
		return false;
	if (from.type == jbvString)
		return (from.val.string.len == 1 && from.val.string.val[0] == '*') || json_values_equal(&from, &to);
	return from.type == jbvBinary && JsonContainerIsArray(from.val.binary.data) &&
		findJsonbValueFromContainer(from.val.binary.data, JB_FARRAY, &to) != NULL;
}

void
check_timed(const JsonbContainer *transition, const char *path, const Names *fields, ViolationList *faults)
{
	static const char *const of_people[] = {"approvers", "signature", "commentRequired"};
	bool		business = check_calendar(transition, path, faults);
	ModuleMoment moment;
	JsonbValue	value;

	if (!json_member(transition, "after", 5, &value))
	{
		if (business)
			violation_add(faults, psprintf("%s/calendar", path), "conflict", "must go with \"after\"");
		return;
	}
	for (int i = 0; i < (int) lengthof(of_people); i++)
		if (json_member(transition, of_people[i], strlen(of_people[i]), &value) && !(value.type == jbvBool && !value.val.boolean))
			violation_add(faults, psprintf("%s/%s", path, of_people[i]), "conflict", "cannot be asked of a transition that is fired by itself");
	if (check_moment(transition, "after", business, path, fields, &moment, faults) && moment.field && leads_back(transition))
		violation_add(faults, psprintf("%s/after", path), "circular",
					  "must not be a field where the transition leads to a state that it starts in: it would be fired for ever");
}
