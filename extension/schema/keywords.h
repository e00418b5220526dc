/*
 * keywords.h
 *	  What the keywords of a schema make of its node.
 */
#ifndef QEHS_SCHEMA_KEYWORDS_H
#define QEHS_SCHEMA_KEYWORDS_H

#include "schema/compiler.h"

/* Fill in a node from the keywords of its schema, as far as the vocabularies know them. */
extern void keywords_compile(Compiler *compiler, const Work *work, uint32 vocabularies);

#endif							/* QEHS_SCHEMA_KEYWORDS_H */
