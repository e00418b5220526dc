/*
 * node.h
 *	  The compiled form of a schema: a tree of nodes with their keywords resolved.
 */
#ifndef QEHS_SCHEMA_NODE_H
#define QEHS_SCHEMA_NODE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "schema/schema.h"

#define SCHEMA_DEPTH 128

/* Bits of "type". */
typedef enum SchemaType
{
	SCHEMA_NULL = 1,
	SCHEMA_BOOLEAN = 2,
	SCHEMA_STRING = 4,
	SCHEMA_NUMBER = 8,
	SCHEMA_INTEGER = 16,
	SCHEMA_ARRAY = 32,
	SCHEMA_OBJECT = 64
} SchemaType;

typedef struct SchemaNode SchemaNode;

typedef struct SchemaProperty
{
	char	   *name;
	int			length;
	SchemaNode *node;
} SchemaProperty;

struct SchemaNode
{
	bool		never;			/* the schema false */
	uint32		types;			/* 0: any */
	int			property_count;
	SchemaProperty *properties;
	bool		closed;			/* additionalProperties: false */
	int			required_count;
	char	  **required;
	SchemaNode *items;
	int64		min_length,
				max_length,
				min_items,
				max_items;		/* -1: none */
	bool		unique_items;
	Numeric		minimum,
				maximum,
				exclusive_minimum,
				exclusive_maximum,
				multiple_of;
	Jsonb	   *enumeration;	/* array, or NULL */
	char	   *enumeration_text;
	char	   *pattern_text;
	pcre2_code *pattern;
	char	   *format;
	int			all_count,
				any_count;
	SchemaNode **all,
			  **any;
};

struct Schema
{
	MemoryContext context;
	SchemaNode *root;
	bool		assert_formats;
	pcre2_general_context *pcre;
	pcre2_match_context *match;
	pcre2_match_data *match_data;
};

extern void schema_add(SchemaErrors *errors, const char *instance, const char *keyword_location,
					   const char *keyword, const char *format,...) pg_attribute_printf(5, 6);

/* Whether text has the form that "format" names; true for unknown formats. */
extern bool schema_format_holds(const char *format, const char *text, int length);

#endif							/* QEHS_SCHEMA_NODE_H */
