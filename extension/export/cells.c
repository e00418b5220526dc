/*
 * cells.c
 *	  The values of records as cells of a file.
 *
 * A cell is JSON: null, a text, a number, true, false, or by the type of its
 * column (columns.c) a measure [number, unit], a list or files [text, …], a table
 * [[cell, …], …].  Times are RFC 3339 in UTC.  What people would not read as JSON
 * becomes a text: a span "2026-01-01/2026-01-31" (ISO 8601), a place "48.1, 11.6",
 * a user's name; other objects stay JSON, in a text.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/id.h"
#include "base/json.h"
#include "export/export.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"

/* A member of an object as a scalar cell. */
static void
write_member(StringInfo out, const JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (json_member(object, name, strlen(name), &value) && value.type != jbvBinary)
		json_jsonb_value(out, &value);
	else
		json_literal(out, "null");
}

/* "<0.5 mg/m3" as one text, which no sum takes for a number; false for a measure without a comparator. */
static bool
write_bound(StringInfo out, const JsonbContainer *object)
{
	char	   *comparator = json_member_text(object, "comparator");
	char	   *unit = json_member_text(object, "unit");
	JsonbValue	value;

	if (comparator == NULL || unit == NULL || !json_member(object, "value", 5, &value) || value.type != jbvNumeric)
		return false;
	json_string(out, psprintf("%s%s %s", comparator, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric))), unit));
	return true;
}

/* [number, unit] */
static void
write_measure(StringInfo out, const JsonbContainer *object, const char *number, const char *unit)
{
	appendStringInfoChar(out, '[');
	write_member(out, object, number);
	appendStringInfoChar(out, ',');
	write_member(out, object, unit);
	appendStringInfoChar(out, ']');
}

/* "left separator right" of two members, as one text. */
static void
write_pair(StringInfo out, const JsonbContainer *object, const char *left, const char *separator, const char *right)
{
	StringInfoData text;
	JsonbValue	value;

	initStringInfo(&text);
	for (const char *name = left; name; name = name == left ? right : NULL)
	{
		if (name == right)
			appendStringInfoString(&text, separator);
		if (!json_member(object, name, strlen(name), &value))
			continue;
		if (value.type == jbvString)
			appendBinaryStringInfo(&text, value.val.string.val, value.val.string.len);
		else
			json_jsonb_value(&text, &value);
	}
	json_string_n(out, text.data, text.len);
}

/* Any value as a text: a text itself, something else as its JSON. */
static void
write_text(StringInfo out, const JsonbValue *value)
{
	StringInfoData text;

	if (value->type == jbvString)
	{
		json_string_n(out, value->val.string.val, value->val.string.len);
		return;
	}
	initStringInfo(&text);
	json_jsonb_value(&text, value);
	json_string_n(out, text.data, text.len);
}

static void
write_time(StringInfo out, const JsonbValue *value)
{
	TimestampTz time;

	if (json_time_parse(value->val.string.val, value->val.string.len, &time))
		json_time(out, time);
	else
		write_text(out, value);
}

/* A list of one value or several, as one of texts. */
static void
write_list(StringInfo out, const JsonbValue *value)
{
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		json_jsonb_value(out, value);
		return;
	}
	appendStringInfoChar(out, '[');
	write_text(out, value);
	appendStringInfoChar(out, ']');
}

static void
write_table(StringInfo out, const RequestContext *context, const ModuleField *field, JsonbContainer *rows)
{
	check_stack_depth();
	appendStringInfoChar(out, '[');
	for (uint32 i = 0; i < JsonContainerSize(rows); i++)
	{
		JsonbValue *row = getIthJsonbValueFromContainer(rows, i);

		appendStringInfoString(out, i > 0 ? ",[" : "[");
		for (int j = 0; j < field->nested.count && row->type == jbvBinary; j++)
		{
			const ModuleField *nested = &field->nested.items[j];
			JsonbValue	value;
			bool		found = json_member(row->val.binary.data, nested->key, nested->key_length, &value);

			if (j > 0)
				appendStringInfoChar(out, ',');
			cell_write(out, context, nested, found ? &value : NULL);
		}
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
}

void
cell_write_actor(StringInfo out, const RequestContext *context, const pg_uuid_t *id)
{
	static const char before[] = "\"displayName\":";
	StringInfoData actor;
	const char *name;

	initStringInfo(&actor);
	context_write_actor(&actor, context->tenant_id, id);
	/* the last member of what context_write_actor wrote */
	name = strstr(actor.data, before);
	if (name)
		appendBinaryStringInfo(out, name + strlen(before), (int) strlen(name + strlen(before)) - 1);
	else
		json_literal(out, "null");
}

static void
write_user(StringInfo out, const RequestContext *context, const JsonbValue *value)
{
	pg_uuid_t	id;
	int			start = out->len;

	if (id_parse(value->val.string.val, value->val.string.len, QEHS_ID_USER, &id))
		cell_write_actor(out, context, &id);
	if (out->len == start || strcmp(out->data + start, "null") == 0)
	{
		out->len = start;
		write_text(out, value);
	}
}

/* An object, by the type of its field. */
static void
write_object(StringInfo out, const RequestContext *context, const ModuleField *field, const JsonbValue *value)
{
	const JsonbContainer *object = value->val.binary.data;

	switch (field->value_type)
	{
		case FIELD_CURRENCY:
			write_measure(out, object, "amount", "currency");
			break;
		case FIELD_QUANTITY:
			if (!write_bound(out, object))
				write_measure(out, object, "value", "unit");
			break;
		case FIELD_MATRIX_SCORE:
			write_member(out, object, "score");
			break;
		case FIELD_DATE_RANGE:
			write_pair(out, object, "from", "/", "to");
			break;
		case FIELD_GEOLOCATION:
			write_pair(out, object, "lat", ", ", "lon");
			break;
		case FIELD_SIGNATURE:
			write_pair(out, object, "name", ", ", "signedAt");
			break;
		default:
			write_text(out, value);
	}
}

void
cell_write(StringInfo out, const RequestContext *context, const ModuleField *field, const JsonbValue *value)
{
	FieldType	type = field->value_type;

	if (value == NULL || value->type == jbvNull)
		json_literal(out, "null");
	else if (type == FIELD_MULTI_SELECT || type == FIELD_TAGS || type == FIELD_RECORD_REFERENCES || type == FIELD_FILE || type == FIELD_IMAGE)
		write_list(out, value);
	else if (type == FIELD_TABLE && value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
		write_table(out, context, field, value->val.binary.data);
	else if (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data))
		write_object(out, context, field, value);
	else if (value->type == jbvString && type == FIELD_DATETIME)
		write_time(out, value);
	else if (value->type == jbvString && type == FIELD_USER)
		write_user(out, context, value);
	else if (value->type == jbvNumeric || value->type == jbvBool)
		json_jsonb_value(out, value);
	else
		write_text(out, value);
}

/* What of a record is no field. */
static void
write_record_member(StringInfo out, const RequestContext *context, const ModuleDef *module, ExportMember member, const Record *record)
{
	switch (member)
	{
		case MEMBER_ID:
			json_id(out, &record->id, QEHS_ID_RECORD);
			break;
		case MEMBER_CODE:
			record_write_display_code(out, module, record->display_no);
			break;
		case MEMBER_STATE:
			json_string(out, record->workflow_state);
			break;
		case MEMBER_VERSION:
			json_int(out, record->version);
			break;
		case MEMBER_DEFINITION_VERSION:
			json_int(out, record->definition_version);
			break;
		case MEMBER_CREATED_AT:
			json_time(out, record->created_at);
			break;
		case MEMBER_UPDATED_AT:
			json_time(out, record->updated_at);
			break;
		case MEMBER_CREATED_BY:
			cell_write_actor(out, context, &record->created_by);
			break;
		case MEMBER_UPDATED_BY:
			cell_write_actor(out, context, &record->updated_by);
			break;
		case MEMBER_SIGNATURES:
			audit_write_signatures(out, context->tenant_id, &record->id);
			break;
		case MEMBER_DUE_AT:
			if (record->has_due)
				json_time(out, record->due_at);
			else
				json_literal(out, "null");
			break;
		default:
			if (record->deleted)
				json_time(out, record->deleted_at);
			else
				json_literal(out, "null");
	}
}

void
cells_write_record(StringInfo out, const RequestContext *context, const ModuleDef *module, const ExportColumns *columns, const Record *record)
{
	PermissionSubject subject = record_subject(record);
	int32		version = record->definition_version;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < columns->count; i++)
	{
		const ExportColumn *column = &columns->items[i];
		const char *key = column->field ? module_field_key(column->field, version) : NULL;
		JsonbValue	value;

		if (i > 0)
			appendStringInfoChar(out, ',');
		if (column->field == NULL)
			write_record_member(out, context, module, column->member, record);
		else if (key && json_member(&record->payload->root, key, strlen(key), &value) &&
				 permission_reads_key(context, module, &subject, version, key, strlen(key)))
			cell_write(out, context, column->field, &value);
		else
			json_literal(out, "null");
	}
	appendStringInfoChar(out, ']');
}
