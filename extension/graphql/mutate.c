/*
 * mutate.c
 *	  The fields of the mutation type: the functions of the records, called by SQL
 *	  one after the other in one transaction.
 *
 * Each runs in a subtransaction: one that fails is null, leaves nothing behind,
 * and the next goes on.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "graphql/load.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

static KeptPlan call_create = {
	"SELECT qehs.record_create($1, $2, $3)", 3, {TEXTOID, JSONBOID, TEXTOID}, NULL
};
static KeptPlan call_update = {
	"SELECT qehs.record_update($1, $2, $3, $4)", 4, {TEXTOID, JSONBOID, TEXTOID, TEXTOID}, NULL
};
static KeptPlan call_transition = {
	"SELECT qehs.record_transition(id => $1, transition => $2, comment => $3, signature => $4, if_match => $5, payload => $6)", 6,
	{TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID, JSONBOID}, NULL
};
static KeptPlan call_approve = {
	"SELECT qehs.record_approve(id => $1, transition => $2, comment => $3, signature => $4, if_match => $5)", 5,
	{TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID}, NULL
};
static KeptPlan call_reject = {
	"SELECT qehs.record_reject(id => $1, transition => $2, comment => $3, signature => $4, if_match => $5)", 5,
	{TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID}, NULL
};
static KeptPlan call_delete = {
	"SELECT qehs.record_delete($1, $2)", 2, {TEXTOID, TEXTOID}, NULL
};
static KeptPlan call_restore = {
	"SELECT qehs.record_restore($1)", 1, {TEXTOID}, NULL
};

static KeptPlan call_comment = {
	"SELECT qehs.record_comment(id => $1, body => $2, parent_id => $3)", 3, {TEXTOID, TEXTOID, TEXTOID}, NULL
};
static KeptPlan call_delete_comment = {
	"SELECT qehs.comment_delete($1)", 1, {TEXTOID}, NULL
};

/* ---- arguments ---- */

static void
set_text(Datum *values, char *nulls, int number, const char *text)
{
	values[number] = text ? CStringGetTextDatum(text) : (Datum) 0;
	nulls[number] = text ? ' ' : 'n';
}

/* payload or data; raises QH400 for both, or where one is required and neither is given. */
static void
set_payload(const RunField *field, Datum *values, char *nulls, int number, bool required)
{
	Jsonb	   *payload = run_argument_json(field, "payload");
	Jsonb	   *data = run_argument_json(field, "data");

	if (payload && data)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/data", "conflict", "is another name of payload: give one of them");
	if (payload == NULL)
		payload = data;
	if (payload == NULL && required)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/payload", "required", "is required");
	values[number] = payload ? JsonbPGetDatum(payload) : (Datum) 0;
	nulls[number] = payload ? ' ' : 'n';
}

/* ifVersion as an entity tag, the one form that If-Match has over HTTP. */
static void
set_version(const RunField *field, Datum *values, char *nulls, int number)
{
	int32		version;

	if (run_argument_int(field, "ifVersion", &version) && version < 1)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?ifVersion", "range", "must be at least 1, the version of a new record");
	set_text(values, nulls, number, run_argument_int(field, "ifVersion", &version) ? psprintf("\"%d\"", version) : NULL);
}

/* What transitions, approvals and rejections take: transition, comment, signature and version. */
static void
set_move(const RunField *field, Datum *values, char *nulls)
{
	Jsonb	   *signature = run_argument_json(field, "signature");

	set_text(values, nulls, 1, run_argument_text(field, "transition"));
	set_text(values, nulls, 2, run_argument_text(field, "comment"));
	values[3] = signature ? JsonbPGetDatum(signature) : (Datum) 0;
	nulls[3] = signature ? ' ' : 'n';
	set_version(field, values, nulls, 4);
}

/* The record that an id names, or that the comment of an id is on, must be of the field's module: others are not there for it. */
static void
require_module(Run *run, const RunField *field, const char *id_text)
{
	static KeptPlan select_module = {
		"SELECT m.key FROM qehs.record AS r JOIN qehs.module AS m ON m.tenant_id = r.tenant_id AND m.id = r.module_id"
		" WHERE r.tenant_id = $1 AND r.id = $2", 2, {INT4OID, UUIDOID}, NULL
	};
	static KeptPlan select_module_of_comment = {
		"SELECT m.key FROM qehs.record_comment AS c JOIN qehs.record AS r ON r.tenant_id = c.tenant_id AND r.id = c.record_id"
		" JOIN qehs.module AS m ON m.tenant_id = r.tenant_id AND m.id = r.module_id WHERE c.tenant_id = $1 AND c.id = $2", 2, {INT4OID, UUIDOID}, NULL
	};
	bool		of_comment = field->source->origin == ORIGIN_DELETE_COMMENT;
	pg_uuid_t	id;
	Datum		values[2] = {Int32GetDatum(run->context->tenant_id), UUIDPGetDatum(&id)};
	bool		isnull;

	if (id_text == NULL || !id_parse(id_text, strlen(id_text), of_comment ? QEHS_ID_COMMENT : QEHS_ID_RECORD, &id) ||
		plan_execute(of_comment ? &select_module_of_comment : &select_module, values, NULL, true, 1) == 0 ||
		strcmp(TextDatumGetCString(plan_value(0, 1, &isnull)), field->source->module) != 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such %s", of_comment ? "comment" : "record");
}

/* ---- calls ---- */

/* Call the function of a field; gives the JSON of the record or comment, or NULL of a delete. */
static char *
call(Run *run, const RunField *field)
{
	KeptPlan   *plan = &call_create;
	char	   *id = run_argument_text(field, "id");
	Datum		values[6];
	char		nulls[6];
	bool		isnull;
	Datum		answer;

	if (field->source->origin != ORIGIN_CREATE)
		require_module(run, field, id);
	set_text(values, nulls, 0, id);
	switch (field->source->origin)
	{
		case ORIGIN_CREATE:
			set_text(values, nulls, 0, field->source->module);
			set_payload(field, values, nulls, 1, true);
			set_text(values, nulls, 2, run_argument_text(field, "workflowState"));
			break;
		case ORIGIN_UPDATE:
			plan = &call_update;
			set_payload(field, values, nulls, 1, true);
			set_text(values, nulls, 2, run_argument_text(field, "comment"));
			set_version(field, values, nulls, 3);
			break;
		case ORIGIN_TRANSITION:
			plan = &call_transition;
			set_move(field, values, nulls);
			set_payload(field, values, nulls, 5, false);
			break;
		case ORIGIN_APPROVE:
			plan = &call_approve;
			set_move(field, values, nulls);
			break;
		case ORIGIN_REJECT:
			plan = &call_reject;
			set_move(field, values, nulls);
			break;
		case ORIGIN_DELETE:
			plan = &call_delete;
			set_version(field, values, nulls, 1);
			break;
		case ORIGIN_COMMENT:
			plan = &call_comment;
			set_text(values, nulls, 1, run_argument_text(field, "body"));
			set_text(values, nulls, 2, run_argument_text(field, "parentId"));
			break;
		case ORIGIN_DELETE_COMMENT:
			plan = &call_delete_comment;
			break;
		default:
			plan = &call_restore;
	}
	plan_execute(plan, values, nulls, false, 1);
	answer = plan_value(0, 1, &isnull);
	return isnull ? NULL : TextDatumGetCString(answer);
}

/* Write the record that a function gave, read again with what is asked of it. */
static bool
write_record(Run *run, StringInfo out, RunField *field, const char *json)
{
	Jsonb	   *answer = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	RunFields  *below = run_fields(run, field, graphql_named_type(field->field->type));
	char	   *text = json_member_text(&answer->root, "id");
	pg_uuid_t	id;
	Datum		ids[1] = {UUIDPGetDatum(&id)};
	Record	   *records = NULL;
	int			count = 0;
	bool		written;

	/* to see what the function did, and its event */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	if (text && id_parse(text, strlen(text), QEHS_ID_RECORD, &id))
		records = load_records(run, ids, 1, true, &count);
	if (count == 0)
		written = run_write_null(run, out, field, field->field->type);
	else
		written = load_write_record(run, out, load_level(run, below, module_lookup(run->context->tenant_id, field->source->module), records,
														 count), 0);
	PopActiveSnapshot();
	return written;
}

/* Write the comment that a function gave. */
static bool
write_comment(Run *run, StringInfo out, RunField *field, const char *json)
{
	Jsonb	   *comment = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	JsonbValue	value = {.type = jbvBinary};

	value.val.binary.data = &comment->root;
	value.val.binary.len = VARSIZE_ANY_EXHDR(comment);
	return run_write_json(run, out, field, field->field->type, &value);
}

static bool
write_field(Run *run, StringInfo out, RunField *field)
{
	RequestContext *context = run->context;
	int			headers = context->headers.len;
	char	   *json = call(run, field);

	/* Location and ETag are of a record, and the answer is none */
	context->headers.len = headers;
	context->status = 0;
	if (json && field->source->origin == ORIGIN_COMMENT)
		return write_comment(run, out, field, json);
	if (json)
		return write_record(run, out, field, json);
	json_string(out, run_argument_text(field, "id"));
	return true;
}

bool
run_write_mutation(Run *run, StringInfo out, RunFields *fields)
{
	int			start = out->len;

	for (int i = 0; i < fields->count; i++)
	{
		RunField   *field = &fields->items[i];
		int			path = run_begin_member(run, out, start, field);

		if (field->source->origin == ORIGIN_TYPENAME)
			json_literal(out, "\"Mutation\"");
		else if (!run_write_guarded(run, out, field, write_field))
			json_literal(out, "null");
		run_end_member(run, out, start, path, true);
	}
	appendStringInfoString(out, out->len > start ? "}" : "{}");
	return true;
}
