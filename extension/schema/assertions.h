/*
 * assertions.h
 *	  The keywords that say something of a value itself (JSON Schema 2020-12, Validation), each with its argument.
 */
#ifndef QEHS_SCHEMA_ASSERTIONS_H
#define QEHS_SCHEMA_ASSERTIONS_H

#include "schema/building.h"

/* KeywordCompile of each, named after its keyword, or its kind; a fault of the schema goes to the list of the compiler. */
extern void assertion_type(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void assertion_enum(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void assertion_const(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void assertion_count(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void assertion_bound(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void assertion_multiple(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void assertion_pattern(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void assertion_format(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void assertion_unique(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);

#endif							/* QEHS_SCHEMA_ASSERTIONS_H */
