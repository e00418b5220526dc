/*
 * cursor.h
 *	  Opaque, authenticated positions of lists.
 */
#ifndef QEHS_CURSOR_H
#define QEHS_CURSOR_H

#include "utils/uuid.h"

/*
 * Seal a position (bytes) into base64url text.  endpoint and binding (filter,
 * sort: whatever must be the same on the next page) are bound, not carried.
 */
extern char *cursor_seal(int32 tenant_id, const char *endpoint, const char *binding,
						 const char *position, int length);

/* Open a cursor made with the same tenant, endpoint and binding; raises QH400 invalid_cursor. */
extern char *cursor_open(int32 tenant_id, const char *endpoint, const char *binding,
						 const char *cursor, int *length);

/* The same of a cursor that is sent as a parameter of another name than "cursor". */
extern char *cursor_open_as(const char *name, int32 tenant_id, const char *endpoint, const char *binding,
							const char *cursor, int *length);

/* Open a cursor whose position is an id alone; NULL is the start and leaves id as it is. */
extern void cursor_open_id(int32 tenant_id, const char *endpoint, const char *binding, const char *cursor, pg_uuid_t *id);

#endif							/* QEHS_CURSOR_H */
