/*
 * run.h
 *	  What the files of execution share: one operation on its way from a valid
 *	  document to the text of its answer.
 *
 *	  plan.c		which fields are asked for, of which type, with which arguments
 *	  coerce.c		values of variables and arguments
 *	  limits.c		depth, aliases, complexity
 *	  load.c		rows of records and what hangs on them, a statement a level
 *	  lists.c		activity, attachments, comments and transitions of records
 *	  links.c		the records that they name, and that name them
 *	  query.c		the fields of the query type
 *	  mutate.c		the fields of the mutation type
 *	  guarded.c		a field whose failure leaves the others
 *	  errors.c		the errors of the answer
 *	  write.c		the answer's text
 *	  introspect.c	the schema's own types
 *
 * All memory is of the context that is current when the operation begins.
 */
#ifndef QEHS_GRAPHQL_RUN_H
#define QEHS_GRAPHQL_RUN_H

#include "graphql/model.h"
#include "graphql/parser.h"
#include "lib/stringinfo.h"
#include "record/record.h"
#include "utils/jsonb.h"

/* A value for a variable. */
typedef struct RunVariable
{
	GraphqlText name;
	bool		given;			/* by the client or as a default */
	JsonbValue	value;
} RunVariable;

/* An error of the answer. */
typedef struct RunError
{
	struct RunError *next;
	const char *message;
	const char *code;			/* of qehs.problem, or of GraphQL */
	const char *problem;		/* JSON of the members that a problem has beyond, or NULL */
	const char *path;			/* JSON array, or NULL */
	int			place_count;
	const uint32_t *places;		/* bytes of the source */
} RunError;

typedef struct Run
{
	RequestContext *context;
	const GraphqlModel *model;
	GraphqlText source;
	const GraphqlNode *document;
	const GraphqlNode *operation;
	int			variable_count;
	RunVariable *variables;
	RunError   *first_error;
	RunError   *last_error;
	/* of the field that is written */
	struct RunStep *path;
	int			path_length;
	int			path_room;
} Run;

typedef struct RunField RunField;

/* A member of an object in the answer, or, where field is NULL, the item of a list. */
typedef struct RunStep
{
	const RunField *field;
	int			number;
} RunStep;

/* The fields of a selection set as of one object type, in the order of the answer. */
typedef struct RunFields
{
	struct RunFields *next;		/* of the same field, as of another type */
	const GraphqlType *type;
	int			count;
	RunField   *items;
} RunFields;

/* Selection sets that are one in the answer. */
typedef struct RunSelections
{
	struct RunSelections *next;
	const GraphqlNode *owner;
} RunSelections;

struct RunField
{
	GraphqlText response;
	int			next_of_bucket; /* while fields are collected (plan.c) */
	const GraphqlField *field;
	const GraphqlSource *source;
	const GraphqlNode *node;	/* the first of those that are merged */
	JsonbValue **arguments;		/* in the order of the field's; NULL where there is none */
	RunSelections *selections;
	RunSelections *last_selection;
	RunFields  *below;			/* of the types that were asked for so far */
};

/* ---- errors.c ---- */

/* Add an error with a message that stays; its places are those of the node (or NULL: none), its path the run's. */
extern RunError *run_error_add(Run *run, const GraphqlNode *node, const char *code, const char *problem, const char *message);

/* Add an error at the node (or NULL) and at the run's path; code and problem may be NULL. */
extern void run_error(Run *run, const GraphqlNode *node, const char *code, const char *problem, const char *format,...)
			pg_attribute_printf(5, 6);

/* The same of the error that is being caught (a problem, or whatever PostgreSQL raises that a client may see). */
extern void run_error_caught(Run *run, const GraphqlNode *node, const ErrorData *error);

/* Append "errors":[…], with a comma where members come before it, if there are any. */
extern void run_write_errors(StringInfo out, const Run *run);

/* ---- plan.c ---- */

/* The fields of the operation. */
extern RunFields *run_plan_operation(Run *run);

/* The fields below a field whose object is of a type. */
extern RunFields *run_fields(Run *run, RunField *field, const GraphqlType *type);

/* The argument of a name, or NULL where it is not given or null. */
extern const JsonbValue *run_argument(const RunField *field, const char *name);
extern char *run_argument_text(const RunField *field, const char *name);
extern bool run_argument_int(const RunField *field, const char *name, int32 *result);
extern Jsonb *run_argument_json(const RunField *field, const char *name);

/* ---- coerce.c ---- */

/* Give the operation's variables their values from a JSON object (or NULL); errors are added.  Returns false with any. */
extern bool run_coerce_variables(Run *run, Jsonb *values);

/* The value of an argument: literal or variable of its type; NULL where it is absent.  On an error it is added and *failed set. */
extern JsonbValue *run_coerce_argument(Run *run, const GraphqlNode *value, const GraphqlInput *input, bool *failed);

/* Whether the if argument of @skip and @include says that the node takes part. */
extern bool run_is_included(Run *run, const GraphqlNode *node);

/* ---- limits.c ---- */

/* Check depth, aliases and complexity before anything runs; errors are added.  Returns false with any. */
extern bool run_check_limits(Run *run, RunFields *fields);

/* How many records a field of a list gives at most; 1 for others. */
extern int32 run_list_limit(const RunField *field);

/* ---- write.c ---- */

/* Append the value of a field whose type is not of records, NULL or not; false where null may not stand there (nothing is then appended). */
extern bool run_write_json(Run *run, StringInfo out, RunField *field, const GraphqlType *type, const JsonbValue *value);

/* Append the fields of an object that is JSON. */
extern bool run_write_object(Run *run, StringInfo out, RunFields *fields, const JsonbContainer *object);

/* Append null where the type takes it; else false. */
extern bool run_write_null(Run *run, StringInfo out, const RunField *field, const GraphqlType *type);

/* Begin a member of an object whose first is at start, or an item of a list, and note it in the path.  Gives the path before it. */
extern int	run_begin_member(Run *run, StringInfo out, int start, const RunField *field);
extern int	run_begin_item(Run *run, int number);

/* End a member or an item: forget it in the path, and take all back since start where it could not be written.  Returns written. */
extern bool run_end_member(Run *run, StringInfo out, int start, int path, bool written);

/* ---- introspect.c ---- */
extern bool run_write_schema(Run *run, StringInfo out, RunField *field);
extern bool run_write_type(Run *run, StringInfo out, RunField *field, const GraphqlType *type);

/* ---- aggregate.c ---- */

/* Append the list of a module's aggregates. */
extern bool run_write_aggregate(Run *run, StringInfo out, RunField *field);

/* ---- guarded.c ---- */

/*
 * Write a field in a subtransaction: a problem that is raised in it is undone with all that the field did,
 * and becomes an error of the answer.  Returns what write does, false after a problem.
 */
extern bool run_write_guarded(Run *run, StringInfo out, RunField *field, bool (*write) (Run *run, StringInfo out, RunField *field));

/* ---- query.c, mutate.c ---- */

/* Append the data of an operation; false where it is null. */
extern bool run_write_query(Run *run, StringInfo out, RunFields *fields);
extern bool run_write_mutation(Run *run, StringInfo out, RunFields *fields);

#endif							/* QEHS_GRAPHQL_RUN_H */
