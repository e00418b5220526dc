/*
 * lexer.h
 *	  The tokens of a GraphQL document (specification, section 2.1).
 */
#ifndef QEHS_GRAPHQL_LEXER_H
#define QEHS_GRAPHQL_LEXER_H

#include "graphql/arena.h"
#include "graphql/ast.h"

/* Punctuators are their own character; the others have a value above. */
typedef enum GraphqlTokenKind
{
	GRAPHQL_TOKEN_BANG = '!',
	GRAPHQL_TOKEN_DOLLAR = '$',
	GRAPHQL_TOKEN_AMP = '&',
	GRAPHQL_TOKEN_PAREN_L = '(',
	GRAPHQL_TOKEN_PAREN_R = ')',
	GRAPHQL_TOKEN_COLON = ':',
	GRAPHQL_TOKEN_EQUALS = '=',
	GRAPHQL_TOKEN_AT = '@',
	GRAPHQL_TOKEN_BRACKET_L = '[',
	GRAPHQL_TOKEN_BRACKET_R = ']',
	GRAPHQL_TOKEN_BRACE_L = '{',
	GRAPHQL_TOKEN_PIPE = '|',
	GRAPHQL_TOKEN_BRACE_R = '}',
	GRAPHQL_TOKEN_SPREAD = 256,
	GRAPHQL_TOKEN_NAME,
	GRAPHQL_TOKEN_INT,
	GRAPHQL_TOKEN_FLOAT,
	GRAPHQL_TOKEN_STRING,
	GRAPHQL_TOKEN_BLOCK_STRING,
	GRAPHQL_TOKEN_END
} GraphqlTokenKind;

typedef struct GraphqlToken
{
	GraphqlTokenKind kind;
	uint32_t	start;			/* byte of the source */
	uint32_t	end;
	GraphqlText text;			/* of a string its value, else as in the source */
} GraphqlToken;

/* What is wrong with a document, and where. */
typedef struct GraphqlFault
{
	char		message[200];	/* UTF-8, without a full stop; empty: nothing is wrong */
	uint32_t	offset;			/* byte of the source */
} GraphqlFault;

typedef struct GraphqlLexer
{
	GraphqlText source;			/* UTF-8; less than 2^32 bytes */
	size_t		position;
	GraphqlArena *arena;		/* for the values of strings */
	GraphqlFault *fault;
} GraphqlLexer;

/* Read the next token.  Returns false with the lexer's fault set when there is none. */
extern bool graphql_lexer_next(GraphqlLexer *lexer, GraphqlToken *token);

/* Line and column of a byte, both from 1, as clients count them: columns in UTF-16 code units (section 7.1.2, Errors). */
extern void graphql_locate(GraphqlText source, uint32_t offset, int *line, int *column);

/* Set the fault, unless one is set; the message is cut to its room.  Returns false. */
extern bool graphql_fault(GraphqlFault *fault, uint32_t offset, const char *format,...) __attribute__((format(printf, 3, 4)));

#endif							/* QEHS_GRAPHQL_LEXER_H */
