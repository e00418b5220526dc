/*
 * workflow.h
 *	  Transitions: whether a caller may fire one on a record now.
 */
#ifndef QEHS_WORKFLOW_H
#define QEHS_WORKFLOW_H

#include "record/record.h"

/* Append ,"availableTransitions":[{"name","to","requires"}]. */
extern void workflow_write_available(StringInfo out, const RequestContext *context,
									 const ModuleDef *module, const Record *record);

/*
 * The transition by name, startable in the record's state by this caller; raises
 * QH400 for an unknown one, QH409 transition_not_allowed for the state, QH403 for
 * the roles.
 */
extern const ModuleTransition *workflow_find_transition(const RequestContext *context, const ModuleDef *module,
														const char *name, const Record *record);

/* Add a violation for each field that the transition requires and the payload lacks, and for a comment that it requires. */
extern void workflow_check_requires(const ModuleDef *module, const ModuleTransition *transition, Jsonb *payload, const char *comment,
									ViolationList *violations);

/* Raise QH409 guard_failed unless the guard, if there is one, holds for the payload in the state that is left. */
extern void workflow_check_guard(const RequestContext *context, const ModuleTransition *transition, const char *state,
								 Jsonb *payload);

#endif							/* QEHS_WORKFLOW_H */
