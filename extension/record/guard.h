/*
 * guard.h
 *	  Expressions over a payload: conditions, computed values and guards of transitions.
 */
#ifndef QEHS_GUARD_H
#define QEHS_GUARD_H

#include "caller/context.h"
#include "utils/jsonb.h"
#include "utils/jsonpath.h"

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
 * empty or an evaluation error.
 */
extern bool guard_is_true(Guard *guard, JsonPath *expression, Jsonb *payload);

/* {"state","user","roles","now","today"}, made when first asked for. */
extern Jsonb *guard_variables(Guard *guard);

/* The value that an expression gives, or NULL when it gives none (computed fields). */
extern Jsonb *guard_value(Guard *guard, JsonPath *expression, Jsonb *payload);

#endif							/* QEHS_GUARD_H */
