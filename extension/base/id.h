/*
 * id.h
 *	  UUIDv7 (RFC 9562) and its wire form: a prefix and 26 Crockford base32
 *	  characters, the ULID text of the same 128 bits, so both sort by creation.
 */
#ifndef QEHS_ID_H
#define QEHS_ID_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#define QEHS_ULID_LENGTH 26
#define QEHS_ID_LENGTH (4 + QEHS_ULID_LENGTH)	/* "rec_" and the ULID */

#define QEHS_ID_RECORD "rec_"
#define QEHS_ID_ATTACHMENT "att_"
#define QEHS_ID_JOB "job_"
#define QEHS_ID_KEY "key_"
#define QEHS_ID_EVENT "evt_"
#define QEHS_ID_USER "usr_"
#define QEHS_ID_APPROVAL "apr_"
#define QEHS_ID_DELEGATION "dlg_"
#define QEHS_ID_COMMENT "cmt_"
#define QEHS_ID_LEGAL_HOLD "hld_"

/* A new UUIDv7; rises strictly within one backend. */
extern void id_generate(pg_uuid_t *id);

/* Write prefix and ULID into buffer (QEHS_ID_LENGTH + 1 bytes, NUL-terminated). */
extern void id_format(const pg_uuid_t *id, const char *prefix, char *buffer);

/*
 * Read either form: prefix + 26 characters (case-insensitive, I L O folded as
 * Crockford says) or a plain UUID.  False when the text is neither.
 */
extern bool id_parse(const char *text, int length, const char *prefix, pg_uuid_t *id);

/* A uuid array of ids, each a pg_uuid_t *, in the current memory context. */
extern Datum id_array(const Datum *ids, int count);

/* The least id of a time, or the greatest. */
extern void id_of_time(TimestampTz time, bool greatest, pg_uuid_t *id);

/* Milliseconds since the Unix epoch that a UUIDv7 carries. */
extern int64 id_milliseconds(const pg_uuid_t *id);

#endif							/* QEHS_ID_H */
