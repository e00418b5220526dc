/*
 * program.h
 *	  The compiled form of a schema: an array of nodes that name each other by
 *	  index, so that recursion in the schema is no recursion in memory.
 */
#ifndef QEHS_SCHEMA_PROGRAM_H
#define QEHS_SCHEMA_PROGRAM_H

#include "compat.h"

#include "schema/regex.h"
#include "schema/schema.h"
#include "schema/value.h"

typedef int32 NodeIndex;

#define NO_NODE (-1)

/* A member that "properties" or "required" names; tables are sorted as jsonb sorts keys. */
typedef struct SchemaProperty
{
	const char *name;
	uint32		length;
	NodeIndex	node;			/* NO_NODE: only required */
	bool		required;
} SchemaProperty;

typedef struct SchemaPattern
{
	Regex	   *regex;
	NodeIndex	node;
} SchemaPattern;

/* What the presence of a member asks for: a schema, or other members. */
typedef struct SchemaDependency
{
	Value		name;
	NodeIndex	node;			/* NO_NODE: names */
	int			count;
	Value	   *names;
} SchemaDependency;

typedef struct SchemaObjectRules
{
	int			property_count;
	SchemaProperty *properties;
	int			pattern_count;
	SchemaPattern *patterns;
	int			dependency_count;
	SchemaDependency *dependencies;
	NodeIndex	additional;
	bool		closed;			/* additionalProperties: false */
	NodeIndex	names;			/* propertyNames */
	int64		minimum;
	int64		maximum;		/* -1: none, as in the next */
} SchemaObjectRules;

typedef struct SchemaArrayRules
{
	int			prefix_count;
	NodeIndex  *prefix;
	NodeIndex	items;
	NodeIndex	contains;
	int64		contains_minimum;
	int64		contains_maximum;
	int64		minimum;
	int64		maximum;
	bool		unique;
} SchemaArrayRules;

typedef struct SchemaStringRules
{
	int64		minimum;
	int64		maximum;
	Regex	   *pattern;
	const char *pattern_text;
	const char *format;			/* NULL when it only annotates */
	bool		(*format_holds) (const char *text, int length);
} SchemaStringRules;

/* A limit, and 10^8 times it where that is exact. */
typedef struct SchemaBound
{
	bool		given;
	bool		is_scaled;
	int64		scaled;
	Value		value;
} SchemaBound;

typedef struct SchemaNumberRules
{
	SchemaBound minimum;
	SchemaBound maximum;
	SchemaBound exclusive_minimum;
	SchemaBound exclusive_maximum;
	SchemaBound multiple_of;
} SchemaNumberRules;

typedef struct SchemaEnum
{
	int			count;
	Value	   *values;			/* strings first, sorted as keys are */
	int			string_count;
	const char *text;			/* for the message */
} SchemaEnum;

typedef struct SchemaBranches
{
	int			count;
	NodeIndex  *nodes;
} SchemaBranches;

typedef struct SchemaNode
{
	const char *location;		/* in the root document a JSON Pointer, else a URI */
	int			resource;
	bool		never;			/* the schema false */
	bool		in_place;		/* any of the members from "all" on is there */
	uint8		types;			/* 0: any */
	const SchemaEnum *enumeration;
	const SchemaEnum *constant;
	SchemaStringRules *string;
	SchemaNumberRules *number;
	SchemaArrayRules *array;
	SchemaObjectRules *object;

	SchemaBranches all;
	SchemaBranches any;
	SchemaBranches one;
	NodeIndex	negated;
	NodeIndex	condition;
	NodeIndex	consequence;
	NodeIndex	alternative;
	NodeIndex	reference;
	NodeIndex	dynamic_reference;	/* where the dynamic scope has no such anchor */
	const char *dynamic_anchor; /* NULL: that reference is a plain one */
	NodeIndex	unevaluated_items;
	NodeIndex	unevaluated_properties;
} SchemaNode;

typedef struct SchemaDynamicAnchor
{
	const char *name;
	NodeIndex	node;
} SchemaDynamicAnchor;

/* What the dynamic scope must know of a schema resource. */
typedef struct SchemaScope
{
	int			count;
	SchemaDynamicAnchor *anchors;
} SchemaScope;

struct Schema
{
	MemoryContext context;
	int			node_count;
	SchemaNode *nodes;
	NodeIndex	root;
	bool		is_dynamic;		/* holds a $dynamicRef that looks at the scope */
	SchemaScope *scopes;		/* by resource */
};

#endif							/* QEHS_SCHEMA_PROGRAM_H */
