/*
 * module_publish.c
 *	  qehs.module_publish: a definition becomes the next immutable version.
 *
 * Publishers of one tenant take turns by a transaction-level advisory lock, so
 * ids, versions and slots are handed out without races.  Existing records keep
 * their version; when the slot map or the searchable fields change, a job fills
 * their slots (module_refill.c), and lists do without until it has ended.  When
 * unique fields change, their values are taken in the same transaction: before it a
 * record with a value of another would be let in.  That goes on beside writers, who
 * wait for the last of it only (change/refill.c); but a field that stays unique and
 * changes its type, or is renamed to the key of another, keeps them out throughout.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/locks.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "fmgr.h"
#include "graphql/model.h"
#include "miscadmin.h"
#include "module/bundle.h"
#include "module/definition.h"
#include "module/diff.h"
#include "module/index.h"
#include "module/migrate.h"
#include "module/publish.h"
#include "module/unique_rules.h"
#include "operation/module_publish.h"
#include "operation/module_refill.h"
#include "permission/permission.h"
#include "report/report.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_module_publish);

static KeptPlan select_module = {
	"SELECT m.id, m.version, m.display_prefix, v.definition, v.slots, m.unfilled, m.search_unfilled FROM qehs.module AS m JOIN qehs.module_version AS v"
	" ON v.tenant_id = $1 AND v.module_id = m.id AND v.version = m.version WHERE m.tenant_id = $1 AND m.key = $2",
	2, {INT4OID, TEXTOID}, NULL
};
/* The columns of select_module. */
enum
{
	COLUMN_ID = 1, COLUMN_VERSION, COLUMN_DISPLAY_PREFIX, COLUMN_DEFINITION, COLUMN_SLOTS, COLUMN_UNFILLED, COLUMN_SEARCH_UNFILLED
};
static KeptPlan select_any_record = {
	"SELECT 1 FROM qehs.record WHERE tenant_id = $1 AND module_id = $2", 2, {INT4OID, INT4OID}, NULL
};
static KeptPlan insert_module = {
	"INSERT INTO qehs.module (tenant_id, id, key, name, description, display_prefix, version, retention_next)"
	" SELECT $1, 1 + coalesce(max(id), 0), $2, $3, $4, $5, 1, $6 FROM qehs.module WHERE tenant_id = $1 RETURNING id",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan update_module = {
	"UPDATE qehs.module SET name = $3, description = $4, version = $5, updated_at = $6, retention_next = $7"
	" WHERE tenant_id = $1 AND id = $2",
	7, {INT4OID, INT4OID, TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID}, NULL
};
static KeptPlan insert_version = {
	"INSERT INTO qehs.module_version (tenant_id, module_id, version, definition, json_schema, slots, created_by)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)",
	7, {INT4OID, INT4OID, INT4OID, JSONBOID, JSONBOID, JSONBOID, UUIDOID}, NULL
};
static KeptPlan mark_unfilled = {
	"UPDATE qehs.module SET unfilled = $3, search_unfilled = $4 WHERE tenant_id = $1 AND id = $2",
	4, {INT4OID, INT4OID, TEXTARRAYOID, BOOLOID}, NULL
};

/* What is published now. */
typedef struct Published
{
	bool		exists;
	int32		module_id;
	int32		version;
	char	   *prefix;
	ModuleIndex index;			/* with the definition */
	bool		has_records;
} Published;

void
module_publish_lock(int32 tenant_id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, 0, LOCK_PUBLISH);
	LockAcquire(&tag, ExclusiveLock, false, false);
}

static void
read_published(int32 tenant_id, const char *key, Published *published)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), CStringGetTextDatum(key)};
	bool		isnull;

	memset(published, 0, sizeof(*published));
	if (plan_execute(&select_module, values, NULL, false, 1) == 0)
		return;
	published->exists = true;
	published->module_id = DatumGetInt32(plan_value(0, COLUMN_ID, &isnull));
	published->version = DatumGetInt32(plan_value(0, COLUMN_VERSION, &isnull));
	published->prefix = TextDatumGetCString(plan_value(0, COLUMN_DISPLAY_PREFIX, &isnull));
	published->index.definition = DatumGetJsonbPCopy(plan_value(0, COLUMN_DEFINITION, &isnull));
	published->index.slots = DatumGetJsonbPCopy(plan_value(0, COLUMN_SLOTS, &isnull));
	published->index.unfilled = auth_names(plan_value(0, COLUMN_UNFILLED, &isnull), &published->index.unfilled_count);
	published->index.search_unfilled = DatumGetBool(plan_value(0, COLUMN_SEARCH_UNFILLED, &isnull));
}

/* Whether values of a rule that both versions have are told apart in another way, or are of other fields. */
static bool
is_changed(Jsonb *before, Jsonb *after, const UniqueRule *rule)
{
	ListCell   *cell;

	foreach(cell, rule->keys)
	{
		char	   *key = lfirst(cell);

		if (definition_value_type(index_fields(after), index_find_field(index_fields(after), key)) !=
			definition_value_type(index_fields(before), index_find_field(index_fields(before), key)) ||
			migrate_renamed(after, key) || migrate_source(after, key) || migrate_drops(after, key))
			return true;
	}
	return false;
}

/* What changes of what is unique. */
static void
compare_all_unique(Jsonb *before, Jsonb *after, UniqueRefill *refill)
{
	List	   *rules = unique_rules_read(after);
	List	   *others = unique_rules_read(before);
	ListCell   *cell;

	foreach(cell, rules)
	{
		const UniqueRule *rule = lfirst(cell);

		if (unique_rules_find(others, rule->name) == NULL)
			refill->fresh = lappend(refill->fresh, rule->name);
		else if (is_changed(before, after, rule))
			refill->again = lappend(refill->again, rule->name);
	}
	foreach(cell, others)
		if (unique_rules_find(rules, ((const UniqueRule *) lfirst(cell))->name) == NULL)
			refill->gone = lappend(refill->gone, ((const UniqueRule *) lfirst(cell))->name);
}

/* Rules that would write over a value that records hold under the same key. */
static void
check_overwriting(Jsonb *definition, const Published *published, ViolationList *faults)
{
	const JsonbContainer *before = index_fields(published->index.definition);

	for (uint32 i = 0; i < JsonContainerSize(before); i++)
	{
		char	   *key = json_member_text(index_field(before, i), "key");
		char	   *source = migrate_source(definition, key);
		StringInfoData path;

		if (source == NULL || strcmp(source, key) == 0 || migrate_renamed(definition, key) || migrate_drops(definition, key) ||
			!index_find_field(before, source))
			continue;
		initStringInfo(&path);
		appendStringInfoString(&path, "/migrate/rename");
		json_pointer_append(&path, source, strlen(source));
		violation_add(faults, path.data, "narrowing", "cannot be \"%s\": records hold that field; rename or drop it too", key);
	}
}

/* A drop of what still holds would lose values: most likely the rule was left over from the version before. */
static void
check_dropping(Jsonb *definition, const List *changes, ViolationList *faults)
{
	const JsonbContainer *after = index_fields(definition);

	for (uint32 i = 0; i < JsonContainerSize(after); i++)
	{
		char	   *key = json_member_text(index_field(after, i), "key");
		bool		narrowed = migrate_source(definition, key) != NULL || !migrate_drops(definition, key);
		ListCell   *cell;

		foreach(cell, changes)
		{
			const DefinitionChange *change = lfirst(cell);

			narrowed |= !change->compatible && change->subject && strcmp(change->subject, key) == 0;
		}
		if (!narrowed)
			violation_add(faults, "/migrate/drop", "narrowing", "names field \"%s\", which holds as it is", key);
	}
}

/* Whether an existing record might not hold after the changes. */
static bool
narrows(const List *changes)
{
	ListCell   *cell;

	foreach(cell, changes)
		if (!((const DefinitionChange *) lfirst(cell))->compatible)
			return true;
	return false;
}

/* What an existing record could no longer satisfy, and no rule says what becomes of it. */
static void
check_narrowing(Jsonb *definition, const Published *published, const List *changes, ViolationList *faults)
{
	ListCell   *cell;

	if (!published->has_records)
		return;
	check_overwriting(definition, published, faults);
	check_dropping(definition, changes, faults);
	foreach(cell, changes)
	{
		const DefinitionChange *change = lfirst(cell);

		if (change->compatible || definition_says_how(definition, change))
			continue;
		/* what is gone has no place in the request: the list that lacks it has */
		violation_add(faults, !change->in_old ? change->path : pnstrdup(change->path, strrchr(change->path, '/') - change->path),
					  "narrowing", "%s; records may not hold then: say in \"migrate\" what becomes of them", change->message);
	}
}

static void
store(int32 tenant_id, const pg_uuid_t *actor_id, Jsonb *definition, Jsonb *schema, Jsonb *slots, Published *published)
{
	char	   *name = json_member_text(&definition->root, "name");
	char	   *description = json_member_text(&definition->root, "description");
	JsonbValue	code;
	Datum		values[7];
	char		nulls[8] = "       ";
	bool		isnull;
	bool		retains = json_member(&definition->root, "retention", 9, &code);
	Datum		now = TimestampTzGetDatum(clock_transaction());

	values[0] = Int32GetDatum(tenant_id);
	nulls[3] = description ? ' ' : 'n';
	values[3] = description ? CStringGetTextDatum(description) : (Datum) 0;
	if (published->exists)
	{
		values[1] = Int32GetDatum(published->module_id);
		values[2] = CStringGetTextDatum(name);
		values[4] = Int32GetDatum(++published->version);
		values[5] = now;
		values[6] = now;
		nulls[6] = retains ? ' ' : 'n';
		plan_execute(&update_module, values, nulls, false, 0);
	}
	else
	{
		json_member(&definition->root, "displayCode", 11, &code);
		values[1] = CStringGetTextDatum(json_member_text(&definition->root, "key"));
		values[2] = CStringGetTextDatum(name);
		values[4] = CStringGetTextDatum(json_member_text(code.val.binary.data, "prefix"));
		values[5] = now;
		nulls[5] = retains ? ' ' : 'n';
		plan_execute(&insert_module, values, nulls, false, 0);
		published->module_id = DatumGetInt32(plan_value(0, 1, &isnull));
		published->version = 1;
	}
	values[1] = Int32GetDatum(published->module_id);
	values[2] = Int32GetDatum(published->version);
	values[3] = JsonbPGetDatum(definition);
	values[4] = JsonbPGetDatum(schema);
	values[5] = JsonbPGetDatum(slots);
	values[6] = UUIDPGetDatum(actor_id);
	plan_execute(&insert_version, values, NULL, false, 0);
}

Jsonb *
module_compile_schema(Jsonb *definition, ViolationList *faults)
{
	definition_check(definition, faults);
	if (faults->count == 0)
		migrate_check(definition, faults);
	return faults->count == 0 ? definition_json_schema(definition) : NULL;
}

static bool
compiles(Jsonb *schema, const SchemaOptions *options, ViolationList *faults)
{
	SchemaErrors errors;
	Schema	   *compiled;

	schema_errors_init(&errors);
	compiled = schema_compile(schema, options, CurrentMemoryContext, &errors);
	if (compiled)
		schema_free(compiled);
	for (int i = 0; i < errors.count && compiled == NULL; i++)
		violation_add(faults, psprintf("/jsonSchema%s", errors.items[i].instance_location), errors.items[i].keyword,
					  "%s", errors.items[i].message);
	return compiled != NULL;
}

/* The schema must compile too; gives it with the registered schemas that it refers to. */
static Jsonb *
check_schema(Jsonb *schema, ViolationList *faults)
{
	SchemaBundle bundle = {CurrentMemoryContext, NIL};
	SchemaOptions options = {.assert_formats = true, .lookup = bundle_find, .lookup_arg = &bundle};

	if (!compiles(schema, &options, faults) || bundle.documents == NIL)
		return schema;
	options.lookup = NULL;
	schema = bundle_into(&bundle, schema);
	compiles(schema, &options, faults);
	return schema;
}

/* If-Match names the version that the new one is to follow; no version matches nothing (RFC 9110 section 13.1.1). */
static void
check_precondition(const char *if_match, const char *if_none_match, const Published *published)
{
	if (published->exists)
		context_check_if_none_match(if_none_match, published->version);
	if (if_match && !published->exists)
		problem_raise_at(PROBLEM_VERSION_MISMATCH, "@If-Match", "version", "does not match: the module has no version yet");
	context_check_if_match(if_match, published->version);
}

/* How records have to follow a next version. */
typedef struct Follow
{
	ModuleIndex index;
	bool		refill;			/* slots, by a job */
	UniqueRefill unique;
} Follow;

static bool
has_work(const Follow *follow)
{
	return follow->refill || follow->unique.fresh || follow->unique.again || follow->unique.gone;
}

/*
 * Hold a next version against the published one and its records.  Where records have
 * to follow, or might not hold any more, writers are waited for and kept out first,
 * also those of the module's first record; unless it is looked at beforehand only.
 */
static void
check_change(int32 tenant_id, Jsonb *definition, Published *published, const Follow *follow, bool beforehand, ViolationList *faults)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), Int32GetDatum(published->module_id)};
	List	   *changes = definition_diff(published->index.definition, definition, true);
	JsonbValue	code;

	if (beforehand && IsolationUsesXactSnapshot())
		problem_raise(PROBLEM_CONFLICT, "Publish it in a transaction of the level read committed.",
					  "a field becomes unique, and the transaction does not see what records hold by now");
	/* the job's row first, as its steps do */
	if (has_work(follow))
		module_refill_hold(tenant_id, published->module_id);
	if (!beforehand && (has_work(follow) || narrows(changes)))
		module_lock_slots(tenant_id, published->module_id);
	published->has_records = plan_execute(&select_any_record, values, NULL, false, 1) > 0;
	check_narrowing(definition, published, changes, faults);
	json_member(&definition->root, "displayCode", 11, &code);
	if (strcmp(json_member_text(code.val.binary.data, "prefix"), published->prefix) != 0)
		violation_add(faults, "/displayCode/prefix", "frozen", "must stay \"%s\"", published->prefix);
}

/* Have a job fill what is indexed anew from the records that are there, and keep lists from using it until then. */
static void
queue_refill(int32 tenant_id, const Published *published, const ModuleIndex *index)
{
	Datum		values[4] = {Int32GetDatum(tenant_id), Int32GetDatum(published->module_id), index_unfilled(index),
	BoolGetDatum(index->search_unfilled)};

	module_refill_queue(tenant_id, published->module_id, json_member_text(&index->definition->root, "key"));
	plan_execute(&mark_unfilled, values, NULL, false, 0);
}

void
module_publish_raise(const PublishRequest *request, ViolationList *faults)
{
	for (int i = 0; i < faults->count; i++)
		faults->items[i].path = psprintf("%s%s", request->path, faults->items[i].path);
	violation_raise(faults);
}

/* Have the unique values follow the version that is stored by now. */
static void
follow_unique(const PublishRequest *request, Jsonb *definition, Published *published, Follow *follow, ViolationList *faults)
{
	if (follow->unique.fresh)
	{
		change_take_unique_beside(&follow->unique);
		check_change(request->tenant_id, definition, published, follow, false, faults);
		module_publish_raise(request, faults);
	}
	change_take_unique(&follow->unique);
}

int
module_publish_apply(const PublishRequest *request, Jsonb *definition, int32 *version)
{
	int32		tenant_id = request->tenant_id;
	ViolationList faults = {0};
	Jsonb	   *schema = module_compile_schema(definition, &faults);
	Published  *published = palloc(sizeof(Published));
	bool		first;

	module_publish_raise(request, &faults);
	schema = check_schema(schema, &faults);
	module_publish_raise(request, &faults);
	SPI_connect();
	module_publish_lock(tenant_id);
	read_published(tenant_id, json_member_text(&definition->root, "key"), published);
	first = !published->exists;
	check_precondition(request->if_match, request->if_none_match, published);
	if (first || compareJsonbContainers(&published->index.definition->root, &definition->root) != 0)
	{
		Follow		follow = {.unique = {.tenant_id = tenant_id, .module_id = published->module_id}};

		if (!request->together)
			definition_check_references(tenant_id, definition, &faults);
		payload_check_defaults(tenant_id, definition, schema, &faults);
		follow.refill = index_next(first ? NULL : &published->index, definition, &follow.index, &faults);
		if (!first)
		{
			compare_all_unique(published->index.definition, definition, &follow.unique);
			check_change(tenant_id, definition, published, &follow, follow.unique.fresh != NIL, &faults);
		}
		module_publish_raise(request, &faults);
		if (follow.refill && (published->has_records || follow.unique.fresh))
			queue_refill(tenant_id, published, &follow.index);
		store(tenant_id, request->actor_id, definition, schema, follow.index.slots, published);
		CommandCounterIncrement();
		graphql_check_names(tenant_id, json_member_text(&definition->root, "key"), &faults);
		module_publish_raise(request, &faults);
		if (!first)
			follow_unique(request, definition, published, &follow, &faults);
		report_refresh(tenant_id, published->module_id);
	}
	*version = published->version;
	SPI_finish();
	return first ? 201 : 200;
}

/* The arguments of qehs.module_publish. */
enum
{
	ARGUMENT_MODULE_KEY, ARGUMENT_DEFINITION, ARGUMENT_IF_MATCH, ARGUMENT_IF_NONE_MATCH
};

/* module_publish(module_key, definition, if_match, if_none_match) */
Datum
qehs_module_publish(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_MODULES_WRITE);
	char	   *module_key;
	char	   *key;
	StringInfoData out;
	int32		version;
	int			status;

	if (PG_ARGISNULL(ARGUMENT_MODULE_KEY) || PG_ARGISNULL(ARGUMENT_DEFINITION) || !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(ARGUMENT_DEFINITION)))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "", "type", "must be a definition object");
	module_key = text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_MODULE_KEY));
	permission_require_definition(context, module_key, "publish");
	key = json_member_text(&PG_GETARG_JSONB_P(ARGUMENT_DEFINITION)->root, "key");
	if (key && strcmp(key, module_key) != 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/key", "const", "must be \"%s\", as in the path", module_key);
	status = module_publish_apply(&(PublishRequest) {context->tenant_id, &context->actor_id, argument_text(fcinfo, ARGUMENT_IF_MATCH),
								  argument_text(fcinfo, ARGUMENT_IF_NONE_MATCH), "", false},
								  PG_GETARG_JSONB_P(ARGUMENT_DEFINITION), &version);
	context_status(context, status);
	json_begin(&out);
	module_write_definition(&out, context->tenant_id, module_key, version);
	context_etag(context, version);
	PG_RETURN_DATUM(context_answer(&out));
}
