/*
 * legal_hold.c
 *	  qehs.legal_hold_create, legal_hold_list, legal_hold_get and legal_hold_release.
 *
 * A hold that is placed by a filter is of the records that the filter finds then, deleted
 * ones too, as many as it says: what matches later is not of it.  A hold of a whole module or
 * tenant is of what is there and of what comes.
 *
 * The lock of holds is taken alone before anything is looked at: whoever deletes has ended then,
 * or waits and finds the hold.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/page.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "record/list.h"
#include "retention/hold.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* The arguments of qehs.legal_hold_create. */
enum
{
	ARGUMENT_REASON, ARGUMENT_RECORD_IDS, ARGUMENT_MODULE_KEY, ARGUMENT_FILTER
};

PG_FUNCTION_INFO_V1(qehs_legal_hold_create);
PG_FUNCTION_INFO_V1(qehs_legal_hold_list);
PG_FUNCTION_INFO_V1(qehs_legal_hold_get);
PG_FUNCTION_INFO_V1(qehs_legal_hold_release);

#define MAX_REASON 1000			/* characters */
#define MAX_NAMED 1000			/* records that a request may name */
#define BATCH_ROWS 1000
#define COLUMNS "id, module_id, filter, of_records, record_count, reason, created_at, created_by, released_at, released_by, release_reason"

/* The columns of COLUMNS. */
enum
{
	COLUMN_ID = 1, COLUMN_MODULE_ID, COLUMN_FILTER, COLUMN_OF_RECORDS, COLUMN_RECORD_COUNT, COLUMN_REASON, COLUMN_CREATED_AT, COLUMN_CREATED_BY,
	COLUMN_RELEASED_AT, COLUMN_RELEASED_BY, COLUMN_RELEASE_REASON
};

static KeptPlan insert_hold = {
	"INSERT INTO qehs.legal_hold (tenant_id, id, module_id, filter, of_records, record_count, reason, created_at, created_by)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING " COLUMNS,
	9, {INT4OID, UUIDOID, INT4OID, JSONBOID, BOOLOID, INT8OID, TEXTOID, TIMESTAMPTZOID, UUIDOID}, NULL
};
static KeptPlan insert_records = {
	"INSERT INTO qehs.legal_hold_record (tenant_id, hold_id, record_id) SELECT $1, $2, i FROM pg_catalog.unnest($3) AS i ON CONFLICT DO NOTHING",
	3, {INT4OID, UUIDOID, UUIDARRAYOID}, NULL
};
static KeptPlan select_holds = {
	"SELECT " COLUMNS " FROM qehs.legal_hold WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT 201", 2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_hold = {
	"SELECT " COLUMNS " FROM qehs.legal_hold WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan select_modules = {
	"SELECT DISTINCT r.module_id FROM qehs.legal_hold_record AS h JOIN qehs.record AS r ON r.tenant_id = $1 AND r.id = h.record_id"
	" WHERE h.tenant_id = $1 AND h.hold_id = $2",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan release_hold = {
	"UPDATE qehs.legal_hold SET released_at = $3, released_by = $4, release_reason = $5 WHERE tenant_id = $1 AND id = $2 AND released_at IS NULL"
	" RETURNING " COLUMNS,
	5, {INT4OID, UUIDOID, TIMESTAMPTZOID, UUIDOID, TEXTOID}, NULL
};

/* ---- answers ---- */

static void
write_end(StringInfo out, const RequestContext *context, uint64 row)
{
	bool		isnull;
	Datum		value = plan_value(row, COLUMN_RELEASED_AT, &isnull);

	json_literal(out, ",\"releasedAt\":");
	if (isnull)
	{
		json_literal(out, "null,\"releasedBy\":null,\"releaseReason\":null}");
		return;
	}
	json_time(out, DatumGetTimestampTz(value));
	json_literal(out, ",\"releasedBy\":");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(plan_value(row, COLUMN_RELEASED_BY, &isnull)));
	json_literal(out, ",\"releaseReason\":");
	json_string(out, plan_text(row, COLUMN_RELEASE_REASON));
	appendStringInfoChar(out, '}');
}

static void
write_hold(StringInfo out, const RequestContext *context, uint64 row)
{
	bool		isnull;
	Datum		value;
	bool		of_records = DatumGetBool(plan_value(row, COLUMN_OF_RECORDS, &isnull));

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COLUMN_ID, &isnull)), QEHS_ID_LEGAL_HOLD);
	value = plan_value(row, COLUMN_MODULE_ID, &isnull);
	json_literal(out, ",\"of\":");
	json_string(out, of_records ? "records" : isnull ? "tenant" : "module");
	json_literal(out, ",\"moduleKey\":");
	json_string(out, isnull ? NULL : module_lookup_version(context->tenant_id, DatumGetInt32(value), 0)->key);
	value = plan_value(row, COLUMN_FILTER, &isnull);
	json_literal(out, ",\"filter\":");
	if (isnull)
		json_literal(out, "null");
	else
		json_jsonb(out, DatumGetJsonbP(value));
	json_literal(out, ",\"recordCount\":");
	value = plan_value(row, COLUMN_RECORD_COUNT, &isnull);
	if (of_records)
		json_int(out, DatumGetInt64(value));
	else
		json_literal(out, "null");
	json_literal(out, ",\"reason\":");
	json_string(out, plan_text(row, COLUMN_REASON));
	json_literal(out, ",\"createdAt\":");
	json_time(out, DatumGetTimestampTz(plan_value(row, COLUMN_CREATED_AT, &isnull)));
	json_literal(out, ",\"createdBy\":");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(plan_value(row, COLUMN_CREATED_BY, &isnull)));
	write_end(out, context, row);
}

/* Whether the hold of a row is the caller's to see and to release: he has placed it, or could have. */
static bool
is_for(const RequestContext *context, uint64 row)
{
	bool		isnull;
	Datum		module_id;

	if (memcmp(DatumGetUUIDP(plan_value(row, COLUMN_CREATED_BY, &isnull)), &context->actor_id, UUID_LEN) == 0)
		return true;
	module_id = plan_value(row, COLUMN_MODULE_ID, &isnull);
	return permission_holds(context, isnull ? NULL : module_lookup_version(context->tenant_id, DatumGetInt32(module_id), 0), NULL);
}

/* ---- placing ---- */

/* A text that says why, for people; a fault where there is none. */
static char *
read_reason(FunctionCallInfo fcinfo, int number, ViolationList *faults)
{
	char	   *reason = argument_text(fcinfo, number);

	if (reason == NULL || *reason == '\0')
		violation_add(faults, "/reason", "required", "is required");
	else if (pg_mbstrlen(reason) > MAX_REASON)
		violation_add(faults, "/reason", "maxLength", "must be at most %d characters", MAX_REASON);
	return reason;
}

static void
add_records(int32 tenant_id, const pg_uuid_t *hold, const Datum *ids, int count)
{
	Datum		values[3] = {Int32GetDatum(tenant_id), UUIDPGetDatum(hold), id_array(ids, count)};

	if (count > 0)
		plan_execute(&insert_records, values, NULL, false, 0);
}

/*
 * Whether the caller may place a hold on the record; false for one that he may not know of, which is as one that there
 * is not.  Raises QH403 for one that he may read and not hold.
 */
static bool
find_holdable(const RequestContext *context, const pg_uuid_t *id)
{
	PermissionSubject subject;
	const ModuleDef *module;
	Record		record;

	if (!record_find_subject(context->tenant_id, id, &subject))
		return false;
	record_fetch(context, id, RECORD_READ, true, &record);
	module = record_module(context, &record);
	if (!permission_may(context, module, ACTION_HOLD, &subject, NULL) && record_is_hidden(context, module, &record))
		return false;
	permission_require(context, module, ACTION_HOLD, &subject);
	return true;
}

/* The records that the request names: each must be there, and the caller's to hold. */
static int64
add_named(const RequestContext *context, const pg_uuid_t *hold, ArrayType *names, ViolationList *faults)
{
	Datum	   *texts;
	bool	   *nulls;
	int			count;
	Datum	   *ids;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
	if (count < 1 || count > MAX_NAMED)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/recordIds", "maxItems", "must list 1 to %d records", MAX_NAMED);
	ids = palloc(sizeof(Datum) * count);
	for (int i = 0; i < count; i++)
	{
		pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
		char	   *wire = nulls[i] ? NULL : TextDatumGetCString(texts[i]);

		ids[i] = UUIDPGetDatum(id);
		if (wire == NULL || !id_parse(wire, strlen(wire), QEHS_ID_RECORD, id) || !find_holdable(context, id))
			violation_add(faults, psprintf("/recordIds/%d", i), "not_found", "names no record");
	}
	violation_raise(faults);
	add_records(context->tenant_id, hold, ids, count);
	return SPI_processed;
}

/* Ids that a walk has visited. */
typedef struct FoundIds
{
	int			count;
	Datum		ids[BATCH_ROWS];
} FoundIds;

static void
visit(void *owner, uint64 row)
{
	FoundIds   *found = owner;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	bool		isnull;

	*id = *DatumGetUUIDP(plan_value(row, 1, &isnull));
	found->ids[found->count++] = UUIDPGetDatum(id);
}

/* The records of a module that a filter finds, those that are deleted too. */
static int64
add_found(const RequestContext *context, const pg_uuid_t *hold, const ModuleDef *module, Jsonb *filter, ViolationList *faults)
{
	static const char *const name = "qehs legal hold";
	ListRequest request = {.module = module, .filter = filter, .filter_path = "/filter", .sort = "createdAt", .deleted_too = true, .action = ACTION_HOLD,
		.in_body = true};
	ListWalk	walk;
	FoundIds   *found = palloc(sizeof(FoundIds));
	int64		count = 0;

	list_open(&walk, context, &request, faults);
	violation_raise(faults);
	list_portals_open(&walk, name, QEHS_RECORD_COLUMNS);
	do
	{
		CHECK_FOR_INTERRUPTS();
		found->count = 0;
		list_portals_fetch(name, BATCH_ROWS, visit, found);
		add_records(context->tenant_id, hold, found->ids, found->count);
		count += found->count;
	} while (found->count == BATCH_ROWS);
	list_portals_close(name);
	return count;
}

static void
require_may_hold(const RequestContext *context, const ModuleDef *module)
{
	if (!permission_holds(context, module, NULL))
		problem_raise(PROBLEM_FORBIDDEN, "Use a key with scope holds.write and a role with the action hold.",
					  "the caller may not place legal holds on %s%s", module ? "all records of module " : "the whole tenant", module ? module->key : "");
}

/* The module that the request names, or NULL when it names none; what it says of records must go with that. */
static const ModuleDef *
read_module(FunctionCallInfo fcinfo, const RequestContext *context, ViolationList *faults)
{
	char	   *key = argument_text(fcinfo, ARGUMENT_MODULE_KEY);
	const ModuleDef *module = key ? module_lookup(context->tenant_id, key) : NULL;

	if (key && module == NULL)
		violation_add(faults, "/moduleKey", "not_found", "names no module");
	if (key && !PG_ARGISNULL(ARGUMENT_RECORD_IDS))
		violation_add(faults, "/recordIds", "conflict", "cannot stand beside moduleKey");
	if (key == NULL && !PG_ARGISNULL(ARGUMENT_FILTER))
		violation_add(faults, "/moduleKey", "required", "is required where there is a filter");
	return module;
}

/* legal_hold_create(reason, record_ids, module_key, filter) */
Datum
qehs_legal_hold_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_HOLDS_WRITE);
	ViolationList faults = {0};
	char	   *reason = read_reason(fcinfo, ARGUMENT_REASON, &faults);
	const ModuleDef *module = read_module(fcinfo, context, &faults);
	bool		named = !PG_ARGISNULL(ARGUMENT_RECORD_IDS);
	bool		filtered = !PG_ARGISNULL(ARGUMENT_FILTER);
	Jsonb	   *filter = filtered ? PG_GETARG_JSONB_P(ARGUMENT_FILTER) : NULL;
	char		nulls[10] = "         ";
	char		wire[QEHS_ID_LENGTH + 1];
	Datum		values[9];
	int64		count = 0;
	pg_uuid_t	id;
	StringInfoData out;

	violation_raise(&faults);
	json_begin(&out);
	id_generate(&id);
	SPI_connect();
	hold_lock(context->tenant_id, true);
	/* what was deleted or purged while this waited is to be seen so */
	PushActiveSnapshot(GetLatestSnapshot());
	if (named)
		count = add_named(context, &id, PG_GETARG_ARRAYTYPE_P(ARGUMENT_RECORD_IDS), &faults);
	else if (filtered)
		count = add_found(context, &id, module, filter, &faults);
	else
		require_may_hold(context, module);
	PopActiveSnapshot();
	values[0] = Int32GetDatum(context->tenant_id);
	values[1] = UUIDPGetDatum(&id);
	values[2] = Int32GetDatum(module ? module->module_id : 0);
	nulls[2] = module ? ' ' : 'n';
	values[3] = JsonbPGetDatum(filter);
	nulls[3] = filtered ? ' ' : 'n';
	values[4] = BoolGetDatum(named || filtered);
	values[5] = Int64GetDatum(count);
	values[6] = CStringGetTextDatum(reason);
	values[7] = TimestampTzGetDatum(clock_transaction());
	values[8] = UUIDPGetDatum(&context->actor_id);
	plan_execute(&insert_hold, values, nulls, false, 0);
	write_hold(&out, context, 0);
	SPI_finish();
	id_format(&id, QEHS_ID_LEGAL_HOLD, wire);
	context_header(context, "Location", "/api/v1/legal-holds/%s", wire);
	PG_RETURN_DATUM(context_answer(&out));
}

/* ---- reading and releasing ---- */

/* The arguments of qehs.legal_hold_list: page_size, cursor. */
enum
{
	ARGUMENT_LIST_PAGE_SIZE
};

/* legal_hold_list(page_size, cursor) */
Datum
qehs_legal_hold_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_HOLDS_WRITE);
	pg_uuid_t	last;
	ListPage	page = {.context = context, .endpoint = "legal_hold_list", .position = &last, .size = sizeof(last)};
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&last)};
	uint64		rows;

	memset(&last, 0xFF, sizeof(last));
	page_begin(&page, fcinfo, ARGUMENT_LIST_PAGE_SIZE);
	SPI_connect();
	rows = page_select(&page, &select_holds, values, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;

		last = *DatumGetUUIDP(plan_value(i, COLUMN_ID, &isnull));
		if (!is_for(context, i))
			continue;
		page_next(&page);
		write_hold(&page.out, context, i);
	}
	SPI_finish();
	PG_RETURN_DATUM(page_end(&page));
}

/* Whether the hold, which is not the caller's, is as one that is not there to him, who may hold others of the modules of its records. */
static bool
is_hidden(const RequestContext *context, const pg_uuid_t *id)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id)};
	uint64		count = plan_execute(&select_modules, values, NULL, true, 0);
	bool		isnull;

	for (uint64 i = 0; i < count; i++)
		if (permission_holds(context, module_lookup_version(context->tenant_id, DatumGetInt32(plan_value(i, 1, &isnull)), 0), &permission_some_record))
			return true;
	return false;
}

/* Find a hold that the caller may see, the only row of SPI_tuptable then; raises QH404, QH403.  Inside SPI. */
static void
find_hold(FunctionCallInfo fcinfo, const RequestContext *context, pg_uuid_t *id)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id)};
	bool		found = argument_id(fcinfo, 0, QEHS_ID_LEGAL_HOLD, id) && plan_execute(&select_hold, values, NULL, false, 1) == 1;

	if (found && is_for(context, 0))
		return;
	if (found && !is_hidden(context, id))
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the legal hold is over records that the caller may not hold");
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such legal hold");
}

/* legal_hold_get(id) */
Datum
qehs_legal_hold_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_HOLDS_WRITE);
	pg_uuid_t	id;
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	find_hold(fcinfo, context, &id);
	write_hold(&out, context, 0);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* The arguments of qehs.legal_hold_release. */
enum
{
	ARGUMENT_RELEASE_ID, ARGUMENT_RELEASE_REASON
};

/* legal_hold_release(id, reason) */
Datum
qehs_legal_hold_release(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_HOLDS_WRITE);
	ViolationList faults = {0};
	char	   *reason = read_reason(fcinfo, ARGUMENT_RELEASE_REASON, &faults);
	pg_uuid_t	id;
	Datum		values[5] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), TimestampTzGetDatum(clock_transaction()),
	UUIDPGetDatum(&context->actor_id), reason ? CStringGetTextDatum(reason) : (Datum) 0};
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	find_hold(fcinfo, context, &id);
	violation_raise(&faults);
	if (plan_execute(&release_hold, values, NULL, false, 0) == 0)
		problem_raise(PROBLEM_CONFLICT, NULL, "the legal hold is released already");
	write_hold(&out, context, 0);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}
