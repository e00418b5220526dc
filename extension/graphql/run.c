/*
 * run.c
 *	  An operation from its text to the text of its answer.
 *
 * A document that is valid is kept with its schema's cache, by its text: asked
 * again, it is neither parsed nor validated.
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/json.h"
#include "caller/auth.h"
#include "common/hashfn.h"
#include "graphql/graphql.h"
#include "graphql/run.h"
#include "graphql/validate.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define MAX_DOCUMENT_BYTES (256 * 1024)

static const GraphqlLimits limits = {10000, 100};

typedef struct DocumentKey
{
	uint64		serial;			/* of the schema */
	uint64		hash;			/* of the text; that of another may be the same */
} DocumentKey;

/* A valid document. */
typedef struct Document
{
	GraphqlText source;
	const GraphqlNode *root;
} Document;

static Cache documents = {"graphql document", sizeof(DocumentKey), WATCH_MODULE, NULL};

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
		RunError   *added = run_error_add(run, NULL, "GRAPHQL_VALIDATION_FAILED", NULL, error->message);

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
	key.hash = hash_bytes_extended((const unsigned char *) run->source.data, run->source.length, 0);
	document = cache_find(&documents, &key);
	if (document && graphql_texts_equal(document->source, run->source))
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
		RunError   *error = run_error_add(run, NULL, "GRAPHQL_PARSE_FAILED", NULL, pstrdup(fault.message));

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
	/* of two with one hash the first is kept */
	if (cache_find(&documents, &key) == NULL)
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
	run_write_errors(out, &run);
	appendStringInfoChar(out, '}');
	return outcome;
}
