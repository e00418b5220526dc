/*
 * unique_rules.h
 *	  What of a definition no two live records share: the value of a unique field, or
 *	  those of all fields of an element of "unique" together.
 */
#ifndef QEHS_UNIQUE_RULES_H
#define QEHS_UNIQUE_RULES_H

#include "module/check.h"
#include "nodes/pg_list.h"

#define QEHS_MAX_UNIQUE_SETS 20
#define QEHS_MAX_UNIQUE_FIELDS 8	/* of a set */

typedef struct UniqueRule
{
	char	   *name;			/* the keys of its fields, with commas between */
	int			set;			/* the number of the element of "unique", or -1: a unique field */
	List	   *keys;			/* of its fields (char *), in the order of the definition */
} UniqueRule;

/* List of UniqueRule *, of a definition without faults: unique fields, then sets, each in the definition's order. */
extern List *unique_rules_read(Jsonb *definition);

/* The rule of a name in such a list, or NULL. */
extern const UniqueRule *unique_rules_find(const List *rules, const char *name);

/* Add every fault of "unique"; fields are those of the definition. */
extern void unique_rules_check(const JsonbContainer *root, const Names *fields, ViolationList *faults);

#endif							/* QEHS_UNIQUE_RULES_H */
