/*
 * parse.h
 *	  What the two files of the parser share: the state, and how a token is taken.
 */
#ifndef QEHS_GRAPHQL_PARSE_H
#define QEHS_GRAPHQL_PARSE_H

#include "graphql/parser.h"

typedef struct Parser
{
	GraphqlLexer lexer;
	GraphqlToken token;			/* the one that is looked at */
	int			tokens_left;
	int			depth_left;
} Parser;

/* Go to the next token; false with a fault. */
extern bool parse_advance(Parser *parser);
/* Take a token of a kind, or fault. */
extern bool parse_expect(Parser *parser, GraphqlTokenKind kind);
/* Take a token of a kind where there is one: *taken says whether. */
extern bool parse_skip(Parser *parser, GraphqlTokenKind kind, bool *taken);
/* Whether the token is a name of these characters. */
extern bool parse_at_keyword(const Parser *parser, const char *keyword);
/* The fault of a token that may not stand here; returns false. */
extern bool parse_unexpected(Parser *parser);
/* A name into *name (and where it begins, unless NULL). */
extern bool parse_name(Parser *parser, GraphqlText *name, uint32_t *start);

/* A new node that begins at the current token, or NULL with a fault. */
extern GraphqlNode *parse_node(Parser *parser, GraphqlKind kind);
extern void parse_append(GraphqlNodes *nodes, GraphqlNode *node);

/* Parts that definitions of both kinds have. */
extern bool parse_type(Parser *parser, GraphqlNode **type);
extern bool parse_directives(Parser *parser, bool constant, GraphqlNodes *directives);
extern bool parse_value(Parser *parser, bool constant, GraphqlNode **value);

/* A definition of the type system (sections 3.3 to 3.13), of which only form and name are kept (parser_types.c). */
extern bool parse_type_system(Parser *parser, bool described, GraphqlNode *definition, bool *is_one);

#endif							/* QEHS_GRAPHQL_PARSE_H */
