/*
 * graphql.c
 *	  qehs.graphql and qehs.graphql_query: a GraphQL request (GraphQL over HTTP,
 *	  draft of 2025); qehs.graphql_introspection_set: whether the schema is told.
 *
 * Documents that are asked for by their SHA-256 (Apollo's automatic persisted
 * queries) are kept in qehs.graphql_document.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/sha256.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "common/hex.h"
#include "fmgr.h"
#include "graphql/graphql.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The arguments of qehs.graphql and qehs.graphql_query. */
enum
{
	ARGUMENT_QUERY, ARGUMENT_VARIABLES, ARGUMENT_OPERATION_NAME, ARGUMENT_EXTENSIONS, ARGUMENT_MEDIA_TYPE
};

PG_FUNCTION_INFO_V1(qehs_graphql);
PG_FUNCTION_INFO_V1(qehs_graphql_query);
PG_FUNCTION_INFO_V1(qehs_graphql_introspection_set);

#define RESPONSE_TYPE "application/graphql-response+json"

static KeptPlan select_document = {
	"SELECT document FROM qehs.graphql_document WHERE tenant_id = $1 AND digest = $2", 2, {INT4OID, BYTEAOID}, NULL
};
static KeptPlan insert_document = {
	"WITH old AS (DELETE FROM qehs.graphql_document WHERE tenant_id = $1 AND created_at < $4 - interval '30 days')"
	" INSERT INTO qehs.graphql_document (tenant_id, digest, document, created_at) SELECT $1, $2, $3, $4 WHERE (SELECT pg_catalog.count(*) FROM"
	" qehs.graphql_document WHERE tenant_id = $1) < 1000 ON CONFLICT DO NOTHING",
	4, {INT4OID, BYTEAOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static KeptPlan update_introspection = {
	"UPDATE qehs.tenant SET graphql_introspection = $2 WHERE id = $1", 2, {INT4OID, BOOLOID}, NULL
};

/* {"errors":[…]} with one error. */
static void
write_error(StringInfo out, const char *message, const char *code)
{
	json_literal(out, "{\"errors\":[{\"message\":");
	json_string(out, message);
	json_literal(out, ",\"extensions\":{\"code\":");
	json_string(out, code);
	json_literal(out, "}}]}");
}

/* The SHA-256 that extensions ask for, or NULL without any; raises QH400 for extensions that are not known. */
static bytea *
read_digest(Jsonb *extensions)
{
	JsonbValue	persisted;
	char	   *text;
	bytea	   *digest;
	int32		version;

	if (extensions == NULL)
		return NULL;
	if (!JB_ROOT_IS_OBJECT(extensions))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/extensions", "type", "must be an object");
	if (!json_member(&extensions->root, "persistedQuery", strlen("persistedQuery"), &persisted))
		return NULL;			/* those of tracing clients say nothing to do */
	text = persisted.type == jbvBinary ? json_member_text(persisted.val.binary.data, "sha256Hash") : NULL;
	if (text == NULL || strlen(text) != 64 || !json_member_int(persisted.val.binary.data, "version", &version) || version != 1)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/extensions/persistedQuery", "format",
						 "must be {\"version\":1,\"sha256Hash\"} with 64 hexadecimal digits");
	digest = palloc(VARHDRSZ + 32);
	SET_VARSIZE(digest, VARHDRSZ + 32);
	if (!hex_bytes(text, (uint8 *) VARDATA(digest), 32))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/extensions/persistedQuery/sha256Hash", "format", "must be 64 hexadecimal digits");
	return digest;
}

/* The document of a digest: the one that came with it, which is kept, or the kept one; NULL where there is none.  Inside SPI. */
static char *
find_document(const RequestContext *context, bytea *digest, char *query)
{
	Datum		values[4] = {Int32GetDatum(context->tenant_id), PointerGetDatum(digest)};
	uint8		own[32];
	bool		isnull;

	if (query == NULL)
		return plan_execute(&select_document, values, NULL, true, 1) > 0 ? TextDatumGetCString(plan_value(0, 1, &isnull)) : NULL;
	sha256_bytes(query, strlen(query), own);
	if (memcmp(own, VARDATA(digest), sizeof(own)) != 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/extensions/persistedQuery/sha256Hash", "const", "is not the SHA-256 of query");
	values[2] = CStringGetTextDatum(query);
	values[3] = TimestampTzGetDatum(clock_transaction());
	plan_execute(&insert_document, values, NULL, false, 0);
	return query;
}

/* Run the arguments (query, variables, operation_name, extensions, media_type). */
static Datum
run(FunctionCallInfo fcinfo, bool queries_only)
{
	RequestContext *context = context_require();
	char	   *media_type = argument_text(fcinfo, ARGUMENT_MEDIA_TYPE);
	bytea	   *digest = read_digest(PG_ARGISNULL(ARGUMENT_EXTENSIONS) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_EXTENSIONS));
	GraphqlRequest request = {
		.query = argument_text(fcinfo, ARGUMENT_QUERY),
		.variables = PG_ARGISNULL(ARGUMENT_VARIABLES) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_VARIABLES),
		.operation_name = argument_text(fcinfo, ARGUMENT_OPERATION_NAME),
		.queries_only = queries_only,
	};
	GraphqlOutcome outcome = GRAPHQL_NOT_RUN;
	StringInfoData out;

	if (request.query == NULL && digest == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/query", "required", "is required");
	if (request.variables && !JB_ROOT_IS_OBJECT(request.variables))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/variables", "type", "must be an object");
	json_begin(&out);
	SPI_connect();
	if (digest)
		request.query = find_document(context, digest, unconstify(char *, request.query));
	if (request.query)
		outcome = graphql_run(&out, context, &request);
	else
		write_error(&out, "PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND");
	SPI_finish();
	if (outcome == GRAPHQL_NOT_ALLOWED)
	{
		context_status(context, 405);
		context_header(context, "Allow", "POST");
	}
	else if (outcome == GRAPHQL_NOT_RUN && media_type && strcmp(media_type, RESPONSE_TYPE) == 0)
		context_status(context, 400);
	return context_answer(&out);
}

Datum
qehs_graphql(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(run(fcinfo, false));
}

Datum
qehs_graphql_query(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(run(fcinfo, true));
}

/* graphql_introspection_set(enabled) */
Datum
qehs_graphql_introspection_set(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_KEYS);
	Datum		values[2] = {Int32GetDatum(context->tenant_id), PG_GETARG_DATUM(0)};

	if (PG_ARGISNULL(0))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/enabled", "required", "is required");
	SPI_connect();
	plan_execute(&update_introspection, values, NULL, false, 0);
	SPI_finish();
	PG_RETURN_VOID();
}
