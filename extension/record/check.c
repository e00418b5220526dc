/*
 * check.c
 *	  Bringing a payload to its stored form and checking it against its module.
 *
 * Order: what the server writes (fill.c), then the schema, then what a schema
 * cannot say (values.c).  All violations are collected; those below a hidden
 * field (visibleWhen not true) are dropped.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "record/check.h"

/* Whether the client has sent the value at a place ("/rows/0/name") itself: a patch merges objects and replaces all else. */
static bool
is_given(const Jsonb *given, const char *place)
{
	JsonbValue	value = {.type = jbvBinary};

	if (given == NULL)
		return false;
	value.val.binary.data = unconstify(JsonbContainer *, &given->root);
	while (*place == '/' && value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
	{
		int			length = strcspn(place + 1, "/");

		if (!json_member(value.val.binary.data, place + 1, length, &value))
			return false;
		place += 1 + length;
	}
	return true;
}

/* Whether the caller may be told about the value at a place: he has sent it, or may read it. */
static bool
may_tell(const PayloadCheck *check, const Jsonb *given, const char *place)
{
	return *place != '/' || check->subject == NULL || is_given(given, place) ||
		permission_reads_key(check->context, check->module, check->subject, check->module->version, place + 1, strcspn(place + 1, "/"));
}

static void
check_schema(const PayloadCheck *check, Jsonb *payload, const Jsonb *given)
{
	SchemaErrors errors;

	schema_errors_init(&errors);
	if (schema_validate(check->module->schema, payload, &errors))
		return;
	if (errors.fault)
		violation_add(check->violations, "/payload", "schema", "could not be checked: %s", errors.fault);
	for (int i = 0; i < errors.count; i++)
	{
		const SchemaViolation *item = &errors.items[i];
		const ModuleField *field;

		if (payload_is_hidden(check, payload, item->instance_location, &field))
			continue;
		if (!may_tell(check, given, item->instance_location))
			violation_add(check->violations, psprintf("/payload/%.*s", (int) strcspn(item->instance_location + 1, "/"), item->instance_location + 1),
						  "schema", "does not hold under the definition");
		else
			payload_add_violation(check, field, item, payload, psprintf("/payload%s", item->instance_location));
	}
}

/* Whether the client sends a member as the record holds it, and may know so. */
static bool
is_sent_back(const PayloadCheck *check, bool readable, const char *name, int length, const JsonbValue *value)
{
	JsonbValue	held;

	if (check->before == NULL || !readable)
		return false;
	return json_member(&check->before->root, name, length, &held) ? json_values_equal(value, &held) : value->type == jbvNull;
}

/* Add that a member may not be written, unless it may: the server writes computed ones, and who may not read them sends none. */
static void
check_member(const PayloadCheck *check, const char *name, int length, const JsonbValue *value)
{
	const ModuleField *field = module_field(check->module, name, length);
	bool		readable = permission_reads_key(check->context, check->module, check->subject, check->module->version, name, length);
	bool		writable = permission_changes_key(check->context, check->module, check->subject, check->transition, name, length);

	if ((writable && (readable || field == NULL || !field->computed)) || is_sent_back(check, readable, name, length, value))
		return;
	violation_add(check->violations, psprintf("/payload/%s", pnstrdup(name, length)), QEHS_FORBIDDEN,
				  !writable && permission_changes_key(check->context, check->module, check->subject, NULL, name, length) ?
				  "may be changed by who may update the record, or by a transition that requires it" : "may not be written by the caller");
}

/* What the client sent in fields that it may not write, otherwise than a value that it may read. */
static void
check_writable(const PayloadCheck *check, const Jsonb *given)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (check->transition == NULL && permission_reads_all(check->context, check->module))
		return;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &given->root));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		check_member(check, key.val.string.val, key.val.string.len, &value);
	}
}

static bool
transition_requires(const ModuleTransition *transition, const char *name, int length)
{
	for (int i = 0; transition && i < transition->requires_count; i++)
		if (strlen(transition->requires[i]) == (size_t) length && memcmp(transition->requires[i], name, length) == 0)
			return true;
	return false;
}

/* What the client changes although the state that the record is in locks it for him; what a transition requires goes with it. */
static void
check_locked(const PayloadCheck *check, const Jsonb *given)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (check->held_state == NULL || !permission_locks(check->module, check->held_state))
		return;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &given->root));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const char *name = key.val.string.val;
		int			length = key.val.string.len;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (!transition_requires(check->transition, name, length) &&
			!permission_edits_in(check->context, check->module, check->subject, check->held_state, name, length) &&
			!is_sent_back(check, permission_reads_key(check->context, check->module, check->subject, check->module->version, name, length), name,
						  length, &value))
			violation_add(check->violations, psprintf("/payload/%s", pnstrdup(name, length)), "locked",
						  "cannot be changed by the caller in state \"%s\"", check->held_state);
	}
}

/* What the client sent in fields that the server alone writes, or otherwise than the value that stays; no caller's roles count. */
static void
check_kept(const PayloadCheck *check, const Jsonb *given)
{
	if (!check->module->has_kept || check->context->actor_type == ACTOR_SYSTEM)
		return;
	for (int i = 0; i < check->module->field_count; i++)
	{
		const ModuleField *field = &check->module->fields[i];
		bool		readable;
		JsonbValue	value;
		JsonbValue	held;
		char	   *path;

		if (!(field->read_only || field->write_once) || !json_member(&given->root, field->key, field->key_length, &value))
			continue;
		path = psprintf("/payload/%s", field->key);
		readable = permission_reads_key(check->context, check->module, check->subject, check->module->version, field->key, field->key_length);
		if (is_sent_back(check, readable, field->key, field->key_length, &value) || (check->before == NULL && value.type == jbvNull))
			continue;
		if (field->read_only)
			violation_add(check->violations, path, "read_only", "is written by the server: must be left out");
		else if (check->before && json_member(&check->before->root, field->key, field->key_length, &held))
			violation_add(check->violations, path, "write_once", "has its value for good: must be left out");
	}
}

/* A record that is created, or moved, must come to a location where the caller may create records, or change them. */
static void
check_place(const PayloadCheck *check, const Jsonb *payload)
{
	const char *key = permission_location_key(check->context, check->module);
	PermissionSubject after = {check->subject->created_by, check->module->version, unconstify(Jsonb *, payload)};
	JsonbValue	value;
	JsonbValue	held;
	bool		is_there;

	if (key == NULL)
		return;
	if (check->patched == NULL)
	{
		if (!permission_may(check->context, check->module, ACTION_CREATE, &after, NULL))
			violation_add(check->violations, psprintf("/payload/%s", key), QEHS_FORBIDDEN, "must be a location where the caller may create records");
		return;
	}
	is_there = json_member(&payload->root, key, strlen(key), &value);
	if (is_there == json_member(&check->patched->root, key, strlen(key), &held) && (!is_there || json_values_equal(&value, &held)))
		return;
	if (!permission_may_place(check->context, check->module, check->transition, &after))
		violation_add(check->violations, psprintf("/payload/%s", key), QEHS_FORBIDDEN, "must be a location where the caller may change records");
}

/* Members of what the client sent that are null and no field is called so: RFC 7396 would pass over them. */
static void
check_removed(const ModuleFields *fields, const JsonbContainer *sent, const char *path, ViolationList *violations)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, sent));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	check_stack_depth();
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const ModuleField *field;
		const JsonbContainer *inner;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		inner = value.type == jbvBinary ? value.val.binary.data : NULL;
		if (inner == NULL && value.type != jbvNull)
			continue;
		field = module_fields_find(fields, key.val.string.val, key.val.string.len);
		if (field == NULL && inner == NULL)
			violation_add(violations, json_pointer_to(path, json_text_copy(&key)), "unknown_member", "is not a known member");
		if (field == NULL || field->nested.count == 0 || inner == NULL)
			continue;
		if (JsonContainerIsObject(inner))
			check_removed(&field->nested, inner, psprintf("%s/%s", path, field->key), violations);
		for (uint32 i = 0; JsonContainerIsArray(inner) && i < JsonContainerSize(inner); i++)
		{
			JsonbValue *row = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, inner), i);

			if (row->type == jbvBinary && JsonContainerIsObject(row->val.binary.data))
				check_removed(&field->nested, row->val.binary.data, psprintf("%s/%s/%u", path, field->key, i), violations);
		}
	}
}

/* Fill and check; given is what the client sent. */
static Jsonb *
check_payload(const PayloadCheck *check, Jsonb *payload, const Jsonb *given)
{
	payload = payload_fill(check, payload);
	if (given)
	{
		check_writable(check, given);
		check_locked(check, given);
		check_kept(check, given);
		check_place(check, payload);
		if (check->before)
			check_removed(&check->module->all, &given->root, "/payload", check->violations);
		payload_check_given(check, given, payload);
	}
	check_schema(check, payload, given);
	payload_check_values(check, payload);
	return payload;
}

Jsonb *
record_check_payload(const RequestContext *context, const ModuleDef *module, Jsonb *payload, const char *state,
					 ViolationList *violations)
{
	Guard		guard = {context, state, NULL};
	PermissionSubject subject = {context->actor_id, module->version, payload};
	PayloadCheck check = {context, module, &guard, NULL, &subject, NULL, violations, NULL, NULL, NULL};

	if (!JB_ROOT_IS_OBJECT(payload))
	{
		violation_add(violations, "/payload", "type", "must be an object");
		return payload;
	}
	subject.payload = record_merge_new(module, payload);
	if (subject.payload != payload)
		check_removed(&module->all, &payload->root, "/payload", violations);
	return check_payload(&check, subject.payload, subject.payload);
}

Jsonb *
record_check_patch(const RequestContext *context, const ModuleDef *module, const Record *before, Jsonb *patch,
				   const ModuleTransition *transition, const char *state, ViolationList *violations)
{
	Guard		guard = {context, state, NULL};
	PermissionSubject subject = record_subject(before);
	PayloadCheck check = {context, module, &guard, before->payload, &subject, transition, violations, before->payload, &before->id,
	before->workflow_state};

	return check_payload(&check, patch ? record_merge_patch(module, before->payload, patch) : before->payload, patch);
}

Jsonb *
record_check_effect(const RequestContext *context, const ModuleDef *module, const Record *before, Jsonb *patch, const char *state,
					ViolationList *violations)
{
	Guard		guard = {context, state, NULL};
	PermissionSubject subject = record_subject(before);
	PayloadCheck check = {context, module, &guard, before->payload, &subject, NULL, violations, before->payload, &before->id, NULL};

	return check_payload(&check, record_merge_patch(module, before->payload, patch), patch);
}

Jsonb *
record_check_moved(const RequestContext *context, const ModuleDef *module, const Record *record, Jsonb *payload, Jsonb *known,
				   const char *state, ViolationList *violations)
{
	Guard		guard = {context, state, NULL};
	PermissionSubject subject = record_subject(record);
	PayloadCheck check = {context, module, &guard, known, &subject, NULL, violations, NULL, &record->id, NULL};

	return check_payload(&check, payload, NULL);
}
