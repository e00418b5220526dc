/*
 * ast.h
 *	  A GraphQL document as a tree: what the parser makes, and validation,
 *	  planning and execution read.
 *
 * Source: GraphQL specification, September 2025, sections 2 and 3.  All nodes and
 * texts of a document lie in one arena and are never changed after parsing.  This
 * header and the parser need neither PostgreSQL nor a memory context of it.
 */
#ifndef QEHS_GRAPHQL_AST_H
#define QEHS_GRAPHQL_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that need not end in NUL: part of the source, or of the arena. */
typedef struct GraphqlText
{
	const char *data;
	size_t		length;
} GraphqlText;

typedef enum GraphqlKind
{
	GRAPHQL_DOCUMENT,			/* children: the definitions */
	GRAPHQL_OPERATION,			/* name may be empty; operation; variables; directives; children: the selection set */
	GRAPHQL_FRAGMENT,			/* name; type: its condition; directives; children */
	GRAPHQL_VARIABLE_DEFINITION,	/* name; type; value: the default; directives */
	GRAPHQL_FIELD,				/* alias may be empty; name; arguments; directives; children (has_selection) */
	GRAPHQL_FRAGMENT_SPREAD,	/* name; directives */
	GRAPHQL_INLINE_FRAGMENT,	/* type: its condition, or NULL; directives; children */
	GRAPHQL_ARGUMENT,			/* name; value */
	GRAPHQL_DIRECTIVE,			/* name; arguments */
	GRAPHQL_NAMED_TYPE,			/* name */
	GRAPHQL_LIST_TYPE,			/* type: of the items */
	GRAPHQL_NON_NULL_TYPE,		/* type: a named or list type */
	GRAPHQL_VARIABLE,			/* name */
	GRAPHQL_INT,				/* text: as in the source */
	GRAPHQL_FLOAT,				/* text: as in the source */
	GRAPHQL_STRING,				/* text: its value; is_block */
	GRAPHQL_BOOLEAN,			/* truth */
	GRAPHQL_NULL,
	GRAPHQL_ENUM,				/* text: the name */
	GRAPHQL_LIST,				/* children: values */
	GRAPHQL_OBJECT,				/* children: object fields */
	GRAPHQL_OBJECT_FIELD,		/* name; value */
	GRAPHQL_TYPE_SYSTEM			/* a definition or extension of a schema's parts, which no executable document may have; name, or empty */
} GraphqlKind;

typedef enum GraphqlOperationType
{
	GRAPHQL_QUERY,
	GRAPHQL_MUTATION,
	GRAPHQL_SUBSCRIPTION
} GraphqlOperationType;

typedef struct GraphqlNode GraphqlNode;

/* Nodes in the order of the source, linked by next. */
typedef struct GraphqlNodes
{
	GraphqlNode *first;
	GraphqlNode *last;
	int			count;
} GraphqlNodes;

struct GraphqlNode
{
	GraphqlKind kind;
	uint32_t	start;			/* byte of the source where its first token begins */
	uint32_t	name_start;		/* the same of its name */
	uint32_t	selection_start;	/* the same of its { where it has a selection set */
	GraphqlNode *next;			/* the next of the same list */
	GraphqlText name;
	GraphqlText alias;
	GraphqlText text;
	GraphqlOperationType operation;
	bool		truth;
	bool		is_block;
	bool		has_selection;	/* a field with { … } */
	GraphqlNode *type;
	GraphqlNode *value;
	GraphqlNodes variables;
	GraphqlNodes arguments;
	GraphqlNodes directives;
	GraphqlNodes children;
};

#endif							/* QEHS_GRAPHQL_AST_H */
