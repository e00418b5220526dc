/*
 * diff.h
 *	  What changed between two definitions of one module, and whether records of
 *	  the one still hold under the other.
 */
#ifndef QEHS_DIFF_H
#define QEHS_DIFF_H

#include "module/module.h"
#include "nodes/pg_list.h"

typedef struct DefinitionChange
{
	const char *path;			/* JSON Pointer into the new definition, or into the old one */
	bool		in_old;			/* which: true for what the new one lacks */
	const char *kind;			/* e.g. "field_removed" */
	const char *subject;		/* key of the top-level field, or the state; NULL for neither */
	bool		compatible;		/* no record can stop to hold by it */
	const char *message;		/* for people, without the path */
} DefinitionChange;

/*
 * List of DefinitionChange *, in the order of the definitions; both are without
 * faults.  With adjacent the new one's "migrate" rules say which fields were
 * renamed.  Pure; allocates in the current memory context.
 */
extern List *definition_diff(Jsonb *before, Jsonb *after, bool adjacent);

/* Whether the new definition's "migrate" rules say what becomes of records that do not hold after a change. */
extern bool definition_says_how(const Jsonb *after, const DefinitionChange *change);

#endif							/* QEHS_DIFF_H */
