/*
 * schema.h
 *	  JSON Schema draft 2020-12 over jsonb: what the rest of qehs may call.
 *
 * schema_compile() turns a schema document into a program that lives in one
 * memory context of its own, a child of "parent".  schema_validate() walks a
 * detoasted jsonb with it.  Neither raises an ERROR for a bad schema or a bad
 * document: faults and violations are collected.  The caller sets limit and
 * context of a SchemaErrors (schema_errors_init) and owns it.
 *
 * A compiled program may be used by one call at a time: it owns the work area
 * of its regular expressions.
 */
#ifndef QEHS_SCHEMA_H
#define QEHS_SCHEMA_H

#include "base/compat.h"

#include "utils/jsonb.h"
#include "utils/palloc.h"

#define QEHS_SCHEMA_ERROR_LIMIT 100
#define QEHS_SCHEMA_ERROR_BYTES (1024 * 1024)

typedef struct Schema Schema;

typedef struct SchemaViolation
{
	char	   *instance_location;	/* JSON Pointer into the document; of a fault, into the schema */
	char	   *keyword_location;	/* where the keyword stands in the schema, after all $ref */
	const char *keyword;		/* e.g. "required", "enum"; a public code */
	char	   *message;
} SchemaViolation;

typedef struct SchemaErrors
{
	int			limit;
	int			count;
	Size		bytes;			/* of the text so far */
	SchemaViolation *items;
	bool		explain;		/* of anyOf and oneOf: say what is wrong with the branch that is meant */
	MemoryContext context;		/* where items and their text are allocated */
	bool		truncated;		/* there were more than limit, or than fit */
	const char *fault;			/* not NULL: checking was given up, and why */
} SchemaErrors;

/* A registered document by absolute URI without fragment, or NULL. */
typedef Jsonb *(*SchemaLookup) (void *arg, const char *uri);

typedef struct SchemaOptions
{
	bool		assert_formats; /* "format" decides, not only annotates */
	SchemaLookup lookup;		/* may be NULL */
	void	   *lookup_arg;
} SchemaOptions;

/* Start an empty collection in the current memory context. */
extern void schema_errors_init(SchemaErrors *errors);

/* Add a violation as it is; beyond the limit it only counts as truncated. */
extern void schema_add(SchemaErrors *errors, const SchemaViolation *violation);

/* NULL with faults filled in when the document is no valid schema. */
extern Schema *schema_compile(Jsonb *document, const SchemaOptions *options,
							  MemoryContext parent, SchemaErrors *faults);

/* Whether the document is valid, with all violations; false also when errors->fault is set. */
extern bool schema_validate(const Schema *schema, Jsonb *instance,
							SchemaErrors *errors);

/* The same without violations, ending at the first; *fault is NULL, or why checking was given up. */
extern bool schema_holds(const Schema *schema, Jsonb *instance, const char **fault);

/* The program's own copy of the document. */
extern const Jsonb *schema_document(const Schema *schema);

/* Bytes that the program takes. */
extern Size schema_size(const Schema *schema);

/* What of it does not stand in its memory context. */
extern Size schema_size_beside(const Schema *schema);

/* Whether documents of options->lookup went into the program. */
extern bool schema_uses_registered(const Schema *schema);

/* Free a compiled schema and all that it holds. */
extern void schema_free(Schema *schema);

#endif							/* QEHS_SCHEMA_H */
