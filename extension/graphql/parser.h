/*
 * parser.h
 *	  A GraphQL document from its text (specification, section 2 and appendix B).
 */
#ifndef QEHS_GRAPHQL_PARSER_H
#define QEHS_GRAPHQL_PARSER_H

#include "graphql/lexer.h"

/* Bounds of one document; what goes beyond is a fault. */
typedef struct GraphqlLimits
{
	int			tokens;
	int			depth;			/* of selection sets, values and types inside each other */
} GraphqlLimits;

/*
 * Parse a document.  Returns it (in the arena; its texts may point into the
 * source, which must stay), or NULL with the fault set.
 */
extern GraphqlNode *graphql_parse(GraphqlText source, const GraphqlLimits *limits, GraphqlArena *arena, GraphqlFault *fault);

/*
 * The same for one value alone, without variables: how the default of an argument
 * is written (ConstValue).
 */
extern GraphqlNode *graphql_parse_value(GraphqlText source, const GraphqlLimits *limits, GraphqlArena *arena, GraphqlFault *fault);

/* Whether a text is these characters. */
extern bool graphql_text_is(GraphqlText text, const char *characters);
extern bool graphql_texts_equal(GraphqlText a, GraphqlText b);

#endif							/* QEHS_GRAPHQL_PARSER_H */
