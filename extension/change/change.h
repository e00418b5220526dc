/*
 * change.h
 *	  The one door through which records change.
 *
 * An operation asks for permission, checks what it was given, and hands the
 * record as it was and as it is to be to record_apply.  Whoever calls (a request,
 * a load, a job, an effect of another change) gets the same row, slots, unique
 * values, search text and audit event.
 */
#ifndef QEHS_CHANGE_H
#define QEHS_CHANGE_H

#include "audit/audit.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "workflow/timer.h"

typedef enum ChangeOutcome
{
	CHANGE_WAITING,				/* not applied: another was refused before it (see record_apply) */
	CHANGE_APPLIED,
	CHANGE_VALUE_TAKEN,			/* another record, holder, has alike what taken says */
	CHANGE_STALE				/* the record is not of the version of event.before any more */
} ChangeOutcome;

/* What becomes of a record's timers: all of them are removed, or some, and some are added. */
typedef struct ChangeTimers
{
	bool		removes_all;
	TimerPlan	removed;
	TimerPlan	added;
} ChangeTimers;

/*
 * One change.  event.before is the record as it was read, NULL for a create;
 * event.after is what it is to be.  The caller fills of after: id, module_id,
 * definition_version, workflow_state, payload, deleted, deleted_at and, for a
 * create, created_at.  record_apply fills version, updated_at, updated_by,
 * due_at and, for a create, created_by and display_no.
 */
typedef struct Change
{
	AuditEvent	event;
	Record	   *after;			/* event.after, to be filled */
	ChangeOutcome outcome;
	const ModuleUnique *taken;
	pg_uuid_t	holder;
	ChangeTimers timers;
} Change;

/*
 * Apply changes of one module, each of another record, inside an open SPI
 * connection; each gets its outcome, and of a refused one nothing is stored.  With
 * stop, those behind the first whose unique value is taken stay CHANGE_WAITING.
 * The caller holds the module's slots (module_hold_slots) and has locked the rows
 * that it changes.  Raises what the server does, no refusal.
 */
extern void record_apply(const RequestContext *context, Change *changes, int count, bool stop);

/* The change of a record from before (NULL for a create) to after. */
extern Change change_make(AuditAction action, const Record *before, Record *after);

/* record_apply for one change; raises QH409 conflict for a unique value of another record, QH412 version_mismatch for a stale record. */
extern void record_apply_one(const RequestContext *context, Change *change);

/* ---- row.c: the statements of qehs.record, inside SPI ---- */

/* Insert or update the rows of changes that are all creates, or none, with their events; sets applied for each that was stored. */
extern void change_store_rows(const RequestContext *context, const ModuleDef *current, Change **changes, int count, bool *stored);

/* Append the event of a change that leaves its record as it is. */
extern void change_store_event(const RequestContext *context, const ModuleDef *current, Change *change);

/* A record whose slots and search text, or unique values, are to be filled anew. */
typedef struct RefillRow
{
	pg_uuid_t	id;
	int64		display_no;
	Jsonb	   *payload;		/* under the keys of the current definition; NULL when the record is not live any more */
} RefillRow;

/* Fill the slots and search text of rows by the current definition, without event or version. */
extern void change_refill_rows(const ModuleDef *current, const RefillRow *rows, int count);

/* ---- unique.c: qehs.record_unique, inside SPI ---- */

/* A value that is unique and a record has or wants. */
typedef struct UniqueValue
{
	int			owner;			/* whatever the caller counts; of equal values the lowest goes first */
	pg_uuid_t	id;				/* of the record */
	const ModuleUnique *unique;
	const char *text;
	bool		taken;			/* by unique_take, just now */
	bool		exists;			/* some record has it: holder */
	pg_uuid_t	holder;
} UniqueValue;

/* Values of one module, whose definition is the current one whichever the records are of. */
typedef struct UniqueSet
{
	const ModuleDef *module;
	int			count;
	int			room;
	UniqueValue *items;
} UniqueSet;

/* Add one value; and those that a payload (or NULL) has and another payload (or NULL) lacks. */
extern void unique_add(UniqueSet *set, int owner, const pg_uuid_t *id, const ModuleUnique *unique, const char *text);
extern void unique_add_payload(UniqueSet *set, int owner, const pg_uuid_t *id, Jsonb *payload, Jsonb *other);

/*
 * Take all values for their records, sorting the set; sets taken, and where some
 * are not to be had, exists and holder of all.  Waits for a transaction that holds
 * one and has not ended.
 */
extern void unique_take(UniqueSet *set);

/* After unique_take: whether another record has the value. */
extern bool unique_is_lost(const UniqueValue *value);

/* Give up the values, as far as their records have them. */
extern void unique_release(UniqueSet *set);

/* Forget all values of a module under these names (of ModuleUnique); and those that rows have under them. */
extern void unique_clear(int32 tenant_id, int32 module_id, const List *keys);
extern void unique_forget(const ModuleDef *module, const RefillRow *rows, int count, const List *keys);

/* Look up who has the values: sets exists and holder. */
extern void unique_find(UniqueSet *set);

/* ---- taken.c: inside SPI ---- */

/*
 * Add what who wants a value (the payload of a version) that another record has is told; the record is named to a caller
 * who may read it and the fields.
 */
extern void taken_tell(const RequestContext *context, const ModuleUnique *unique, const ModuleDef *module, int32 version,
					   const pg_uuid_t *holder, ViolationList *violations);

/* The same of a change that was refused with CHANGE_VALUE_TAKEN. */
extern void taken_tell_change(const RequestContext *context, const Change *change, ViolationList *violations);

/* ---- attach.c: inside SPI ---- */

/* Attachments that applied changes name from now on become their records'; raises QH409 when another record has one. */
extern void change_bind_attachments(const RequestContext *context, const Change *changes, int count);

/* ---- link.c: qehs.record_link, inside SPI ---- */

/* Before the changes are stored: hold still what they refer to, against guards over children (record/link.h). */
extern void change_hold_links(const RequestContext *context, const Change *changes, int count);

/* Write what the changes that were applied refer to now. */
extern void change_store_links(const RequestContext *context, const Change *changes, int count);

/* ---- restrict.c: inside SPI ---- */

/*
 * Before the row of a record that is to be deleted is locked: hold its place alone for each module that may keep it (onDelete), so
 * that no reference to it comes or goes until the transaction ends.  Raises QH404 when there is no record.
 */
extern void change_hold_referrers(const RequestContext *context, const pg_uuid_t *id);

/* After that: whether a live record keeps the record. */
extern bool change_is_referred(const RequestContext *context, const Record *record);

/* The same: raise QH409 conflict when a live record keeps the record; tells those that the caller may read, by fields that he may read. */
extern void change_require_unreferred(const RequestContext *context, const Record *record);

/* ---- timer.c: qehs.record_timer, inside SPI ---- */

/* Before the changes are stored: when they are due, and what becomes of their timers. */
extern void change_plan_timers(const RequestContext *context, Change *changes, int count);

/* Write the timers of the changes that were applied. */
extern void change_store_timers(const RequestContext *context, const Change *changes, int count);

/* ---- refill.c ---- */

/*
 * Fill the slots and search text of the live records behind last, at most size of them, anew by the module's
 * current version; moves last.  Gives how many there were, fewer than size at the end.  Inside SPI.
 */
extern int change_refill_slots(const ModuleDef *module, int32 size, pg_uuid_t *last);

/* What is unique in a module's next version, by the names of ModuleUnique, beside the version before. */
typedef struct UniqueRefill
{
	int32		tenant_id;
	int32		module_id;
	List	   *fresh;			/* nothing of the name was unique */
	List	   *again;			/* it was, but a field has another type or was renamed: values of both cannot stand side by side */
	List	   *gone;			/* not unique any more */
	TimestampTz since;			/* of what was changed before, the fresh values are taken */
} UniqueRefill;

/*
 * Take the values that live records have in fresh fields, beside writers, who still go by the version before.  The
 * new version is stored and not committed, in read committed: what others commit meanwhile has to be seen.  Inside SPI.
 */
extern void change_take_unique_beside(UniqueRefill *refill);

/*
 * Take what is left, with writers kept out (module_lock_slots).  Of two records that share a value the older has it, or
 * whoever had it first among those changed meanwhile; the other is refused when it moves.  Inside SPI.
 */
extern void change_take_unique(const UniqueRefill *refill);

#endif							/* QEHS_CHANGE_H */
