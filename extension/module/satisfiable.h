/*
 * satisfiable.h
 *	  Whether any value can hold under a JSON Schema.
 */
#ifndef QEHS_SATISFIABLE_H
#define QEHS_SATISFIABLE_H

#include "utils/jsonb.h"

/*
 * False when it is sure that no value holds under a schema that compiles, true
 * in case of doubt: patterns and formats are not compared with each other, and
 * references are followed within the schema only.  root is the schema that
 * "#/…" starts at, or NULL where that differs from place to place.
 */
extern bool satisfiable_schema(Jsonb *schema, const JsonbContainer *root);

#endif							/* QEHS_SATISFIABLE_H */
