/*
 * bulk.c
 *	  Bulk requests.
 *
 * What is made gets its id before anything runs, so "bulkId:x" can be replaced wherever it
 * stands, forward and in circles.  An operation runs behind those that it refers to; in
 * a circle the first one met runs with the ids of what does not exist yet.
 * Answers stand in the order of the request.
 */
#include "base/compat.h"

#include "scim/bulk.h"

#include "base/attempt.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "scim/apply.h"
#include "scim/discovery.h"
#include "scim/input.h"
#include "scim/write.h"
#include "utils/builtins.h"

#define BULK_ID "bulkId:"

typedef enum OperationState
{
	BULK_WAITING, BULK_RUNNING, BULK_DONE, BULK_FAILED
} OperationState;

typedef struct BulkOperation
{
	OperationState state;
	const char *method;
	const char *bulk_id;
	const char *path;
	const char *if_match;
	ScimValue  *data;
	const ScimResourceType *type;	/* of the path */
	const char *target;			/* the id in the path, or NULL */
	pg_uuid_t	id;				/* that it gets, of a POST */
	int			status;
	int32		version;		/* 0: the answer has none */
	const char *location;
	const char *error;			/* JSON, or NULL */
} BulkOperation;

typedef struct Bulk
{
	const RequestContext *context;
	const char *base_url;
	int			count;
	BulkOperation *operations;
	int			errors;
	int			errors_allowed; /* 0: any number */
} Bulk;

static KeptPlan select_scim_type = {"SELECT scim_type FROM qehs.problem WHERE code = $1", 1, {TEXTOID}, NULL};

static void run(Bulk *bulk, BulkOperation *operation);

static const char *
read_text(const ScimValue *object, const char *name)
{
	const ScimValue *value = tree_get_any_case(object, name);

	if (value == NULL || value->kind == SCIM_VALUE_NULL)
		return NULL;
	if (value->kind != SCIM_VALUE_TEXT)
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the member \"%s\" of an operation is a string", name);
	return value->text;
}

/* ---- references ---- */

static BulkOperation *
find_bulk_id(const Bulk *bulk, const char *name)
{
	for (int i = 0; i < bulk->count; i++)
		if (bulk->operations[i].bulk_id && strcmp(bulk->operations[i].bulk_id, name) == 0 && strcmp(bulk->operations[i].method, "POST") == 0)
			return &bulk->operations[i];
	return NULL;
}

/* The id that stands for bulkId:name, whose operation has run when it can have. */
static const char *
resolve(Bulk *bulk, const char *name)
{
	BulkOperation *made = find_bulk_id(bulk, name);

	if (made == NULL)
		problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "no POST of the request has the bulkId \"%s\"", name);
	if (made->state == BULK_FAILED)
		problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the operation with the bulkId \"%s\" failed", name);
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&made->id)));
}

static bool
is_reference(const char *text)
{
	return text && strncmp(text, BULK_ID, strlen(BULK_ID)) == 0;
}

static void
run_made(Bulk *bulk, const char *reference)
{
	BulkOperation *made = find_bulk_id(bulk, reference + strlen(BULK_ID));

	if (made && made->state == BULK_WAITING)
		run(bulk, made);
}

/* Run what a value refers to. */
static void
run_needed(Bulk *bulk, const ScimValue *value)
{
	check_stack_depth();
	if (value == NULL)
		return;
	if (value->kind == SCIM_VALUE_TEXT && is_reference(value->text))
		run_made(bulk, value->text);
	for (int i = 0; i < value->count; i++)
		run_needed(bulk, value->items[i]);
}

/* Put ids in the place of references, in paths with a filter too. */
static void
replace_references(Bulk *bulk, ScimValue *value)
{
	const char *found;

	check_stack_depth();
	if (value == NULL)
		return;
	if (value->kind == SCIM_VALUE_TEXT && is_reference(value->text))
		value->text = resolve(bulk, value->text + strlen(BULK_ID));
	else if (value->kind == SCIM_VALUE_TEXT && (found = strstr(value->text, "\"" BULK_ID)) != NULL)
	{
		const char *name = found + 1 + strlen(BULK_ID);
		int			length = (int) strcspn(name, "\"");

		value->text = psprintf("%.*s%s%s", (int) (found + 1 - value->text), value->text, resolve(bulk, pnstrdup(name, length)), name + length);
	}
	for (int i = 0; i < value->count; i++)
		replace_references(bulk, value->items[i]);
}

/* ---- one operation ---- */

/* Take "/Users" or "/Users/id" apart, without a look at what it says. */
static void
split_path(BulkOperation *operation)
{
	const char *path = operation->path ? operation->path : "";
	const char *slash;

	path += *path == '/';
	slash = strchr(path, '/');
	operation->type = schema_type(slash ? pnstrdup(path, slash - path) : path);
	operation->target = slash && slash[1] ? slash + 1 : NULL;
}

static void
check_path(Bulk *bulk, BulkOperation *operation)
{
	if (operation->type == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no resource type at the path \"%s\"", operation->path ? operation->path : "");
	if (is_reference(operation->target))
		operation->target = resolve(bulk, operation->target + strlen(BULK_ID));
	if ((operation->target == NULL) != (strcmp(operation->method, "POST") == 0))
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the path of a POST names a resource type, that of other methods a resource");
	/* also of what fails, save a POST (RFC 7644 section 3.7) */
	if (operation->target)
		operation->location = psprintf("%s/api/scim/v2%s/%s", bulk->base_url, operation->type->endpoint, operation->target);
}

static void
execute(Bulk *bulk, BulkOperation *operation)
{
	ScimCall	call = {.context = bulk->context,.base_url = bulk->base_url,.if_match = operation->if_match};
	ScimResource *resource = NULL;
	bool		deletes = strcmp(operation->method, "DELETE") == 0;

	check_path(bulk, operation);
	call.type = operation->type;
	if (!deletes && (operation->data == NULL || operation->data->kind != SCIM_VALUE_OBJECT))
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the operation needs an object \"data\"");
	replace_references(bulk, operation->data);
	if (strcmp(operation->method, "POST") == 0)
	{
		if (operation->bulk_id == NULL)
			problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "a POST needs a \"bulkId\"");
		resource = apply_create(&call, operation->data, &operation->id);
		operation->id = resource->id;
	}
	else if (strcmp(operation->method, "PUT") == 0)
		resource = apply_replace(&call, operation->target, operation->data);
	else if (strcmp(operation->method, "PATCH") == 0)
		resource = apply_patch(&call, operation->target, operation->data);
	else if (deletes)
		apply_delete(&call, operation->target);
	else
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the method of an operation is POST, PUT, PATCH or DELETE");
	operation->status = strcmp(operation->method, "POST") == 0 ? 201 : deletes ? 204 : 200;
	operation->version = resource ? resource->version : 0;
	if (resource)
		operation->location = write_location(call.type, bulk->base_url, &resource->id);
}

/* The error as the response of its operation (section 3.12). */
static void
note_error(BulkOperation *operation, const ErrorData *error)
{
	bool		unique = error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION;
	Datum		code = CStringGetTextDatum(unique || error->constraint_name == NULL ? "conflict" : error->constraint_name);
	StringInfoData json;
	bool		isnull = true;
	Datum		type;

	operation->state = BULK_FAILED;
	operation->status = unique ? 409 : (int) strtol(unpack_sql_state(error->sqlerrcode) + 2, NULL, 10);
	initStringInfo(&json);
	appendStringInfo(&json, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"status\":\"%d\"", operation->status);
	if (plan_execute(&select_scim_type, &code, NULL, true, 1) > 0)
	{
		type = plan_value(0, 1, &isnull);
		if (!isnull)
		{
			json_literal(&json, ",\"scimType\":");
			json_string(&json, TextDatumGetCString(type));
		}
	}
	json_literal(&json, ",\"detail\":");
	json_string(&json, unique ? "another request has made the same at this moment" : error->message);
	appendStringInfoChar(&json, '}');
	operation->error = json.data;
}

typedef struct Guarded
{
	Bulk	   *bulk;
	BulkOperation *operation;
} Guarded;

static void
execute_guarded(void *argument)
{
	Guarded    *guarded = argument;

	execute(guarded->bulk, guarded->operation);
}

/* Run an operation in a subtransaction; what is the client's fault fails it alone. */
static void
run_guarded(Bulk *bulk, BulkOperation *operation)
{
	Guarded		guarded = {bulk, operation};
	ErrorData  *error = attempt_run(execute_guarded, &guarded);

	if (error == NULL)
	{
		operation->state = BULK_DONE;
		return;
	}
	/* what is not the client's ends the request */
	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION && strncmp(unpack_sql_state(error->sqlerrcode), "QH", 2) != 0)
		ReThrowError(error);
	note_error(operation, error);
	FreeErrorData(error);
}

static bool
is_stopped(const Bulk *bulk)
{
	return bulk->errors_allowed > 0 && bulk->errors >= bulk->errors_allowed;
}

static void
run(Bulk *bulk, BulkOperation *operation)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	operation->state = BULK_RUNNING;
	if (is_reference(operation->target))
		run_made(bulk, operation->target);
	run_needed(bulk, operation->data);
	if (is_stopped(bulk))
	{
		operation->state = BULK_WAITING;
		return;
	}
	run_guarded(bulk, operation);
	bulk->errors += operation->state == BULK_FAILED;
}

/* ---- the message ---- */

static void
read_operation(BulkOperation *operation, const ScimValue *source)
{
	char	   *method;

	if (source->kind != SCIM_VALUE_OBJECT)
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "an operation is an object");
	method = pstrdup(read_text(source, "method") ? read_text(source, "method") : "");
	for (char *c = method; *c; c++)
		*c = (char) pg_toupper((unsigned char) *c);
	operation->method = method;
	operation->bulk_id = read_text(source, "bulkId");
	operation->path = read_text(source, "path");
	operation->if_match = read_text(source, "version");
	operation->data = tree_get_any_case(source, "data");
	split_path(operation);
	id_generate(&operation->id);
}

static void
read_message(Bulk *bulk, const ScimValue *message)
{
	const ScimValue *operations = tree_get_any_case(message, "Operations");
	const ScimValue *allowed = tree_get_any_case(message, "failOnErrors");

	input_require_schema(message, "urn:ietf:params:scim:api:messages:2.0:BulkRequest");
	if (operations == NULL || operations->kind != SCIM_VALUE_LIST)
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the message has no list \"Operations\"");
	if (operations->count > SCIM_MAX_OPERATIONS)
		problem_raise(PROBLEM_PAYLOAD_TOO_LARGE, "Send them in several requests.", "a bulk request has at most %d operations", SCIM_MAX_OPERATIONS);
	if (allowed && allowed->kind != SCIM_VALUE_NULL)
	{
		if (allowed->kind != SCIM_VALUE_NUMBER || strspn(allowed->text, "0123456789") != strlen(allowed->text) || strlen(allowed->text) > 9)
			problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "\"failOnErrors\" is a whole number");
		bulk->errors_allowed = (int) strtol(allowed->text, NULL, 10);
	}
	bulk->count = operations->count;
	bulk->operations = palloc0(sizeof(BulkOperation) * Max(bulk->count, 1));
	for (int i = 0; i < bulk->count; i++)
	{
		read_operation(&bulk->operations[i], operations->items[i]);
		for (int j = 0; j < i && bulk->operations[i].bulk_id; j++)
			if (bulk->operations[j].bulk_id && strcmp(bulk->operations[i].bulk_id, bulk->operations[j].bulk_id) == 0)
				problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "two operations have the bulkId \"%s\"", bulk->operations[i].bulk_id);
	}
}

static void
write_answer(StringInfo out, const BulkOperation *operation)
{
	json_literal(out, "{\"method\":");
	json_string(out, operation->method);
	if (operation->bulk_id)
	{
		json_literal(out, ",\"bulkId\":");
		json_string(out, operation->bulk_id);
	}
	if (operation->location)
	{
		json_literal(out, ",\"location\":");
		json_string(out, operation->location);
	}
	if (operation->version > 0 && operation->error == NULL)
		appendStringInfo(out, ",\"version\":\"W/\\\"%d\\\"\"", operation->version);
	appendStringInfo(out, ",\"status\":\"%d\"", operation->status);
	if (operation->error)
		appendStringInfo(out, ",\"response\":%s", operation->error);
	appendStringInfoChar(out, '}');
}

void
scim_bulk_run(StringInfo out, const RequestContext *context, const char *base_url, const ScimValue *message)
{
	Bulk		bulk = {.context = context,.base_url = base_url};
	bool		first = true;

	read_message(&bulk, message);
	for (int i = 0; i < bulk.count && !is_stopped(&bulk); i++)
		if (bulk.operations[i].state == BULK_WAITING)
			run(&bulk, &bulk.operations[i]);
	json_literal(out, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkResponse\"],\"Operations\":[");
	for (int i = 0; i < bulk.count; i++)
	{
		if (bulk.operations[i].state != BULK_DONE && bulk.operations[i].state != BULK_FAILED)
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		write_answer(out, &bulk.operations[i]);
	}
	json_literal(out, "]}");
}
