/*
 * apply.h
 *	  What can be done with one resource: create, replace, patch, delete.
 *
 * All run inside SPI, raise problems of class QH, and set no header: the SQL
 * functions and bulk requests share them.
 */
#ifndef QEHS_SCIM_APPLY_H
#define QEHS_SCIM_APPLY_H

#include "scim/store.h"

typedef struct ScimCall
{
	const ScimResourceType *type;
	const RequestContext *context;
	const char *base_url;
	const char *if_match;		/* or NULL */
} ScimCall;

/* Make a resource of what the client sent; id is what it gets, unless a role of its name becomes the group. */
extern ScimResource *apply_create(const ScimCall *call, const ScimValue *raw, const pg_uuid_t *id);

/* PUT: what is left out is cleared, save active, which stays.  Raises QH404, QH409, QH412 and QH400 mutability. */
extern ScimResource *apply_replace(const ScimCall *call, const char *id, const ScimValue *raw);

/* PATCH; a message that changes nothing makes no version. */
extern ScimResource *apply_patch(const ScimCall *call, const char *id, const ScimValue *message);

/* DELETE. */
extern void apply_delete(const ScimCall *call, const char *id);

/* Raise QH404 for an id of the type. */
pg_noreturn extern void apply_not_found(const ScimResourceType *type, const char *id);

#endif							/* QEHS_SCIM_APPLY_H */
