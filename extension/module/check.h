/*
 * check.h
 *	  What the files that check a definition share.  Each adds every fault it
 *	  finds, with its JSON Pointer.
 */
#ifndef QEHS_DEFINITION_CHECK_H
#define QEHS_DEFINITION_CHECK_H

#include "module/definition.h"

typedef struct Names
{
	int			count;
	char	  **items;
	FieldType  *types;			/* of fields */
} Names;

/* ---- check.c ---- */

/* ^[a-z][a-z0-9_-]{0,62}$; hyphens only where allowed. */
extern bool check_is_name(const char *text, bool hyphen);

/* A text of 1 to most bytes that stands on one line. */
extern bool check_is_line(const JsonbValue *value, int most);

/* What to say behind "must be a text" of a text that is an object by language, which labels may be only; else "". */
extern const char *check_by_language(const JsonbValue *value);

/* Whether a name is among those. */
extern bool check_has_name(const Names *names, const char *name);

/* Whether a text is one of the states of a definition, whose "workflow" need not have been checked. */
extern bool check_has_state(const JsonbContainer *definition, const JsonbValue *state);

/* Whether the key is of a field of type user; whether it is of one that takes attachments. */
extern bool check_is_user_field(const Names *fields, const char *key);
extern bool check_is_file_field(const Names *fields, const char *key);

/* A fault for a member mediaTypes that is there and is no array of media types (options.c). */
extern void check_media_types(const JsonbContainer *object, const char *path, ViolationList *faults);

/* An element of an array: its value, and its container when it is an object, else NULL. */
extern const JsonbContainer *check_element(const JsonbContainer *array, uint32 index, JsonbValue *value);

/* A member that is an array, or an object; NULL (with a fault when it is something else). */
extern const JsonbContainer *check_array(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults);
extern const JsonbContainer *check_object(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults);

/* A fault for a member that is there and is no text of at most QEHS_DESCRIPTION_BYTES. */
extern void check_text(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults);

/* A fault for a member that is there and is neither true nor false. */
extern void check_flag(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults);

/* An SQL/JSON path that compiles and reads no variables but those of CONTRACT 4; NULL when it is absent or has a fault. */
extern JsonPath *check_expression(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults);

/* The same for a value, with a list of the variables that it may have, which NULL ends. */
extern JsonPath *check_expression_text(const JsonbValue *value, const char *path, const char *const *variables, ViolationList *faults);

/* ---- check_workflow.c, check_guards.c, check_effects.c, check_permissions.c: fields are the keys of the definition ---- */

/* Add every fault of "workflow". */
extern void check_workflow(const JsonbContainer *workflow, const Names *fields, ViolationList *faults);

/* Add every fault of a transition's guards that look beyond its payload. */
extern void check_guards(const JsonbContainer *transition, const char *path, const Names *fields, ViolationList *faults);

/* Add every fault of a transition's approvers and signature; transitions are all of the workflow. */
extern void check_approvers(const JsonbContainer *transition, const JsonbContainer *transitions, const char *path, const Names *fields,
							ViolationList *faults);

/* Add every fault of "deadlines", with fields that not all may read, and of when a transition is fired by itself (check_times.c). */
extern void check_deadlines(const JsonbContainer *workflow, const Names *states, const Names *fields, ViolationList *faults);
extern void check_due_is_open(const JsonbContainer *definition, ViolationList *faults);
extern void check_timed(const JsonbContainer *transition, const char *path, const Names *fields, ViolationList *faults);

/* Add every fault of "retention" (check_retention.c). */
extern void check_retention(const JsonbContainer *definition, const Names *fields, ViolationList *faults);

/* Add every fault of a transition's effects. */
extern void check_effects(const JsonbContainer *transition, const char *path, const Names *fields, ViolationList *faults);

/* Add every fault of the states of "permissions" that lock. */
extern void check_locks(const JsonbContainer *definition, const JsonbContainer *permissions, const Names *fields, ViolationList *faults);

/* The name of a role; with @ in front it is "@createdBy" or names a field of type user.  Gives the name, or NULL with a fault. */
extern char *check_role_name(const JsonbValue *role, const char *path, const Names *fields, ViolationList *faults);

/* Add every fault of "permissions" of a definition. */
extern void check_permissions(const JsonbContainer *definition, const JsonbContainer *permissions, const Names *fields, ViolationList *faults);

#endif							/* QEHS_DEFINITION_CHECK_H */
