/*
 * approval.h
 *	  Approvals: n of m people say yes to a transition before it is fired.
 *
 * An approval is of the record as it stood: its version and the SHA-256 of its payload.
 * After any change it does not count any more.  A person approves a transition
 * once, for himself or for one who has delegated to him.  The caller holds the record's row,
 * so that approvals of one record come one after the other.
 */
#ifndef QEHS_APPROVAL_H
#define QEHS_APPROVAL_H

#include "workflow/workflow.h"

/* An approval that is stored. */
typedef struct GivenApproval
{
	pg_uuid_t	actor;
	pg_uuid_t	principal;		/* for whom: the actor, or who delegated to him */
	int32		step;
} GivenApproval;

/* Which approvals of a transition count for the record as it is. */
typedef struct ApprovalState
{
	int			count;
	GivenApproval *items;
} ApprovalState;

/* Those that count, in the current memory context; inside SPI. */
extern ApprovalState approval_state(const RequestContext *context, const ModuleTransition *transition, const Record *record);

/*
 * Whether the caller may approve now, for himself or for another: sets the step and for whom.  Who has approved
 * already may not again; with again he may still decide otherwise.
 */
extern bool approval_find(const Firing *firing, const ApprovalState *state, bool again, int32 *step, pg_uuid_t *principal);

/* Whether the user has approved, or another for him. */
extern bool approval_is_given(const ApprovalState *state, const pg_uuid_t *user);

/* How many approvals a step lacks. */
extern int	approval_missing(const ModuleTransition *transition, const ApprovalState *state, int step);

/* Whether no step lacks any. */
extern bool approval_is_complete(const ModuleTransition *transition, const ApprovalState *state);

/* Store what the caller decides, with its event. */
extern void approval_store(const Firing *firing, int32 step, const pg_uuid_t *principal, bool approved);

/* Append {"transition","complete","order","steps":[{"count","roles","approved","missing"}]}. */
extern void approval_write(StringInfo out, const ModuleTransition *transition, const ApprovalState *state);

/* Append what is missing, for people: "2 approvals of reviewer". */
extern void approval_describe(StringInfo out, const ModuleTransition *transition, const ApprovalState *state);

/* Append the decisions on a record, newest first, the 200 newest; inside SPI. */
extern void approval_write_history(StringInfo out, const RequestContext *context, const Record *record);

#endif							/* QEHS_APPROVAL_H */
