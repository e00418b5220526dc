/*
 * field_permission.c
 *	  Which fields of a module a caller may read and write.
 *
 * "permissions":{"fields":{"medical_notes":{"read":[role],"write":[role]}}}: a
 * field without a rule is everybody's who may read or change the record; a rule
 * without "write" lets those write who may read.  A computed field without a rule
 * is for those who may read all that it is made of.
 *
 * The current definition rules over records of every version.  A value follows
 * the field that it was: a renamed field's old values are under its rule, and
 * not under that of a new field which has taken its key.  A field that the
 * current definition has no more keeps the rule of the last version that had it.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/expression.h"
#include "permission/roles.h"

/*
 * The field that a payload of the version has under the key, by the newest definition that has
 * the field; NULL when no version has one.  Sets *of to that definition.
 */
static const ModuleField *
find_field(const ModuleDef *current, int32 version, const char *key, int length, const ModuleDef **of)
{
	const ModuleField *field = module_field_of(current, version, key, length);

	*of = current;
	for (int32 newest = current->version - 1; newest >= version && field == NULL; newest--)
	{
		*of = module_lookup_version(current->tenant_id, current->module_id, newest);
		field = module_field_of(*of, version, key, length);
	}
	return field;
}

bool
permission_reads_all(const RequestContext *context, const ModuleDef *module)
{
	return !roles_current(module)->has_field_rules || permission_is_administrator(context);
}

static bool reads_sources(const RequestContext *context, const ModuleDef *current, const ModuleDef *of, const ModuleField *field,
						  const PermissionSubject *subject);

/* Whether the caller, no administrator, may read a field of the definition that rules over it. */
static bool
reads(const RequestContext *context, const ModuleDef *current, const ModuleDef *of, const ModuleField *field,
	  const PermissionSubject *subject)
{
	if (field->readers.count >= 0)
		return roles_any(context, of, subject, field->readers.names, field->readers.count);
	return field->computed == NULL || reads_sources(context, current, of, field, subject);
}

/*
 * Whether the caller may read all that a computed field is made of, each by the rule of the
 * newest definition that has it.  It ends: a computed source has an earlier stage, or stands
 * in a later version.
 */
static bool
reads_sources(const RequestContext *context, const ModuleDef *current, const ModuleDef *of, const ModuleField *field,
			  const PermissionSubject *subject)
{
	check_stack_depth();
	for (int i = 0; i < of->field_count; i++)
	{
		const ModuleField *source = &of->fields[i];
		const ModuleDef *newest;

		if (source == field || (source->computed && source->stage >= field->stage) || !expression_reads_key(field->reads, source->key))
			continue;
		source = find_field(current, of->version, source->key, source->key_length, &newest);
		if (source && !reads(context, current, newest, source, subject))
			return false;
	}
	return true;
}

bool
permission_reads_field(const RequestContext *context, const ModuleDef *module, const ModuleField *field, const PermissionSubject *subject)
{
	return permission_reads_all(context, module) || reads(context, module, module, field, subject);
}

bool
permission_writes_field(const RequestContext *context, const ModuleDef *module, const ModuleField *field, const PermissionSubject *subject)
{
	return field->writers.count < 0 || permission_is_administrator(context) ||
		roles_any(context, module, subject, field->writers.names, field->writers.count);
}

bool
permission_reads_key(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, int32 version,
					 const char *key, int length)
{
	const ModuleDef *current;
	const ModuleDef *of;
	const ModuleField *field;

	if (permission_reads_all(context, module))
		return true;
	current = roles_current(module);
	field = find_field(current, version, key, length, &of);
	if (field == NULL)
		return true;
	if (!reads(context, current, of, field, subject))
		return false;
	if (of->version == version || field->readers.count >= 0)
		return true;
	/* the value was made of what the definition of its own version says */
	of = module_lookup_version(module->tenant_id, module->module_id, version);
	field = module_field(of, key, length);
	return field == NULL || field->computed == NULL || reads_sources(context, current, of, field, subject);
}

bool
permission_writes_key(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, int32 version,
					  const char *key, int length)
{
	const ModuleDef *of;
	const ModuleField *field;

	if (permission_reads_all(context, module))
		return true;
	field = find_field(roles_current(module), version, key, length, &of);
	return field == NULL || permission_writes_field(context, of, field, subject);
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
		if (!permission_reads_key(context, module, subject, subject->definition_version, key.val.string.val, key.val.string.len))
			continue;
		if (out->data[out->len - 1] != '{')
			appendStringInfoChar(out, ',');
		json_string_n(out, key.val.string.val, key.val.string.len);
		appendStringInfoChar(out, ':');
		json_jsonb_value(out, &value);
	}
	appendStringInfoChar(out, '}');
}
