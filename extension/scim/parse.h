/*
 * parse.h
 *	  SCIM filters (RFC 7644 section 3.4.2.2) and PATCH paths (section 3.5.2) as
 *	  trees.
 *
 * name[filter].sub op value, which Entra ID looks for users by, is name[filter and sub op value].
 * Pure: no SPI, no errors raised, no memory of its own.  The caller owns a
 * ScimFilter and a text buffer of the source's length + 1; nodes refer to
 * each other by index and to names by slices of the source, which must outlive
 * the tree.
 */
#ifndef QEHS_SCIM_PARSE_H
#define QEHS_SCIM_PARSE_H

#include "base/compat.h"

#define SCIM_MAX_NODES 256
#define SCIM_MAX_DEPTH 50
#define SCIM_MAX_FILTER 65536	/* bytes */

typedef enum ScimOperator
{
	SCIM_EQ, SCIM_NE, SCIM_CO, SCIM_SW, SCIM_EW, SCIM_GT, SCIM_GE, SCIM_LT, SCIM_LE, SCIM_PR
} ScimOperator;

typedef enum ScimNodeKind
{
	SCIM_NODE_AND,				/* left and right */
	SCIM_NODE_OR,
	SCIM_NODE_NOT,				/* left */
	SCIM_NODE_COMPARE,			/* name, operator, literal */
	SCIM_NODE_ELEMENT			/* name[left]: one element for which left holds */
} ScimNodeKind;

typedef enum ScimLiteral
{
	SCIM_LITERAL_TEXT, SCIM_LITERAL_NUMBER, SCIM_LITERAL_TRUE, SCIM_LITERAL_FALSE, SCIM_LITERAL_NULL
} ScimLiteral;

/* A slice of the source: an attribute path, maybe with a URN in front. */
typedef struct ScimName
{
	const char *text;
	int			length;
} ScimName;

typedef struct ScimNode
{
	ScimNodeKind kind;
	int			left;
	int			right;
	ScimName	name;
	ScimOperator op;
	ScimLiteral literal;
	const char *value;			/* text without quotes and escapes, or the digits; NUL-terminated, in the buffer */
} ScimNode;

typedef struct ScimFilter
{
	int			count;
	int			root;
	ScimNode	nodes[SCIM_MAX_NODES];
	const char *fault;			/* what is wrong, or NULL */
	int			fault_at;		/* byte of the source */
} ScimFilter;

/* A PATCH path: name, name[filter] or name[filter].sub. */
typedef struct ScimPath
{
	ScimName	name;
	bool		has_filter;
	ScimName	sub;			/* behind the filter; length 0 is none */
	ScimFilter	filter;
} ScimPath;

/* Read a filter; false with a fault.  buffer has room for length + 1 bytes. */
extern bool scim_parse_filter(const char *source, int length, char *buffer, ScimFilter *filter);

/* Read a path; false with a fault in path->filter. */
extern bool scim_parse_path(const char *source, int length, char *buffer, ScimPath *path);

#endif							/* QEHS_SCIM_PARSE_H */
