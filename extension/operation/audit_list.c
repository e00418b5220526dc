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
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_audit_list);
PG_FUNCTION_INFO_V1(qehs_record_activity);

/* A key that is narrowed to modules sees no other. */
#define OF_MODULES " AND ($8::text[] IS NULL OR module_id IN (SELECT m.id FROM qehs.module AS m WHERE m.tenant_id = $1 AND m.key = ANY ($8)))"

/* NULL arguments put no condition; a generic plan still starts at an index. */
static KeptPlan select_events = {
	"SELECT " QEHS_EVENT_COLUMNS ", record_id, module_id, trace_id FROM qehs.audit_event WHERE tenant_id = $1 AND id < $2"
	" AND ($3::uuid IS NULL OR actor_id = $3) AND ($4::text IS NULL OR action = $4)"
	" AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at <= $6)" OF_MODULES " ORDER BY id DESC LIMIT 201",
	8, {INT4OID, UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID, TEXTARRAYOID}, NULL
};
static KeptPlan select_record_events = {
	"SELECT " QEHS_EVENT_COLUMNS ", record_id, module_id, trace_id FROM qehs.audit_event WHERE tenant_id = $1 AND id < $2"
	" AND ($3::uuid IS NULL OR actor_id = $3) AND ($4::text IS NULL OR action = $4)"
	" AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at <= $6) AND record_id = $7"
	OF_MODULES " ORDER BY id DESC LIMIT 201",
	8, {INT4OID, UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID, TEXTARRAYOID}, NULL
};

typedef struct EventPage
{
	const char *endpoint;
	const char *binding;
	int32		limit;
	bool		full;			/* with recordId, moduleKey, traceId and a delete's payload */
	Datum		values[8];
	char		nulls[8];
} EventPage;

/* Append what an audit item has beyond an activity item. */
static void
write_audit_members(StringInfo out, const RequestContext *context, const ModuleDef *module, uint64 row)
{
	bool		isnull;
	Datum		value;

	json_literal(out, ",\"recordId\":");
	json_id(out, DatumGetUUIDP(plan_value(row, 10, &isnull)), QEHS_ID_RECORD);
	json_literal(out, ",\"moduleKey\":");
	json_string(out, module ? module->key : NULL);
	json_literal(out, ",\"transition\":");
	value = plan_value(row, 8, &isnull);
	json_string(out, isnull ? NULL : TextDatumGetCString(value));
	json_literal(out, ",\"traceId\":");
	value = plan_value(row, 12, &isnull);
	json_string(out, isnull ? NULL : TextDatumGetCString(value));
	value = plan_value(row, 5, &isnull);
	if (!isnull && JB_ROOT_IS_OBJECT(DatumGetJsonbP(value)))
	{
		JsonbValue	payload;

		if (json_member(&DatumGetJsonbP(value)->root, "payload", 7, &payload))
		{
			json_literal(out, ",\"payload\":");
			PermissionSubject subject = {.payload = json_value_to_jsonb(&payload)};

			if (module)
				permission_write_payload(out, context, module, &subject);
			else
				json_jsonb_value(out, &payload);
		}
	}
}

/* Run the page and write it; values[0] is set here. */
static Datum
write_page(RequestContext *context, EventPage *page, const char *cursor)
{
	StringInfoData out;
	char	   *next = NULL;
	pg_uuid_t  *last = palloc(sizeof(pg_uuid_t));
	uint64		rows;
	bool		isnull;

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
	rows = plan_execute(page->nulls[6] == 'n' ? &select_events : &select_record_events, page->values, page->nulls, true,
						page->limit + 1);
	for (uint64 i = 0; i < Min(rows, (uint64) page->limit); i++)
	{
		const ModuleDef *module;

		if (i > 0)
			appendStringInfoChar(&out, ',');
		module = module_lookup_version(context->tenant_id, DatumGetInt32(plan_value(i, 11, &isnull)), 0);
		audit_write_item(&out, context, module, NULL, i);
		if (page->full)
			write_audit_members(&out, context, module, i);
		appendStringInfoChar(&out, '}');
		*last = *DatumGetUUIDP(plan_value(i, 1, &isnull));
	}
	SPI_finish();
	if (rows > (uint64) page->limit)
		next = cursor_seal(context->tenant_id, page->endpoint, page->binding, (const char *) last, sizeof(*last));
	return context_answer_page(&out, context, next);
}

static void
set_time(EventPage *page, int index, const char *text, const char *path, ViolationList *faults)
{
	TimestampTz time = 0;

	if (text == NULL)
		return;
	if (!json_time_parse(text, strlen(text), &time))
		violation_add_first(faults, path, "format", "must be an RFC 3339 time with offset");
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

/* Narrow the page to the modules of the caller's key. */
static void
set_modules(EventPage *page, const RequestContext *context)
{
	Datum	   *keys = palloc(sizeof(Datum) * Max(context->module_count, 1));

	for (int i = 0; i < context->module_count; i++)
		keys[i] = CStringGetTextDatum(context->modules[i]);
	if (context->module_count < 0)
		return;
	page->values[7] = PointerGetDatum(construct_array(keys, context->module_count, TEXTOID, -1, false, TYPALIGN_INT));
	page->nulls[7] = ' ';
}

/* audit_list(record_id, actor, action, from_time, to_time, page_size, cursor) */
Datum
qehs_audit_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_AUDIT_READ);
	ViolationList faults = {0};
	EventPage	page = {.endpoint = "audit_list", .limit = argument_page_size(fcinfo, 5, &faults), .full = true};
	StringInfoData binding;

	memset(page.nulls, 'n', sizeof(page.nulls));
	set_id(&page, 6, argument_text(fcinfo, 0), "?recordId", QEHS_ID_RECORD, QEHS_ID_RECORD, &faults);
	set_id(&page, 2, argument_text(fcinfo, 1), "?actor", QEHS_ID_USER, QEHS_ID_KEY, &faults);
	if (!PG_ARGISNULL(2))
	{
		page.values[3] = PG_GETARG_DATUM(2);
		page.nulls[3] = ' ';
	}
	set_time(&page, 4, argument_text(fcinfo, 3), "?from", &faults);
	set_time(&page, 5, argument_text(fcinfo, 4), "?to", &faults);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	set_modules(&page, context);
	initStringInfo(&binding);
	for (int i = 0; i < 5; i++)
		appendStringInfo(&binding, "%d:%s\n", i, PG_ARGISNULL(i) ? "" : argument_text(fcinfo, i));
	page.binding = binding.data;
	return write_page(context, &page, argument_text(fcinfo, 6));
}

/* record_activity(id, page_size, cursor) */
Datum
qehs_record_activity(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	ViolationList faults = {0};
	EventPage	page = {.endpoint = "record_activity", .limit = argument_page_size(fcinfo, 1, &faults)};
	pg_uuid_t	id;
	Record		record;
	char		binding[QEHS_ID_LENGTH + 1];

	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	record_parse_id(argument_text(fcinfo, 0), &id);
	SPI_connect();
	record_fetch(context, &id, RECORD_READ, (context->scopes & SCOPE_AUDIT_READ) != 0, &record);
	record_require(context, record_module(context, &record), ACTION_READ, &record);
	SPI_finish();
	memset(page.nulls, 'n', sizeof(page.nulls));
	page.values[6] = UUIDPGetDatum(&id);
	page.nulls[6] = ' ';
	id_format(&id, QEHS_ID_RECORD, binding);
	page.binding = binding;
	return write_page(context, &page, argument_text(fcinfo, 2));
}
