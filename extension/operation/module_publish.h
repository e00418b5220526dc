/*
 * module_publish.h
 *	  Publishing a definition, for who has it from the catalogue.
 */
#ifndef QEHS_MODULE_PUBLISH_H
#define QEHS_MODULE_PUBLISH_H

#include "utils/jsonb.h"
#include "utils/uuid.h"

/* Keep other publishers of the tenant out until the transaction ends. */
extern void module_publish_lock(int32 tenant_id);

/*
 * Publish a definition in a tenant, over the version that if_match (or NULL) names
 * and if_none_match (or NULL) does not; version is then the published one.  Gives 201
 * for a first version, 200 else, also when the definition is what is published
 * already.  Raises QH400 with every fault, QH412.
 */
extern int	module_publish_apply(int32 tenant_id, const pg_uuid_t *actor_id, Jsonb *definition, const char *if_match,
								 const char *if_none_match, int32 *version);

#endif							/* QEHS_MODULE_PUBLISH_H */
