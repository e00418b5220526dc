/*
 * store.h
 *	  Resources in their tables: users, groups (roles) and those of registered
 *	  types.
 *
 * A resource is read locked before it is changed, so its version is decided by whoever
 * comes first; the write names the version again.  All functions run inside SPI
 * and in the tenant of the caller.
 */
#ifndef QEHS_SCIM_STORE_H
#define QEHS_SCIM_STORE_H

#include "caller/context.h"
#include "datatype/timestamp.h"
#include "scim/filter.h"

/* A resource; what is of a group's members is in members.h. */
typedef struct ScimResource
{
	pg_uuid_t	id;
	int32		version;
	TimestampTz created_at;
	TimestampTz updated_at;
	ScimValue  *content;		/* attributes by canonical name, externalId among them; readOnly ones not */
	ScimValue  *groups;			/* of a user, where it was asked for: [{"value","display"}] */
} ScimResource;

/* Columns of a resource in SQL over x, in the order that store_read takes them; then those of the caller. */
extern const char *store_columns(ScimSql *sql, bool with_groups);
#define STORE_COLUMNS 7

/* The FROM clause and the condition that finds live resources of the type in the tenant. */
extern const char *store_from(ScimSql *sql);

/* A row of SPI_tuptable as a resource, copied into the current memory context. */
extern ScimResource *store_read(const ScimResourceType *type, uint64 row);

/* Find one by id; locked until the transaction ends when it is to be changed.  NULL when there is none. */
extern ScimResource *store_find(const ScimResourceType *type, const RequestContext *context, const char *id, bool lock, bool with_groups);

/*
 * Find a user, without groups, by name in any case, by index alone; false where the tables are not plain and it takes a statement.
 * *found is NULL when there is none.
 */
extern bool store_find_user(const RequestContext *context, const char *name, ScimResource **found);

/* Make one of its content; raises QH409 conflict. */
extern void store_insert(const ScimResourceType *type, const RequestContext *context, ScimResource *resource);

/* Write the content of a locked one; its version and times are those after.  Raises QH409 conflict. */
extern void store_update(const ScimResourceType *type, const RequestContext *context, ScimResource *resource);

/* A locked one has changed in what the content does not have: a new version. */
extern void store_touch(const ScimResourceType *type, const RequestContext *context, ScimResource *resource);

/*
 * Delete a locked one.  A user stays as a name, deactivated, and its keys are revoked; of a
 * group the members go, and a built-in role stays a role.
 */
extern void store_delete(const ScimResourceType *type, const RequestContext *context, const ScimResource *resource);

#endif							/* QEHS_SCIM_STORE_H */
