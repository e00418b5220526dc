/*
 * audit.h
 *	  Audit events: what one holds, appending them (append.c), and their JSON (event.c).
 *
 * Each change appends one event in the same transaction (change/row.c).  A create event is
 * light: the first state can be rebuilt by walking changes back; an update or
 * transition keeps old and new value per changed top-level member; a delete
 * keeps the last payload.
 */
#ifndef QEHS_AUDIT_H
#define QEHS_AUDIT_H

#include "base/source.h"
#include "record/record.h"

typedef enum AuditAction
{
	AUDIT_CREATE, AUDIT_UPDATE, AUDIT_TRANSITION, AUDIT_DELETE, AUDIT_RESTORE, AUDIT_MIGRATE,
	AUDIT_ATTACH, AUDIT_DETACH,	/* of a file: the record stays as it is */
	AUDIT_APPROVE, AUDIT_REJECT, AUDIT_COMMENT, AUDIT_UNCOMMENT,	/* of notes: likewise */
	AUDIT_ESCALATE, AUDIT_HOLD, /* by time: who is told that it is due, and what could not be fired */
	AUDIT_PURGE,				/* the last of a record */
	AUDIT_ERASE					/* values of fields, here and in all events before */
} AuditAction;

typedef struct AuditEvent
{
	AuditAction action;
	const Record *before;		/* NULL for a create */
	const Record *after;		/* of a delete: the record as it stands then */
	const char *transition;		/* name, or NULL */
	const char *comment;		/* or NULL */
	const char *reason;			/* or NULL */
	Jsonb	   *signature;		/* or NULL */
	Jsonb	   *changes;		/* in place of those between before and after; or NULL */
} AuditEvent;

/* The columns of a source row that hold an event, in this order. */
typedef enum AuditColumn
{
	AUDIT_COLUMN_RECORD, AUDIT_COLUMN_ACTION, AUDIT_COLUMN_FROM_STATE, AUDIT_COLUMN_TO_STATE, AUDIT_COLUMN_TRANSITION, AUDIT_COLUMN_VERSION,
	AUDIT_COLUMN_COMMENT, AUDIT_COLUMN_CHANGES, AUDIT_COLUMN_REASON, AUDIT_COLUMN_SIGNATURE, AUDIT_COLUMN_FROM_DEFINITION,
	AUDIT_COLUMN_TO_DEFINITION, AUDIT_COLUMN_ON_BEHALF_OF, AUDIT_COLUMN_COUNT
} AuditColumn;

#define QEHS_AUDIT_COLUMNS {"event_record", UUIDOID}, {"event_action", TEXTOID}, {"event_from", TEXTOID}, \
	{"event_to", TEXTOID}, {"event_transition", TEXTOID}, {"event_version", INT4OID}, {"event_comment", TEXTOID}, {"event_changes", JSONBOID}, \
	{"event_reason", TEXTOID}, {"event_signature", JSONBOID}, {"event_from_definition", INT4OID}, {"event_to_definition", INT4OID}, \
	{"event_on_behalf_of", UUIDOID}

/* What is the same for all events of a statement: its arguments, in this order. */
typedef enum AuditArgument
{
	AUDIT_ARGUMENT_TENANT, AUDIT_ARGUMENT_MODULE, AUDIT_ARGUMENT_ACTOR, AUDIT_ARGUMENT_AT, AUDIT_ARGUMENT_TRACE_ID, AUDIT_ARGUMENT_ADDRESS,
	AUDIT_ARGUMENT_COUNT
} AuditArgument;

#define QEHS_AUDIT_ARGUMENT_TYPES {INT4OID, INT4OID, UUIDOID, TIMESTAMPTZOID, TEXTOID, INETOID}

/* The statement that adds an event for each source row, in front of its FROM. */
#define QEHS_AUDIT_INSERT "INSERT INTO qehs.audit_event (tenant_id, module_id, actor_id, at, trace_id, address, record_id, action," \
	" from_state, to_state, transition, record_version, comment, changes, reason, signature,"\
	" from_definition, to_definition, on_behalf_of) SELECT $1, $2, $3, $4, $5, $6, @event_record," \
	" @event_action, @event_from, @event_to, @event_transition, @event_version, @event_comment, @event_changes," \
	" @event_reason, @event_signature, @event_from_definition, @event_to_definition, @event_on_behalf_of"

/* Who does what is told of, when, by which request and from where. */
typedef struct AuditHead
{
	int32		tenant_id;
	int32		module_id;		/* 0: of none */
	const pg_uuid_t *actor_id;	/* NULL: the system */
	TimestampTz at;				/* is stored to the millisecond */
	const char *trace_id;		/* or NULL or empty */
	const char *address;		/* or NULL or empty */
} AuditHead;

/* That of the caller, at the time of the transaction. */
extern AuditHead audit_head(const RequestContext *context, int32 module_id);

/* Fill the arguments of a statement with QEHS_AUDIT_INSERT, AUDIT_ARGUMENT_COUNT of each, in the current memory context; ids stay where they are. */
extern void audit_head_values(const AuditHead *head, Datum *values, char *nulls);

/* The columns of an event; a member that is NULL or 0 leaves its column NULL, record_version apart. */
typedef struct AuditEntry
{
	const pg_uuid_t *record_id; /* or another subject; NULL: zeros */
	const char *action;
	const char *from_state;
	const char *to_state;
	const char *transition;
	int32		record_version;
	const char *comment;
	Jsonb	   *changes;
	const char *reason;
	Jsonb	   *signature;
	int32		from_definition;
	int32		to_definition;
	const pg_uuid_t *on_behalf_of;
} AuditEntry;

/* Append one event.  Inside SPI. */
extern void audit_append(const AuditHead *head, const AuditEntry *entry);

/* What happens to a record without changing it. */
typedef struct AuditNote
{
	AuditAction action;
	const Record *record;
	const char *transition;		/* name, or NULL */
	const char *comment;		/* or NULL */
	const char *reason;			/* or NULL */
	Jsonb	   *signature;		/* or NULL */
	const pg_uuid_t *on_behalf_of;	/* a user, or NULL */
	Jsonb	   *changes;		/* of what it is of, or NULL */
} AuditNote;

/* Append the event of a note, inside SPI. */
extern void audit_note(const RequestContext *context, const AuditNote *note);

/* Fill the values of QEHS_AUDIT_COLUMNS for one event, in the current memory context. */
extern void audit_values(const AuditEvent *event, Datum *values, bool *nulls);

/*
 * Append an event that says that records of a module (NULL: of all), or the one of record_id, were exported,
 * and with which filter (details, an object).  Inside SPI.
 */
extern void audit_export(const RequestContext *context, const ModuleDef *module, const pg_uuid_t *record_id, Jsonb *details);

/* The columns that audit_write_item reads, in its order. */
#define QEHS_EVENT_COLUMNS "id, action, at, actor_id, changes, from_state, to_state, transition, comment, from_definition, to_definition," \
	" on_behalf_of, signature"
#define QEHS_EVENT_COLUMN_COUNT 13
/* The numbers of these columns in SPI_tuptable. */
enum
{
	EVENT_COLUMN_ID = 1, EVENT_COLUMN_ACTION, EVENT_COLUMN_AT, EVENT_COLUMN_ACTOR_ID, EVENT_COLUMN_CHANGES, EVENT_COLUMN_FROM_STATE,
	EVENT_COLUMN_TO_STATE, EVENT_COLUMN_TRANSITION, EVENT_COLUMN_COMMENT, EVENT_COLUMN_FROM_DEFINITION, EVENT_COLUMN_TO_DEFINITION,
	EVENT_COLUMN_ON_BEHALF_OF, EVENT_COLUMN_SIGNATURE
};

/*
 * Append the signatures on a record as one text, "approval: Dana Ortiz, 2026-04-16T08:30:00.000Z; …", the first one first; null
 * when there is none.  Runs SPI by itself.
 */
extern void audit_write_signatures(StringInfo out, int32 tenant_id, const pg_uuid_t *record_id);

/*
 * Append the activity item of a row of SPI_tuptable, without its closing brace, with the
 * changes that the caller may read of the record.
 */
extern void audit_write_item(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject,
							 uint64 row);

/* Append ,"activity":[…] (newest first, the 50 newest) of a record, inside SPI. */
extern void audit_write_activity(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record);

/* Append ,"decisions":[…], all approvals, rejections and what was signed, oldest first, as items of the activity, inside SPI. */
extern void audit_write_decisions(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record);

#endif							/* QEHS_AUDIT_H */
