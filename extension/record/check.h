/*
 * check.h
 *	  The steps of checking a payload, which record/check.c puts together.
 */
#ifndef QEHS_RECORD_CHECK_H
#define QEHS_RECORD_CHECK_H

#include "nodes/pg_list.h"
#include "record/guard.h"
#include "record/record.h"

typedef struct PayloadCheck
{
	const RequestContext *context;
	const ModuleDef *module;
	Guard	   *guard;			/* of all expressions */
	const Jsonb *before;		/* what the record held, or NULL */
	const PermissionSubject *subject;	/* the record, of which permission is asked; NULL: of a definition, which hides nothing */
	const ModuleTransition *transition; /* that is fired, or NULL */
	ViolationList *violations;
	const Jsonb *patched;		/* what the record held before a patch, or NULL */
	const pg_uuid_t *record_id; /* of the record; NULL: it is new, or none */
	const char *held_state;		/* the state that the record is in before the change; NULL of a new one */
} PayloadCheck;

/* A field's value with what the server writes into it: the score of a matrix, nested defaults and computed values (fill.c). */
extern Jsonb *payload_fill_value(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value);

/* The default of a field, filled so; NULL when it has none for this caller (fill.c). */
extern Jsonb *payload_default(const PayloadCheck *check, const ModuleField *field);

/* Defaults, matrix scores and computed values, in rows and objects too (fill.c). */
extern Jsonb *payload_fill(const PayloadCheck *check, Jsonb *payload);

/*
 * Add a violation for each server-written value that sent has otherwise than payload, which is filled, and
 * otherwise than the record that is patched had it (fill.c).
 */
extern void payload_check_given(const PayloadCheck *check, const Jsonb *sent, const Jsonb *payload);

/* Of containers (JsonbContainer) those that stand in them under a field: objects, and the rows of tables (values.c). */
extern List *payload_nested_before(const List *before, const ModuleField *field);

/* What a schema cannot say, in rows and objects too (values.c). */
extern void payload_check_values(const PayloadCheck *check, Jsonb *payload);

/*
 * Whether a place of the payload ("/rows/0/name") lies below a field that is hidden now.
 * Sets the innermost field on the way to it, or NULL (values.c).
 */
extern bool payload_is_hidden(const PayloadCheck *check, Jsonb *payload, const char *path, const ModuleField **innermost);

/*
 * Add what the schema of a field found in checked, in the words of its type: the form that is wanted, and what was found.  path is
 * where that stands in the request (told.c).
 */
extern void payload_add_violation(const PayloadCheck *check, const ModuleField *field, const SchemaViolation *found, const Jsonb *checked,
								  const char *path);

/* What a schema cannot say about one value of a field, whatever the rest of the payload (values.c). */
extern void payload_check_value(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value, const char *path);

/* Whether the code is one of ISO 4217 (currency.c). */
extern bool currency_is_known(const char *code, int length);

/* ---- named.c: runs SPI by itself ---- */

/* Whether the user is one of the tenant, and active. */
extern bool named_user_is_active(int32 tenant_id, const pg_uuid_t *id);

/*
 * Key of the module of a live record of the tenant, in the current memory context or longer; NULL when there is none.
 * The record lives until the transaction ends when it is for a record of the referrer (or NULL), a module whose references keep what they name.
 */
extern const char *named_record_module(int32 tenant_id, const ModuleDef *referrer, const pg_uuid_t *id);

/* Whether the caller may read a record of a module. */
extern bool named_may_read(const RequestContext *context, const ModuleDef *module, const pg_uuid_t *id);

typedef enum CodeOutcome
{
	CODE_NONE,					/* the text is no display code */
	CODE_UNKNOWN,				/* no record that the caller may read has it */
	CODE_AMBIGUOUS,				/* several have, of modules that have one prefix */
	CODE_FOUND
} CodeOutcome;

/*
 * The live record that has a display code, in whatever case it is written, of those that the field may name and the caller may read.
 * Sets *modules to the keys of their modules ("a" and "b") when there are several.
 */
extern CodeOutcome named_record_of_code(const RequestContext *context, const ModuleField *field, const char *text, int length,
										pg_uuid_t *id, const char **modules);

/* Add what is wrong with a display code: not_found or ambiguous; nothing for another outcome. */
extern void named_code_fault(ViolationList *faults, const char *path, const ModuleField *field, CodeOutcome outcome, const char *modules);

/* "a", "b" or "c": the modules whose records a field may name; "" if it may name any. */
extern char *named_modules(const ModuleField *field);

#endif							/* QEHS_RECORD_CHECK_H */
