/*
 * satisfiable.h
 *	  Whether any value can hold under a JSON Schema.
 */
#ifndef QEHS_SATISFIABLE_H
#define QEHS_SATISFIABLE_H

#include "utils/jsonb.h"

/*
 * False when it is sure that no value holds under a schema that compiles, true
 * in case of doubt: of patterns only what is common to ECMA-262 and PostgreSQL is compared, and
 * references are followed within the schema only.  root is the schema that
 * "#/…" starts at, or NULL where that differs from place to place.
 */
extern bool satisfiable_schema(Jsonb *schema, const JsonbContainer *root);

#endif							/* QEHS_SATISFIABLE_H */
