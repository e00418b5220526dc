/*
 * graphql.c
 *	  qehs.graphql: a GraphQL request.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "graphql/graphql.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_graphql);

/* graphql(query, variables, operation_name, queries_only) */
Datum
qehs_graphql(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require();
	GraphqlRequest request = {
		.query = argument_text(fcinfo, 0),
		.variables = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1),
		.operation_name = argument_text(fcinfo, 2),
		.queries_only = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3),
	};
	StringInfoData out;

	if (request.query == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/query", "required", "is required");
	if (request.variables && !JB_ROOT_IS_OBJECT(request.variables))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/variables", "type", "must be an object");
	json_begin(&out);
	SPI_connect();
	if (graphql_run(&out, context, &request) == GRAPHQL_NOT_ALLOWED)
		context_status(context, 405);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}
