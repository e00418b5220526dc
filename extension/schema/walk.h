/*
 * walk.h
 *	  The state of one validation, shared by the files that check values.
 */
#ifndef QEHS_SCHEMA_WALK_H
#define QEHS_SCHEMA_WALK_H

#include "base/compat.h"

#include "schema/program.h"

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
	bool		is_name;		/* the value is the name of a member, which messages say */
	uint64		steps;
	uint64		next_look;		/* at that many steps, interrupts and the limit are looked at */
	uint64		step_limit;
	Size		evaluated_bytes;	/* in use for bits */
	Size		evaluated_limit;
} Walk;

/* Does the value hold under the node?  evaluated may be NULL where nobody asks. */
extern bool walk_check(Walk *walk, NodeIndex index, const Value *value, const Place *place, const Scope *scope, Evaluated *evaluated);

/* The same, without reporting violations. */
extern bool walk_check_quietly(Walk *walk, NodeIndex node, const Value *value, const Place *place, const Scope *scope,
							   Evaluated *evaluated);

/* Give the walk up; gives false. */
extern bool walk_give_up(Walk *walk, const char *fault);

/* Serve interrupts; false when the steps are used up, which gives the walk up. */
extern bool walk_look_up(Walk *walk);

/* Count steps, each of some ten nanoseconds, before they are taken; false when they are not to be. */
static inline bool
walk_spend(Walk *walk, uint64 steps)
{
	walk->steps += steps;
	return likely(walk->steps < walk->next_look) || walk_look_up(walk);
}

/* Report a violation of a keyword, NULL for the schema false. */
extern void walk_report(Walk *walk, const SchemaNode *node, const Place *place, const char *keyword,
						const char *format,...) pg_attribute_printf(5, 6);

/* The same where somebody will read it: only then the arguments are evaluated.  Gives false. */
#define walk_violate(walk, ...) \
	((walk)->errors != NULL && (walk)->fault == NULL && schema_errors_have_room((walk)->errors) ? \
	 (walk_report(walk, __VA_ARGS__), false) : false)

#define PLURAL(count) ((count) == 1 ? "" : "s")

/* Match, or give the walk up. */
extern bool walk_matches(Walk *walk, Regex *regex, const char *text, uint32 length);

/* The walk is given up; or nobody wants to know more than that something is wrong, and something is. */
#define WALK_DONE(walk, holds) \
	((walk)->fault != NULL || (!(holds) && ((walk)->errors == NULL || (walk)->errors->truncated)))

/* Check the members of an object, the items of an array, and the schemas that apply to them; false for a violation. */
extern bool walk_check_object(Walk *walk, const SchemaNode *node, const Value *object, const Place *place, const Scope *scope,
							  Evaluated *evaluated);
extern bool walk_check_array(Walk *walk, const SchemaNode *node, const Value *array, const Place *place, const Scope *scope,
							 Evaluated *evaluated);

/* Start with none; false when there is no memory for so many, which gives the walk up. */
static inline bool
evaluated_init(Walk *walk, Evaluated *evaluated, uint32 count)
{
	Size		bytes = sizeof(uint64) * (((Size) count + 63) / 64);

	evaluated->count = count;
	evaluated->few = 0;
	evaluated->bits = &evaluated->few;
	if (count <= 64)
		return true;
	walk->evaluated_bytes += bytes;
	if (!walk_spend(walk, bytes / 64) || walk->evaluated_bytes > walk->evaluated_limit)
	{
		evaluated->count = 0;
		walk->evaluated_bytes -= bytes;
		return walk_give_up(walk, "the schema is nested too deeply for so large a list or object");
	}
	evaluated->bits = palloc0(bytes);
	return true;
}

static inline void
evaluated_release(Walk *walk, Evaluated *evaluated)
{
	if (evaluated->bits == &evaluated->few)
		return;
	walk->evaluated_bytes -= sizeof(uint64) * (((Size) evaluated->count + 63) / 64);
	pfree(evaluated->bits);
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
evaluated_merge(Walk *walk, Evaluated *evaluated, Evaluated *branch, bool holds)
{
	if (holds)
		for (uint32 i = 0; i < (evaluated->count + 63) / 64; i++)
			evaluated->bits[i] |= branch->bits[i];
	evaluated_release(walk, branch);
}

#endif							/* QEHS_SCHEMA_WALK_H */
