/*
 * audit_list.c
 *	  qehs.audit_list and qehs.record_activity: pages of events, newest first.
 *
 * The keyset is the event's id, a UUIDv7, so it rises with time.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/argument.h"
#include "base/cursor.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* The arguments of qehs.audit_list. */
enum
{
	ARGUMENT_RECORD_ID, ARGUMENT_ACTOR, ARGUMENT_ACTION, ARGUMENT_FROM_TIME, ARGUMENT_TO_TIME, ARGUMENT_PAGE_SIZE, ARGUMENT_CURSOR
};

PG_FUNCTION_INFO_V1(qehs_audit_list);
PG_FUNCTION_INFO_V1(qehs_record_activity);

/* What the list reads of an event beyond QEHS_EVENT_COLUMNS. */
enum
{
	EVENT_COLUMN_RECORD_ID = QEHS_EVENT_COLUMN_COUNT + 1, EVENT_COLUMN_MODULE_ID, EVENT_COLUMN_TRACE_ID, EVENT_COLUMN_REASON, EVENT_COLUMN_ADDRESS
};

/* NULL arguments put no condition; a generic plan still starts at an index. */
#define BATCH_ROWS 50
#define SELECT_EVENTS "SELECT " QEHS_EVENT_COLUMNS ", record_id, module_id, trace_id, reason, host(address)" \
	" FROM qehs.audit_event WHERE tenant_id = $1 AND id < $2" \
	" AND ($3::uuid IS NULL OR actor_id = $3) AND ($4::text IS NULL OR action = $4)" \
	" AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at <= $6)"
#define OF_RECORD " AND record_id = $7"
/* what the caller may read: all (NULL), or the events of modules of which he may read every record */
#define OF_MODULES " AND ($8::int4[] IS NULL OR module_id = ANY ($8))"
#define NEWEST_FIRST " ORDER BY id DESC LIMIT 201"
#define EVENT_ARGUMENTS 8, {INT4OID, UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID, INT4ARRAYOID}

static KeptPlan select_events = {SELECT_EVENTS OF_MODULES NEWEST_FIRST, EVENT_ARGUMENTS, NULL};
static KeptPlan select_record_events = {SELECT_EVENTS OF_RECORD OF_MODULES NEWEST_FIRST, EVENT_ARGUMENTS, NULL};
static KeptPlan select_modules = {"SELECT id FROM qehs.module WHERE tenant_id = $1", 1, {INT4OID}, NULL};

/* Those of the statement, and behind them those of predicates of records. */
#define EVENT_VALUES (8 + QEHS_PERMISSION_ARGUMENTS)

typedef struct EventPage
{
	const char *endpoint;
	const char *binding;
	int32		limit;
	bool		full;			/* with recordId, moduleKey, traceId and a delete's payload */
	Datum		values[EVENT_VALUES];
	char		nulls[EVENT_VALUES];
	StringInfoData some;		/* " OR (…)": events of modules of which the caller may read some records; or empty */
} EventPage;

static void
write_text(StringInfo out, uint64 row, int column)
{
	json_string(out, plan_text(row, column));
}

/* What an event holds beside changes: the payload of a delete, what an export asked for; false when it has none of the name. */
static bool
event_member(uint64 row, const char *name, JsonbValue *value)
{
	bool		isnull;
	Datum		changes = plan_value(row, EVENT_COLUMN_CHANGES, &isnull);

	return !isnull && JB_ROOT_IS_OBJECT(DatumGetJsonbP(changes)) &&
		json_member(&DatumGetJsonbP(changes)->root, name, strlen(name), value);
}

/* What ids of a kind of event begin with on the wire; NULL: they are UUIDs. */
static const char *
subject_prefix(const char *type)
{
	static const struct
	{
		const char *kind;
		const char *prefix;
	}			kinds[] = {
		{"apiKey.", QEHS_ID_KEY}, {"user.", QEHS_ID_USER}, {"signatureCredential.", QEHS_ID_USER}, {"delegation.", QEHS_ID_DELEGATION},
		{"legalHold.", QEHS_ID_LEGAL_HOLD}
	};

	for (int i = 0; i < (int) lengthof(kinds); i++)
		if (strncmp(type, kinds[i].kind, strlen(kinds[i].kind)) == 0)
			return kinds[i].prefix;
	return NULL;
}

/* What the event is of: a record, a module as a whole (exported), or what its type names (apiKey.revoked). */
static void
write_subject(StringInfo out, const ModuleDef *module, uint64 row)
{
	static const pg_uuid_t none = {{0}};
	bool		isnull;
	pg_uuid_t  *id = DatumGetUUIDP(plan_value(row, EVENT_COLUMN_RECORD_ID, &isnull));
	bool		of_record = module && memcmp(id, &none, sizeof(none)) != 0;
	const char *prefix = subject_prefix(plan_text(row, EVENT_COLUMN_ACTION));

	json_literal(out, ",\"recordId\":");
	if (of_record)
		json_id(out, id, QEHS_ID_RECORD);
	else
		json_literal(out, "null");
	json_literal(out, ",\"moduleKey\":");
	json_string(out, module ? module->key : NULL);
	json_literal(out, ",\"subjectId\":");
	if (of_record)
		json_id(out, id, QEHS_ID_RECORD);
	else if (module)
		json_literal(out, "null");
	else if (prefix)
		json_id(out, id, prefix);
	else
		json_string(out, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id))));
	json_literal(out, ",\"reason\":");
	write_text(out, row, EVENT_COLUMN_REASON);
	plan_value(row, EVENT_COLUMN_ON_BEHALF_OF, &isnull);
	if (isnull)
		json_literal(out, ",\"onBehalfOf\":null");
	json_literal(out, ",\"address\":");
	write_text(out, row, EVENT_COLUMN_ADDRESS);
}

/* Append what an audit item has beyond an activity item. */
static void
write_audit_members(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, uint64 row)
{
	bool		isnull;
	JsonbValue	member;

	write_subject(out, module, row);
	json_literal(out, ",\"transition\":");
	write_text(out, row, EVENT_COLUMN_TRANSITION);
	json_literal(out, ",\"traceId\":");
	write_text(out, row, EVENT_COLUMN_TRACE_ID);
	if (event_member(row, "export", &member))
	{
		json_literal(out, ",\"export\":");
		json_jsonb_value(out, &member);
	}
	if (module && event_member(row, "payload", &member))
	{
		PermissionSubject last = {subject ? subject->created_by : (pg_uuid_t) {{0}}, DatumGetInt32(plan_value(row, EVENT_COLUMN_FROM_DEFINITION, &isnull)),
		json_value_to_jsonb(&member)};

		json_literal(out, ",\"payload\":");
		permission_write_payload(out, context, module, &last);
	}
}

/* One event of the page. */
static void
write_event(StringInfo out, const RequestContext *context, const EventPage *page, uint64 row)
{
	bool		isnull;
	int32		module_id = DatumGetInt32(plan_value(row, EVENT_COLUMN_MODULE_ID, &isnull));
	const ModuleDef *module = module_id ? module_lookup_version(context->tenant_id, module_id, 0) : NULL;
	PermissionSubject record;
	const PermissionSubject *subject = module && permission_depends_on_record(context, module) &&
		record_find_subject(context->tenant_id, DatumGetUUIDP(plan_value(row, EVENT_COLUMN_RECORD_ID, &isnull)), &record) ? &record : NULL;

	audit_write_item(out, context, module, subject, row);
	if (page->full)
		write_audit_members(out, context, module, subject, row);
	appendStringInfoChar(out, '}');
}

/* Run the statement of the page for at most so many rows; gives their number. */
static uint64
run_page(EventPage *page, int count)
{
	Oid			types[EVENT_VALUES];
	bool		of_record = page->nulls[6] != 'n';
	char	   *sql;
	int			result;

	if (page->some.len == 0)
		return plan_execute(of_record ? &select_record_events : &select_events, page->values, page->nulls, true, count);
	sql = psprintf(SELECT_EVENTS "%s AND (module_id = ANY ($8)%s)" NEWEST_FIRST, of_record ? OF_RECORD : "", page->some.data);
	memcpy(types, select_events.argument_types, sizeof(Oid) * select_events.argument_count);
	memcpy(types + select_events.argument_count, permission_argument_types, sizeof(permission_argument_types));
	result = SPI_execute_with_args(sql, EVENT_VALUES, types, page->values, page->nulls, true, count);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/* from or to, a time or a date. */
static void
set_bound(EventPage *page, int index, const char *text, bool is_end, ViolationList *faults)
{
	TimestampTz time;

	if (!argument_bound(text, is_end, is_end ? "?to" : "?from", &time, faults))
		return;
	page->values[index] = TimestampTzGetDatum(time);
	page->nulls[index] = ' ';
}

static void
set_id(EventPage *page, int index, const char *text, const char *path, const char *prefix, const char *other_prefix,
	   ViolationList *faults)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	if (text == NULL)
		return;
	if (!id_parse(text, strlen(text), prefix, id) && !id_parse(text, strlen(text), other_prefix, id))
		violation_add_first(faults, path, "format", "must be an id");
	page->values[index] = UUIDPGetDatum(id);
	page->nulls[index] = ' ';
}

/* Append that an event is of a record of the module that the caller may read. */
static void
append_some(EventPage *page, const RequestContext *context, const ModuleDef *module)
{
	appendStringInfo(&page->some, " OR (module_id = %d AND EXISTS (SELECT FROM qehs.record AS r WHERE r.tenant_id = $1 AND r.id = record_id"
					 " AND %s))", module->module_id,
					 permission_predicate(context, module, ACTION_AUDIT, "r.", select_events.argument_count + 1));
}

/* Narrow the page to what the caller may read; inside SPI. */
static void
set_readable(EventPage *page, const RequestContext *context)
{
	Datum		tenant = Int32GetDatum(context->tenant_id);
	uint64		rows;
	Datum	   *whole;
	int			count = 0;
	bool		isnull;

	if (permission_audits_all(context))
		return;
	rows = plan_execute(&select_modules, &tenant, NULL, true, 0);
	whole = palloc(sizeof(Datum) * Max(rows, 1));
	initStringInfo(&page->some);
	for (uint64 i = 0; i < rows; i++)
	{
		const ModuleDef *module = module_lookup_version(context->tenant_id, DatumGetInt32(plan_value(i, 1, &isnull)), 0);

		if (permission_may(context, module, ACTION_AUDIT, NULL, NULL))
			whole[count++] = Int32GetDatum(module->module_id);
		else if (permission_may(context, module, ACTION_AUDIT, &permission_some_record, NULL))
			append_some(page, context, module);
	}
	page->values[7] = PointerGetDatum(construct_array(whole, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	page->nulls[7] = ' ';
	permission_arguments(context, page->values + select_events.argument_count);
	memset(page->nulls + select_events.argument_count, ' ', QEHS_PERMISSION_ARGUMENTS);
}

/*
 * Append the page's events behind last, which becomes the last one written: as many
 * as its limit, or fewer once they are QEHS_PAGE_BYTES.  Returns whether more follow.  Few
 * are read at a time, since one can hold two payloads.
 */
static bool
write_events(StringInfo out, const RequestContext *context, EventPage *page, pg_uuid_t *last)
{
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs audit event", ALLOCSET_DEFAULT_SIZES);
	int			written = 0;

	for (;;)
	{
		int			wanted = Min(page->limit - written, BATCH_ROWS);
		int			rows = (int) run_page(page, wanted + 1);
		bool		isnull;

		for (int i = 0; i < Min(rows, wanted); i++)
		{
			MemoryContext before;

			if (out->len > QEHS_PAGE_BYTES)
				return true;
			CHECK_FOR_INTERRUPTS();
			if (written++ > 0)
				appendStringInfoChar(out, ',');
			before = MemoryContextSwitchTo(memory);
			write_event(out, context, page, (uint64) i);
			MemoryContextSwitchTo(before);
			MemoryContextReset(memory);
			*last = *DatumGetUUIDP(plan_value((uint64) i, EVENT_COLUMN_ID, &isnull));
		}
		SPI_freetuptable(SPI_tuptable);
		if (rows <= wanted || written == page->limit)
			return rows > wanted;
	}
}

/* Run the page and write it; values[0] is set here. */
static Datum
write_page(RequestContext *context, EventPage *page, const char *cursor)
{
	StringInfoData out;
	char	   *next = NULL;
	pg_uuid_t  *last = palloc(sizeof(pg_uuid_t));
	bool		more;

	memset(last, 0xFF, sizeof(*last));
	if (cursor)
	{
		int			length;
		char	   *position = cursor_open(context->tenant_id, page->endpoint, page->binding, cursor, &length);

		memcpy(last, position, Min(length, (int) sizeof(*last)));
	}
	page->values[0] = Int32GetDatum(context->tenant_id);
	page->values[1] = UUIDPGetDatum(last);
	page->nulls[0] = page->nulls[1] = ' ';
	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	if (page->full)
		set_readable(page, context);
	more = write_events(&out, context, page, last);
	SPI_finish();
	if (more)
		next = cursor_seal(context->tenant_id, page->endpoint, page->binding, (const char *) last, sizeof(*last));
	return context_answer_page(&out, context, next);
}

/* audit_list(record_id, actor, action, from_time, to_time, page_size, cursor) */
Datum
qehs_audit_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_AUDIT_READ);
	ViolationList faults = {0};
	EventPage	page = {.endpoint = "audit_list", .limit = argument_page_size(fcinfo, ARGUMENT_PAGE_SIZE, &faults), .full = true};
	StringInfoData binding;

	memset(page.nulls, 'n', sizeof(page.nulls));
	set_id(&page, 6, argument_text(fcinfo, ARGUMENT_RECORD_ID), "?recordId", QEHS_ID_RECORD, QEHS_ID_RECORD, &faults);
	set_id(&page, 2, argument_text(fcinfo, ARGUMENT_ACTOR), "?actor", QEHS_ID_USER, QEHS_ID_KEY, &faults);
	if (!PG_ARGISNULL(ARGUMENT_ACTION))
	{
		page.values[3] = PG_GETARG_DATUM(ARGUMENT_ACTION);
		page.nulls[3] = ' ';
	}
	set_bound(&page, 4, argument_text(fcinfo, ARGUMENT_FROM_TIME), false, &faults);
	set_bound(&page, 5, argument_text(fcinfo, ARGUMENT_TO_TIME), true, &faults);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	initStringInfo(&binding);
	for (int i = 0; i < ARGUMENT_PAGE_SIZE; i++)
		appendStringInfo(&binding, "%d:%s\n", i, PG_ARGISNULL(i) ? "" : argument_text(fcinfo, i));
	page.binding = binding.data;
	return write_page(context, &page, argument_text(fcinfo, ARGUMENT_CURSOR));
}

/* The arguments of qehs.record_activity. */
enum
{
	ARGUMENT_OF_RECORD_ID, ARGUMENT_OF_RECORD_PAGE_SIZE, ARGUMENT_OF_RECORD_CURSOR
};

/* record_activity(id, page_size, cursor) */
Datum
qehs_record_activity(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	ViolationList faults = {0};
	EventPage	page = {.endpoint = "record_activity", .limit = argument_page_size(fcinfo, ARGUMENT_OF_RECORD_PAGE_SIZE, &faults)};
	pg_uuid_t	id;
	Record		record;
	char		binding[QEHS_ID_LENGTH + 1];

	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	record_parse_id(argument_text(fcinfo, ARGUMENT_OF_RECORD_ID), &id);
	SPI_connect();
	record_fetch(context, &id, RECORD_READ, (context->scopes & SCOPE_AUDIT_READ) != 0, &record);
	record_require(context, record_module(context, &record), ACTION_READ, &record);
	SPI_finish();
	memset(page.nulls, 'n', sizeof(page.nulls));
	page.values[6] = UUIDPGetDatum(&id);
	page.nulls[6] = ' ';
	id_format(&id, QEHS_ID_RECORD, binding);
	page.binding = binding;
	return write_page(context, &page, argument_text(fcinfo, ARGUMENT_OF_RECORD_CURSOR));
}
