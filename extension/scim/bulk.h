/*
 * bulk.h
 *	  Bulk requests (RFC 7644 section 3.7).
 */
#ifndef QEHS_SCIM_BULK_H
#define QEHS_SCIM_BULK_H

#include "scim/store.h"

/*
 * Run the operations of a BulkRequest, each in a subtransaction, and append the BulkResponse.
 * Raises QH413 payload_too_large for more operations than are taken, QH400 invalid_syntax for what is no BulkRequest.
 */
extern void scim_bulk_run(StringInfo out, const RequestContext *context, const char *base_url, const ScimValue *message);

#endif							/* QEHS_SCIM_BULK_H */
