/*
 * program.h
 *	  The compiled form of a schema: an array of nodes that name each other by
 *	  index, so that recursion in the schema is no recursion in memory.
 */
#ifndef QEHS_SCHEMA_PROGRAM_H
#define QEHS_SCHEMA_PROGRAM_H

#include "base/compat.h"

#include "lib/stringinfo.h"
#include "schema/format.h"
#include "schema/regex.h"
#include "schema/schema.h"
#include "schema/value.h"

typedef int32 NodeIndex;

#define NO_NODE (-1)

/*
 * A place in a document or a schema, NULL for the root: a link to the place around
 * it, since written out for each they would take the square of the depth.
 */
typedef struct Place
{
	const struct Place *parent;
	const char *key;			/* NULL: an index */
	uint32		length;
	uint32		index;			/* of a key: PLACE_VERBATIM, or anything else */
} Place;

#define PLACE_VERBATIM PG_UINT32_MAX	/* the key is text as it stands: a URI, or a JSON Pointer */

/* Append the JSON Pointer of a place, behind the URI of its document where that is not the root. */
extern void place_append(StringInfo out, const Place *place);

/* Whether there is room for one more violation; if not, that is noted. */
extern bool schema_errors_have_room(SchemaErrors *errors);

/* Add a violation, for which there is room, of a keyword (NULL: of the schema itself) at a place of the schema. */
extern void schema_add_place(SchemaErrors *errors, const Place *instance, const Place *schema, const char *token, const char *keyword,
							 const char *format, va_list arguments) pg_attribute_printf(6, 0);

/* Text of a schema or a document as a message shows it: its beginning, palloc'd. */
extern char *schema_shown(const char *text, int length);

/* Add a fault at a keyword of the schema at a place, or at the place itself where token is NULL. */
extern void schema_fault(SchemaErrors *faults, const Place *at, const char *token, const char *keyword,
						 const char *format,...) pg_attribute_printf(5, 6);

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
	const char *keyword;
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
	const char *pattern_text;	/* for the message */
	const char *format;			/* NULL when it only annotates */
	const char *wanted;			/* the format, for the message */
	FormatCheck format_holds;
	uint32		format_steps;	/* what a check costs beside the length of the text */
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
	Value	   *values;			/* sorted by value_compare: strings first */
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
	const Place *location;
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
	int			dynamic_name;	/* number of the anchor's name; -1: that reference is a plain one */
	NodeIndex	unevaluated_items;
	NodeIndex	unevaluated_properties;
} SchemaNode;

/* A name that some $dynamicRef uses, by its number. */
typedef struct SchemaDynamicAnchor
{
	int			name;
	NodeIndex	node;
} SchemaDynamicAnchor;

/* What the dynamic scope must know of a schema resource: its dynamic anchors by number of name. */
typedef struct SchemaScope
{
	int			count;
	SchemaDynamicAnchor *anchors;
} SchemaScope;

struct Schema
{
	MemoryContext context;
	const Jsonb *document;		/* the root one */
	Size		regex_bytes;	/* of its patterns, outside of the context */
	bool		uses_registered;	/* was compiled with documents of options->lookup */
	int			node_count;
	SchemaNode *nodes;
	NodeIndex	root;
	bool		is_dynamic;		/* holds a $dynamicRef that looks at the scope */
	SchemaScope *scopes;		/* by resource */
};

#endif							/* QEHS_SCHEMA_PROGRAM_H */
