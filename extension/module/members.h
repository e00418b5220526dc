/*
 * members.h
 *	  The members that a definition and its parts may have.
 */
#ifndef QEHS_MEMBERS_H
#define QEHS_MEMBERS_H

#include "base/error.h"
#include "utils/jsonb.h"

typedef struct DefinitionMember
{
	const char *name;			/* NULL ends a list */
	const char *acted_on_by;	/* the function that reads it; NULL: refused, since nothing does yet */
} DefinitionMember;

/* The root, and what stands in it: /retention, /displayCode, /fields/0, an entry of its options or units, of its bands. */
extern const DefinitionMember definition_members[];
extern const DefinitionMember retention_members[];
extern const DefinitionMember display_code_members[];
extern const DefinitionMember unique_members[];
extern const DefinitionMember field_members[];
extern const DefinitionMember option_members[];
extern const DefinitionMember band_members[];

/*
 * /workflow, /workflow/deadlines/x and an entry of its escalate, /workflow/transitions/x, a guard in its children, in its attachments,
 * its approvers and one of their steps, its signature, one of its effects and what stands in that, /permissions,
 * /permissions/fields/x, /permissions/states/x, /migrate.
 */
extern const DefinitionMember workflow_members[];
extern const DefinitionMember deadline_members[];
extern const DefinitionMember escalation_members[];
extern const DefinitionMember transition_members[];
extern const DefinitionMember children_members[];
extern const DefinitionMember files_members[];
extern const DefinitionMember approver_members[];
extern const DefinitionMember step_members[];
extern const DefinitionMember signature_members[];
extern const DefinitionMember effect_members[];
extern const DefinitionMember create_record_members[];
extern const DefinitionMember update_parent_members[];
extern const DefinitionMember assign_members[];
extern const DefinitionMember event_members[];
extern const DefinitionMember permission_members[];
extern const DefinitionMember scoped_actions_members[];
extern const DefinitionMember field_rule_members[];
extern const DefinitionMember lock_members[];
extern const DefinitionMember migrate_members[];

/* The entry of a name, or NULL. */
extern const DefinitionMember *members_find(const DefinitionMember *known, const char *name);

/* Add a fault for each member of an object that is unknown, or on which nothing acts yet. */
extern void members_check(const JsonbContainer *object, const DefinitionMember *known, const char *path, ViolationList *faults);

#endif							/* QEHS_MEMBERS_H */
