/*
 * comment.c
 *	  qehs.record_comment, record_comments and comment_delete: what people say of a record.
 *
 * A comment changes nothing of the record: its version stays, and a state that locks
 * lets comments be.  It is an answer to another one, or begins a thread.  What is taken
 * back leaves its place in the thread, without the text; the audit trail keeps it.
 *
 * @name in the text mentions the active user of that name; who is mentioned is kept with
 * the comment and told by an event in the outbox.
 */
#include "base/compat.h"

#include "audit/audit.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/page.h"
#include "catalog/pg_type.h"
#include "effect/effect.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "record/comment.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(qehs_record_comment);
PG_FUNCTION_INFO_V1(qehs_record_comments);
PG_FUNCTION_INFO_V1(qehs_comment_delete);

#define MOST_CHARACTERS 10000

/* A user name may end in a dot, and so may the sentence that mentions it: the name is looked up with and without what stands at its end. */
static KeptPlan insert_comment = {
	"INSERT INTO qehs.record_comment (tenant_id, id, record_id, parent_id, body, mentions, created_at, created_by)"
	" SELECT $1, $2, $3, $4, $5, COALESCE(pg_catalog.array_agg(DISTINCT u.id) FILTER (WHERE u.id IS NOT NULL), '{}'), $6, $7"
	" FROM (SELECT 1) AS one LEFT JOIN (pg_catalog.regexp_matches($5, '(?:^|[^[:alnum:]_@.])@([[:alnum:]][[:alnum:]_.+@-]*)', 'g') AS m (name)"
	" JOIN qehs.user_account AS u ON u.tenant_id = $1 AND u.active AND pg_catalog.lower(u.user_name) IN (pg_catalog.lower(m.name[1]),"
	" pg_catalog.lower(pg_catalog.rtrim(m.name[1], '.@-+_')))) ON true"
	" RETURNING " QEHS_COMMENT_COLUMNS,
	7, {INT4OID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, UUIDOID}, NULL
};
static KeptPlan select_comments = {
	"SELECT " QEHS_COMMENT_COLUMNS " FROM qehs.record_comment WHERE tenant_id = $1 AND record_id = $2 AND id > $3 ORDER BY id LIMIT 201",
	3, {INT4OID, UUIDOID, UUIDOID}, NULL
};
static KeptPlan select_parent = {
	"SELECT FROM qehs.record_comment WHERE tenant_id = $1 AND record_id = $2 AND id = $3 AND deleted_at IS NULL", 3, {INT4OID, UUIDOID, UUIDOID}, NULL
};
static KeptPlan lock_comment = {
	"SELECT " QEHS_COMMENT_COLUMNS " FROM qehs.record_comment WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE",
	2, {INT4OID, UUIDOID}, NULL
};
static KeptPlan delete_comment = {
	"UPDATE qehs.record_comment SET body = NULL, mentions = '{}', deleted_at = $3, deleted_by = $4 WHERE tenant_id = $1 AND id = $2",
	4, {INT4OID, UUIDOID, TIMESTAMPTZOID, UUIDOID}, NULL
};

/* ---- what follows ---- */

/* The event of a comment that was made or deleted, with its text. */
static void
note(const RequestContext *context, AuditAction action, const Record *record, const pg_uuid_t *id, const char *body)
{
	char		wire[QEHS_ID_LENGTH + 1];
	AuditNote	event = {.action = action,.record = record,.comment = body};

	id_format(id, QEHS_ID_COMMENT, wire);
	event.changes = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("[{\"path\":\"/comments/%s\"}]", wire))));
	audit_note(context, &event);
}

/* Tell who is mentioned; row is one of QEHS_COMMENT_COLUMNS. */
static void
tell_mentioned(const RequestContext *context, const ModuleDef *module, const Record *record, uint64 row)
{
	bool		isnull;
	Datum		mentions = plan_value(row, COMMENT_COLUMN_MENTIONS, &isnull);
	StringInfoData body;

	if (ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(mentions)), ARR_DIMS(DatumGetArrayTypeP(mentions))) == 0)
		return;
	outbox_begin(&body, module, record);
	json_literal(&body, ",\"commentId\":");
	json_id(&body, DatumGetUUIDP(plan_value(row, COMMENT_COLUMN_ID, &isnull)), QEHS_ID_COMMENT);
	comment_write_mentions(&body, context, mentions);
	outbox_add(context, "comment.mentioned", record, &body);
}

/* ---- the functions ---- */

static void
check_body(const char *body, ViolationList *faults)
{
	if (body == NULL || body[strspn(body, " \t\r\n")] == '\0')
		violation_add(faults, "/body", "required", "must be a text that is not blank");
	else if (pg_mbstrlen(body) > MOST_CHARACTERS)
		violation_add(faults, "/body", "maxLength", "must have at most %d characters", MOST_CHARACTERS);
}

/* The arguments of qehs.record_comment. */
enum
{
	ARGUMENT_ID, ARGUMENT_BODY, ARGUMENT_PARENT_ID
};

/* record_comment(id, body, parent_id) */
Datum
qehs_record_comment(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList faults = {0};
	char	   *body = argument_text(fcinfo, ARGUMENT_BODY);
	pg_uuid_t	id;
	pg_uuid_t	record_id;
	pg_uuid_t	parent;
	Datum		values[7] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), UUIDPGetDatum(&record_id), UUIDPGetDatum(&parent),
		body ? CStringGetTextDatum(body) : (Datum) 0, TimestampTzGetDatum(clock_transaction()), UUIDPGetDatum(&context->actor_id)};
	Datum		of_parent[3] = {values[0], values[2], values[3]};
	const ModuleDef *module;
	Record		record;
	StringInfoData out;

	record_parse_id(argument_text(fcinfo, ARGUMENT_ID), &record_id);
	json_begin(&out);
	SPI_connect();
	record_fetch(context, &record_id, RECORD_FOR_UPDATE, false, &record);
	module = record_module(context, &record);
	record_require(context, module, ACTION_READ, &record);
	record_require(context, module, ACTION_COMMENT, &record);
	check_body(body, &faults);
	if (!PG_ARGISNULL(ARGUMENT_PARENT_ID) && (!argument_id(fcinfo, ARGUMENT_PARENT_ID, QEHS_ID_COMMENT, &parent) ||
										   plan_execute(&select_parent, of_parent, NULL, true, 1) == 0))
		violation_add(&faults, "/parentId", "references", "names no comment of the record");
	violation_raise(&faults);
	id_generate(&id);
	plan_execute(&insert_comment, values, PG_ARGISNULL(ARGUMENT_PARENT_ID) ? "   n   " : NULL, false, 0);
	comment_write(&out, context, 0);
	tell_mentioned(context, module, &record, 0);
	note(context, AUDIT_COMMENT, &record, &id, body);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* The arguments of qehs.record_comments: id, page_size, cursor. */
enum
{
	ARGUMENT_LIST_ID, ARGUMENT_LIST_PAGE_SIZE
};

/* record_comments(id, page_size, cursor) */
Datum
qehs_record_comments(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	pg_uuid_t	record_id;
	pg_uuid_t	last = {{0}};
	char		binding[QEHS_ID_LENGTH + 1];
	ListPage	page = {.context = context, .endpoint = "record_comments", .binding = binding, .position = &last, .size = sizeof(last)};
	Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record_id), UUIDPGetDatum(&last)};
	Record		record;
	uint64		rows;
	bool		isnull;

	record_parse_id(argument_text(fcinfo, ARGUMENT_LIST_ID), &record_id);
	id_format(&record_id, QEHS_ID_RECORD, binding);
	page_begin(&page, fcinfo, ARGUMENT_LIST_PAGE_SIZE);
	SPI_connect();
	record_fetch(context, &record_id, RECORD_READ, false, &record);
	record_require(context, record_module(context, &record), ACTION_READ, &record);
	rows = page_select(&page, &select_comments, values, NULL);
	comment_load_actors(context, rows);
	for (uint64 i = 0; i < rows; i++)
	{
		page_next(&page);
		comment_write(&page.out, context, i);
		last = *DatumGetUUIDP(plan_value(i, COMMENT_COLUMN_ID, &isnull));
	}
	SPI_finish();
	PG_RETURN_DATUM(page_end(&page));
}

static void
not_found(void)
{
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such comment");
}

/* comment_delete(id) */
Datum
qehs_comment_delete(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	pg_uuid_t	id;
	Datum		values[4] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&id), TimestampTzGetDatum(clock_transaction()),
	UUIDPGetDatum(&context->actor_id)};
	pg_uuid_t	record_id;
	pg_uuid_t	author;
	const ModuleDef *module;
	Record		record;
	char	   *body;
	bool		isnull;

	SPI_connect();
	if (!argument_id(fcinfo, 0, QEHS_ID_COMMENT, &id) || plan_execute(&lock_comment, values, NULL, false, 1) == 0)
		not_found();
	record_id = *DatumGetUUIDP(plan_value(0, COMMENT_COLUMN_RECORD_ID, &isnull));
	author = *DatumGetUUIDP(plan_value(0, COMMENT_COLUMN_CREATED_BY, &isnull));
	body = plan_text(0, COMMENT_COLUMN_BODY);
	record_fetch(context, &record_id, RECORD_READ, true, &record);
	if (record.deleted)
		not_found();
	module = record_module(context, &record);
	if (record_is_hidden(context, module, &record))
		not_found();
	record_require(context, module, ACTION_READ, &record);
	record_require(context, module, ACTION_COMMENT, &record);
	if (memcmp(&author, &context->actor_id, sizeof(author)) != 0 && !permission_is_administrator(context))
		problem_raise(PROBLEM_FORBIDDEN, NULL, "the comment is somebody else's");
	plan_execute(&delete_comment, values, NULL, false, 0);
	note(context, AUDIT_UNCOMMENT, &record, &id, body);
	SPI_finish();
	PG_RETURN_NULL();
}
