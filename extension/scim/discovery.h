/*
 * discovery.h
 *	  What the server tells of itself (RFC 7644 section 4, RFC 7643 sections 5 to 7).
 */
#ifndef QEHS_SCIM_DISCOVERY_H
#define QEHS_SCIM_DISCOVERY_H

#include "scim/schema.h"

#include "lib/stringinfo.h"

#define SCIM_MAX_OPERATIONS 1000	/* of a bulk request */
#define SCIM_MAX_PAYLOAD 1048576	/* bytes of it */

/* Append the ServiceProviderConfig. */
extern void discovery_write_config(StringInfo out, const char *base_url);

/* Append one resource type or schema by name or URN (false when there is none), or with NULL a ListResponse of all. */
extern bool discovery_write_types(StringInfo out, const char *base_url, const char *name);
extern bool discovery_write_schemas(StringInfo out, const char *base_url, const char *urn);

#endif							/* QEHS_SCIM_DISCOVERY_H */
