/*
 * applicators.h
 *	  The keywords that apply other schemas to a value or to what it holds (JSON Schema 2020-12, Core section 10), references, and
 *	  those of names that stand in one table with them.
 */
#ifndef QEHS_SCHEMA_APPLICATORS_H
#define QEHS_SCHEMA_APPLICATORS_H

#include "schema/building.h"

/* KeywordCompile of each, named after its keyword, or its kind; a fault of the schema goes to the list of the compiler. */
extern void applicator_schema(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void applicator_additional(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void applicator_branches(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void applicator_prefix(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void applicator_required(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void applicator_properties(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void applicator_patterns(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void applicator_dependencies(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
extern void applicator_reference(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
/* Once all keywords are read: one table of "properties" and "required", in the order of keys in jsonb. */
extern void applicator_finish_properties(Compiler *compiler, Building *building);

#endif							/* QEHS_SCHEMA_APPLICATORS_H */
