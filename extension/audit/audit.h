/*
 * audit.h
 *	  Appending audit events, and their JSON.
 *
 * Each write appends one event in the same transaction.  A create event is
 * light: the first state can be rebuilt by walking changes back; an update or
 * transition keeps old and new value per changed top-level member; a delete
 * keeps the last payload.
 */
#ifndef QEHS_AUDIT_H
#define QEHS_AUDIT_H

#include "record/record.h"

typedef enum AuditAction
{
	AUDIT_CREATE, AUDIT_UPDATE, AUDIT_TRANSITION, AUDIT_DELETE, AUDIT_RESTORE, AUDIT_MIGRATE
} AuditAction;

typedef struct AuditEvent
{
	AuditAction action;
	const Record *before;		/* a create writes its event itself */
	const Record *after;		/* NULL for a delete */
	const char *transition;		/* name, or NULL */
	const char *comment;		/* or NULL */
	Jsonb	   *signature;		/* or NULL */
} AuditEvent;

/* Append one event at the transaction's time, inside an open SPI connection. */
extern void audit_append(const RequestContext *context, const ModuleDef *module, const AuditEvent *event);

/* The columns that audit_write_item reads, in its order. */
#define QEHS_EVENT_COLUMNS "id, action, at, actor_id, changes, from_state, to_state, transition, comment"

/*
 * Append the activity item of a row of SPI_tuptable, without its closing brace, with the
 * changes that the caller may read of the record.
 */
extern void audit_write_item(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
							 uint64 row);

/* Append ,"activity":[…] (newest first, the 50 newest) of a record, inside SPI. */
extern void audit_write_activity(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record);

#endif							/* QEHS_AUDIT_H */
