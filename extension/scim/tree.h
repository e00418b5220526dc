/*
 * tree.h
 *	  A JSON value that can be changed: what PATCH works on and what answers are
 *	  written from.
 *
 * Everything is in the current memory context and goes with it.
 */
#ifndef QEHS_SCIM_TREE_H
#define QEHS_SCIM_TREE_H

#include "base/compat.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

typedef enum ScimValueKind
{
	SCIM_VALUE_NULL, SCIM_VALUE_TEXT, SCIM_VALUE_NUMBER, SCIM_VALUE_TRUE, SCIM_VALUE_FALSE, SCIM_VALUE_LIST, SCIM_VALUE_OBJECT
} ScimValueKind;

typedef struct ScimValue
{
	ScimValueKind kind;
	const char *text;			/* of a text, or the digits of a number */
	int			count;			/* of a list or an object */
	int			room;
	struct ScimValue **items;
	const char **names;			/* of an object's members */
} ScimValue;

/* A value of a kind, empty. */
extern ScimValue *tree_make(ScimValueKind kind);
extern ScimValue *tree_text(const char *text);

/* A copy of jsonb, or of one value of it. */
extern ScimValue *tree_of_jsonb(Jsonb *jsonb);
extern ScimValue *tree_of_jsonb_value(const JsonbValue *source);

/* The text as JSON, and as jsonb. */
extern void tree_write(StringInfo out, const ScimValue *value);
extern Jsonb *tree_to_jsonb(const ScimValue *value);

/* A member of an object by its name, or NULL; _any_case finds "UserName" for "userName". */
extern ScimValue *tree_get(const ScimValue *object, const char *name);
extern ScimValue *tree_get_any_case(const ScimValue *object, const char *name);

/* Set a member; NULL removes it. */
extern void tree_set(ScimValue *object, const char *name, ScimValue *value);

/* Lists. */
extern void tree_append(ScimValue *list, ScimValue *item);
extern void tree_remove_at(ScimValue *value, int at);

/* Are two values the same JSON (members of objects in any order)? */
extern bool tree_equal(const ScimValue *left, const ScimValue *right);

/* A deep copy. */
extern ScimValue *tree_copy(const ScimValue *value);

#endif							/* QEHS_SCIM_TREE_H */
