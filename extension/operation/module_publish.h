/*
 * module_publish.h
 *	  Publishing a definition, for who has it from the catalogue, or several.
 */
#ifndef QEHS_MODULE_PUBLISH_H
#define QEHS_MODULE_PUBLISH_H

#include "base/error.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* Keep other publishers of the tenant out until the transaction ends. */
extern void module_publish_lock(int32 tenant_id);

/* Where and as what a definition is published. */
typedef struct PublishRequest
{
	int32		tenant_id;
	const pg_uuid_t *actor_id;
	const char *if_match;		/* the version that it is to follow; NULL: any */
	const char *if_none_match;	/* that it is not to follow; NULL: none */
	const char *path;			/* of the definition in the request, for faults: "" or a JSON Pointer */
	bool		together;		/* with others to which it may refer: who calls checks references */
} PublishRequest;

/*
 * Publish a definition; version is then the published one.  Gives 201
 * for a first version, 200 else, also when the definition is what is published
 * already.  Raises QH400 with every fault, QH412.
 */
extern int	module_publish_apply(const PublishRequest *request, Jsonb *definition, int32 *version);

/* Raise what is wrong with a definition, if anything is, at its path. */
extern void module_publish_raise(const PublishRequest *request, ViolationList *faults);

#endif							/* QEHS_MODULE_PUBLISH_H */
