/*
 * validate.h
 *	  The rules that a document has to keep before it runs (specification,
 *	  September 2025, section 5).
 */
#ifndef QEHS_GRAPHQL_VALIDATE_H
#define QEHS_GRAPHQL_VALIDATE_H

#include "graphql/arena.h"
#include "graphql/schema.h"

#define GRAPHQL_MAX_ERRORS 100

/* One rule that a document breaks, and where. */
typedef struct GraphqlError
{
	struct GraphqlError *next;
	const char *rule;			/* name that graphql-js gives it: "ScalarLeafsRule" without "Rule" */
	const char *message;		/* in the arena; UTF-8, without a full stop */
	int			place_count;
	const uint32_t *places;		/* bytes of the source */
} GraphqlError;

typedef struct GraphqlErrors
{
	GraphqlError *first;
	GraphqlError *last;
	int			count;			/* at most GRAPHQL_MAX_ERRORS, and one that says that there are more */
	bool		out_of_memory;	/* the arena had no more; the list is not complete */
} GraphqlErrors;

/*
 * Check a document that graphql_parse made against a schema.  Errors are added in
 * the arena; without any the document may run.  Time is bounded: a document whose
 * fields are too many to compare is an error too.
 */
extern void graphql_validate(const GraphqlSchema *schema, const GraphqlNode *document, GraphqlArena *arena, GraphqlErrors *errors);

#endif							/* QEHS_GRAPHQL_VALIDATE_H */
