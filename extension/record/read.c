/*
 * read.c
 *	  Reading one record by id, and how the operations on one begin and end.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/lookup.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "record/record.h"
#include "utils/builtins.h"

static KeptPlan select_module_id = {
	"SELECT module_id, definition_version FROM qehs.record WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_module_id. */
enum
{
	COLUMN_MODULE_ID = 1, COLUMN_DEFINITION_VERSION
};

static KeptPlan select_subject = {
	"SELECT created_by, definition_version, payload FROM qehs.record WHERE tenant_id = $1 AND id = $2", 2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_subject. */
enum
{
	COLUMN_SUBJECT_CREATED_BY = 1, COLUMN_SUBJECT_DEFINITION_VERSION, COLUMN_SUBJECT_PAYLOAD
};

#define SELECT_RECORD "SELECT " QEHS_RECORD_COLUMNS " FROM qehs.record WHERE tenant_id = $1 AND id = $2"

/* The columns of QEHS_RECORD_COLUMNS. */
static KeptLookup record_by_id = {
	.table = "record",.index = "record_pkey",.key = "id",
	.columns = {"id", "module_id", "display_no", "workflow_state", "version", "definition_version", "payload", "created_at", "created_by", "updated_at",
	"updated_by", "deleted_at", "due_at"}
};

static KeptPlan select_record = {SELECT_RECORD, 2, {INT4OID, UUIDOID}, NULL};
static KeptPlan lock_record = {SELECT_RECORD " FOR NO KEY UPDATE", 2, {INT4OID, UUIDOID}, NULL};
static KeptPlan lock_free_record = {SELECT_RECORD " FOR NO KEY UPDATE SKIP LOCKED", 2, {INT4OID, UUIDOID}, NULL};

void
record_not_found(void)
{
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such record");
}

void
record_parse_id(const char *wire, pg_uuid_t *id)
{
	if (wire == NULL || !id_parse(wire, strlen(wire), QEHS_ID_RECORD, id))
		record_not_found();
}

/* Of QEHS_RECORD_COLUMNS and what statements put behind them. */
#define MOST_COLUMNS 32

static void
read_values(const Datum *values, const bool *nulls, Record *record)
{
	record->id = *DatumGetUUIDP(values[0]);
	record->module_id = DatumGetInt32(values[1]);
	record->display_no = DatumGetInt64(values[2]);
	record->workflow_state = TextDatumGetCString(values[3]);
	record->version = DatumGetInt32(values[4]);
	record->definition_version = DatumGetInt32(values[5]);
	record->payload = nulls[6] ? NULL : DatumGetJsonbP(values[6]);
	record->created_at = DatumGetTimestampTz(values[7]);
	record->created_by = *DatumGetUUIDP(values[8]);
	record->updated_at = DatumGetTimestampTz(values[9]);
	record->updated_by = *DatumGetUUIDP(values[10]);
	record->deleted = !nulls[11];
	record->deleted_at = record->deleted ? DatumGetTimestampTz(values[11]) : 0;
	record->has_due = !nulls[12];
	record->due_at = record->has_due ? DatumGetTimestampTz(values[12]) : 0;
}

void
record_read_row(uint64 row, Record *record)
{
	Datum		values[MOST_COLUMNS];
	bool		nulls[MOST_COLUMNS];

	/* in one go: to find a column, those before it are gone through */
	if (SPI_tuptable->tupdesc->natts > MOST_COLUMNS)
		elog(ERROR, "a row of a record has %d columns", SPI_tuptable->tupdesc->natts);
	heap_deform_tuple(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, values, nulls);
	read_values(values, nulls, record);
}

static int
compare_by_id(const void *a, const void *b)
{
	return memcmp(&((const Record *) a)->id, &((const Record *) b)->id, sizeof(pg_uuid_t));
}

void
record_sort(Record *records, int count)
{
	qsort(records, count, sizeof(Record), compare_by_id);
}

int
record_find(const Record *records, int count, const pg_uuid_t *id)
{
	Record		wanted = {.id = *id};
	const Record *found = count > 0 ? bsearch(&wanted, records, count, sizeof(Record), compare_by_id) : NULL;

	return found ? found - records : -1;
}

int32
record_hold_module(const RequestContext *context, const pg_uuid_t *id, int32 *definition_version)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id)};
	bool		isnull;
	int32		module_id;

	if (plan_execute(&select_module_id, values, NULL, false, 1) == 0)
		record_not_found();
	module_id = DatumGetInt32(plan_value(0, COLUMN_MODULE_ID, &isnull));
	*definition_version = DatumGetInt32(plan_value(0, COLUMN_DEFINITION_VERSION, &isnull));
	module_hold_slots(context->tenant_id, module_id);
	return module_id;
}

/* Read it, if there is one, with the lock; its parts live until SPI_finish. */
static bool
find_with(KeptPlan *statement, int32 tenant_id, const pg_uuid_t *id, bool read_only, Record *record)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), UUIDPGetDatum(id)};

	if (plan_execute(statement, values, NULL, read_only, 1) == 0)
		return false;
	record_read_row(0, record);
	return true;
}

bool
record_look_up(int32 tenant_id, const pg_uuid_t *id, Record *record)
{
	LookupRow	row;
	int			found = lookup_rows(&record_by_id, tenant_id, id, ForwardScanDirection, 1, &row);

	if (found < 0)
		return find_with(&select_record, tenant_id, id, true, record);
	if (found > 0)
		read_values(row.values, row.nulls, record);
	return found > 0;
}

void
record_fetch(const RequestContext *context, const pg_uuid_t *id, RecordLock lock, bool deleted_too, Record *record)
{
	KeptPlan   *statement = lock == RECORD_FOR_UPDATE_FREE ? &lock_free_record : &lock_record;
	int32		version;
	bool		found;

	if (lock == RECORD_FOR_UPDATE)
		record_hold_module(context, id, &version);
	found = lock == RECORD_READ ? record_look_up(context->tenant_id, id, record) : find_with(statement, context->tenant_id, id, false, record);
	if (!found || (record->deleted && !deleted_too))
		record_not_found();
}

bool
record_find_subject(int32 tenant_id, const pg_uuid_t *id, PermissionSubject *subject)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), UUIDPGetDatum(id)};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext previous;
	bool		isnull;
	bool		found;

	SPI_connect();
	found = plan_execute(&select_subject, values, NULL, true, 1) == 1;
	if (found)
	{
		subject->created_by = *DatumGetUUIDP(plan_value(0, COLUMN_SUBJECT_CREATED_BY, &isnull));
		subject->definition_version = DatumGetInt32(plan_value(0, COLUMN_SUBJECT_DEFINITION_VERSION, &isnull));
		previous = MemoryContextSwitchTo(caller);
		subject->payload = DatumGetJsonbPCopy(plan_value(0, COLUMN_SUBJECT_PAYLOAD, &isnull));
		MemoryContextSwitchTo(previous);
	}
	SPI_finish();
	return found;
}

const ModuleDef *
record_module_version(const RequestContext *context, const Record *record, int32 version)
{
	const ModuleDef *module = module_lookup_version(context->tenant_id, record->module_id, version);

	if (module == NULL)
		elog(ERROR, "module %d version %d of tenant %d is missing", record->module_id, version, context->tenant_id);
	return module;
}

const ModuleDef *
record_module(const RequestContext *context, const Record *record)
{
	return record_module_version(context, record, record->definition_version);
}

void
record_check_if_match(const ModuleDef *module, const char *if_match, int32 version)
{
	if (if_match == NULL && module->require_if_match)
		problem_raise_at(PROBLEM_PRECONDITION_REQUIRED, "@If-Match", "required",
						 "is required by the module: send the ETag of the version that was read");
	context_check_if_match(if_match, version);
}

/* Who may read some records of the module is not to learn which others there are. */
bool
record_is_hidden(const RequestContext *context, const ModuleDef *module, const Record *record)
{
	PermissionSubject subject = record_subject(record);

	return !permission_may(context, module, ACTION_READ, &subject, NULL) && permission_may(context, module, ACTION_READ, &permission_some_record, NULL);
}

void
record_require(const RequestContext *context, const ModuleDef *module, ModuleAction action, const Record *record)
{
	PermissionSubject subject = record_subject(record);

	if (permission_may(context, module, action, &subject, NULL))
		return;
	if (record_is_hidden(context, module, record))
		record_not_found();
	permission_require(context, module, action, &subject);
}

void
record_require_unlocked(const RequestContext *context, const ModuleDef *module, const Record *record, const char *field)
{
	PermissionSubject subject = record_subject(record);

	if (!permission_edits_in(context, module, &subject, record->workflow_state, field, field ? (int) strcspn(field, ".") : 0))
		problem_raise(PROBLEM_CONFLICT, "Fire a transition that leaves the state first.",
					  "state \"%s\" locks the record for the caller", record->workflow_state);
}

const ModuleDef *
record_open(const RequestContext *context, const char *wire, ModuleAction action, const char *if_match, Record *record)
{
	const ModuleDef *module;
	pg_uuid_t	id;

	record_parse_id(wire, &id);
	record_fetch(context, &id, RECORD_FOR_UPDATE, false, record);
	module = record_module(context, record);
	record_require(context, module, action, record);
	record_check_if_match(module, if_match, record->version);
	return module;
}

Datum
record_close(StringInfo out, RequestContext *context, const ModuleDef *module, const Record *record)
{
	record_write_answer(out, context, module, record);
	SPI_finish();
	context_etag(context, record->version);
	return context_answer(out);
}
