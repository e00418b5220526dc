/*
 * jsonschema.h
 *	  Registered JSON Schemas, for whoever compiles a schema that may refer to one.
 */
#ifndef QEHS_JSONSCHEMA_H
#define QEHS_JSONSCHEMA_H

#include "utils/jsonb.h"

/* A SchemaLookup: a copy of the document that is registered by the URI, or NULL.  Runs SPI by itself. */
extern Jsonb *jsonschema_find_registered(void *arg, const char *uri);

#endif							/* QEHS_JSONSCHEMA_H */
