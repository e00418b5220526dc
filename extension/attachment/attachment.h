/*
 * attachment.h
 *	  Attachments: what the database knows of a file in the object store, and who
 *	  may have it.
 *
 * An attachment is announced (pending), uploaded, and then uploaded (nothing scans
 * it), clean, infected or failed (it is not what was announced).  It belongs to one
 * record, or for a day to nobody but who announced it: so a new record can name it.
 * Once it belongs to a field of a record, who may read and write the field decides.
 * Deleting a record takes its attachments away with it, as only who may read a
 * record gets them; restoring brings them back.
 */
#ifndef QEHS_ATTACHMENT_H
#define QEHS_ATTACHMENT_H

#include "audit/audit.h"
#include "base/id.h"
#include "record/record.h"

typedef struct Attachment
{
	pg_uuid_t	id;
	bool		bound;			/* to a record */
	pg_uuid_t	record_id;
	const char *field;			/* such as photo or rows.photo; NULL: of the record as a whole */
	int32		field_version;	/* of the definition that calls it so */
	const char *filename;
	const char *content_type;
	int64		size;			/* of what is stored; before that, what was announced; -1: not known */
	const char *sha256;			/* the same, hexadecimal; or NULL */
	const char *status;
	TimestampTz created_at;
	pg_uuid_t	created_by;
} Attachment;

/* The columns that attachment_read reads, in its order. */
#define QEHS_ATTACHMENT_COLUMNS "id, record_id, field, field_version, filename, content_type, COALESCE(size_bytes, announced_size)," \
	" pg_catalog.encode(COALESCE(sha256, announced_sha256), 'hex'), status, created_at, created_by"

/* Read a row of SPI_tuptable; its parts live until SPI_finish. */
extern void attachment_read(uint64 row, Attachment *attachment);

/* Raise the one 404 of an attachment: the same bytes for foreign, deleted and missing ids. */
pg_noreturn extern void attachment_not_found(void);

/* Append the members that every answer has of it, from "id" to "createdAt", without braces. */
extern void attachment_write(StringInfo out, const Attachment *attachment);

/* Read the attachments of records, whose ids are a uuid array, oldest first; gives the number of rows in SPI_tuptable. */
extern uint64 attachment_select(const RequestContext *context, Datum record_ids);

/* Append a row that attachment_select read as {…}; nothing, and false, where the caller may not read its field of the subject, its record. */
extern bool attachment_write_item(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
								  uint64 row);

/* May the caller read the field, of the subject, that the attachment belongs to? */
extern bool attachment_may_read(const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
								const Attachment *attachment);

/* Append [{…}] of the attachments of a record that the caller may read, oldest first, inside SPI. */
extern void attachment_write_list(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record);

/*
 * Fetch an attachment by its wire id (or NULL), inside SPI, for a caller who may read (write false) or change it.
 * With a record, that record and its definition are given too, else *module is NULL.  Raises QH404, QH403.
 */
extern void attachment_open(const RequestContext *context, const char *wire, bool write, Attachment *attachment, Record *record,
							const ModuleDef **module);

/* Whether a file with the status is given out: clean, or uploaded where nothing scans. */
extern bool attachment_is_ready(const char *status, const Jsonb *storage);

/* Append an event of the record that says what became of the attachment: AUDIT_ATTACH or AUDIT_DETACH.  Inside SPI. */
extern void attachment_note(const RequestContext *context, const ModuleDef *module, Record *record, AuditAction action,
							const Attachment *attachment);

/* ---- media.c: media types; no SPI ---- */

/* Is it type/subtype, perhaps with parameters, in at most 127 characters (RFC 6838 section 4.2, RFC 9110 section 8.3.1)? */
extern bool media_is_type(const char *text);

/* May a file that claims to be of a media type have bytes that libmagic takes for another? */
extern bool media_is_plausible(const char *claimed, const char *sniffed);

#endif							/* QEHS_ATTACHMENT_H */
