/*
 * slots.c
 *	  What lists look at: the slot columns, which hold the indexed fields
 *	  comparably, and the text that q searches.
 */
#include "base/compat.h"

#include "base/json.h"
#include "mb/pg_wchar.h"
#include "record/record.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"

/* Text of at most QEHS_TEXT_SLOT_BYTES, cut between characters. */
static Datum
text_slot(const char *text, int length)
{
	length = pg_mbcliplen(text, length, QEHS_TEXT_SLOT_BYTES);
	return PointerGetDatum(cstring_to_text_with_len(text, length));
}

static bool
text_value(const JsonbValue *value, Datum *slot)
{
	if (value->type == jbvString)
		*slot = text_slot(value->val.string.val, value->val.string.len);
	else if (value->type == jbvBool)
		*slot = text_slot(value->val.boolean ? "true" : "false", value->val.boolean ? 4 : 5);
	else
		return false;
	return true;
}

static bool
numeric_slot(Numeric numeric, Datum *slot)
{
	*slot = DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(numeric));
	return true;
}

/* A number, or that by which an object compares. */
static bool
number_value(const ModuleField *field, const JsonbValue *value, Datum *slot)
{
	JsonbValue	member;
	const char *name = module_compared_member(field->type);

	if (value->type == jbvNumeric)
		return numeric_slot(value->val.numeric, slot);
	if (name == NULL || value->type != jbvBinary || !json_member(value->val.binary.data, name, strlen(name), &member))
		return false;
	if (member.type == jbvNumeric)
		return numeric_slot(member.val.numeric, slot);
	if (member.type != jbvString)
		return false;
	*slot = Float8GetDatum(strtod(json_text_copy(&member), NULL));
	return true;
}

static bool
time_value(const ModuleField *field, const JsonbValue *value, Datum *slot)
{
	TimestampTz time;

	if (value->type != jbvString)
		return false;
	if (field->type == FIELD_DATE ? !json_date_parse(value->val.string.val, value->val.string.len, &time) :
		!json_time_parse(value->val.string.val, value->val.string.len, &time))
		return false;
	*slot = TimestampTzGetDatum(time);
	return true;
}

/* The slot's value of a field; false when the payload has none. */
static bool
field_value(const ModuleField *field, const JsonbValue *value, Datum *slot)
{
	switch (field->kind)
	{
		case SLOT_TEXT:
			return text_value(value, slot);
		case SLOT_NUMBER:
			return number_value(field, value, slot);
		case SLOT_TIME:
			return time_value(field, value, slot);
		default:
			return false;
	}
}

static Datum
missing_value(SlotKind kind)
{
	switch (kind)
	{
		case SLOT_TEXT:
			return CStringGetTextDatum(QEHS_SLOT_MISSING_TEXT);
		case SLOT_NUMBER:
			return Float8GetDatum(get_float8_nan());
		default:
			return TimestampTzGetDatum(DT_NOEND);
	}
}

void
record_slots(const ModuleDef *module, Jsonb *payload, RecordSlots *slots)
{
	for (int i = 0; i < QEHS_SLOTS; i++)
	{
		const ModuleField *field;
		JsonbValue	value;

		slots->isnull[i] = module->slot_field[i] < 0;
		slots->values[i] = (Datum) 0;
		if (slots->isnull[i])
			continue;
		field = &module->fields[module->slot_field[i]];
		if (!json_member(&payload->root, field->key, field->key_length, &value) ||
			!field_value(field, &value, &slots->values[i]))
			slots->values[i] = missing_value(field->kind);
	}
}

char *
record_search_text(const ModuleDef *module, Jsonb *payload)
{
	StringInfoData text;

	if (!module->has_searchable)
		return NULL;
	initStringInfo(&text);
	for (int i = 0; i < module->field_count; i++)
	{
		JsonbValue	value;

		if (!module->fields[i].searchable ||
			!json_member(&payload->root, module->fields[i].key, module->fields[i].key_length, &value) ||
			value.type != jbvString)
			continue;
		appendBinaryStringInfo(&text, value.val.string.val, value.val.string.len);
		appendStringInfoChar(&text, '\n');
	}
	return text.data;
}
