/*
 * publish.h
 *	  What publishing needs from its neighbours.
 */
#ifndef QEHS_PUBLISH_H
#define QEHS_PUBLISH_H

#include "base/error.h"
#include "utils/jsonb.h"

/* Append a version's definition with definitionVersion, createdAt and jsonSchema; version 0 is the current one. */
extern void module_write_definition(StringInfo out, int32 tenant_id, const char *key, int32 version);

/* Add a fault for each default of a definition without other faults that does not hold (record/defaults.c); inside SPI. */
extern void payload_check_defaults(int32 tenant_id, Jsonb *definition, Jsonb *schema, ViolationList *faults);

/* Wait for all writers of the module's records and keep new ones out; inside a transaction. */
extern void module_lock_slots(int32 tenant_id, int32 module_id);

/* Let writers in again, before the end of the transaction. */
extern void module_unlock_slots(int32 tenant_id, int32 module_id);

#endif							/* QEHS_PUBLISH_H */
