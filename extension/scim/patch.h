/*
 * patch.h
 *	  PATCH of a resource (RFC 7644 section 3.5.2), as Entra ID and Okta send it
 *	  too.
 */
#ifndef QEHS_SCIM_PATCH_H
#define QEHS_SCIM_PATCH_H

#include "scim/store.h"

typedef struct ScimPatch
{
	const ScimResourceType *type;
	const RequestContext *context;
	const char *base_url;
	ScimResource *resource;		/* locked; its content is changed in memory */
	bool		members_changed;	/* the members of a group are changed in their table */
} ScimPatch;

/*
 * Do the operations of a message in turn.  Raises QH400 invalid_syntax, invalid_path, invalid_filter, no_target,
 * mutability or validation_failed; the caller's transaction then goes back as a whole.
 */
extern void patch_apply(ScimPatch *patch, const ScimValue *message);

#endif							/* QEHS_SCIM_PATCH_H */
