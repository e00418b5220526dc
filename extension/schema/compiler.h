/*
 * compiler.h
 *	  The state of one compilation.
 */
#ifndef QEHS_SCHEMA_COMPILER_H
#define QEHS_SCHEMA_COMPILER_H

#include "base/compat.h"

#include "schema/resource.h"

/* A node that waits to be filled in. */
typedef struct Work
{
	NodeIndex	node;
	Value		value;
	int			resource;
	const Place *location;
} Work;

typedef struct Compiler
{
	Schema	   *schema;
	Resources  *resources;
	SchemaErrors *faults;
	bool		assert_formats;
	int			node_capacity;
	int			work_count;
	int			work_capacity;
	Work	   *work;
} Compiler;

/* The node of a subschema, which is filled in later; NO_NODE with a fault when it is no schema. */
extern NodeIndex compiler_request_node(Compiler *compiler, const Value *value, int resource, const Place *location);

#endif							/* QEHS_SCHEMA_COMPILER_H */
