/*
 * validation.h
 *	  What the files of validation share: the state of one run, and how a rule
 *	  says that it is broken.
 *
 * validate.c walks the document once and asks the rules at each node; what a
 * definition spreads and which variables it uses is noted on the way and judged
 * behind (validate_fragments.c).
 */
#ifndef QEHS_GRAPHQL_VALIDATION_H
#define QEHS_GRAPHQL_VALIDATION_H

#include "graphql/validate.h"

/* A variable where it stands. */
typedef struct VariableUse
{
	struct VariableUse *next;
	const GraphqlNode *node;
	const GraphqlType *type;	/* what its place takes, or NULL where that is unknown */
	const GraphqlType *parent;	/* of a field of an input object: that object, else NULL */
	bool		has_default;	/* the place has a value of its own without it */
} VariableUse;

/* An operation or fragment. */
typedef struct Definition
{
	const GraphqlNode *node;
	VariableUse *first_use;
	VariableUse *last_use;
	const GraphqlNode **spreads;	/* all in it, at whatever depth; set on first demand (definition_spreads) */
	int			spread_count;	/* -1: not yet set */
	int			path_index;		/* on the path of fragments that is being walked: its place from 1, else 0 */
	bool		visited;		/* by the search for cycles */
	int			reached;		/* number of the walk that last came here */
	int			lists_seen;		/* introspection: with how many lists around it it was looked at, plus 1 */
} Definition;

typedef struct Validation
{
	const GraphqlSchema *schema;
	const GraphqlNode *document;
	GraphqlArena *arena;
	GraphqlErrors *errors;
	int			definition_count;	/* operations and fragments, in the order of the document */
	Definition *definitions;
	int			fragment_count; /* of different names */
	Definition **fragments;		/* by name; of two of one name the later */
	Definition *current;		/* that is being walked */
	struct Merging *merging;	/* validate_merge.c */
} Validation;

/* Bytes of the arena; NULL, and errors->out_of_memory set, when there are none. */
extern void *validation_take(Validation *validation, size_t size);

/* Add an error at one place, or at two. */
extern void validation_error(Validation *validation, const char *rule, uint32_t place, const char *format,...)
			__attribute__((format(printf, 4, 5)));
extern void validation_error_two(Validation *validation, const char *rule, uint32_t first, uint32_t second, const char *format,...)
			__attribute__((format(printf, 5, 6)));
/* At count places, which the list keeps. */
extern void validation_error_many(Validation *validation, const char *rule, const uint32_t *places, int count, const char *format,...)
			__attribute__((format(printf, 5, 6)));

/* Whether enough errors were found. */
extern bool validation_is_over(const Validation *validation);

/* A text for "%.*s": at most 200 bytes of it. */
#define SHOWN(shown_text) ((shown_text).length > 200 ? 200 : (int) (shown_text).length), (shown_text).data

/* The fragment of a name; NULL when the document has none. */
extern Definition *validation_fragment(const Validation *validation, GraphqlText name);

/* The nodes of a list by name, those of one name as they stand; NULL without memory. */
extern const GraphqlNode **validation_sorted(Validation *validation, const GraphqlNodes *nodes);

/*
 * Every name that several nodes of a list have is one error at all of them, or,
 * in pairs, an error for each but the first, at the first and that one.  what they
 * are is for the message.
 */
extern void validation_check_unique(Validation *validation, const char *rule, const GraphqlNodes *nodes, bool pairs, const char *what);

/* validate_values.c: a literal, or what holds variables, at a place that takes a type (NULL: unknown). */
extern void validate_value(Validation *validation, const GraphqlNode *value, const GraphqlType *type, bool has_default);

/* validate_fragments.c: what can be said when the whole document has been walked. */
extern void validate_fragments(Validation *validation);
extern bool validate_introspection_depth(Validation *validation, const GraphqlNode *field);

/* validate_merge.c: fields of one response name must be able to be one (section 5.3.2). */
extern void validate_merge(Validation *validation, const GraphqlType *parent, const GraphqlNode *owner);

#endif							/* QEHS_GRAPHQL_VALIDATION_H */
