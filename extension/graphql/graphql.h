/*
 * graphql.h
 *	  The door of GraphQL: a request in, the text of its answer out.
 */
#ifndef QEHS_GRAPHQL_H
#define QEHS_GRAPHQL_H

#include "caller/context.h"
#include "utils/jsonb.h"

typedef struct GraphqlRequest
{
	const char *query;
	Jsonb	   *variables;		/* an object, or NULL */
	const char *operation_name; /* or NULL */
	bool		queries_only;	/* a mutation is refused */
} GraphqlRequest;

typedef enum GraphqlOutcome
{
	GRAPHQL_RUN,				/* there is data, null or not, and perhaps errors */
	GRAPHQL_NOT_RUN,			/* errors only: syntax, validation, variables, limits */
	GRAPHQL_NOT_ALLOWED			/* a mutation where only queries are allowed */
} GraphqlOutcome;

/*
 * Run a request (GraphQL, September 2025, section 6; the answer's form is section
 * 7) with the rights of the context, and append {"data":…,"errors":[…]}.  Raises
 * a problem only where the whole request is refused.
 */
extern GraphqlOutcome graphql_run(StringInfo out, RequestContext *context, const GraphqlRequest *request);

#endif							/* QEHS_GRAPHQL_H */
