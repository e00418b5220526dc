/*
 * columns.c
 *	  The columns of an export: their names, labels and types.
 */
#include "base/compat.h"

#include "base/json.h"
#include "export/export.h"
#include "module/locale.h"

#define PAYLOAD "payload."

static const struct
{
	const char *name;
	const char *label;
	const char *type;
	ExportMember member;
}			members[] = {
	{"id", "Id", "text", MEMBER_ID},
	{"displayCode", "Code", "text", MEMBER_CODE},
	{"workflowState", "State", "text", MEMBER_STATE},
	{"version", "Version", "number", MEMBER_VERSION},
	{"definitionVersion", "Definition version", "number", MEMBER_DEFINITION_VERSION},
	{"createdAt", "Created at", "datetime", MEMBER_CREATED_AT},
	{"createdBy", "Created by", "text", MEMBER_CREATED_BY},
	{"updatedAt", "Updated at", "datetime", MEMBER_UPDATED_AT},
	{"updatedBy", "Updated by", "text", MEMBER_UPDATED_BY},
	{"dueAt", "Due at", "datetime", MEMBER_DUE_AT},
	{"deletedAt", "Deleted at", "datetime", MEMBER_DELETED_AT},
	{"signatures", "Signatures", "text", MEMBER_SIGNATURES},
};

/* How cells of a field are written; cells.c writes them so. */
static const char *
type_of(const ModuleField *field)
{
	switch (field->value_type)
	{
		case FIELD_NUMBER:
		case FIELD_INTEGER:
		case FIELD_PERCENTAGE:
		case FIELD_MATRIX_SCORE:
			return "number";
		case FIELD_QUANTITY:
		case FIELD_CURRENCY:
			return "measure";
		case FIELD_BOOLEAN:
			return "boolean";
		case FIELD_DATE:
			return "date";
		case FIELD_DATETIME:
			return "datetime";
		case FIELD_MULTI_SELECT:
		case FIELD_TAGS:
		case FIELD_RECORD_REFERENCES:
			return "list";
		case FIELD_FILE:
		case FIELD_IMAGE:
			return "files";
		case FIELD_TABLE:
			return "table";
		default:
			return "text";
	}
}

/* Add a column by its name; false when the module has no such member or field. */
static bool
add_column(const ModuleDef *module, const char *name, ExportColumns *columns)
{
	ExportColumn *column = &columns->items[columns->count];

	memset(column, 0, sizeof(*column));
	for (int i = 0; i < (int) lengthof(members); i++)
	{
		if (strcmp(members[i].name, name) == 0)
		{
			*column = (ExportColumn) {members[i].name, members[i].label, members[i].member, NULL};
			columns->count++;
			return true;
		}
	}
	if (strncmp(name, PAYLOAD, strlen(PAYLOAD)) == 0)
		name += strlen(PAYLOAD);
	column->field = module_field(module, name, strlen(name));
	if (column->field == NULL)
		return false;
	column->name = column->label = column->field->key;
	columns->count++;
	return true;
}

/* The fields of the definition in its order. */
static void
add_fields(const RequestContext *context, const ModuleDef *module, ExportColumns *columns)
{
	JsonbValue	fields;

	if (!json_member(&module->definition->root, "fields", 6, &fields) || fields.type != jbvBinary)
		return;
	for (uint32 i = 0; i < JsonContainerSize(fields.val.binary.data) && columns->count < QEHS_EXPORT_COLUMNS - 8; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(fields.val.binary.data, i);
		char	   *key = json_member_text(item->val.binary.data, "key");
		const ModuleField *field = module_field(module, key, strlen(key));

		if (!json_member_bool(item->val.binary.data, "deprecated", false) &&
			permission_reads_field(context, module, field, &permission_some_record))
			add_column(module, key, columns);
	}
}

/* Whether some transition asks for a signature. */
static bool
is_signed(const ModuleDef *module)
{
	for (int i = 0; i < module->transition_count; i++)
		if (module->transitions[i].meanings.count >= 0)
			return true;
	return false;
}

void
columns_read(const RequestContext *context, const ModuleDef *module, const JsonbContainer *names, bool deleted_too, ExportColumns *columns,
			 ViolationList *faults)
{
	static const char *const last[] = {"createdAt", "createdBy", "updatedAt", "updatedBy", "deletedAt"};

	columns->count = 0;
	if (names == NULL)
	{
		add_column(module, "displayCode", columns);
		add_column(module, "workflowState", columns);
		add_fields(context, module, columns);
		for (int i = 0; i < (int) lengthof(last) - !deleted_too; i++)
			add_column(module, last[i], columns);
		if (is_signed(module))
			add_column(module, "signatures", columns);
		return;
	}
	if (JsonContainerSize(names) == 0 || JsonContainerSize(names) > QEHS_EXPORT_COLUMNS)
	{
		violation_add(faults, "/columns", "length", "must be 1 to %d columns", QEHS_EXPORT_COLUMNS);
		return;
	}
	for (uint32 i = 0; i < JsonContainerSize(names); i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, names), i);

		if (name->type != jbvString || !add_column(module, json_text_copy(name), columns))
			violation_add(faults, psprintf("/columns/%u", i), "unknown_field",
						  "must be a field of module \"%s\" or one of id, displayCode, workflowState, version, definitionVersion, createdAt,"
						  " createdBy, updatedAt, updatedBy, dueAt, deletedAt, signatures", module->key);
	}
}

void
columns_label(const ModuleDef *module, const char *accept, ExportColumns *columns)
{
	const char *language = locale_choose(module->definition, accept);
	Jsonb	   *definition = language ? locale_definition(module->definition, language) : module->definition;
	JsonbValue	fields;

	if (!json_member(&definition->root, "fields", 6, &fields) || fields.type != jbvBinary)
		return;
	for (uint32 i = 0; i < JsonContainerSize(fields.val.binary.data); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(fields.val.binary.data, i);
		char	   *key = json_member_text(item->val.binary.data, "key");
		char	   *label = label_default(item->val.binary.data);

		for (int j = 0; label && j < columns->count; j++)
			if (columns->items[j].field && strcmp(columns->items[j].field->key, key) == 0)
				columns->items[j].label = label;
	}
}

static void
write_column(StringInfo out, const char *key, const char *label, const char *type)
{
	if (out->data[out->len - 1] != '[')
		appendStringInfoChar(out, ',');
	json_literal(out, "{\"key\":");
	json_string(out, key);
	json_literal(out, ",\"label\":");
	json_string(out, label);
	appendStringInfo(out, ",\"type\":\"%s\"", type);
}

void
columns_write(StringInfo out, const ExportColumns *columns)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < columns->count; i++)
	{
		const ExportColumn *column = &columns->items[i];

		if (column->field == NULL)
		{
			for (int j = 0; j < (int) lengthof(members); j++)
				if (members[j].member == column->member)
					write_column(out, column->name, column->label, members[j].type);
		}
		else
		{
			write_column(out, column->name, column->label, type_of(column->field));
			if (column->field->value_type == FIELD_TABLE)
			{
				json_literal(out, ",\"fields\":[");
				for (int j = 0; j < column->field->nested.count; j++)
				{
					const ModuleField *nested = &column->field->nested.items[j];

					write_column(out, nested->key, nested->label, type_of(nested));
					appendStringInfoChar(out, '}');
				}
				appendStringInfoChar(out, ']');
			}
		}
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}
