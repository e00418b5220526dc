/*
 * workflow.h
 *	  Guards: whether a caller may fire a transition on a record now.
 */
#ifndef QEHS_WORKFLOW_H
#define QEHS_WORKFLOW_H

#include "record/record.h"

/*
 * Evaluate an expression (SQL/JSON path) over a payload with $state, $user,
 * $roles, $now, $today.  True when it gives true; false for false, unknown,
 * empty or an evaluation error (guard.c).
 */
extern bool guard_is_true(JsonPath *expression, const RequestContext *context, Jsonb *payload, const char *state);

/* The value that an expression gives, or NULL when it gives none (computed fields). */
extern Jsonb *guard_value(JsonPath *expression, const RequestContext *context, Jsonb *payload, const char *state);

/* Whether the caller may fire the transition: state, roles and when hold (requires aside). */
extern bool workflow_may_fire(const RequestContext *context, const ModuleDef *module,
							  const ModuleTransition *transition, const Record *record);

/* Append ,"availableTransitions":[{"name","to","requires"}]. */
extern void workflow_write_available(StringInfo out, const RequestContext *context,
									 const ModuleDef *module, const Record *record);

#endif							/* QEHS_WORKFLOW_H */
