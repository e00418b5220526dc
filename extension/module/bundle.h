/*
 * bundle.h
 *	  Registered schemas that the schemas of a definition refer to.
 */
#ifndef QEHS_BUNDLE_H
#define QEHS_BUNDLE_H

#include "nodes/pg_list.h"
#include "schema/schema.h"

typedef struct SchemaBundle
{
	MemoryContext memory;		/* of what is found: a compilation has a short-lived one of its own */
	List	   *documents;
} SchemaBundle;

/* A SchemaLookup whose argument is a SchemaBundle: it keeps what it finds. */
extern Jsonb *bundle_find(void *bundle, const char *uri);

/* A schema with all that was found in its "$defs", each under its URI as "$id"; the schema itself when nothing was. */
extern Jsonb *bundle_into(const SchemaBundle *bundle, Jsonb *schema);

#endif							/* QEHS_BUNDLE_H */
