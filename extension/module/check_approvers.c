/*
 * check_approvers.c
 *	  Every fault of who approves a transition, and of its signature.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/members.h"

#define MAX_STEPS 20
#define MAX_COUNT 100
#define MAX_MEANINGS 20

/* "count" and "role" of approvers that are one step, or of a step. */
static void
check_step(const JsonbContainer *step, const char *path, const Names *fields, ViolationList *faults)
{
	JsonbValue	value;
	int32		count;
	bool		is_array;

	if (json_member(step, "count", 5, &value) && (!json_member_int(step, "count", &count) || count < 1 || count > MAX_COUNT))
		violation_add(faults, psprintf("%s/count", path), "range", "must be an integer from 1 to %d", MAX_COUNT);
	path = psprintf("%s/role", path);
	if (!json_member(step, "role", 4, &value))
	{
		violation_add(faults, path, "required", "is required");
		return;
	}
	is_array = value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data);
	if (is_array && JsonContainerSize(value.val.binary.data) == 0)
		violation_add(faults, path, "required", "must list at least one role");
	for (uint32 i = 0; i < (is_array ? JsonContainerSize(value.val.binary.data) : 1); i++)
	{
		JsonbValue	role = is_array ? *getIthJsonbValueFromContainer(value.val.binary.data, i) : value;

		check_role_name(&role, is_array ? psprintf("%s/%u", path, i) : path, fields, faults);
	}
}

static void
check_steps(const JsonbContainer *approvers, const char *path, const Names *fields, ViolationList *faults)
{
	static const char *const of_one[] = {"count", "role"};
	const JsonbContainer *steps = check_array(approvers, "steps", path, faults);
	JsonbValue	value;

	for (int i = 0; i < (int) lengthof(of_one); i++)
		if (json_member(approvers, of_one[i], strlen(of_one[i]), &value))
			violation_add(faults, psprintf("%s/%s", path, of_one[i]), "conflict", "must stand in the steps");
	path = psprintf("%s/steps", path);
	if (steps && (JsonContainerSize(steps) == 0 || JsonContainerSize(steps) > MAX_STEPS))
		violation_add(faults, path, "maxItems", "must have 1 to %d steps", MAX_STEPS);
	for (uint32 i = 0; steps && i < JsonContainerSize(steps); i++)
	{
		const JsonbContainer *step = check_element(steps, i, &value);

		if (step == NULL)
		{
			violation_add(faults, psprintf("%s/%u", path, i), "type", "must be an object");
			continue;
		}
		members_check(step, step_members, psprintf("%s/%u", path, i), faults);
		check_step(step, psprintf("%s/%u", path, i), fields, faults);
	}
}

/* "reject" is a transition without approvers that starts where this one does: from everywhere, or in each state of its from. */
static void
check_reject(const JsonbContainer *approvers, const JsonbContainer *transitions, const char *path, ViolationList *faults)
{
	JsonbValue	name;
	JsonbValue	other;
	JsonbValue	value;

	if (!json_member(approvers, "reject", 6, &name))
		return;
	path = psprintf("%s/reject", path);
	if (name.type != jbvString || !json_member(transitions, name.val.string.val, name.val.string.len, &other) || other.type != jbvBinary)
		violation_add(faults, path, "undefined", "must be the name of a transition");
	else if (json_member(other.val.binary.data, "approvers", 9, &value))
		violation_add(faults, path, "conflict", "must be a transition without approvers");
}

static void
check_signature(const JsonbContainer *transition, const char *path, ViolationList *faults)
{
	JsonbValue	value;
	JsonbValue	meaning;

	if (!json_member(transition, "signature", 9, &value) || value.type == jbvBool)
		return;
	path = psprintf("%s/signature", path);
	if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
	{
		violation_add(faults, path, "type", "must be true, or an object with \"meaning\"");
		return;
	}
	members_check(value.val.binary.data, signature_members, path, faults);
	path = psprintf("%s/meaning", path);
	if (!json_member(value.val.binary.data, "meaning", 7, &meaning))
		return;
	if (meaning.type != jbvBinary)
	{
		if (!check_is_line(&meaning, QEHS_NAME_BYTES))
			violation_add(faults, path, "type", "must be a text, or an array of them");
	}
	else if (!JsonContainerIsArray(meaning.val.binary.data) || JsonContainerSize(meaning.val.binary.data) == 0 ||
			 JsonContainerSize(meaning.val.binary.data) > MAX_MEANINGS)
		violation_add(faults, path, "type", "must be a text, or an array of 1 to %d", MAX_MEANINGS);
	else
		for (uint32 i = 0; i < JsonContainerSize(meaning.val.binary.data); i++)
			if (!check_is_line(getIthJsonbValueFromContainer(meaning.val.binary.data, i), QEHS_NAME_BYTES))
				violation_add(faults, psprintf("%s/%u", path, i), "type", "must be a text of 1 to %d bytes", QEHS_NAME_BYTES);
}

void
check_approvers(const JsonbContainer *transition, const JsonbContainer *transitions, const char *path, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *approvers = check_object(transition, "approvers", path, faults);
	JsonbValue	value;
	char	   *order;

	check_signature(transition, path, faults);
	if (approvers == NULL)
		return;
	path = psprintf("%s/approvers", path);
	members_check(approvers, approver_members, path, faults);
	check_reject(approvers, transitions, path, faults);
	if (json_member(approvers, "steps", 5, &value))
		check_steps(approvers, path, fields, faults);
	else
		check_step(approvers, path, fields, faults);
	order = json_member_text(approvers, "order");
	if (json_member(approvers, "order", 5, &value) && (order == NULL || (strcmp(order, "ordered") != 0 && strcmp(order, "parallel") != 0)))
		violation_add(faults, psprintf("%s/order", path), "enum", "must be ordered or parallel");
}
