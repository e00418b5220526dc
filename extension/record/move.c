/*
 * move.c
 *	  What a record becomes in a newer definition.
 *
 * The rules of each version after the record's apply in turn (module/migrate.h);
 * only the outcome is checked.  A value that does not hold there gives way to
 * the default that the newest rules name for its field.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/migrate.h"
#include "record/record.h"

/* The default that the newest rules up to target name for a field. */
static bool
newest_default(const RequestContext *context, const Record *record, int32 target, const char *key, JsonbValue *value)
{
	for (int32 version = target; version > record->definition_version; version--)
		if (migrate_default(record_module_version(context, record, version)->definition, key, value))
			return true;
	return false;
}

/* The field of a path below /payload; NULL for another path.  Keys need no escapes. */
static char *
field_of(const char *path)
{
	const char *key = path + strlen("/payload/");

	if (strncmp(path, "/payload/", strlen("/payload/")) != 0)
		return NULL;
	return pnstrdup(key, strcspn(key, "/"));
}

/* Put defaults where values do not hold; false when there is none to put. */
static bool
put_defaults(const RequestContext *context, const Record *before, int32 target, Record *after, const ViolationList *found)
{
	bool		put = false;

	for (int i = 0; i < found->count; i++)
	{
		char	   *key = field_of(found->items[i].path);
		JsonbValue	value;

		if (key == NULL || !newest_default(context, before, target, key, &value))
			continue;
		after->payload = json_with_member(after->payload, key, strlen(key), &value);
		put = true;
	}
	return put;
}

static void push_known(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value, const ModuleField *old,
					   const ModuleField *new);

/* Push an object with the members that may hold known ids. */
static void
push_known_object(JsonbParseState **state, const JsonbContainer *object, const ModuleFields *old, const ModuleFields *new)
{
	check_stack_depth();
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < new->count; i++)
	{
		const ModuleField *field = &new->items[i];
		const ModuleField *source = module_fields_find(old, field->key, field->key_length);
		JsonbValue	key = {.type = jbvString, .val.string = {field->key_length, unconstify(char *, field->key)}};
		JsonbValue	value;

		if (source == NULL || !field->checked || !json_member(object, field->key, field->key_length, &value))
			continue;
		pushJsonbValue(state, WJB_KEY, &key);
		push_known(state, WJB_VALUE, &value, source, field);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Whether what the old field names is of modules that the new one may name. */
static bool
refers_no_wider(const ModuleField *old, const ModuleField *new)
{
	for (int i = 0; i < old->reference_count; i++)
		if (!module_field_refers_to(new, old->references[i]))
			return false;
	return old->reference_count > 0;
}

/* Push a value with null in place of ids that need not hold under the new definition of their field. */
static void
push_known(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value, const ModuleField *old, const ModuleField *new)
{
	static JsonbValue none = {.type = jbvNull};
	const JsonbContainer *container = value->type == jbvBinary ? value->val.binary.data : NULL;
	bool		same = old->type == new->type &&
		(new->reference_count == 0 || refers_no_wider(old, new));

	if (same && container && new->type == FIELD_OBJECT && JsonContainerIsObject(container))
		push_known_object(state, container, &old->nested, &new->nested);
	else if (same && container && new->type == FIELD_TABLE && JsonContainerIsArray(container))
	{
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		for (uint32 i = 0; i < JsonContainerSize(container); i++)
		{
			JsonbValue	row = *getIthJsonbValueFromContainer(unconstify(JsonbContainer *, container), i);

			CHECK_FOR_INTERRUPTS();
			if (row.type == jbvBinary && JsonContainerIsObject(row.val.binary.data))
				push_known_object(state, row.val.binary.data, &old->nested, &new->nested);
		}
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
	}
	else
		pushJsonbValue(state, token, same && (container == NULL || new->type == FIELD_RECORD_REFERENCES) ? value : &none);
}

/* The field that the record's version has for a field of version target; NULL when it is new since. */
static const ModuleField *
source_field(const RequestContext *context, const Record *record, int32 target, const ModuleField *field)
{
	const char *key = field->key;

	for (int32 version = target; version > record->definition_version; version--)
	{
		Jsonb	   *definition = record_module_version(context, record, version)->definition;
		char	   *source = migrate_source(definition, key);

		if (source == NULL && migrate_renamed(definition, key))
			return NULL;
		key = source ? source : key;
	}
	return module_field(record_module(context, record), key, strlen(key));
}

/* The part of a moved payload whose ids need no look-up: the same field held them in the version before. */
static Jsonb *
known_part(const RequestContext *context, const Record *before, const ModuleDef *module, Jsonb *payload)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		JsonbValue	key = {.type = jbvString, .val.string = {field->key_length, unconstify(char *, field->key)}};
		JsonbValue	value;
		const ModuleField *source;

		if (!field->checked || !json_member(&payload->root, field->key, field->key_length, &value))
			continue;
		source = source_field(context, before, module->version, field);
		if (source == NULL)
			continue;
		pushJsonbValue(&state, WJB_KEY, &key);
		push_known(&state, WJB_VALUE, &value, source, field);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * What the move changes although the state that the record is in locks it: other values of
 * fields, and fields that go.  Other keys for the same values change nothing.
 */
static void
check_locked(const RequestContext *context, const Record *before, const ModuleDef *module, const Jsonb *payload, ViolationList *violations)
{
	const ModuleDef *own = record_module(context, before);
	PermissionSubject subject = record_subject(before);
	int			kept = 0;

	if (!permission_locks(own, before->workflow_state))
		return;
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		const ModuleField *source = source_field(context, before, module->version, field);
		JsonbValue	old;
		JsonbValue	new;
		bool		had = source && json_member(&before->payload->root, source->key, source->key_length, &old);
		bool		has = json_member(&payload->root, field->key, field->key_length, &new);

		kept += had;
		if ((had == has && (!had || json_values_equal(&old, &new))) ||
			permission_edits_in(context, own, &subject, before->workflow_state, source ? source->key : NULL, source ? source->key_length : 0))
			continue;
		violation_add(violations, psprintf("/payload/%s", field->key), "locked", "cannot be changed by the caller in state \"%s\"",
					  before->workflow_state);
	}
	if (kept < (int) JsonContainerSize(&before->payload->root) &&
		!permission_edits_in(context, own, &subject, before->workflow_state, NULL, 0))
		violation_add(violations, "/payload", "locked", "cannot lose fields in state \"%s\"", before->workflow_state);
}

const ModuleDef *
record_move(const RequestContext *context, const Record *before, int32 target, Record *after, ViolationList *violations)
{
	const ModuleDef *module = record_module_version(context, before, target);
	ViolationList found = {0};
	Jsonb	   *known;
	Jsonb	   *checked;

	*after = *before;
	after->definition_version = target;
	for (int32 version = before->definition_version + 1; version <= target; version++)
	{
		Jsonb	   *definition = record_module_version(context, before, version)->definition;
		char	   *state = migrate_state(definition, after->workflow_state);

		CHECK_FOR_INTERRUPTS();
		after->payload = migrate_payload(definition, after->payload);
		if (state)
			after->workflow_state = state;
	}
	known = known_part(context, before, module, after->payload);
	checked = record_check_moved(context, module, before, after->payload, known, after->workflow_state, &found);
	if (found.count > 0 && put_defaults(context, before, target, after, &found))
	{
		found.count = 0;
		checked = record_check_moved(context, module, before, after->payload, known, after->workflow_state, &found);
	}
	after->payload = checked;
	check_locked(context, before, module, after->payload, violations);
	for (int i = 0; i < found.count; i++)
		violation_add(violations, found.items[i].path, found.items[i].code, "%s", found.items[i].message);
	if (!module_has_state(module, after->workflow_state))
		violation_add(violations, "/workflowState", "undefined", "is no state of version %d: \"%s\"", target,
					  after->workflow_state);
	return module;
}
