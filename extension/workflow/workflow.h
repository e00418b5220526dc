/*
 * workflow.h
 *	  Transitions: what a caller may fire, and the guards that must hold.
 */
#ifndef QEHS_WORKFLOW_H
#define QEHS_WORKFLOW_H

#include "record/record.h"

/* A transition that is to be fired. */
typedef struct Firing
{
	const RequestContext *context;
	const ModuleDef *module;	/* the record's own definition */
	const ModuleTransition *transition;
	const Record *record;		/* as it is */
	Jsonb	   *payload;		/* as it will be */
	const char *comment;		/* or NULL */
	bool		approves;		/* the caller is an approver whose approval counts now: in the place of roles */
	bool		signature_given;
	Jsonb	   *signature;		/* what is kept of it when its credential fits, or NULL */
} Firing;

/* ---- transition.c ---- */

/* Append ,"availableTransitions":[{"name","to","requires"}]: those that start here and whose guards hold, requires, attachments and comment aside. */
extern void workflow_write_available(StringInfo out, const RequestContext *context,
									 const ModuleDef *module, const Record *record);

/* Whether the transition starts in the state. */
extern bool workflow_starts_in(const ModuleTransition *transition, const char *state);

/* The transition by name, startable in the record's state; raises QH400 for an unknown one, QH409 transition_not_allowed for the state. */
extern const ModuleTransition *workflow_find_transition(const ModuleDef *module, const char *name, const Record *record);

/*
 * As record_open with the action read, for a caller who is about to fire the transition of this name:
 * with what its guards look at held still.
 */
extern const ModuleDef *workflow_open(const RequestContext *context, const char *wire, const char *name, const char *if_match, Record *record);

/* ---- guards.c ---- */

/* Raise QH403 forbidden where the transition names no roles and the caller lacks the action transition: no guard, and told before the payload is looked at. */
extern void workflow_require_action(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition, const Record *record);

/* Add an entry for each field that the transition requires and the payload lacks. */
extern void workflow_check_requires(const Firing *firing, ViolationList *unmet);

/* Add an entry for each guard that does not hold: roles, requires, when, attachments, notSameActorAs, children, comment, signature. */
extern void workflow_check_guards(const Firing *firing, ViolationList *unmet);

/* Whether the guards hold for the caller and the record as it is, requires, attachments and comment aside. */
extern bool workflow_may_fire(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition, const Record *record);

/* ---- children.c ---- */

/* Whether the guard holds for the record. */
extern bool children_hold(int32 tenant_id, const ModuleChildren *guard, const pg_uuid_t *id);

/*
 * Before the record is locked: hold still what the guards over children of the transition, and of the one by which a rejection of
 * it returns the record, look at, until the transaction ends; and hold off a deletion of the record that what their effects make
 * may keep from being deleted, which would hold the place that they need and wait for the record.
 */
extern void children_lock(int32 tenant_id, const ModuleDef *module, const ModuleTransition *transition, const pg_uuid_t *id);

/* Append what the guard needs, for people. */
extern void children_describe(StringInfo out, const ModuleChildren *guard);

/* ---- files.c ---- */

/* Add an entry for each guard over attachments that does not hold for the payload. */
extern void files_check(const Firing *firing, ViolationList *unmet);

#endif							/* QEHS_WORKFLOW_H */
