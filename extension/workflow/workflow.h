/*
 * workflow.h
 *	  Guards: whether a caller may fire a transition on a record now.
 */
#ifndef QEHS_WORKFLOW_H
#define QEHS_WORKFLOW_H

#include "record/record.h"

/* Who asks, in which state: one for all expressions of a call; the caller sets context and state. */
typedef struct Guard
{
	const RequestContext *context;
	const char *state;
	Jsonb	   *variables;		/* NULL until an expression needs them; in the memory context of then */
} Guard;

/*
 * Evaluate an expression (SQL/JSON path) over a payload with $state, $user,
 * $roles, $now, $today.  True when it gives true; false for false, unknown,
 * empty or an evaluation error (guard.c).
 */
extern bool guard_is_true(Guard *guard, JsonPath *expression, Jsonb *payload);

/* The value that an expression gives, or NULL when it gives none (computed fields). */
extern Jsonb *guard_value(Guard *guard, JsonPath *expression, Jsonb *payload);

/* Append ,"availableTransitions":[{"name","to","requires"}]. */
extern void workflow_write_available(StringInfo out, const RequestContext *context,
									 const ModuleDef *module, const Record *record);

#endif							/* QEHS_WORKFLOW_H */
