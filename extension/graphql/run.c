/*
 * run.c
 *	  An operation from its text to the text of its answer.
 *
 * A document that is valid is kept with its schema's cache, by the SHA-256 of its
 * text: asked again, it is neither parsed nor validated.
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/json.h"
#include "base/sha256.h"
#include "caller/auth.h"
#include "graphql/graphql.h"
#include "graphql/run.h"
#include "graphql/validate.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define MAX_DOCUMENT_BYTES (1024 * 1024)

static const GraphqlLimits limits = {10000, 100};

typedef struct DocumentKey
{
	uint64		serial;			/* of the schema */
	uint8		digest[32];
} DocumentKey;

/* A valid document. */
typedef struct Document
{
	GraphqlText source;
	const GraphqlNode *root;
} Document;

static Cache documents = {"graphql document", sizeof(DocumentKey), WATCH_MODULE, NULL};

/* ---- errors ---- */

static RunError *
add_error(Run *run, const GraphqlNode *node, const char *code, const char *problem, const char *message)
{
	RunError   *error = palloc0(sizeof(RunError));
	uint32	   *places = palloc(sizeof(uint32));

	error->message = message;
	error->code = code;
	error->problem = problem;
	if (node)
	{
		places[0] = node->start;
		error->places = places;
		error->place_count = 1;
	}
	if (run->path.len > 0)
		error->path = psprintf("[%s]", run->path.data);
	if (run->last_error)
		run->last_error->next = error;
	else
		run->first_error = error;
	run->last_error = error;
	return error;
}

void
run_error(Run *run, const GraphqlNode *node, const char *code, const char *problem, const char *format,...)
{
	StringInfoData message;
	va_list		arguments;

	initStringInfo(&message);
	for (;;)
	{
		int			needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	add_error(run, node, code, problem, message.data);
}

void
run_error_caught(Run *run, const GraphqlNode *node, const ErrorData *error)
{
	StringInfoData problem;

	initStringInfo(&problem);
	json_literal(&problem, "\"status\":");
	json_int(&problem, strtol(unpack_sql_state(error->sqlerrcode) + 2, NULL, 10));
	if (error->detail && error->detail[0] == '{' && error->detail[1] != '}')
		appendStringInfo(&problem, ",%.*s", (int) strlen(error->detail) - 2, error->detail + 1);
	add_error(run, node, error->constraint_name ? pstrdup(error->constraint_name) : "internal", problem.data, pstrdup(error->message));
}

static void
write_error(StringInfo out, const Run *run, const RunError *error)
{
	json_literal(out, "{\"message\":");
	json_string(out, error->message);
	if (error->place_count > 0)
	{
		json_literal(out, ",\"locations\":[");
		for (int i = 0; i < error->place_count; i++)
		{
			int			line;
			int			column;

			graphql_locate(run->source, error->places[i], &line, &column);
			appendStringInfo(out, "%s{\"line\":%d,\"column\":%d}", i > 0 ? "," : "", line, column);
		}
		appendStringInfoChar(out, ']');
	}
	if (error->path)
		appendStringInfo(out, ",\"path\":%s", error->path);
	if (error->code)
	{
		json_literal(out, ",\"extensions\":{\"code\":");
		json_string(out, error->code);
		if (error->problem)
		{
			json_literal(out, ",\"problem\":{\"code\":");
			json_string(out, error->code);
			appendStringInfo(out, ",%s}", error->problem);
		}
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, '}');
}

/* ,"errors":[…] or nothing */
static void
write_errors(StringInfo out, const Run *run)
{
	if (run->first_error == NULL)
		return;
	if (out->data[out->len - 1] != '{')
		appendStringInfoChar(out, ',');
	json_literal(out, "\"errors\":[");
	for (const RunError *error = run->first_error; error; error = error->next)
	{
		if (error != run->first_error)
			appendStringInfoChar(out, ',');
		write_error(out, run, error);
	}
	appendStringInfoChar(out, ']');
}

/* ---- documents ---- */

static void *
take_from_context(void *owner, size_t size)
{
	return MemoryContextAllocExtended(owner, size, MCXT_ALLOC_HUGE);
}

/* Errors of validation as those of the answer. */
static void
note_validation(Run *run, const GraphqlErrors *errors)
{
	for (const GraphqlError *error = errors->first; error; error = error->next)
	{
		RunError   *added = add_error(run, NULL, "GRAPHQL_VALIDATION_FAILED", NULL, error->message);

		added->places = error->places;
		added->place_count = error->place_count;
	}
}

/* Parse and validate the run's source, or find it done; false with errors. */
static bool
read_document(Run *run)
{
	DocumentKey key;
	Document   *document;
	CacheFill	fill;
	GraphqlArena arena = {take_from_context, NULL, NULL, 0};
	GraphqlFault fault;
	GraphqlErrors errors = {0};
	uint32	   *place;

	memset(&key, 0, sizeof(key));
	key.serial = run->model->serial;
	sha256_bytes(run->source.data, run->source.length, key.digest);
	if ((document = cache_find(&documents, &key)) != NULL)
	{
		run->source = document->source;
		run->document = document->root;
		return true;
	}
	fill = cache_begin();
	arena.owner = fill.memory;
	document = MemoryContextAllocZero(fill.memory, sizeof(Document));
	document->source.data = MemoryContextAlloc(fill.memory, run->source.length + 1);
	memcpy(unconstify(char *, document->source.data), run->source.data, run->source.length);
	document->source.length = run->source.length;
	document->root = run->document = graphql_parse(document->source, &limits, &arena, &fault);
	if (document->root == NULL)
	{
		RunError   *error = add_error(run, NULL, "GRAPHQL_PARSE_FAILED", NULL, pstrdup(fault.message));

		error->places = place = palloc(sizeof(uint32));
		*place = fault.offset;
		error->place_count = 1;
		return false;
	}
	graphql_validate(&run->model->schema, document->root, &arena, &errors);
	note_validation(run, &errors);
	if (run->first_error)
		return false;
	run->source = document->source;
	cache_keep(&documents, &fill, &key, run->context->tenant_id, document, 0);
	return true;
}

/* The operation of a name, or the only one. */
static bool
find_operation(Run *run, const char *name)
{
	int			count = 0;

	for (const GraphqlNode *node = run->document->children.first; node; node = node->next)
	{
		if (node->kind != GRAPHQL_OPERATION || (name && !graphql_text_is(node->name, name)))
			continue;
		run->operation = node;
		count++;
	}
	if (count == 1)
		return true;
	if (name)
		run_error(run, NULL, "OPERATION_RESOLUTION_FAILURE", NULL, "the document has no operation \"%s\"", name);
	else
		run_error(run, NULL, "OPERATION_RESOLUTION_FAILURE", NULL, count == 0 ? "the document has no operation" :
				  "the document has several operations, so operationName must say which");
	return false;
}

/* ---- an answer ---- */

GraphqlOutcome
graphql_run(StringInfo out, RequestContext *context, const GraphqlRequest *request)
{
	Run			run = {.context = context,.source = {request->query, strlen(request->query)}};
	GraphqlOutcome outcome = GRAPHQL_NOT_RUN;
	RunFields  *fields;
	int			start;
	bool		written;

	initStringInfo(&run.path);
	run.model = graphql_model(context);
	appendStringInfoChar(out, '{');
	if (run.source.length > MAX_DOCUMENT_BYTES)
		run_error(&run, NULL, "GRAPHQL_PARSE_FAILED", NULL, "the document is longer than %d bytes", MAX_DOCUMENT_BYTES);
	else if (read_document(&run) && find_operation(&run, request->operation_name))
	{
		if (run.operation->operation != GRAPHQL_QUERY && request->queries_only)
		{
			outcome = GRAPHQL_NOT_ALLOWED;
			run_error(&run, NULL, "METHOD_NOT_ALLOWED", NULL, "a GET runs queries only; send a mutation with POST");
		}
		else if (run_coerce_variables(&run, request->variables))
		{
			fields = run_plan_operation(&run);
			if (run_check_limits(&run, fields))
			{
				outcome = GRAPHQL_RUN;
				json_literal(out, "\"data\":");
				start = out->len;
				written = run.operation->operation == GRAPHQL_QUERY ? run_write_query(&run, out, fields) :
					run_write_mutation(&run, out, fields);
				if (!written)
				{
					out->len = start;
					json_literal(out, "null");
				}
			}
		}
	}
	write_errors(out, &run);
	appendStringInfoChar(out, '}');
	return outcome;
}
