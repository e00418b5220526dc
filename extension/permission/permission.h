/*
 * permission.h
 *	  What a caller may do: the one door that every other folder asks.
 *
 * An answer has four parts, all of which must hold: a role gives the action, the
 * key's scopes and modules reach it, and no field rule stands against it.
 *
 * Roles come from the caller (tenant-owner, tenant-admin, tenant-user, viewer, and
 * those that definitions name) or from the record: "@createdBy" is who created
 * it, "@x" is the user whom its field x, of type user, names.  "@owner" so is
 * whom the field "owner" names.  Actions may be for records alone that the caller has
 * created (scope own), or that are in a location of his (scope location; location.h).
 * tenant-owner, tenant-admin and the system may do everything in their tenant, within
 * the key's scopes and modules.
 *
 * The module's current definition rules over records of every version.  A
 * subject says of a record what decisions look at.  In its place NULL asks what
 * holds for every record of the module, and &permission_some_record what may
 * hold for some, by a role that a record gives.
 */
#ifndef QEHS_PERMISSION_H
#define QEHS_PERMISSION_H

#include "caller/context.h"
#include "module/module.h"

/* What of a record a decision looks at. */
typedef struct PermissionSubject
{
	pg_uuid_t	created_by;
	int32		definition_version;
	Jsonb	   *payload;		/* of that version */
} PermissionSubject;

/* Stands for records that give the caller every role that a record can give. */
extern const PermissionSubject permission_some_record;

/* ---- permission.c: actions ---- */

/* Actions (bits of ModuleAction) that the caller has on the record. */
extern uint32 permission_actions(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject);

/* Whether the caller may do the action on the record, and, unless field is NULL, read or write its field so. */
extern bool permission_may(const RequestContext *context, const ModuleDef *module, ModuleAction action,
						   const PermissionSubject *subject, const ModuleField *field);

/* Raise QH403 forbidden unless the caller may do the action on the record. */
extern void permission_require(const RequestContext *context, const ModuleDef *module, ModuleAction action,
							   const PermissionSubject *subject);

/* Whether the caller may fire a transition of the record's own definition, state and guard aside. */
extern bool permission_may_fire(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition,
								const PermissionSubject *subject);

/* Whether the caller is one of those whom the roles name, of either kind; an administrator is only where they name him. */
extern bool permission_is_one_of(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
								 const ModuleRoles *roles);

/* Whether a record that the caller creates may start in the state, which the module has: the initial one, or any with bulk.state. */
extern bool permission_may_start_in(const RequestContext *context, const ModuleDef *module, const char *state);

/*
 * The key under which payloads of module, of any version, say where a record is, if that may matter to what the caller may
 * do; else NULL.  A record that he creates, or moves to another location, is asked about as it is to be, by
 * permission_may(ACTION_CREATE) or permission_may_place.
 */
extern const char *permission_location_key(const RequestContext *context, const ModuleDef *module);

/* Whether the caller may bring a record to where after says it is, by a change or, unless that is NULL, by a transition that requires it. */
extern bool permission_may_place(const RequestContext *context, const ModuleDef *module, const ModuleTransition *transition,
								 const PermissionSubject *after);

/* Whether what the caller may do in the module, or to its fields, depends on the record. */
extern bool permission_depends_on_record(const RequestContext *context, const ModuleDef *module);

/* Whether the caller may read all events of the tenant, of whichever module. */
extern bool permission_audits_all(const RequestContext *context);

/* Scopes (bits of Scope) of a caller who has sent a token, which names none: all, without those of administration for others than administrators. */
extern uint32 permission_token_scopes(const RequestContext *context);

/* Whether the caller is tenant-owner, tenant-admin or the system. */
extern bool permission_is_administrator(const RequestContext *context);

/* Raise QH403 unless the caller may publish definitions of the module (NULL: some), verb "publish", or move all its records, "migrate". */
extern void permission_require_definition(const RequestContext *context, const char *module_key, const char *verb);

/*
 * Whether the caller may place and release legal holds: on the record, with subject NULL on the module as a whole, with
 * module NULL on all of the tenant.
 */
extern bool permission_holds(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject);

/* Raise QH403 unless the caller may take records of the module away for good (purge) or values in them (erase). */
extern void permission_require_disposal(const RequestContext *context, const ModuleDef *module, const char *verb);

/* ---- predicate.c ---- */

/*
 * Every predicate of a caller takes the same three arguments: his id as a uuid, and as text in the form of the wire, and
 * the keys of the locations that he reaches as text[].
 */
#define QEHS_PERMISSION_ARGUMENTS 3
extern const Oid permission_argument_types[QEHS_PERMISSION_ARGUMENTS];

/*
 * The records for which permission_may holds, as a condition on rows of qehs.record in the current
 * memory context: NULL for all records of the module, "false" for none.  Alias ("r." or "") stands
 * before the columns; the arguments are $first and the next ones.  Of deleted records, which have no
 * slots, only that of ACTION_AUDIT holds by location.
 */
extern const char *permission_predicate(const RequestContext *context, const ModuleDef *module, ModuleAction action, const char *alias,
										int first);

/* The arguments' values. */
extern void permission_arguments(const RequestContext *context, Datum *values);

/* ---- field_permission.c ---- */

/* Whether no rule of a field cuts what this caller may read or write, whatever the record. */
extern bool permission_reads_all(const RequestContext *context, const ModuleDef *module);

/* Whether the caller may read, or write, the record's field; module is the current definition. */
extern bool permission_reads_field(const RequestContext *context, const ModuleDef *module, const ModuleField *field,
								   const PermissionSubject *subject);
extern bool permission_writes_field(const RequestContext *context, const ModuleDef *module, const ModuleField *field,
									const PermissionSubject *subject);

/* The same for what payloads of a version of the record have under a key; module is of any version. */
extern bool permission_reads_key(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
								 int32 version, const char *key, int length);
extern bool permission_writes_key(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
								  int32 version, const char *key, int length);

/*
 * Whether the caller may change what the record has under a key of its own definition, module.  By
 * firing a transition, unless that is NULL, he may without the action update change what it requires only.
 */
extern bool permission_changes_key(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
								   const ModuleTransition *transition, const char *key, int length);

/* ---- state_permission.c: states that lock (permissions.states), of the current definition as all permissions are ---- */

/* Whether the state lets fewer change a record than have the action of module, its own definition. */
extern bool permission_locks(const ModuleDef *module, const char *state);

/*
 * Whether the state that a record of module, its own definition, is in lets the caller change it: what it has under the
 * key, or, when that is NULL, the record as a whole (its deletion, its state by a load).
 */
extern bool permission_edits_in(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, const char *state,
								const char *key, int length);

/* Append the subject's payload with the members that the caller may read. */
extern void permission_write_payload(StringInfo out, const RequestContext *context, const ModuleDef *module,
									 const PermissionSubject *subject);

#endif							/* QEHS_PERMISSION_H */
