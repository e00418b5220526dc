/*
 * digest.h
 *	  What an audit event is hashed as.
 *
 * The digest of an event is SHA-256 over a line that names the form, and the columns
 * in the order of EventColumn as far as EVENT_PREVIOUS.  Each is its length in four
 * bytes, big-endian (all ones: NULL), and its bytes: numbers big-endian, at in
 * microseconds since 2000-01-01 UTC, ids 16 bytes, texts in UTF-8.
 *
 * What a person has written or what tells of one (comment, reason, address,
 * signature, each value in changes) stands there as a commitment:
 * SHA-256(salt of the value, the value as JSON), as json_jsonb writes it.
 * The salt of a value is SHA-256(salt of the event, label of the value).  So a
 * value can be erased while its commitment is kept, and the commitment tells
 * nothing once the salt of the event is gone.
 */
#ifndef QEHS_DIGEST_H
#define QEHS_DIGEST_H

#include "base/sha256.h"

/* The columns of qehs.audit_event, in the table's order, from 0. */
typedef enum EventColumn
{
	EVENT_TENANT_ID, EVENT_MODULE_ID, EVENT_ID, EVENT_RECORD_ID, EVENT_ACTOR_ID, EVENT_AT, EVENT_ACTION, EVENT_FROM_STATE, EVENT_TO_STATE,
	EVENT_TRANSITION, EVENT_RECORD_VERSION, EVENT_TRACE_ID, EVENT_COMMENT, EVENT_CHANGES, EVENT_REASON, EVENT_ON_BEHALF_OF, EVENT_ADDRESS,
	EVENT_SIGNATURE, EVENT_FROM_DEFINITION, EVENT_TO_DEFINITION, EVENT_PREVIOUS, EVENT_SALT, EVENT_ERASED, EVENT_DIGEST, EVENT_COLUMN_COUNT
} EventColumn;

/* The same as a list for SELECT. */
#define QEHS_EVENT_ALL_COLUMNS "tenant_id, module_id, id, record_id, actor_id, at, action, from_state, to_state, transition, record_version," \
	" trace_id, comment, changes, reason, on_behalf_of, address, signature, from_definition, to_definition, previous, salt, erased, digest"

/* What is told of a value that stands as a commitment: erased is that it was erased before, and salt is not to be had then. */
typedef void (*DigestVisit) (void *owner, const char *label, const uint8 *commitment, const uint8 *salt, bool erased);

/* Tell all values of an event that stand as commitments, those that are erased too. */
extern void digest_visit(const Datum *values, const bool *nulls, DigestVisit visit, void *owner);

/* The labels of one side ("from", "to") of a change, of a member of a payload that a delete keeps, and of a change that has no path. */
extern char *digest_side_label(const char *path, const char *side);
extern char *digest_member_label(const char *key);
extern char *digest_change_label(int index);

/* The digest of an event from its columns, which the column digest has no part in. */
extern void digest_event(const Datum *values, const bool *nulls, uint8 *digest);

#endif							/* QEHS_DIGEST_H */
