/*
 * location.h
 *	  The location tree of a tenant (qehs.location), and which of it a caller reaches.
 *
 * A location gives to users, and to the bearers of roles, itself and all that lies in
 * it.  Keys are texts of at most QEHS_LOCATION_BYTES bytes.
 */
#ifndef QEHS_LOCATION_H
#define QEHS_LOCATION_H

#include "caller/context.h"
#include "nodes/pg_list.h"

#define QEHS_LOCATION_BYTES 63

/* Bounds of a tenant's tree: locations, those from a root down to a leaf, and whom one names. */
#define QEHS_MAX_LOCATIONS 10000
#define QEHS_LOCATION_DEPTH 32
#define QEHS_LOCATION_USERS 1000
#define QEHS_LOCATION_ROLES 100

/* Whether the tenant has locations at all; and whether it has one of the key. */
extern bool location_is_used(int32 tenant_id);
extern bool location_exists(int32 tenant_id, const char *key, int length);

/* Whether the location of the key is one of the caller's, or lies in one. */
extern bool location_is_reached(const RequestContext *context, const char *key, int length);

/* The keys of all locations that the caller reaches, as text[], in the current memory context. */
extern Datum location_reached(const RequestContext *context);

/* Adds to keys, a List of C strings, those of the location and of all that lie in it; or only the key where there is no such location. */
extern List *location_add_below(List *keys, int32 tenant_id, const char *key);

/* Whether the location itself names the caller or a role of his (qehs.me): the count of such, and their keys in *keys. */
extern int	location_given(const RequestContext *context, const char ***keys);

#endif							/* QEHS_LOCATION_H */
