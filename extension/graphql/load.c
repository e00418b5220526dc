/*
 * load.c
 *	  What the fields of a level of records need, one statement a field.
 *
 * Statements are kept plans, but those of records that refer to others, whose
 * shape follows from the field, its filter and order: they go through the plans
 * of lists (record/list.h).
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "graphql/load.h"
#include "miscadmin.h"
#include "record/link.h"
#include "record/list.h"
#include "utils/builtins.h"

static KeptPlan select_users = {
	"SELECT id, user_name, display_name, coalesce(pg_catalog.jsonb_path_query_first(attributes, '$.emails[*] ? (@.primary == true).value')"
	" #>> '{}', attributes #>> '{emails,0,value}'), active FROM qehs.user_account WHERE tenant_id = $1 AND id = ANY ($2)",
	2, {INT4OID, UUIDARRAYOID}, NULL
};
/* The columns of select_users. */
enum
{
	COLUMN_ID = 1, COLUMN_USER_NAME, COLUMN_DISPLAY_NAME, COLUMN_EMAIL, COLUMN_ACTIVE
};
static KeptPlan select_records = {
	"SELECT " QEHS_RECORD_COLUMNS " FROM qehs.record WHERE tenant_id = $1 AND id = ANY ($2) AND deleted_at IS NULL",
	2, {INT4OID, UUIDARRAYOID}, NULL
};
static KeptPlan select_light_records = {
	"SELECT id, module_id, display_no, workflow_state, version, definition_version, NULL::jsonb, created_at, created_by, updated_at,"
	" updated_by, deleted_at, due_at FROM qehs.record WHERE tenant_id = $1 AND id = ANY ($2) AND deleted_at IS NULL",
	2, {INT4OID, UUIDARRAYOID}, NULL
};
/* ---- ids ---- */

static int
compare_ids(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN);
}

/* ---- records ---- */

bool
load_needs_payload(const Run *run, const RunFields *fields, const ModuleDef *module)
{
	if (permission_depends_on_record(run->context, module))
		return true;
	for (int i = 0; i < fields->count; i++)
		switch (fields->items[i].source->origin)
		{
			case ORIGIN_PAYLOAD:
			case ORIGIN_FIELD:
			case ORIGIN_USER:
			case ORIGIN_REFERENCE:
			case ORIGIN_TRANSITIONS:
			case ORIGIN_ACTIVITY:
			case ORIGIN_ATTACHMENTS:
			case ORIGIN_LINKS:
				return true;
			default:
				break;
		}
	return false;
}

const char *
load_columns(const char *alias, bool with_payload)
{
	return psprintf("%1$s.id, %1$s.module_id, %1$s.display_no, %1$s.workflow_state, %1$s.version, %1$s.definition_version, %2$s,"
					" %1$s.created_at, %1$s.created_by, %1$s.updated_at, %1$s.updated_by, %1$s.deleted_at, %1$s.due_at", alias,
					with_payload ? psprintf("%s.payload", alias) : "NULL::jsonb");
}

/* May the caller read it?  Its payload is there where that depends on it. */
static bool
may_read(const Run *run, const Record *record, bool with_payload)
{
	PermissionSubject subject = record_subject(record);

	return permission_may(run->context, record_module(run->context, record), ACTION_READ, with_payload ? &subject : NULL, NULL);
}

Record *
load_records(Run *run, const Datum *ids, int id_count, bool with_payload, int *count)
{
	Datum		values[2] = {Int32GetDatum(run->context->tenant_id)};
	uint64		rows;
	Record	   *records;

	*count = 0;
	if (id_count == 1)
	{
		records = palloc(sizeof(Record));
		if (record_look_up(run->context->tenant_id, DatumGetUUIDP(ids[0]), records) && !records->deleted && may_read(run, records, with_payload))
			*count = 1;
		return records;
	}
	values[1] = id_array(ids, id_count);
	rows = plan_execute_generic(with_payload ? &select_records : &select_light_records, values, NULL, true, 0);
	records = palloc(Max(rows, 1) * sizeof(Record));
	for (uint64 i = 0; i < rows; i++)
	{
		record_read_row(i, &records[*count]);
		if (may_read(run, &records[*count], with_payload))
			(*count)++;
	}
	record_sort(records, *count);
	return records;
}

/* ---- fields of a level ---- */

bool
load_value(const Run *run, const RunLevel *level, const ModuleField *field, const Record *record, JsonbValue *value)
{
	const char *key = field && record->payload ? module_field_key(field, record->definition_version) : NULL;
	PermissionSubject subject;

	if (key == NULL || !json_member(&record->payload->root, key, strlen(key), value))
		return false;
	subject = record_subject(record);
	return level->reads_all || permission_reads_field(run->context, level->module, field, &subject);
}

/* The id that a field of a record's payload has; false where there is none, or the caller may not read it. */
static bool
read_id(const Run *run, const RunLevel *level, const ModuleField *field, const Record *record, const char *prefix, pg_uuid_t *id)
{
	JsonbValue	value;

	return load_value(run, level, field, record, &value) && value.type == jbvString &&
		id_parse(value.val.string.val, value.val.string.len, prefix, id);
}

static Jsonb *
parse_json(const StringInfoData *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text->data)));
}

/* The users of ids: {"id","userName","displayName","email","active","type"} for each that is one, else NULL. */
static Jsonb **
load_users(Run *run, const pg_uuid_t *ids, const bool *given, int count)
{
	Datum	   *wanted = palloc(Max(count, 1) * sizeof(Datum));
	Jsonb	  **users = palloc0(Max(count, 1) * sizeof(Jsonb *));
	Datum		values[2];
	uint64		rows;
	int			wanted_count = 0;

	for (int i = 0; i < count; i++)
		if (given[i])
			wanted[wanted_count++] = UUIDPGetDatum(&ids[i]);
	if (wanted_count == 0)
		return users;
	values[0] = Int32GetDatum(run->context->tenant_id);
	values[1] = id_array(wanted, wanted_count);
	rows = plan_execute_generic(&select_users, values, NULL, true, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		pg_uuid_t	id = *DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull));
		Datum		email;
		StringInfoData json;
		Jsonb	   *user;

		initStringInfo(&json);
		json_literal(&json, "{\"type\":\"user\",\"id\":");
		json_id(&json, &id, QEHS_ID_USER);
		json_literal(&json, ",\"userName\":");
		json_string(&json, TextDatumGetCString(plan_value(row, COLUMN_USER_NAME, &isnull)));
		json_literal(&json, ",\"displayName\":");
		json_string(&json, TextDatumGetCString(plan_value(row, COLUMN_DISPLAY_NAME, &isnull)));
		email = plan_value(row, COLUMN_EMAIL, &isnull);
		json_literal(&json, ",\"email\":");
		json_string(&json, isnull ? NULL : TextDatumGetCString(email));
		json_literal(&json, ",\"active\":");
		json_bool(&json, DatumGetBool(plan_value(row, COLUMN_ACTIVE, &isnull)));
		appendStringInfoChar(&json, '}');
		user = parse_json(&json);
		for (int i = 0; i < count; i++)
			if (given[i] && compare_ids(&ids[i], &id) == 0)
				users[i] = user;
	}
	return users;
}

static void
load_user_field(Run *run, const RunLevel *level, const RunField *field, RunLoaded *loaded)
{
	const ModuleField *definition = module_field(level->module, field->source->key, strlen(field->source->key));
	pg_uuid_t  *ids = palloc(level->count * sizeof(pg_uuid_t));
	bool	   *given = palloc(level->count * sizeof(bool));

	for (int i = 0; i < level->count; i++)
		given[i] = read_id(run, level, definition, &level->records[i], QEHS_ID_USER, &ids[i]);
	loaded->values = load_users(run, ids, given, level->count);
}

/* Have those who are no users at hand. */
static void
load_missing_actors(Run *run, const pg_uuid_t *ids, Jsonb **users, int count)
{
	pg_uuid_t  *missing = palloc(Max(count, 1) * sizeof(pg_uuid_t));
	int			missing_count = 0;

	for (int i = 0; i < count; i++)
		if (users[i] == NULL)
			missing[missing_count++] = ids[i];
	context_load_actors(run->context->tenant_id, missing, missing_count);
}

/* Who created or changed the records: users, and else what the context knows of them. */
static void
load_actor_field(Run *run, const RunLevel *level, bool creator, RunLoaded *loaded)
{
	pg_uuid_t  *ids = palloc(level->count * sizeof(pg_uuid_t));
	bool	   *given = palloc(level->count * sizeof(bool));

	for (int i = 0; i < level->count; i++)
	{
		ids[i] = creator ? level->records[i].created_by : level->records[i].updated_by;
		given[i] = true;
	}
	loaded->values = load_users(run, ids, given, level->count);
	load_missing_actors(run, ids, loaded->values, level->count);
	for (int i = 0; i < level->count; i++)
	{
		StringInfoData text;

		if (loaded->values[i])
			continue;
		initStringInfo(&text);
		context_write_actor(&text, run->context->tenant_id, &ids[i]);
		loaded->values[i] = parse_json(&text);
		for (int j = i + 1; j < level->count; j++)
			if (loaded->values[j] == NULL && compare_ids(&ids[i], &ids[j]) == 0)
				loaded->values[j] = loaded->values[i];
	}
}

/* The ids that a field of the level's records has, of each at most limit; starts and counts of loaded say which are whose. */
static LinkSet
read_named(const Run *run, const RunLevel *level, const ModuleField *definition, int32 limit, RunLoaded *loaded)
{
	LinkSet		ids = {0};

	loaded->starts = palloc0(level->count * sizeof(int));
	loaded->counts = palloc0(level->count * sizeof(int));
	for (int i = 0; i < level->count; i++)
	{
		JsonbValue	value;

		loaded->starts[i] = ids.count;
		if (load_value(run, level, definition, &level->records[i], &value))
			link_add_value(&ids, definition, &value);
		ids.count = Min(ids.count, loaded->starts[i] + limit);
		loaded->counts[i] = ids.count - loaded->starts[i];
	}
	return ids;
}

/* The level of those of records that are of the module of the one at first; marks their places in named by their order in records. */
static void
load_named_module(Run *run, RunField *field, const Record *records, int count, int first, RunNamed *named)
{
	const ModuleDef *module = module_lookup_version(run->context->tenant_id, records[first].module_id, 0);
	const GraphqlType *type = graphql_model_type(run->model, module->key);
	Record	   *own = palloc(count * sizeof(Record));
	int			own_count = 0;
	RunLevel   *level;

	/* a record that was moved to another module is not of the field's type any more */
	if (type == NULL || (field->source->module && strcmp(field->source->module, module->key) != 0))
		return;
	for (int i = first; i < count; i++)
		if (records[i].module_id == module->module_id)
			own[own_count++] = records[i];
	level = load_level(run, run_fields(run, field, type), module, own, own_count);
	own_count = 0;
	for (int i = first; i < count; i++)
		if (records[i].module_id == module->module_id)
			named[i] = (RunNamed) {level, own_count++};
}

/* Whether the payload of records that a field names is needed, of whichever module they are. */
static bool
named_need_payload(Run *run, RunField *field)
{
	const ModuleDef *target = field->source->module ? module_lookup(run->context->tenant_id, field->source->module) : NULL;

	return target == NULL || load_needs_payload(run, run_fields(run, field, graphql_named_type(field->field->type)), target);
}

RunNamed *
load_named(Run *run, RunField *field, const Record *records, int count)
{
	RunNamed   *named = palloc0(Max(count, 1) * sizeof(RunNamed));

	for (int i = 0; i < count; i++)
	{
		int			before = 0;

		while (records[before].module_id != records[i].module_id)
			before++;
		if (before == i)
			load_named_module(run, field, records, count, i, named);
	}
	return named;
}

/* The records that a field names, one or a list: all in one statement, then a level for each module, whose type is its own. */
static void
load_reference_field(Run *run, const RunLevel *level, RunField *field, RunLoaded *loaded)
{
	const ModuleField *definition = module_field(level->module, field->source->key, strlen(field->source->key));
	LinkSet		ids = read_named(run, level, definition, run_list_limit(field), loaded);
	Datum	   *wanted = palloc(Max(ids.count, 1) * sizeof(Datum));
	Record	   *records = NULL;
	RunNamed   *found;
	int			count = 0;
	int			kept = 0;

	for (int i = 0; i < ids.count; i++)
		wanted[i] = UUIDPGetDatum(&ids.items[i]);
	if (ids.count > 0)
		records = load_records(run, wanted, ids.count, named_need_payload(run, field), &count);
	found = load_named(run, field, records, count);
	loaded->named = palloc(Max(ids.count, 1) * sizeof(RunNamed));
	for (int i = 0; i < level->count; i++)
	{
		int			start = loaded->starts[i];
		int			end = start + loaded->counts[i];

		loaded->starts[i] = kept;
		for (int j = start; j < end; j++)
		{
			int			place = record_find(records, count, &ids.items[j]);

			if (place >= 0 && found[place].level)
				loaded->named[kept++] = found[place];
		}
		loaded->counts[i] = kept - loaded->starts[i];
	}
}

/*
 * Records whose field names those of the level, the newest first, so many of each.  The field holds the wire form
 * of an id, and an indexed one is found by its slot.
 */
static void
load_back_reference_field(Run *run, const RunLevel *level, RunField *field, RunLoaded *loaded)
{
	const ModuleDef *other = module_lookup(run->context->tenant_id, field->source->module);
	RunFields  *below = run_fields(run, field, graphql_named_type(field->field->type));
	ListRequest request = {.module = other,.filter = run_argument_json(field, "filter"),.filter_path = "filter"};
	ViolationList faults = {0};
	ListWalk	walk;
	Datum	   *ids = palloc(Max(level->count, 1) * sizeof(Datum));
	Record	   *records = NULL;
	uint64		rows = 0;

	loaded->starts = palloc0(level->count * sizeof(int));
	loaded->counts = palloc0(level->count * sizeof(int));
	for (int i = 0; i < level->count; i++)
	{
		char		id[QEHS_ID_LENGTH + 1];

		id_format(&level->records[i].id, QEHS_ID_RECORD, id);
		ids[i] = CStringGetTextDatum(id);
	}
	if (other)
	{
		list_open(&walk, run->context, &request, &faults);
		violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
		rows = list_rows_that_name(&walk, field->source->key, ids, level->count, run_list_limit(field),
								   load_columns("r", load_needs_payload(run, below, other)));
	}
	records = palloc(Max(rows, 1) * sizeof(Record));
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		int			place = DatumGetInt64(plan_value(row, LIST_PLACE_COLUMN, &isnull)) - 1;

		record_read_row(row, &records[row]);
		if (loaded->counts[place]++ == 0)
			loaded->starts[place] = row;
	}
	loaded->below = load_level(run, below, other, records, rows);
}

static void
load_field(Run *run, const RunLevel *level, RunField *field, RunLoaded *loaded)
{
	switch (field->source->origin)
	{
		case ORIGIN_USER:
			load_user_field(run, level, field, loaded);
			break;
		case ORIGIN_CREATED_BY:
		case ORIGIN_UPDATED_BY:
			load_actor_field(run, level, field->source->origin == ORIGIN_CREATED_BY, loaded);
			break;
		case ORIGIN_REFERENCE:
			load_reference_field(run, level, field, loaded);
			break;
		case ORIGIN_BACK_REFERENCE:
			load_back_reference_field(run, level, field, loaded);
			break;
		case ORIGIN_ACTIVITY:
		case ORIGIN_TRANSITIONS:
		case ORIGIN_ATTACHMENTS:
		case ORIGIN_COMMENTS:
			lists_load(run, level, field, loaded);
			break;
		case ORIGIN_LINKS:
			links_load(run, level, field, loaded);
			break;
		default:
			break;				/* the row has it */
	}
}

RunLevel *
load_level(Run *run, RunFields *fields, const ModuleDef *module, Record *records, int count)
{
	RunLevel   *level = palloc0(sizeof(RunLevel));

	check_stack_depth();
	level->fields = fields;
	level->module = module;
	level->reads_all = module && permission_reads_all(run->context, module);
	level->count = count;
	level->records = records;
	level->loaded = palloc0(Max(fields->count, 1) * sizeof(RunLoaded));
	for (int i = 0; i < fields->count && count > 0; i++)
		load_field(run, level, &fields->items[i], &level->loaded[i]);
	return level;
}
