/*
 * check_effects.c
 *	  Every fault of the effects of a transition.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/check.h"
#include "module/members.h"


/* Variables of templates besides those of conditions. */
static const char *const variables[] = {"state", "user", "roles", "now", "today", "id", "displayCode", "moduleKey", "transition", "comment", NULL};

/* Each text in a template that starts with one $ must be an SQL/JSON path. */
static void
check_template(const JsonbContainer *container, const char *path, ViolationList *faults)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, container));
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;
	int			number = 0;

	check_stack_depth();
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *at;

		if (token == WJB_KEY)
			key = json_text_copy(&value);
		if (token != WJB_VALUE && token != WJB_ELEM)
			continue;
		at = token == WJB_ELEM ? psprintf("%s/%d", path, number++) : json_pointer_to(path, key);
		if (value.type == jbvBinary)
			check_template(value.val.binary.data, at, faults);
		else if (value.type == jbvString && value.val.string.len > 0 && value.val.string.val[0] == '$' &&
				 (value.val.string.len == 1 || value.val.string.val[1] != '$'))
			check_expression_text(&value, at, variables, faults);
	}
}

/* A template that is an object. */
static void
check_payload(const JsonbContainer *effect, const char *path, bool required, ViolationList *faults)
{
	const JsonbContainer *payload = check_object(effect, "payload", path, faults);
	JsonbValue	value;

	if (payload)
		check_template(payload, psprintf("%s/payload", path), faults);
	else if (required && !json_member(effect, "payload", 7, &value))
		violation_add(faults, psprintf("%s/payload", path), "required", "is required");
}

static void
check_create_record(const JsonbContainer *effect, const char *path, ViolationList *faults)
{
	members_check(effect, create_record_members, path, faults);
	if (!check_is_name(json_member_text(effect, "moduleKey"), true))
		violation_add(faults, psprintf("%s/moduleKey", path), "required", "must be the key of a module");
	check_payload(effect, path, true, faults);
}

static void
check_update_parent(const JsonbContainer *effect, const char *path, const Names *fields, ViolationList *faults)
{
	char	   *via = json_member_text(effect, "via");

	members_check(effect, update_parent_members, path, faults);
	if (via == NULL || !check_has_name(fields, via))
		violation_add(faults, psprintf("%s/via", path), "undefined", "must be a field of type record-reference");
	check_payload(effect, path, true, faults);
}

static void
check_set_field(const JsonbContainer *effect, const char *path, const Names *fields, ViolationList *faults)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, effect));
	JsonbIteratorToken token;
	JsonbValue	key;

	check_template(effect, path, faults);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
		if (token == WJB_KEY && !check_has_name(fields, json_text_copy(&key)))
			violation_add(faults, json_pointer_to(path, json_text_copy(&key)), "undefined", "is not a field");
}

static void
check_assign(const JsonbContainer *effect, const char *path, const Names *fields, ViolationList *faults)
{
	char	   *field = json_member_text(effect, "field");
	char	   *to = json_member_text(effect, "to");
	JsonbValue	value;

	members_check(effect, assign_members, path, faults);
	if (field == NULL || !check_is_user_field(fields, field))
		violation_add(faults, psprintf("%s/field", path), "undefined", "must be a field of type user");
	if (to == NULL || *to == '\0')
		violation_add(faults, psprintf("%s/to", path), "required", "must be the id of a user, @createdBy, @ and a field of type user, or a path such as $user");
	else if (*to == '@' && strcmp(to, QEHS_ROLE_CREATOR) != 0 && !check_is_user_field(fields, to + 1))
		violation_add(faults, psprintf("%s/to", path), "undefined", "is not a field of type user: \"%s\"", to + 1);
	else if (*to == '$' && json_member(effect, "to", 2, &value))
		check_expression_text(&value, psprintf("%s/to", path), variables, faults);
}

/* "incident.closed", or {"name":"incident.closed","payload":template}. */
static void
check_event(const JsonbValue *value, const char *path, ViolationList *faults)
{
	JsonbValue	name = *value;

	if (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data))
	{
		members_check(value->val.binary.data, event_members, path, faults);
		check_payload(value->val.binary.data, path, false, faults);
		path = psprintf("%s/name", path);
		if (!json_member(value->val.binary.data, "name", 4, &name))
			name.type = jbvNull;
	}
	if (!check_is_line(&name, QEHS_NAME_BYTES))
		violation_add(faults, path, "type", "must be the name of an event, of 1 to %d bytes", QEHS_NAME_BYTES);
}

/* One kind of effect. */
static void
check_kind(const char *kind, const JsonbValue *value, const char *path, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *effect = value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data) ? value->val.binary.data : NULL;

	path = psprintf("%s/%s", path, kind);
	if (strcmp(kind, "event") == 0)
		check_event(value, path, faults);
	else if (effect == NULL)
		violation_add(faults, path, "type", "must be an object");
	else if (strcmp(kind, "createRecord") == 0)
		check_create_record(effect, path, faults);
	else if (strcmp(kind, "updateParent") == 0)
		check_update_parent(effect, path, fields, faults);
	else if (strcmp(kind, "setField") == 0)
		check_set_field(effect, path, fields, faults);
	else
		check_assign(effect, path, fields, faults);
}

void
check_effects(const JsonbContainer *transition, const char *path, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *effects = check_array(transition, "effects", path, faults);

	path = psprintf("%s/effects", path);
	if (effects && JsonContainerSize(effects) > QEHS_MAX_EFFECTS)
	{
		violation_add(faults, path, "maxItems", "must have at most %d effects", QEHS_MAX_EFFECTS);
		return;
	}
	for (uint32 i = 0; effects && i < JsonContainerSize(effects); i++)
	{
		const char *at = psprintf("%s/%u", path, i);
		JsonbValue	value;
		const JsonbContainer *effect = check_element(effects, i, &value);
		int			faults_before = faults->count;
		JsonbIterator *iterator;
		JsonbIteratorToken token;
		char	   *kind = NULL;

		if (effect == NULL || JsonContainerSize(effect) != 1)
		{
			violation_add(faults, at, "type", "must be an object with one member: createRecord, updateParent, setField, assign or event");
			continue;
		}
		members_check(effect, effect_members, at, faults);
		iterator = JsonbIteratorInit(unconstify(JsonbContainer *, effect));
		while (faults->count == faults_before && (token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		{
			if (token == WJB_KEY)
				kind = json_text_copy(&value);
			else if (token == WJB_VALUE)
				check_kind(kind, &value, at, fields, faults);
		}
	}
}
