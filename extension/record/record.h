/*
 * record.h
 *	  What the files of the record noun share: the row in memory, reading it by
 *	  id, checking a payload, what lists look at, and its JSON.  Rows are written by
 *	  change/ only.
 */
#ifndef QEHS_RECORD_H
#define QEHS_RECORD_H

#include "caller/context.h"
#include "module/module.h"
#include "permission/permission.h"
#include "utils/timestamp.h"

typedef struct Record
{
	pg_uuid_t	id;
	int32		module_id;
	int64		display_no;		/* year * 10^9 + number */
	const char *workflow_state;
	int32		version;
	int32		definition_version;
	Jsonb	   *payload;		/* NULL where the column was not read */
	TimestampTz created_at;
	pg_uuid_t	created_by;
	TimestampTz updated_at;
	pg_uuid_t	updated_by;
	bool		deleted;
	TimestampTz deleted_at;
	bool		has_due;
	TimestampTz due_at;			/* when it is due to leave its state */
} Record;

/* What of a record decides who may do what. */
static inline PermissionSubject
record_subject(const Record *record)
{
	return (PermissionSubject) {record->created_by, record->definition_version, record->payload};
}

/* The record's payload under the keys of the current definition of its module; NULL when it is deleted: what slots, unique values and search look at. */
static inline Jsonb *
record_current_payload(const ModuleDef *current, const Record *record)
{
	return record->deleted ? NULL : module_payload_current(current, record->payload, record->definition_version);
}

/* The columns that record_read_row reads, in its order. */
#define QEHS_RECORD_COLUMNS "id, module_id, display_no, workflow_state, version, definition_version, payload," \
	" created_at, created_by, updated_at, updated_by, deleted_at, due_at"

/* display_no holds the year in its upper digits: one column, one range per year. */
#define QEHS_DISPLAY_YEAR INT64CONST(1000000000)
/* The bytes that record_display_code writes at most, beside the prefix. */
#define QEHS_DISPLAY_BYTES 32

typedef enum RecordLock
{
	RECORD_READ,				/* plain read */
	RECORD_FOR_UPDATE,			/* SELECT … FOR NO KEY UPDATE, with the module's slots held */
	RECORD_FOR_UPDATE_HELD,		/* the same for a caller who holds them already (record_hold_module) */
	RECORD_FOR_UPDATE_FREE		/* and who does not wait: a record that another has locked is none */
} RecordLock;

/* ---- read.c ---- */

/* Parse a wire or plain id (or NULL, which is none); raises QH404 (the same as for a missing record) when it is none. */
extern void record_parse_id(const char *wire, pg_uuid_t *id);

/*
 * Fetch a live (or, with deleted_too, any) record of the tenant into the
 * caller's memory context; raises QH404 not_found when there is none.
 * Inside an open SPI connection.
 */
extern void record_fetch(const RequestContext *context, const pg_uuid_t *id, RecordLock lock,
						 bool deleted_too, Record *record);

/* Hold the slots of the record's module (module_hold_slots) before its row is locked; gives the module and the version it has now.  Raises QH404. */
extern int32 record_hold_module(const RequestContext *context, const pg_uuid_t *id, int32 *definition_version);

/* Whether the record is as one that is not there to the caller, who may read others of its module; what hangs on it is so too. */
extern bool record_is_hidden(const RequestContext *context, const ModuleDef *module, const Record *record);

/* Unless the caller may do the action on the record raise QH404 where it is hidden from him, else QH403. */
extern void record_require(const RequestContext *context, const ModuleDef *module, ModuleAction action, const Record *record);

/* Raise QH409 conflict when the state that the record is in locks the field (as rows.photo) or, when that is NULL, the record as a whole for the caller. */
extern void record_require_unlocked(const RequestContext *context, const ModuleDef *module, const Record *record, const char *field);

/*
 * What every change of one record begins with, inside an open SPI connection:
 * lock and fetch the record of a wire id (NULL is no id) as record_fetch does,
 * require the action of the caller, compare if_match (record_check_if_match).
 * Gives the record's definition; raises QH404, QH403, QH412, QH428.
 */
extern const ModuleDef *record_open(const RequestContext *context, const char *wire, ModuleAction action,
									const char *if_match, Record *record);

/*
 * What every change of one record ends with: its JSON appended to out, which was
 * begun before SPI_connect, SPI_finish, the ETag.  Gives the function's answer.
 */
extern Datum record_close(StringInfo out, RequestContext *context, const ModuleDef *module, const Record *record);

/*
 * What of a record, deleted or not, decides who may do what to it, in the current memory
 * context; false when the tenant has no such record.  Runs SPI by itself.
 */
extern bool record_find_subject(int32 tenant_id, const pg_uuid_t *id, PermissionSubject *subject);

/* Read a row of QEHS_RECORD_COLUMNS from SPI_tuptable; its parts live until SPI_finish. */
extern void record_read_row(uint64 row, Record *record);

/*
 * Read a record, also a deleted one, as the active snapshot shows it, inside SPI; its parts live until SPI_finish.  False when there is none.
 */
extern bool record_look_up(int32 tenant_id, const pg_uuid_t *id, Record *record);

/* Sort records by their ids, and find the one of an id among such by its number, or -1. */
extern void record_sort(Record *records, int count);
extern int	record_find(const Record *records, int count, const pg_uuid_t *id);

/* The definition that a record was written against. */
extern const ModuleDef *record_module(const RequestContext *context, const Record *record);
/* Another version of its module, which must exist; 0: the current one. */
extern const ModuleDef *record_module_version(const RequestContext *context, const Record *record, int32 version);

/*
 * context_check_if_match for a change of a record; where the module demands a
 * condition (requireIfMatch), none raises QH428 precondition_required (RFC 6585
 * section 3).
 */
extern void record_check_if_match(const ModuleDef *module, const char *if_match, int32 version);

/* Raise the one 404 of a record: the same bytes for foreign, deleted and missing ids. */
pg_noreturn extern void record_not_found(void);

/* ---- write_json.c: the JSON of CONTRACT 1 ---- */

/* Append the whole record object; without the closing brace when open is true. */
extern void record_write_json(StringInfo out, const RequestContext *context, const ModuleDef *module,
							  const Record *record, bool open);
/* The same as the answer to a change: without payload for a caller who may not read the record. */
extern void record_write_answer(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record);
/* Write a display code (INC-2026-0001), without a NUL; gives its length, QEHS_DISPLAY_BYTES more than the prefix at most. */
extern int	record_display_code(char *buffer, const char *prefix, int prefix_length, int64 display_no);
/* Append that of a module's record as plain text, or as a string of JSON. */
extern void record_append_display_code(StringInfo out, const ModuleDef *module, int64 display_no);
extern void record_write_display_code(StringInfo out, const ModuleDef *module, int64 display_no);

/* ---- check.c ---- */

/*
 * Bring a new record's payload to its stored form and check it: defaults,
 * computed values, the schema, requiredWhen/visibleWhen, ids of references and
 * users.  Adds all violations (paths below /payload).  Gives the payload to store.
 */
extern Jsonb *record_check_payload(const RequestContext *context, const ModuleDef *module, Jsonb *payload,
								   const char *state, ViolationList *violations);

/*
 * The same for what a record held before with a patch (RFC 7396, an object, or
 * NULL) merged in: computed values are held against what the patch has, and ids
 * that the record held already are not looked up again.  transition is the one that
 * is fired, or NULL: it says what may change without the action update.
 */
extern Jsonb *record_check_patch(const RequestContext *context, const ModuleDef *module, const Record *before, Jsonb *patch,
								 const ModuleTransition *transition, const char *state, ViolationList *violations);

/* The same for what an effect of a transition puts into the record that it is of: a state that locks does not hold it up. */
extern Jsonb *record_check_effect(const RequestContext *context, const ModuleDef *module, const Record *before, Jsonb *patch, const char *state,
								  ViolationList *violations);

/* The same for a payload that record's becomes in a later version, of which ids in known need not be looked up again. */
extern Jsonb *record_check_moved(const RequestContext *context, const ModuleDef *module, const Record *record, Jsonb *payload, Jsonb *known,
								 const char *state, ViolationList *violations);

/*
 * A payload with the fields of what is unique as they would be stored: display codes as ids, local times with their offset (fill.c).
 * What is no such value stays.
 */
extern Jsonb *record_fill_unique(const RequestContext *context, const ModuleDef *module, const ModuleUnique *unique, Jsonb *payload);

/* Look up each user and record that payloads name once only, until the memory context is reset (named.c). */
extern void record_remember_ids(MemoryContext memory);

/* Note what a payload names, so that all noted are looked up with one statement; those in rows and objects are not noted (named.c). */
extern void record_remember_payload(const ModuleDef *module, const Jsonb *payload);

/* ---- slots.c ---- */

/* What a record's slot columns hold; isnull for slots that the module does not map and fields that the payload lacks. */
typedef struct RecordSlots
{
	Datum		values[QEHS_SLOTS];
	bool		isnull[QEHS_SLOTS];
} RecordSlots;

/* Fill the slots of a payload that has the module's keys; a field that it lacks has none. */
extern void record_slots(const ModuleDef *module, Jsonb *payload, RecordSlots *slots);

/* ---- search.c ---- */

/* Text beyond this many bytes is not searched. */
#define QEHS_SEARCH_BYTES 160000

/*
 * The options, the display code and the text of the fields that are searched, as search_vector takes it: options, if there are any,
 * stand first, a QEHS_SEARCH_OPTION before each and one behind the last.  Fields whose keys are in hidden are left out.  NULL for a
 * module that is not searched.
 */
#define QEHS_SEARCH_OPTION '\x01'
extern char *record_search_text(const ModuleDef *module, Jsonb *payload, int64 display_no, const List *hidden);

/* Whether a searched field has options, and the word that one of them is found by; path is the field's from the top, "witnesses.role". */
extern bool search_has_options(const ModuleField *field);
extern char *search_option(const char *path, const char *option, int length);

/* ---- display.c ---- */

/*
 * Where no shared memory counts the numbers of the module: hold them until the
 * transaction ends, before any other lock of a create is taken.
 */
extern void record_hold_display_nos(int32 tenant_id, int32 module_id);
/* The first of count numbers in a row, of the year of time. */
extern int64 record_take_display_nos(int32 tenant_id, int32 module_id, TimestampTz time, int32 count);
/* The year (UTC) that the display number of a record created at time shows. */
extern int	record_display_year(TimestampTz time);
/*
 * Make the next number of the year of time greater than all in the table: the counter
 * lags behind it, as after a data-only restore into a running server.
 */
extern void record_raise_display_nos(int32 tenant_id, int32 module_id, TimestampTz time);
/* At start. */
extern void display_shmem_request(void);
extern void display_shmem_startup(void);

/* ---- move.c ---- */

/*
 * What a locked record becomes in version target of its module: the rules of
 * each version in between, then the definition's defaults and checks.  Adds all
 * violations (paths below /payload, or /workflowState); after is whole without
 * any.  Inside SPI.  Gives the definition of the target.
 */
extern const ModuleDef *record_move(const RequestContext *context, const Record *before, int32 target,
									Record *after, ViolationList *violations);

/* ---- merge.c ---- */

/* RFC 7396 merge of patch (an object) into target; what is null in the rows of a table is not there. */
extern Jsonb *record_merge_patch(const ModuleDef *module, Jsonb *target, Jsonb *patch);

/* The same onto nothing: sent (an object) without what is null, itself when nothing is. */
extern Jsonb *record_merge_new(const ModuleDef *module, Jsonb *sent);

#endif							/* QEHS_RECORD_H */
