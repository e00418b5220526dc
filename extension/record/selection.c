/*
 * selection.c
 *	  The members that a list's answer is trimmed to (fields=…).
 */
#include "base/compat.h"

#include "base/json.h"
#include "fmgr.h"
#include "record/selection.h"
#include "utils/builtins.h"

#define PAYLOAD "payload."

static bool
is_selected(const Selection *selection, const char *name)
{
	for (int i = 0; i < selection->count; i++)
		if (strcmp(selection->names[i], name) == 0)
			return true;
	return false;
}

void
selection_read(const ModuleDef *module, char *fields, Selection *selection, ViolationList *faults)
{
	static const char *const known[] = {"id", "moduleKey", "displayCode", "workflowState", "payload", "version",
	"definitionVersion", "createdAt", "updatedAt", "createdBy", "updatedBy", "deletedAt", "dueAt"};

	selection->module = module;
	selection->count = 0;
	for (char *name = strsep(&fields, ","); name; name = strsep(&fields, ","))
	{
		bool		found = strncmp(name, PAYLOAD, strlen(PAYLOAD)) == 0 &&
			module_field(module, name + strlen(PAYLOAD), strlen(name + strlen(PAYLOAD)));

		for (int i = 0; i < (int) lengthof(known) && !found; i++)
			found = strcmp(known[i], name) == 0;
		if (!found || selection->count >= (int) lengthof(selection->names))
			violation_add_first(faults, "?fields", "unknown_field", "has no field \"%s\" to select", name);
		else if (!is_selected(selection, name))
			selection->names[selection->count++] = name;
	}
}

/* The selected members of the payload that the caller may read, under their current names. */
static void
write_members(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record, const Selection *selection)
{
	PermissionSubject subject = record_subject(record);
	bool		any = false;

	for (int i = 0; i < selection->count; i++)
	{
		const char *name = selection->names[i];
		const ModuleField *field;
		const char *key;
		JsonbValue	value;

		if (strncmp(name, PAYLOAD, strlen(PAYLOAD)) != 0)
			continue;
		name += strlen(PAYLOAD);
		appendStringInfoString(out, any ? "" : ",\"payload\":{");
		any = true;
		field = module_field(selection->module, name, strlen(name));
		key = module_field_key(field, record->definition_version);
		if (key == NULL || !json_member(&record->payload->root, key, strlen(key), &value) ||
			!permission_reads_key(context, module, &subject, record->definition_version, key, strlen(key)))
			continue;
		if (out->data[out->len - 1] != '{')
			appendStringInfoChar(out, ',');
		json_name(out, name);
		json_jsonb_value(out, &value);
	}
	if (any)
		appendStringInfoChar(out, '}');
}

/* The other members are copied from the whole record's JSON, which has no payload unless that is asked for. */
void
selection_write(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record, const Selection *selection)
{
	bool		payload = is_selected(selection, "payload");
	Record		head = *record;
	StringInfoData text;
	Jsonb	   *whole;
	JsonbValue	value;

	if (!payload)
		head.payload = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	initStringInfo(&text);
	record_write_json(&text, context, module, &head, false);
	whole = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
	json_literal(out, "{\"id\":");
	json_member(&whole->root, "id", 2, &value);
	json_jsonb_value(out, &value);
	for (int i = 0; i < selection->count; i++)
	{
		const char *name = selection->names[i];

		if (strcmp(name, "id") == 0 || strncmp(name, PAYLOAD, strlen(PAYLOAD)) == 0 ||
			!json_member(&whole->root, name, strlen(name), &value))
			continue;
		appendStringInfoChar(out, ',');
		json_name(out, name);
		json_jsonb_value(out, &value);
	}
	if (!payload)
		write_members(out, context, module, record, selection);
	appendStringInfoChar(out, '}');
}
