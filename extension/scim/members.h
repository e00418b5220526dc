/*
 * members.h
 *	  The members of a group: rows of qehs.role_member.
 *
 * A change touches the members that it names and never reads the others; the group
 * is locked by its caller.  Each function tells whether anything changed.  All run inside SPI.
 */
#ifndef QEHS_SCIM_MEMBERS_H
#define QEHS_SCIM_MEMBERS_H

#include "scim/store.h"

/* Add those of a list of {"value"}.  Raises QH400 validation_failed for what is no user, unless the tenant keeps such members. */
extern bool members_add(const RequestContext *context, const pg_uuid_t *group, const ScimValue *list);

/* Remove those of a list; what is no member is passed over. */
extern bool members_remove(const RequestContext *context, const pg_uuid_t *group, const ScimValue *list);

/* Remove all but those of a list, which may be NULL. */
extern bool members_keep(const RequestContext *context, const pg_uuid_t *group, const ScimValue *list);

/* Remove those for which a filter holds. */
extern bool members_remove_where(const ScimResourceType *type, const RequestContext *context, const pg_uuid_t *group, const ScimFilter *filter,
								 int node, const ScimAttribute *members, const char *base_url);

/*
 * Append the members as elements of a JSON array, a thousand read at a time, each by the caller's function, which gets
 * value, and of a user $ref, display and type.
 */
extern void members_write(StringInfo out, const RequestContext *context, const pg_uuid_t *group, const char *base_url,
						  void (*write) (StringInfo out, void *owner, const ScimValue *member), void *owner);

#endif							/* QEHS_SCIM_MEMBERS_H */
