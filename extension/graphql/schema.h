/*
 * schema.h
 *	  A GraphQL schema as data (specification, section 3): what validation,
 *	  planning and introspection read.
 *
 * Built once for a tenant's definitions and a set of permissions, then never
 * changed.  A named type is one object, so named types are compared by address;
 * lists and non-null types may stand several times.
 */
#ifndef QEHS_GRAPHQL_SCHEMA_H
#define QEHS_GRAPHQL_SCHEMA_H

#include "graphql/ast.h"

typedef enum GraphqlTypeKind
{
	GRAPHQL_TYPE_SCALAR,
	GRAPHQL_TYPE_OBJECT,
	GRAPHQL_TYPE_INTERFACE,
	GRAPHQL_TYPE_UNION,
	GRAPHQL_TYPE_ENUM,
	GRAPHQL_TYPE_INPUT_OBJECT,
	GRAPHQL_TYPE_LIST,
	GRAPHQL_TYPE_NON_NULL
} GraphqlTypeKind;

/* Where a directive may stand: bits, by the names of section 3.13. */
typedef enum GraphqlLocation
{
	GRAPHQL_ON_QUERY = 1 << 0,
	GRAPHQL_ON_MUTATION = 1 << 1,
	GRAPHQL_ON_SUBSCRIPTION = 1 << 2,
	GRAPHQL_ON_FIELD = 1 << 3,
	GRAPHQL_ON_FRAGMENT_DEFINITION = 1 << 4,
	GRAPHQL_ON_FRAGMENT_SPREAD = 1 << 5,
	GRAPHQL_ON_INLINE_FRAGMENT = 1 << 6,
	GRAPHQL_ON_VARIABLE_DEFINITION = 1 << 7,
	GRAPHQL_ON_SCALAR = 1 << 8,
	GRAPHQL_ON_FIELD_DEFINITION = 1 << 9,
	GRAPHQL_ON_ARGUMENT_DEFINITION = 1 << 10,
	GRAPHQL_ON_ENUM_VALUE = 1 << 11,
	GRAPHQL_ON_INPUT_OBJECT = 1 << 12,
	GRAPHQL_ON_INPUT_FIELD_DEFINITION = 1 << 13
} GraphqlLocation;

/* The five scalars that the specification defines; every other one takes any literal in validation. */
typedef enum GraphqlScalar
{
	GRAPHQL_SCALAR_CUSTOM,
	GRAPHQL_SCALAR_INT,
	GRAPHQL_SCALAR_FLOAT,
	GRAPHQL_SCALAR_STRING,
	GRAPHQL_SCALAR_BOOLEAN,
	GRAPHQL_SCALAR_ID
} GraphqlScalar;

typedef struct GraphqlType GraphqlType;

/* An argument, or a field of an input object. */
typedef struct GraphqlInput
{
	GraphqlText name;
	const char *description;	/* or NULL */
	const GraphqlType *type;
	const char *default_value;	/* GraphQL text of the value, or NULL */
	const char *deprecation_reason; /* or NULL */
} GraphqlInput;

typedef struct GraphqlField
{
	GraphqlText name;
	const char *description;
	const GraphqlType *type;
	int			argument_count;
	const GraphqlInput *arguments;
	const char *deprecation_reason;
	const void *source;			/* for the planner: where its value comes from */
} GraphqlField;

typedef struct GraphqlEnumValue
{
	GraphqlText name;
	const char *description;
	const char *deprecation_reason;
	const char *value;			/* what it stands for in a payload */
} GraphqlEnumValue;

struct GraphqlType
{
	GraphqlTypeKind kind;
	GraphqlText name;			/* empty for lists and non-null types */
	const char *description;
	const GraphqlType *of;		/* of a list or non-null type */
	GraphqlScalar scalar;
	const char *specified_by;	/* URL of a scalar's specification, or NULL */
	bool		is_one_of;		/* of an input object: exactly one field */
	int			field_count;	/* of an object or interface */
	const GraphqlField *fields;
	int			input_count;	/* of an input object */
	const GraphqlInput *inputs;
	int			value_count;	/* of an enum */
	const GraphqlEnumValue *values;
	int			interface_count;
	const GraphqlType *const *interfaces;
	int			possible_count; /* of a union or interface: its object types */
	const GraphqlType *const *possible;
};

typedef struct GraphqlDirective
{
	GraphqlText name;
	const char *description;
	uint32_t	locations;		/* bits of GraphqlLocation */
	int			argument_count;
	const GraphqlInput *arguments;
	bool		is_repeatable;
} GraphqlDirective;

typedef struct GraphqlSchema
{
	int			type_count;
	const GraphqlType *const *types;	/* all named ones, those of introspection too, by graphql_text_compare of their names */
	const GraphqlType *query;
	const GraphqlType *mutation;	/* or NULL */
	const GraphqlType *subscription;	/* or NULL */
	int			directive_count;
	const GraphqlDirective *directives;
	const GraphqlField *schema_field;	/* __schema and __type, NULL where the schema is not told; __typename */
	const GraphqlField *type_field;
	const GraphqlField *typename_field;
} GraphqlSchema;

/* Bytewise order; negative, zero or positive. */
extern int	graphql_text_compare(GraphqlText a, GraphqlText b);

/* Each returns NULL where there is none of that name. */
extern const GraphqlType *graphql_schema_type(const GraphqlSchema *schema, GraphqlText name);
extern const GraphqlDirective *graphql_schema_directive(const GraphqlSchema *schema, GraphqlText name);
extern const GraphqlInput *graphql_input_find(const GraphqlInput *inputs, int count, GraphqlText name);
extern const GraphqlEnumValue *graphql_enum_find(const GraphqlType *type, GraphqlText name);
/* The field of a type that may be NULL, __typename and at the query type __schema and __type too. */
extern const GraphqlField *graphql_field_find(const GraphqlSchema *schema, const GraphqlType *type, GraphqlText name);
/* The type at the root of an operation, or NULL. */
extern const GraphqlType *graphql_root_type(const GraphqlSchema *schema, GraphqlOperationType operation);

/* What is inside lists and non-null types; NULL of NULL. */
extern const GraphqlType *graphql_named_type(const GraphqlType *type);
/* Without one non-null around it; NULL of NULL. */
extern const GraphqlType *graphql_nullable_type(const GraphqlType *type);
extern bool graphql_is_composite(const GraphqlType *type);	/* has fields or possible types; false of NULL */
extern bool graphql_is_leaf(const GraphqlType *type);	/* a scalar or enum; false of NULL */
extern bool graphql_is_input(const GraphqlType *type);	/* may be given by a client; false of NULL */
extern bool graphql_is_required(const GraphqlInput *input); /* non-null and without default */
extern bool graphql_types_equal(const GraphqlType *a, const GraphqlType *b);
/* Whether every value of the first is one of the second (section 3.6.1, covariance). */
extern bool graphql_is_subtype(const GraphqlType *type, const GraphqlType *super);
/* Whether an object can be of both (section 5.5.2.3). */
extern bool graphql_types_overlap(const GraphqlType *a, const GraphqlType *b);

/* The type as it is written ("[Int!]"), cut to size bytes with the NUL at the end; returns out. */
extern char *graphql_type_print(const GraphqlType *type, char *out, size_t size);

#endif							/* QEHS_GRAPHQL_SCHEMA_H */
