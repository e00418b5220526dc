/*
 * fields.c
 *	  The field types and the actions, and finding fields, states and transitions by name.
 */
#include "base/compat.h"

#include "base/id.h"
#include "module/module.h"

const FieldTypeInfo module_field_types[FIELD_TYPE_COUNT] = {
	[FIELD_TEXT] = {"text", SLOT_TEXT},
	[FIELD_RICH_TEXT] = {"rich-text", SLOT_TEXT},
	[FIELD_EMAIL] = {"email", SLOT_TEXT},
	[FIELD_PHONE] = {"phone", SLOT_TEXT},
	[FIELD_URL] = {"url", SLOT_TEXT},
	[FIELD_IDENTIFIER] = {"identifier", SLOT_TEXT},
	[FIELD_NUMBER] = {"number", SLOT_NUMBER},
	[FIELD_INTEGER] = {"integer", SLOT_NUMBER},
	[FIELD_QUANTITY] = {"quantity", SLOT_NUMBER},
	[FIELD_CURRENCY] = {"currency", SLOT_NUMBER},
	[FIELD_PERCENTAGE] = {"percentage", SLOT_NUMBER},
	[FIELD_DATE] = {"date", SLOT_TIME},
	[FIELD_DATETIME] = {"datetime", SLOT_TIME},
	[FIELD_DURATION] = {"duration", SLOT_TEXT},
	[FIELD_DATE_RANGE] = {"date-range", SLOT_NONE},
	[FIELD_BOOLEAN] = {"boolean", SLOT_TEXT},
	[FIELD_SELECT] = {"select", SLOT_TEXT},
	[FIELD_MULTI_SELECT] = {"multi-select", SLOT_NONE},
	[FIELD_LOOKUP] = {"lookup", SLOT_TEXT},
	[FIELD_RECORD_REFERENCE] = {"record-reference", SLOT_TEXT},
	[FIELD_USER] = {"user", SLOT_TEXT},
	[FIELD_LOCATION] = {"location", SLOT_TEXT},
	[FIELD_GEOLOCATION] = {"geolocation", SLOT_NONE},
	[FIELD_FILE] = {"file", SLOT_NONE},
	[FIELD_IMAGE] = {"image", SLOT_NONE},
	[FIELD_SIGNATURE] = {"signature", SLOT_NONE},
	[FIELD_MATRIX_SCORE] = {"matrix-score", SLOT_NUMBER},
	[FIELD_TABLE] = {"table", SLOT_NONE},
	[FIELD_OBJECT] = {"object", SLOT_NONE},
	[FIELD_COMPUTED] = {"computed", SLOT_NONE},
};

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
	{ACTION_EXPORT, "export"},
	{ACTION_COMMENT, "comment"},
	{ACTION_BULK_STATE, "bulk.state"},
};

const char *
module_action_name(ModuleAction action)
{
	for (int i = 0; i < (int) lengthof(actions); i++)
		if (actions[i].action == action)
			return actions[i].name;
	return "unknown";
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

const char *
module_id_prefix(FieldType type)
{
	switch (type)
	{
		case FIELD_RECORD_REFERENCE:
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

bool
module_has_state(const ModuleDef *module, const char *state)
{
	for (int i = 0; i < module->state_count; i++)
		if (strcmp(module->states[i], state) == 0)
			return true;
	return false;
}
