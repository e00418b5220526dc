/*
 * migrate.h
 *	  The rules of a definition's "migrate" member: how a record of the version
 *	  before becomes one of this version.
 *
 * {"rename":{old:new},"drop":[field],"default":{field:value},"states":{old:new}}
 * All members are optional.  A field that is renamed to itself is carried over
 * as it is; a record whose value does not hold then cannot move.  Pure; what
 * the results point to lives in the definition.
 */
#ifndef QEHS_MIGRATE_H
#define QEHS_MIGRATE_H

#include "module/module.h"

/* Add every fault of the rules: their shape, and targets that the definition (without other faults) lacks. */
extern void migrate_check(Jsonb *definition, ViolationList *faults);

/* The new key of a field; NULL when no rule renames it. */
extern char *migrate_renamed(const Jsonb *definition, const char *key);
/* The old key of a field; NULL when no rule renames one to it. */
extern char *migrate_source(const Jsonb *definition, const char *key);
extern bool migrate_drops(const Jsonb *definition, const char *key);
extern bool migrate_default(const Jsonb *definition, const char *key, JsonbValue *value);
/* The state that a record in this state gets; NULL when no rule maps it. */
extern char *migrate_state(const Jsonb *definition, const char *state);

/* Whether any rule speaks of the field, by its old or its new key. */
extern bool migrate_names(const Jsonb *definition, const char *key);

/* A payload of the version before with the rules applied: renamed and dropped, and defaults for what it lacks. */
extern Jsonb *migrate_payload(const Jsonb *definition, Jsonb *payload);

/* A version whose rules rename or drop fields. */
typedef struct MovingVersion
{
	int32		version;
	Jsonb	   *definition;
} MovingVersion;

/* Tell a just loaded module under which keys its fields stood in the versions before those, which are the newest first. */
extern void migrate_load_former_keys(ModuleDef *module, const MovingVersion *versions, int count);

#endif							/* QEHS_MIGRATE_H */
