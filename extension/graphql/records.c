/*
 * records.c
 *	  Records as the text of the answer, from a level that has been loaded.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "graphql/load.h"
#include "miscadmin.h"

/* A field of the payload, if the caller may read it of this record. */
static bool
write_payload_field(Run *run, StringInfo out, RunField *field, const RunLevel *level, const Record *record)
{
	const ModuleField *definition = module_field(level->module, field->source->key, strlen(field->source->key));
	JsonbValue	value;
	bool		found = load_value(run, level, definition, record, &value);

	return run_write_json(run, out, field, field->field->type, found ? &value : NULL);
}

/* What was loaded as JSON. */
static bool
write_loaded(Run *run, StringInfo out, RunField *field, Jsonb *loaded)
{
	JsonbValue	value = {.type = jbvBinary};

	if (loaded)
	{
		value.val.binary.data = &loaded->root;
		value.val.binary.len = VARSIZE_ANY_EXHDR(loaded);
	}
	return run_write_json(run, out, field, field->field->type, loaded ? &value : NULL);
}

/* The record, or the list of records, that a field names. */
static bool
write_named(Run *run, StringInfo out, RunField *field, const RunNamed *named, int count)
{
	if (graphql_nullable_type(field->field->type)->kind == GRAPHQL_TYPE_LIST)
		return load_write_named(run, out, named, count);
	if (count == 0)
		return run_write_null(run, out, field, field->field->type);
	if (!load_write_record(run, out, named->level, named->number))
		json_literal(out, "null");	/* a reference may be null */
	return true;
}

static bool
write_field(Run *run, StringInfo out, const RunLevel *level, int number, int place)
{
	RunField   *field = &level->fields->items[place];
	const RunLoaded *loaded = &level->loaded[place];
	const Record *record = &level->records[number];
	PermissionSubject subject;

	switch (field->source->origin)
	{
		case ORIGIN_TYPENAME:
			json_string_n(out, level->fields->type->name.data, level->fields->type->name.length);
			return true;
		case ORIGIN_ID:
			json_id(out, &record->id, QEHS_ID_RECORD);
			return true;
		case ORIGIN_MODULE_KEY:
			json_string(out, level->module->key);
			return true;
		case ORIGIN_DISPLAY_CODE:
			record_write_display_code(out, level->module, record->display_no);
			return true;
		case ORIGIN_STATE:
			json_string(out, record->workflow_state);
			return true;
		case ORIGIN_VERSION:
			json_int(out, record->version);
			return true;
		case ORIGIN_DEFINITION_VERSION:
			json_int(out, record->definition_version);
			return true;
		case ORIGIN_CREATED_AT:
			json_time(out, record->created_at);
			return true;
		case ORIGIN_UPDATED_AT:
			json_time(out, record->updated_at);
			return true;
		case ORIGIN_DUE_AT:
			if (record->has_due)
				json_time(out, record->due_at);
			else
				json_literal(out, "null");
			return true;
		case ORIGIN_PAYLOAD:
			subject = record_subject(record);
			permission_write_payload(out, run->context, record_module(run->context, record), &subject);
			return true;
		case ORIGIN_FIELD:
			return write_payload_field(run, out, field, level, record);
		case ORIGIN_REFERENCE:
			return write_named(run, out, field, loaded->named + loaded->starts[number], loaded->counts[number]);
		case ORIGIN_BACK_REFERENCE:
			return load_write_records(run, out, loaded->below, loaded->starts[number], loaded->counts[number]);
		case ORIGIN_LINKS:
			return links_write(run, out, field, level, loaded, number);
		default:
			return write_loaded(run, out, field, loaded->values[number]);
	}
}

bool
load_write_record(Run *run, StringInfo out, const RunLevel *level, int number)
{
	int			start = out->len;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < level->fields->count; i++)
	{
		int			path = run_begin_member(run, out, start, &level->fields->items[i]);
		bool		written = write_field(run, out, level, number, i);

		if (!run_end_member(run, out, start, path, written))
			return false;
	}
	appendStringInfoString(out, out->len > start ? "}" : "{}");
	return true;
}

bool
load_write_named(Run *run, StringInfo out, const RunNamed *named, int count)
{
	int			start = out->len;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		int			path = run_begin_item(run, i);
		bool		written;

		if (i > 0)
			appendStringInfoChar(out, ',');
		written = load_write_record(run, out, named[i].level, named[i].number);
		if (!run_end_member(run, out, start, path, written))
			return false;
	}
	appendStringInfoChar(out, ']');
	return true;
}

bool
load_write_records(Run *run, StringInfo out, const RunLevel *level, int first, int count)
{
	RunNamed   *named = palloc(Max(count, 1) * sizeof(RunNamed));

	for (int i = 0; i < count; i++)
		named[i] = (RunNamed) {unconstify(RunLevel *, level), first + i};
	return load_write_named(run, out, named, count);
}
