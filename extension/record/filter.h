/*
 * filter.h
 *	  Filters of lists: a document read into conditions (filter_parse.c,
 *	  filter_values.c), and conditions as SQL (filter_sql.c).
 *
 * The parser is pure: no SPI, no errors; every fault goes into the caller's
 * list, below the caller's path.  The SQL names the record's row by an alias, so
 * that it can stand in a join.
 */
#ifndef QEHS_FILTER_H
#define QEHS_FILTER_H

#include "base/error.h"
#include "module/module.h"

#define QEHS_FILTER_DEPTH 8
/* Values of one in or nin. */
#define QEHS_FILTER_VALUES 1000

typedef enum FilterOperator
{
	FILTER_EQ, FILTER_NE, FILTER_LT, FILTER_LTE, FILTER_GT, FILTER_GTE, FILTER_IN, FILTER_NIN, FILTER_CONTAINS,
	FILTER_STARTS_WITH, FILTER_EXISTS,
	FILTER_OPERATOR_COUNT
} FilterOperator;

/* Fields that every record has. */
typedef enum BuiltIn
{
	BUILT_IN_NONE,				/* a field of the module */
	BUILT_IN_STATE, BUILT_IN_CREATED_AT, BUILT_IN_UPDATED_AT, BUILT_IN_CREATED_BY, BUILT_IN_DISPLAY_CODE, BUILT_IN_ID,
	BUILT_IN_VERSION, BUILT_IN_DUE_AT,
	BUILT_IN_COUNT
} BuiltIn;

/* What is filtered or sorted by. */
typedef struct FilterField
{
	const char *name;			/* on the wire; "address.city" is a member of an object, "cost.currency" one of a value */
	BuiltIn		built_in;
	const ModuleField *field;	/* NULL for a built-in one, and for a member of a value */
	const ModuleField *top;		/* the module's field that it is or lies in */
	FieldType	type;			/* by which its values compare */
	ValueKind	kind;
	bool		ordered;		/* has lt, lte, gt, gte and can be sorted by */
	int			slot;			/* or -1 */
	const char *below;			/* what follows the key of top in a payload: "" or ".city" */
} FilterField;

typedef enum FilterNodeKind
{
	FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_CONDITION
} FilterNodeKind;

typedef struct FilterNode
{
	FilterNodeKind kind;
	int			count;			/* of items, or of a condition's values */
	struct FilterNode **items;	/* of and, or; the one of not */
	FilterField field;			/* of a condition, from here on */
	FilterOperator operator;
	Datum	   *values;			/* of the Oid that filter_oid says; of exists none */
	bool		present;		/* of exists: what it asks for */
} FilterNode;

/* What a filter is read against. */
typedef struct FilterScope FilterScope;
struct FilterScope
{
	const RequestContext *context;
	const ModuleDef *module;
	const char *path;			/* of the filter in the request: "?filter", "/filter" */
	/* whether an older version knew a state or an option that this one lacks; NULL: none did */
	bool		(*knew) (const ModuleDef *module, const FilterField *field, const char *value);
	/* the id of the record with a display code that a field may name, NULL with a fault at the path when there is none; the text itself if it is no such code */
	const char *(*id_of_code) (const FilterScope *scope, const ModuleField *field, const char *text, const char *path);
	ViolationList *faults;
	bool		without_slots;	/* compare by payloads: deleted records have no slots */
};

/* ---- filter_parse.c ---- */

/* Find a field by its name on the wire; false when the module has none.  "status" is workflowState where no field is called so. */
extern bool filter_field(const ModuleDef *module, const char *name, FilterField *found);

/* The name of a built-in field. */
extern const char *filter_built_in_name(BuiltIn built_in);

/* The name of an operator ("eq"), and which operators values of a kind have, a bit (1 << operator) each. */
extern const char *filter_operator_name(FilterOperator operator);
extern uint32 filter_operators(ValueKind kind, bool ordered);

/* The SQL type of a field's values. */
extern Oid	filter_oid(const FilterField *field);

/*
 * Read a filter document: {"field":value} or {"field":{"op":value}}, combined by
 * and, or, not.  in and nin take an array, or one text with commas between
 * the values, which are quoted as in CSV (RFC 4180) where they hold one.
 * With faults the result may be incomplete.
 */
extern FilterNode *filter_parse(const FilterScope *scope, const JsonbContainer *document);

/* Call back for each condition below a node, in their order. */
extern void filter_each(const FilterNode *node, void (*visit) (const FilterField *field, void *argument), void *argument);

/* Whether records without a value of the named field never match. */
extern bool filter_requires(const FilterNode *node, const char *name);

/* ---- filter_values.c ---- */

/* Whether a field can have a text: one that its options, units, comparators or bands do not list it cannot. */
extern bool filter_may_have(const FilterField *field, const char *text);

#endif							/* QEHS_FILTER_H */
