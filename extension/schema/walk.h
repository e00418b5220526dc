/*
 * walk.h
 *	  The state of one validation, shared by the files that check values.
 */
#ifndef QEHS_SCHEMA_WALK_H
#define QEHS_SCHEMA_WALK_H

#include "compat.h"

#include "schema/program.h"

/* A place in the document; written out only for a violation's sake. */
typedef struct Place
{
	const struct Place *parent;
	const char *key;			/* NULL: an index */
	uint32		length;
	uint32		index;
} Place;

/* The resources entered so far, innermost first (2020-12 core 7.1). */
typedef struct Scope
{
	const struct Scope *parent;
	int			resource;
} Scope;

/* Which members or items of one value have been looked at by a schema that holds. */
typedef struct Evaluated
{
	uint32		count;
	uint64		few;			/* used up to 64 */
	uint64	   *bits;
} Evaluated;

typedef struct Walk
{
	const Schema *schema;
	SchemaErrors *errors;		/* NULL: the first violation ends the walk */
	const char *fault;			/* given up, and why */
	uint64		steps;
	uint64		step_limit;
} Walk;

/* Does the value hold under the node?  evaluated may be NULL where nobody asks. */
extern bool walk_check(Walk *walk, NodeIndex index, const Value *value, const Place *place, const Scope *scope, Evaluated *evaluated);

/* The same, without reporting violations. */
extern bool walk_check_quietly(Walk *walk, NodeIndex node, const Value *value, const Place *place, const Scope *scope,
							   Evaluated *evaluated);

/* Report a violation; gives false. */
extern bool walk_violate(Walk *walk, const SchemaNode *node, const Place *place, const char *keyword,
						 const char *format,...) pg_attribute_printf(5, 6);

/* Match, or give the walk up. */
extern bool walk_matches(Walk *walk, Regex *regex, const char *text, uint32 length);

/* Nobody wants to know more than that something is wrong, and something is. */
#define WALK_DONE(walk, holds) (!(holds) && ((walk)->errors == NULL || (walk)->fault != NULL))

/* Check the members of an object, the items of an array, and the schemas that apply to them; false for a violation. */
extern bool walk_check_object(Walk *walk, const SchemaNode *node, const Value *object, const Place *place, const Scope *scope,
							  Evaluated *evaluated);
extern bool walk_check_array(Walk *walk, const SchemaNode *node, const Value *array, const Place *place, const Scope *scope,
							 Evaluated *evaluated);

static inline void
evaluated_init(Evaluated *evaluated, uint32 count)
{
	evaluated->count = count;
	evaluated->few = 0;
	evaluated->bits = count <= 64 ? &evaluated->few : palloc0(sizeof(uint64) * ((count + 63) / 64));
}

static inline void
evaluated_add(Evaluated *evaluated, uint32 index)
{
	if (evaluated)
		evaluated->bits[index / 64] |= UINT64CONST(1) << (index % 64);
}

static inline bool
evaluated_has(const Evaluated *evaluated, uint32 index)
{
	return (evaluated->bits[index / 64] >> (index % 64)) & 1;
}

/* Take over what a branch has looked at, and release it. */
static inline void
evaluated_merge(Evaluated *evaluated, Evaluated *branch, bool holds)
{
	if (holds)
		for (uint32 i = 0; i < (evaluated->count + 63) / 64; i++)
			evaluated->bits[i] |= branch->bits[i];
	if (branch->bits != &branch->few)
		pfree(branch->bits);
}

#endif							/* QEHS_SCHEMA_WALK_H */
