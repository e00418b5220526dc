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
#include "module/module.h"

static const ModuleDef *
current_version(const ModuleDef *module)
{
	return module_lookup_version(module->tenant_id, module->module_id, 0);
}

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

static bool
has_any_role(const RequestContext *context, const char *const *roles, int count)
{
	for (int i = 0; i < count; i++)
		if (context_has_role(context, roles[i]))
			return true;
	return false;
}

bool
permission_reads_all(const RequestContext *context, const ModuleDef *module)
{
	return context->administrator || !current_version(module)->has_field_rules;
}

bool
permission_reads_field(const RequestContext *context, const ModuleField *field)
{
	return context->administrator || field->readers.count < 0 || has_any_role(context, field->readers.names, field->readers.count);
}

bool
permission_writes_field(const RequestContext *context, const ModuleField *field)
{
	return context->administrator || field->writers.count < 0 || has_any_role(context, field->writers.names, field->writers.count);
}

bool
permission_reads_key(const RequestContext *context, const ModuleDef *module, const char *key, int length)
{
	const ModuleField *field;

	if (permission_reads_all(context, module))
		return true;
	field = find_field(current_version(module), key, length);
	return field == NULL || permission_reads_field(context, field);
}

bool
permission_writes_key(const RequestContext *context, const ModuleDef *module, const char *key, int length)
{
	const ModuleField *field;

	if (permission_reads_all(context, module))
		return true;
	field = find_field(current_version(module), key, length);
	return field == NULL || permission_writes_field(context, field);
}

void
permission_write_payload(StringInfo out, const RequestContext *context, const ModuleDef *module, const JsonbContainer *payload)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (permission_reads_all(context, module))
	{
		json_container(out, payload);
		return;
	}
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, payload));
	appendStringInfoChar(out, '{');
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (!permission_reads_key(context, module, key.val.string.val, key.val.string.len))
			continue;
		if (out->data[out->len - 1] != '{')
			appendStringInfoChar(out, ',');
		json_string_n(out, key.val.string.val, key.val.string.len);
		appendStringInfoChar(out, ':');
		json_jsonb_value(out, &value);
	}
	appendStringInfoChar(out, '}');
}
