/*
 * slots.c
 *	  The slot columns of a record: what its indexed fields hold, comparable.
 *
 * A field that the payload lacks has NULL in its slot and no entry in the index:
 * lists show such records behind the others.
 */
#include "base/compat.h"

#include "base/json.h"
#include "record/record.h"
#include "record/value.h"

void
record_slots(const ModuleDef *module, Jsonb *payload, RecordSlots *slots)
{
	for (int i = 0; i < QEHS_SLOTS; i++)
	{
		const ModuleField *field = module->slot_field[i] < 0 ? NULL : &module->fields[module->slot_field[i]];
		JsonbValue	json;
		Datum		value;

		slots->isnull[i] = field == NULL || !json_member(&payload->root, field->key, field->key_length, &json) ||
			!value_read(field->value_type, &json, &value);
		slots->values[i] = slots->isnull[i] ? (Datum) 0 : value_slot(field->kind, value);
	}
}
