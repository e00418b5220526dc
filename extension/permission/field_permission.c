/*
 * field_permission.c
 *	  Which fields of a module a caller may read and write.
 *
 * "permissions":{"fields":{"medical_notes":{"read":[role],"write":[role]}}}: a
 * field without a rule is everybody's who may read or change the record; a rule
 * without "write" lets those write who may read.  The current definition rules
 * over records of every version, under old keys too; a field that it has no more
 * keeps the rule of the last version that had it.  tenant-owner and tenant-admin
 * may do everything.
 */
#include "base/compat.h"

#include "base/json.h"
#include "permission/roles.h"

/* The field that a payload of whatever version has under the key; NULL when no version has one. */
static const ModuleField *
find_field(const ModuleDef *current, const char *key, int length)
{
	const ModuleField *field = module_field(current, key, length);

	for (int i = 0; i < current->field_count && field == NULL; i++)
		for (int j = 0; j < current->fields[i].old_key_count; j++)
			if (strlen(current->fields[i].old_keys[j]) == (size_t) length && memcmp(current->fields[i].old_keys[j], key, length) == 0)
				field = &current->fields[i];
	for (int32 version = current->version - 1; version > 0 && field == NULL; version--)
		field = module_field(module_lookup_version(current->tenant_id, current->module_id, version), key, length);
	return field;
}

bool
permission_reads_all(const RequestContext *context, const ModuleDef *module)
{
	return !roles_current(module)->has_field_rules || permission_is_administrator(context);
}

bool
permission_reads_field(const RequestContext *context, const ModuleDef *module, const ModuleField *field, const PermissionSubject *subject)
{
	return field->readers.count < 0 || permission_is_administrator(context) ||
		roles_any(context, module, subject, field->readers.names, field->readers.count);
}

bool
permission_writes_field(const RequestContext *context, const ModuleDef *module, const ModuleField *field, const PermissionSubject *subject)
{
	return field->writers.count < 0 || permission_is_administrator(context) ||
		roles_any(context, module, subject, field->writers.names, field->writers.count);
}

bool
permission_reads_key(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const char *key, int length)
{
	const ModuleField *field;

	if (permission_reads_all(context, module))
		return true;
	module = roles_current(module);
	field = find_field(module, key, length);
	return field == NULL || permission_reads_field(context, module, field, subject);
}

bool
permission_writes_key(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const char *key, int length)
{
	const ModuleField *field;

	if (permission_reads_all(context, module))
		return true;
	module = roles_current(module);
	field = find_field(module, key, length);
	return field == NULL || permission_writes_field(context, module, field, subject);
}

void
permission_write_payload(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (permission_reads_all(context, module))
	{
		json_container(out, &subject->payload->root);
		return;
	}
	iterator = JsonbIteratorInit(&subject->payload->root);
	appendStringInfoChar(out, '{');
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (!permission_reads_key(context, module, subject, key.val.string.val, key.val.string.len))
			continue;
		if (out->data[out->len - 1] != '{')
			appendStringInfoChar(out, ',');
		json_string_n(out, key.val.string.val, key.val.string.len);
		appendStringInfoChar(out, ':');
		json_jsonb_value(out, &value);
	}
	appendStringInfoChar(out, '}');
}
