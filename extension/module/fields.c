/*
 * fields.c
 *	  The field types and the actions, and finding fields, states and transitions by name.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "module/definition.h"

const FieldTypeInfo module_field_types[FIELD_TYPE_COUNT] = {
	[FIELD_TEXT] = {"text", VALUE_TEXT},
	[FIELD_RICH_TEXT] = {"rich-text", VALUE_TEXT},
	[FIELD_EMAIL] = {"email", VALUE_TEXT},
	[FIELD_PHONE] = {"phone", VALUE_TEXT},
	[FIELD_URL] = {"url", VALUE_TEXT},
	[FIELD_IDENTIFIER] = {"identifier", VALUE_TEXT},
	[FIELD_NUMBER] = {"number", VALUE_NUMBER},
	[FIELD_INTEGER] = {"integer", VALUE_NUMBER},
	[FIELD_QUANTITY] = {"quantity", VALUE_NUMBER},
	[FIELD_CURRENCY] = {"currency", VALUE_NUMBER},
	[FIELD_PERCENTAGE] = {"percentage", VALUE_NUMBER},
	[FIELD_DATE] = {"date", VALUE_TIME},
	[FIELD_DATETIME] = {"datetime", VALUE_TIME},
	[FIELD_TIME] = {"time", VALUE_TIME_OF_DAY},
	[FIELD_DURATION] = {"duration", VALUE_DURATION},
	[FIELD_DATE_RANGE] = {"date-range", VALUE_NONE},
	[FIELD_BOOLEAN] = {"boolean", VALUE_BOOLEAN},
	[FIELD_SELECT] = {"select", VALUE_OPTION},
	[FIELD_MULTI_SELECT] = {"multi-select", VALUE_LIST},
	[FIELD_TAGS] = {"tags", VALUE_LIST},
	[FIELD_LOOKUP] = {"lookup", VALUE_TEXT},
	[FIELD_RECORD_REFERENCE] = {"record-reference", VALUE_ID},
	[FIELD_RECORD_REFERENCES] = {"record-references", VALUE_LIST},
	[FIELD_USER] = {"user", VALUE_ID},
	[FIELD_LOCATION] = {"location", VALUE_TEXT},
	[FIELD_GEOLOCATION] = {"geolocation", VALUE_NONE},
	[FIELD_FILE] = {"file", VALUE_LIST},
	[FIELD_IMAGE] = {"image", VALUE_LIST},
	[FIELD_SIGNATURE] = {"signature", VALUE_NONE},
	[FIELD_MATRIX_SCORE] = {"matrix-score", VALUE_NUMBER},
	[FIELD_TABLE] = {"table", VALUE_NONE},
	[FIELD_OBJECT] = {"object", VALUE_NONE},
	[FIELD_COMPUTED] = {"computed", VALUE_NONE},
};

SlotKind
module_slot_kind(ValueKind kind)
{
	switch (kind)
	{
		case VALUE_TEXT:
		case VALUE_ID:
		case VALUE_BOOLEAN:
		case VALUE_OPTION:
			return SLOT_TEXT;
		case VALUE_NUMBER:
		case VALUE_DURATION:
		case VALUE_TIME_OF_DAY:
			return SLOT_NUMBER;
		case VALUE_TIME:
			return SLOT_TIME;
		default:
			return SLOT_NONE;
	}
}

static const struct
{
	ModuleAction action;
	const char *name;
}			actions[] = {
	{ACTION_READ, "read"},
	{ACTION_CREATE, "create"},
	{ACTION_UPDATE, "update"},
	{ACTION_DELETE, "delete"},
	{ACTION_TRANSITION, "transition"},
	{ACTION_BULK_STATE, "bulk.state"},
	{ACTION_EXPORT, "export"},
	{ACTION_COMMENT, "comment"},
	{ACTION_HOLD, "hold"},
};

const char *
module_action_name(ModuleAction action)
{
	for (int i = 0; i < (int) lengthof(actions); i++)
		if (actions[i].action == action)
			return actions[i].name;
	return "unknown";
}

char *
module_action_words(void)
{
	StringInfoData words;

	initStringInfo(&words);
	for (int i = 0; i < (int) lengthof(actions); i++)
		appendStringInfo(&words, "%s%s", i > 0 ? ", " : "", actions[i].name);
	return words.data;
}

uint32
module_action_parse(const char *name)
{
	for (int i = 0; i < (int) lengthof(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].action;
	return 0;
}

const char *
module_compared_member(FieldType type)
{
	switch (type)
	{
		case FIELD_CURRENCY:
			return "amount";
		case FIELD_QUANTITY:
			return "value";
		case FIELD_MATRIX_SCORE:
			return "score";
		default:
			return NULL;
	}
}

FieldType
module_member_type(FieldType type, const char *name, int length)
{
	static const struct
	{
		FieldType	type;
		const char *name;
		FieldType	member;
	}			members[] = {
		{FIELD_CURRENCY, "amount", FIELD_NUMBER}, {FIELD_CURRENCY, "currency", FIELD_TEXT},
		{FIELD_QUANTITY, "value", FIELD_NUMBER}, {FIELD_QUANTITY, "unit", FIELD_TEXT}, {FIELD_QUANTITY, "comparator", FIELD_TEXT},
		{FIELD_MATRIX_SCORE, "likelihood", FIELD_INTEGER}, {FIELD_MATRIX_SCORE, "severity", FIELD_INTEGER},
		{FIELD_MATRIX_SCORE, "score", FIELD_INTEGER}, {FIELD_MATRIX_SCORE, "band", FIELD_TEXT},
		{FIELD_DATE_RANGE, "from", FIELD_DATE}, {FIELD_DATE_RANGE, "to", FIELD_DATE},
		{FIELD_GEOLOCATION, "lat", FIELD_NUMBER}, {FIELD_GEOLOCATION, "lon", FIELD_NUMBER}, {FIELD_GEOLOCATION, "accuracy", FIELD_NUMBER},
		{FIELD_SIGNATURE, "name", FIELD_TEXT}, {FIELD_SIGNATURE, "signedAt", FIELD_DATETIME}, {FIELD_SIGNATURE, "meaning", FIELD_TEXT},
		{FIELD_SIGNATURE, "image", FIELD_TEXT},
	};

	for (int i = 0; i < (int) lengthof(members); i++)
		if (members[i].type == type && (int) strlen(members[i].name) == length && memcmp(members[i].name, name, length) == 0)
			return members[i].member;
	return FIELD_TYPE_COUNT;
}

const char *
module_id_prefix(FieldType type)
{
	switch (type)
	{
		case FIELD_RECORD_REFERENCE:
		case FIELD_RECORD_REFERENCES:
			return QEHS_ID_RECORD;
		case FIELD_USER:
			return QEHS_ID_USER;
		case FIELD_FILE:
		case FIELD_IMAGE:
			return QEHS_ID_ATTACHMENT;
		default:
			return NULL;
	}
}

bool
module_names_records(FieldType type)
{
	return type == FIELD_RECORD_REFERENCE || type == FIELD_RECORD_REFERENCES;
}

bool
module_field_refers_to(const ModuleField *field, const char *module_key)
{
	for (int i = 0; i < field->reference_count; i++)
		if (strcmp(field->references[i], module_key) == 0)
			return true;
	return field->reference_count == 0;
}

bool
module_takes_attachments(FieldType type)
{
	return type == FIELD_FILE || type == FIELD_IMAGE || type == FIELD_SIGNATURE;
}

/* Order of keys in jsonb: length, then bytes. */
static int
compare_key(const char *left, int left_length, const ModuleField *right)
{
	if (left_length != right->key_length)
		return left_length < right->key_length ? -1 : 1;
	return memcmp(left, right->key, left_length);
}

const ModuleField *
module_fields_find(const ModuleFields *fields, const char *key, int length)
{
	int			low = 0;
	int			high = fields->count - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = compare_key(key, length, &fields->items[middle]);

		if (order == 0)
			return &fields->items[middle];
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

const ModuleField *
module_field(const ModuleDef *module, const char *key, int length)
{
	return module_fields_find(&module->all, key, length);
}

const ModuleTransition *
module_transition(const ModuleDef *module, const char *name)
{
	for (int i = 0; i < module->transition_count; i++)
		if (strcmp(module->transitions[i].name, name) == 0)
			return &module->transitions[i];
	return NULL;
}

const ModuleUnique *
module_unique(const ModuleDef *module, const char *name)
{
	for (int i = 0; i < module->unique_count; i++)
		if (strcmp(module->uniques[i].name, name) == 0)
			return &module->uniques[i];
	return NULL;
}

bool
module_has_state(const ModuleDef *module, const char *state)
{
	for (int i = 0; i < module->state_count; i++)
		if (strcmp(module->states[i], state) == 0)
			return true;
	return false;
}

FieldType
definition_field_type(const JsonbContainer *field)
{
	char	   *name = json_member_text(field, "type");

	for (int i = 0; name && i < FIELD_TYPE_COUNT; i++)
		if (strcmp(module_field_types[i].name, name) == 0)
			return (FieldType) i;
	return FIELD_TYPE_COUNT;
}

const char *
definition_default_variable(const JsonbContainer *field)
{
	static const struct
	{
		const char *text;
		FieldType	type;
	}			variables[] = {{"$today", FIELD_DATE}, {"$now", FIELD_DATETIME}, {"$user", FIELD_USER}};
	char	   *text = json_member_text(field, "default");

	for (int i = 0; text && i < (int) lengthof(variables); i++)
		if (strcmp(text, variables[i].text) == 0 && definition_field_type(field) == variables[i].type)
			return variables[i].text + 1;
	return NULL;
}

bool
definition_is_unique(const JsonbContainer *field)
{
	return definition_field_type(field) == FIELD_IDENTIFIER || json_member_bool(field, "unique", false);
}
