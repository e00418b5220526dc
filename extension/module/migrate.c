/*
 * migrate.c
 *	  The rules of a definition's "migrate" member, and what they make of a payload.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/definition.h"
#include "module/members.h"
#include "module/migrate.h"

/* A rule of a definition that has been checked; NULL when it is absent. */
static const JsonbContainer *
rule(const Jsonb *definition, const char *name)
{
	JsonbValue	rules;
	JsonbValue	value;

	if (!json_member(&definition->root, "migrate", 7, &rules) || rules.type != jbvBinary ||
		!json_member(rules.val.binary.data, name, strlen(name), &value) || value.type != jbvBinary)
		return NULL;
	return value.val.binary.data;
}

static bool
lists(const JsonbContainer *array, const char *text)
{
	JsonbValue	wanted = {.type = jbvString, .val.string = {strlen(text), unconstify(char *, text)}};

	return array && findJsonbValueFromContainer(unconstify(JsonbContainer *, array), JB_FARRAY, &wanted) != NULL;
}

char *
migrate_renamed(const Jsonb *definition, const char *key)
{
	const JsonbContainer *renames = rule(definition, "rename");

	return renames ? json_member_text(renames, key) : NULL;
}

char *
migrate_source(const Jsonb *definition, const char *key)
{
	const JsonbContainer *renames = rule(definition, "rename");
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *source = NULL;

	if (renames == NULL)
		return NULL;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, renames));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			source = json_text_copy(&value);
		else if (token == WJB_VALUE && strcmp(json_text_copy(&value), key) == 0)
			return source;
	}
	return NULL;
}

bool
migrate_drops(const Jsonb *definition, const char *key)
{
	return lists(rule(definition, "drop"), key);
}

bool
migrate_default(const Jsonb *definition, const char *key, JsonbValue *value)
{
	const JsonbContainer *defaults = rule(definition, "default");

	return defaults && json_member(defaults, key, strlen(key), value);
}

char *
migrate_state(const Jsonb *definition, const char *state)
{
	const JsonbContainer *states = rule(definition, "states");

	return states ? json_member_text(states, state) : NULL;
}

bool
migrate_names(const Jsonb *definition, const char *key)
{
	JsonbValue	value;

	return migrate_renamed(definition, key) || migrate_source(definition, key) || migrate_drops(definition, key) ||
		migrate_default(definition, key, &value);
}

/* ---- checking ---- */

static bool
has_field(Jsonb *definition, const char *key)
{
	JsonbValue	fields;

	json_member(&definition->root, "fields", 6, &fields);
	for (uint32 i = 0; i < JsonContainerSize(fields.val.binary.data); i++)
		if (strcmp(json_member_text(getIthJsonbValueFromContainer(fields.val.binary.data, i)->val.binary.data, "key"), key) == 0)
			return true;
	return false;
}

/* One member of an object of rules; value is a field's key, a state or a default. */
static void
check_member(Jsonb *definition, const char *rule_name, const JsonbValue *key, const JsonbValue *value, ViolationList *faults)
{
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfo(&path, "/migrate/%s", rule_name);
	json_pointer_append(&path, key->val.string.val, key->val.string.len);
	if (strcmp(rule_name, "default") == 0)
	{
		if (!has_field(definition, json_text_copy(key)))
			violation_add(faults, path.data, "undefined", "is not a field: \"%s\"", json_text_copy(key));
	}
	else if (value->type != jbvString)
		violation_add(faults, path.data, "type", "must be a string");
	else if (strcmp(rule_name, "states") == 0 ? !check_has_state(&definition->root, value) :
			 !has_field(definition, json_text_copy(value)))
		violation_add(faults, path.data, "undefined", "is not a %s: \"%s\"",
					  strcmp(rule_name, "states") == 0 ? "state" : "field", json_text_copy(value));
}

/* "rename", "default" or "states". */
static void
check_rules(Jsonb *definition, const char *name, const JsonbValue *value, ViolationList *faults)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	member;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
	{
		violation_add(faults, psprintf("/migrate/%s", name), "type", "must be an object");
		return;
	}
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &member, true);
		check_member(definition, name, &key, &member, faults);
	}
}

static void
check_drop(const JsonbValue *value, ViolationList *faults)
{
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
	{
		violation_add(faults, "/migrate/drop", "type", "must be an array of fields");
		return;
	}
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
		if (getIthJsonbValueFromContainer(value->val.binary.data, i)->type != jbvString)
			violation_add(faults, psprintf("/migrate/drop/%u", i), "type", "must be a string");
}

void
migrate_check(Jsonb *definition, ViolationList *faults)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	rules;
	JsonbValue	key;
	JsonbValue	value;

	if (!json_member(&definition->root, "migrate", 7, &rules))
		return;
	if (rules.type != jbvBinary || !JsonContainerIsObject(rules.val.binary.data))
	{
		violation_add(faults, "/migrate", "type", "must be an object");
		return;
	}
	members_check(rules.val.binary.data, migrate_members, "/migrate", faults);
	iterator = JsonbIteratorInit(rules.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		name = json_text_copy(&key);
		if (strcmp(name, "drop") == 0)
			check_drop(&value, faults);
		else if (members_find(migrate_members, name))
			check_rules(definition, name, &value, faults);
	}
}

/* ---- applying ---- */

/* Push the members that are renamed, or those that are not; dropped ones are left out. */
static void
push_members(JsonbParseState **state, const Jsonb *definition, Jsonb *payload, bool renamed)
{
	JsonbIterator *iterator = JsonbIteratorInit(&payload->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;
		char	   *new_name;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		name = json_text_copy(&key);
		new_name = migrate_renamed(definition, name);
		if ((new_name != NULL) != renamed || migrate_drops(definition, name))
			continue;
		if (new_name)
		{
			key.val.string.val = new_name;
			key.val.string.len = strlen(new_name);
		}
		pushJsonbValue(state, WJB_KEY, &key);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
}

Jsonb *
migrate_payload(const Jsonb *definition, Jsonb *payload)
{
	const JsonbContainer *defaults = rule(definition, "default");
	JsonbParseState *state = NULL;
	Jsonb	   *moved;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	present;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_members(&state, definition, payload, false);
	push_members(&state, definition, payload, true);	/* a later twin wins */
	moved = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	if (defaults == NULL)
		return moved;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, defaults));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (!json_member(&moved->root, key.val.string.val, key.val.string.len, &present))
			moved = json_with_member(moved, key.val.string.val, key.val.string.len, &value);
	}
	return moved;
}

/* ---- keys of earlier versions ---- */

/* Follow a field back through the versions: room has place for a key of each. */
static void
load_former_keys(ModuleField *field, const MovingVersion *versions, int count, FormerKey *room)
{
	const char *key = field->key;

	field->former = room;
	for (int i = 0; i < count; i++)
	{
		char	   *source = migrate_source(versions[i].definition, key);
		char	   *renamed = migrate_renamed(versions[i].definition, key);

		/* one whose old namesake was renamed or dropped is another field, that begins here */
		if (source == NULL && ((renamed && strcmp(renamed, key) != 0) || migrate_drops(versions[i].definition, key)))
		{
			field->since = versions[i].version;
			return;
		}
		if (source == NULL || strcmp(source, key) == 0)
			continue;
		key = source;
		room[field->former_count++] = (FormerKey) {key, versions[i].version - 1};
	}
}

void
migrate_load_former_keys(ModuleDef *module, const MovingVersion *versions, int count)
{
	MemoryContext previous = MemoryContextSwitchTo(module->context);
	FormerKey  *room = palloc(sizeof(FormerKey) * Max(count, 1));

	module->moved = count > 0 ? versions[0].version : 1;
	for (int i = 0; i < module->field_count; i++)
	{
		load_former_keys(&module->fields[i], versions, count, room);
		if (module->fields[i].former_count > 0)
			room = palloc(sizeof(FormerKey) * count);
	}
	MemoryContextSwitchTo(previous);
}

const char *
module_field_key(const ModuleField *field, int32 version)
{
	const char *key = field->key;

	if (version < field->since)
		return NULL;
	for (int i = 0; i < field->former_count && version <= field->former[i].until; i++)
		key = field->former[i].key;
	return key;
}

const ModuleField *
module_field_of(const ModuleDef *module, int32 version, const char *key, int length)
{
	const ModuleField *field = module_field(module, key, length);

	if (version >= module->moved || (field && field->former_count == 0 && version >= field->since))
		return field;
	for (int i = 0; i < module->field_count; i++)
	{
		const char *held = module_field_key(&module->fields[i], version);

		if (held && strlen(held) == (size_t) length && memcmp(held, key, length) == 0)
			return &module->fields[i];
	}
	return NULL;
}

Jsonb *
module_payload_current(const ModuleDef *module, Jsonb *payload, int32 version)
{
	JsonbParseState *state = NULL;

	if (version >= module->moved)
		return payload;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		const char *held = module_field_key(field, version);
		JsonbValue	key = {.type = jbvString, .val.string = {field->key_length, unconstify(char *, field->key)}};
		JsonbValue	value;

		if (held == NULL || !json_member(&payload->root, held, strlen(held), &value))
			continue;
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* The format with the key in its place. */
static void
append_member(StringInfo sql, const char *format, const char *key)
{
	const char *place = strstr(format, "%s");

	appendBinaryStringInfo(sql, format, place - format);
	appendStringInfo(sql, "%s%s", key, place + strlen("%s"));
}

const char *
module_field_sql(const ModuleField *field, const char *alias, const char *format)
{
	StringInfoData sql;

	initStringInfo(&sql);
	if (field->former_count == 0 && field->since <= 1)
	{
		append_member(&sql, format, field->key);
		return sql.data;
	}
	appendStringInfo(&sql, "(CASE WHEN %sdefinition_version < %d THEN NULL", alias, field->since);
	for (int i = field->former_count - 1; i >= 0; i--)
	{
		appendStringInfo(&sql, " WHEN %sdefinition_version <= %d THEN ", alias, field->former[i].until);
		append_member(&sql, format, field->former[i].key);
	}
	appendStringInfoString(&sql, " ELSE ");
	append_member(&sql, format, field->key);
	appendStringInfoString(&sql, " END)");
	return sql.data;
}
