/*
 * expression.h
 *	  Expressions of a definition (SQL/JSON path): compiling them, what they
 *	  read, and in which order computed fields follow from each other.
 */
#ifndef QEHS_EXPRESSION_H
#define QEHS_EXPRESSION_H

#include "nodes/pg_list.h"
#include "utils/jsonpath.h"

/* What an expression reads of its object ($) and of the variables. */
typedef struct ExpressionReads
{
	bool		whole;			/* perhaps all of the object */
	List	   *keys;			/* char *: members of the object */
	List	   *variables;		/* char *: names without $ */
	List	   *templates;		/* char *: of .datetime("…"), as the text has them */
	int			descents;		/* how often it has .**, which visits all that lies below */
} ExpressionReads;

typedef struct ComputedExpression
{
	const char *key;			/* of the field that it computes */
	const ExpressionReads *reads;
	int			stage;			/* set by expression_order: from 1, behind those whose fields it reads */
} ComputedExpression;

/* Compile an expression; NULL when it is none.  An internal subtransaction catches the error. */
extern JsonPath *definition_expression(const char *text);

/* Whether a template of .datetime() is one: another raises an error when it runs, even silently. */
extern bool expression_template_holds(const char *template);

/* Whether an expression reads a member of its object, or perhaps all of it. */
extern bool expression_reads_key(const ExpressionReads *reads, const char *key);

/* Which fields an expression reads. */
extern ExpressionReads *expression_reads(JsonPath *path);

/* Whether an expression (or NULL) reads a variable. */
extern bool expression_reads_variable(JsonPath *path, const char *name);

/* Set the stage of each; gives -1, or the index of one that reads, over others, itself (its stage is 0 then). */
extern int	expression_order(ComputedExpression *items, int count);

#endif							/* QEHS_EXPRESSION_H */
