/*
 * check.c
 *	  Bringing a payload to its stored form and checking it against its module.
 *
 * Order: what the server writes (fill.c), then the schema, then what a schema
 * cannot say (values.c).  All violations are collected; those below a hidden
 * field (visibleWhen not true) are dropped.
 */
#include "compat.h"

#include "json.h"
#include "record/check.h"

void
payload_add_violation(const PayloadCheck *check, const ModuleField *field, const SchemaViolation *found, const char *path)
{
	const char *code = strcmp(found->keyword, "additionalProperties") == 0 ? "unknown_member" : found->keyword;

	if (field && field->type == FIELD_RICH_TEXT && strcmp(code, "not") == 0 && !strstr(found->keyword_location, "/then/"))
		violation_add(check->violations, path, "markup", "must have no other markup than simple tags without attributes"
					  " and links to http, https or mailto");
	else
		violation_add(check->violations, path, code, "%s", found->message);
}

static void
check_schema(const PayloadCheck *check, Jsonb *payload)
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

		if (!payload_is_hidden(check, payload, item->instance_location, &field))
			payload_add_violation(check, field, item, psprintf("/payload%s", item->instance_location));
	}
}

/* What the client sent in fields that it may not write, otherwise than a value that it may read. */
static void
check_writable(const PayloadCheck *check, const Jsonb *given)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (permission_reads_all(check->context, check->module))
		return;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &given->root));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const char *name = key.val.string.val;
		int			length = key.val.string.len;
		JsonbValue	held;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (permission_writes_key(check->context, check->module, name, length))
			continue;
		if (check->before && permission_reads_key(check->context, check->module, name, length) &&
			(json_member(&check->before->root, name, length, &held) ? json_values_equal(&value, &held) : value.type == jbvNull))
			continue;
		violation_add(check->violations, psprintf("/payload/%s", json_text_copy(&key)), "forbidden", "may not be written by the caller");
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
		payload_check_given(check, given, payload);
	}
	check_schema(check, payload);
	payload_check_values(check, payload);
	return payload;
}

Jsonb *
record_check_payload(const RequestContext *context, const ModuleDef *module, Jsonb *payload, const char *state,
					 ViolationList *violations)
{
	Guard		guard = {context, state, NULL};
	PayloadCheck check = {context, module, &guard, NULL, violations};

	if (!JB_ROOT_IS_OBJECT(payload))
	{
		violation_add(violations, "/payload", "type", "must be an object");
		return payload;
	}
	return check_payload(&check, payload, payload);
}

Jsonb *
record_check_patch(const RequestContext *context, const ModuleDef *module, Jsonb *before, Jsonb *patch,
				   const char *state, ViolationList *violations)
{
	Guard		guard = {context, state, NULL};
	PayloadCheck check = {context, module, &guard, before, violations};

	return check_payload(&check, patch ? record_merge_patch(before, patch) : before, patch);
}

Jsonb *
record_check_moved(const RequestContext *context, const ModuleDef *module, Jsonb *payload, Jsonb *known, const char *state,
				   ViolationList *violations)
{
	Guard		guard = {context, state, NULL};
	PayloadCheck check = {context, module, &guard, known, violations};

	return check_payload(&check, payload, NULL);
}
