/*
 * validate.c
 *	  Running a program over a jsonb: what concerns all values, strings, numbers,
 *	  and schemas that apply in place.
 *
 * Bounds: the stack (a circle of references ends there, too), a number of steps
 * that grows with the document, the steps of a regular expression, and the memory
 * for unevaluatedItems and unevaluatedProperties.  What takes longer than a visit to
 * a value is counted as several steps, by its length.
 */
#include "base/compat.h"

#include "base/json.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "schema/walk.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define FREE_STEPS 5000000
#define STEPS_BETWEEN_LOOKS 256
#define FREE_BYTES (64 * 1024 * 1024)
#define STEPS_PER_BYTE 100

void
walk_report(Walk *walk, const SchemaNode *node, const Place *place, const char *keyword, const char *format,...)
{
	va_list		arguments;

	char		about_name[256];

	if (walk->is_name)
	{
		snprintf(about_name, sizeof(about_name), "its name %s", format);
		format = about_name;
	}
	va_start(arguments, format);
	schema_add_place(walk->errors, place, node->location, node->never ? NULL : keyword, keyword, format, arguments);
	va_end(arguments);
}

bool
walk_give_up(Walk *walk, const char *fault)
{
	if (walk->fault == NULL)
		walk->fault = fault;
	return false;
}

bool
walk_look_up(Walk *walk)
{
	CHECK_FOR_INTERRUPTS();
	if (walk->steps > walk->step_limit)
		return walk_give_up(walk, "checking takes too many steps");
	walk->next_look = walk->steps + STEPS_BETWEEN_LOOKS;
	return true;
}

bool
walk_matches(Walk *walk, Regex *regex, const char *text, uint32 length)
{
	RegexResult result = regex_match(regex, text, length, &walk->steps);

	if (result == REGEX_GAVE_UP)
		return walk_give_up(walk, "a regular expression takes too many steps");
	return walk_spend(walk, 0) && result == REGEX_MATCH;
}

static const char *
type_words(uint32 types)
{
	static const char *const words[] = {"null", "a boolean", "a string", "a number", "an integer", "an array", "an object"};
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < (int) lengthof(words); i++)
		if (types & (1u << i))
			appendStringInfo(&out, "%s%s", out.len > 0 ? " or " : "", words[i]);
	return out.data;
}

static bool
enum_has(Walk *walk, const SchemaEnum *enumeration, const Value *value)
{
	bool		is_string = value->type == VALUE_STRING;
	int			low = is_string ? 0 : enumeration->string_count;
	int			high = is_string ? enumeration->string_count : enumeration->count;

	if (low < high && !is_string && !walk_spend(walk, value->length / 4))
		return false;
	while (low < high)
	{
		int			middle = (low + high) / 2;
		const Value *known = &enumeration->values[middle];
		int			order = is_string ? value_compare_keys(known->data, known->length, value->data, value->length) :
			value_compare(known, value);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
check_string(Walk *walk, const SchemaNode *node, const Value *value, const Place *place)
{
	const SchemaStringRules *rules = node->string;
	bool		holds = true;

	if (!walk_spend(walk, value->length / 32))
		return false;
	/* a character has one to four bytes: mostly the bytes decide */
	if (value->length / 4 < rules->minimum || (rules->maximum >= 0 && value->length > rules->maximum))
	{
		int64		characters = pg_mbstrlen_with_len(value->data, value->length);

		if (characters < rules->minimum && rules->minimum == 1)
			holds = walk_violate(walk, node, place, "minLength", "must not be empty");
		else if (characters < rules->minimum)
			holds = walk_violate(walk, node, place, "minLength", "must be at least " INT64_FORMAT " character%s (has " INT64_FORMAT ")",
								 rules->minimum, PLURAL(rules->minimum), characters);
		if (rules->maximum >= 0 && characters > rules->maximum)
			holds = walk_violate(walk, node, place, "maxLength", "must be at most " INT64_FORMAT " character%s (has " INT64_FORMAT ")",
								 rules->maximum, PLURAL(rules->maximum), characters);
	}
	if (rules->pattern && !walk_matches(walk, rules->pattern, value->data, value->length))
		holds = walk_violate(walk, node, place, "pattern", "must match the pattern %s", rules->pattern_text);
	if (rules->format_holds && walk_spend(walk, rules->format_steps + value->length / 8) &&
		!rules->format_holds(value->data, value->length))
		holds = walk_violate(walk, node, place, "format", "must be %s, not \"%s\"%s", rules->wanted, schema_shown(value->data, value->length),
							 format_lacks(rules->format, value->data, value->length));
	return holds;
}

/* Less than, equal to or greater than a bound: -1, 0, 1. */
static int
compare_bound(const Value *value, const int64 *scaled, const SchemaBound *bound)
{
	if (scaled && bound->is_scaled)
		return (*scaled > bound->scaled) - (*scaled < bound->scaled);
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(VALUE_NUMERIC(value)),
											 NumericGetDatum(VALUE_NUMERIC(&bound->value))));
}

static char *
bound_text(const SchemaBound *bound)
{
	char	   *text = value_text(&bound->value);

	return schema_shown(text, strlen(text));
}

static bool
is_multiple(Walk *walk, const Value *value, const int64 *scaled, const SchemaBound *bound)
{
	Value		rest = {.type = VALUE_NUMBER};
	int64		zero;

	if (scaled && bound->is_scaled)
		return *scaled % bound->scaled == 0;
	/* a division takes time by the product of the lengths */
	if (!walk_spend(walk, (uint64) value->length * bound->value.length / 64))
		return false;
	rest.data = DatumGetPointer(DirectFunctionCall2(numeric_mod, NumericGetDatum(VALUE_NUMERIC(value)),
													NumericGetDatum(VALUE_NUMERIC(&bound->value))));
	return value_scaled(&rest, &zero) && zero == 0;
}

static bool
check_number(Walk *walk, const SchemaNode *node, const Value *value, const Place *place)
{
	const SchemaNumberRules *rules = node->number;
	int64		integer;
	const int64 *scaled = value_scaled(value, &integer) ? &integer : NULL;
	bool		holds = true;

	if (scaled == NULL && !walk_spend(walk, value->length / 8))
		return false;
	if (rules->minimum.given && compare_bound(value, scaled, &rules->minimum) < 0)
		holds = walk_violate(walk, node, place, "minimum", "must be at least %s", bound_text(&rules->minimum));
	if (rules->maximum.given && compare_bound(value, scaled, &rules->maximum) > 0)
		holds = walk_violate(walk, node, place, "maximum", "must be at most %s", bound_text(&rules->maximum));
	if (rules->exclusive_minimum.given && compare_bound(value, scaled, &rules->exclusive_minimum) <= 0)
		holds = walk_violate(walk, node, place, "exclusiveMinimum", "must be greater than %s",
							 bound_text(&rules->exclusive_minimum));
	if (rules->exclusive_maximum.given && compare_bound(value, scaled, &rules->exclusive_maximum) >= 0)
		holds = walk_violate(walk, node, place, "exclusiveMaximum", "must be less than %s",
							 bound_text(&rules->exclusive_maximum));
	if (rules->multiple_of.given && !is_multiple(walk, value, scaled, &rules->multiple_of))
		holds = walk_violate(walk, node, place, "multipleOf", "must be a multiple of %s", bound_text(&rules->multiple_of));
	return holds;
}

bool
walk_check_quietly(Walk *walk, NodeIndex node, const Value *value, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	SchemaErrors *errors = walk->errors;
	Evaluated	branch;
	bool		holds;

	if (evaluated && !evaluated_init(walk, &branch, evaluated->count))
		return false;
	walk->errors = NULL;
	holds = walk_check(walk, node, value, place, scope, evaluated ? &branch : NULL);
	walk->errors = errors;
	if (evaluated)
		evaluated_merge(walk, evaluated, &branch, holds);
	return holds;
}

/* How many of the branches hold; all are tried only where that matters. */
static int
count_branches(Walk *walk, const SchemaBranches *branches, int enough, const Value *value, const Place *place, const Scope *scope,
			   Evaluated *evaluated)
{
	int			count = 0;

	for (int i = 0; i < branches->count && (count < enough || evaluated) && walk->fault == NULL; i++)
		count += walk_check_quietly(walk, branches->nodes[i], value, place, scope, evaluated);
	return count;
}

static bool
type_fits(uint32 types, const Value *value)
{
	return types == 0 || (types & value->type) ||
		(value->type == VALUE_NUMBER && (types & VALUE_INTEGER) && value_is_integer(value));
}

/*
 * None of the branches holds.  Those of another type are not meant: where one is
 * left its violations say more, where none is left the types do.
 */
static bool
explain_branches(Walk *walk, const SchemaNode *node, const SchemaBranches *branches, const char *keyword, const Value *value,
				 const Place *place, const Scope *scope)
{
	uint32		types = 0;
	NodeIndex	meant = NO_NODE;
	int			count = 0;

	if (walk->errors == NULL || walk->fault)
		return false;
	for (int i = 0; i < branches->count && walk->errors->explain; i++)
	{
		const SchemaNode *branch = &walk->schema->nodes[branches->nodes[i]];

		if (branch->types == 0 && branch->reference != NO_NODE)
			branch = &walk->schema->nodes[branch->reference];
		if (branch->never)
			continue;
		if (!type_fits(branch->types, value))
			types |= branch->types;
		else
		{
			meant = branches->nodes[i];
			count++;
		}
	}
	if (count == 1)
	{
		(void) walk_check(walk, meant, value, place, scope, NULL);
		return false;
	}
	if (count == 0 && types)
		return walk_violate(walk, node, place, keyword, "must be %s, not %s", type_words(types), type_words(value->type));
	return walk_violate(walk, node, place, keyword, "has none of the forms that are allowed");
}

/* The outermost resource of the scope that has the anchor decides (2020-12 core 8.2.3.2). */
static NodeIndex
dynamic_target(Walk *walk, const SchemaNode *node, const Scope *scope)
{
	NodeIndex	target = node->dynamic_reference;

	if (node->dynamic_name < 0)
		return target;
	for (; scope; scope = scope->parent)
	{
		const SchemaScope *resource = &walk->schema->scopes[scope->resource];
		int			low = 0;
		int			high = resource->count;

		walk->steps++;
		while (low < high)
		{
			int			middle = (low + high) / 2;

			if (resource->anchors[middle].name < node->dynamic_name)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < resource->count && resource->anchors[low].name == node->dynamic_name)
			target = resource->anchors[low].node;
	}
	return target;
}

static bool
check_in_place(Walk *walk, const SchemaNode *node, const Value *value, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	bool		holds = true;

	if (node->reference != NO_NODE)
		holds &= walk_check(walk, node->reference, value, place, scope, evaluated);
	if (node->dynamic_reference != NO_NODE)
		holds &= walk_check(walk, dynamic_target(walk, node, scope), value, place, scope, evaluated);
	for (int i = 0; i < node->all.count && !WALK_DONE(walk, holds); i++)
		holds &= walk_check(walk, node->all.nodes[i], value, place, scope, evaluated);
	if (WALK_DONE(walk, holds))
		return false;
	if (node->any.count > 0 && count_branches(walk, &node->any, 1, value, place, scope, evaluated) == 0)
		holds = explain_branches(walk, node, &node->any, "anyOf", value, place, scope);
	if (node->one.count > 0)
	{
		int			count = count_branches(walk, &node->one, 2, value, place, scope, evaluated);

		if (count == 0)
			holds = explain_branches(walk, node, &node->one, "oneOf", value, place, scope);
		else if (count > 1)
			holds = walk_violate(walk, node, place, "oneOf", "has more than one of the forms of which it may have one");
	}
	if (node->negated != NO_NODE && walk_check_quietly(walk, node->negated, value, place, scope, NULL))
		holds = walk_violate(walk, node, place, "not", "has a form that is not allowed");
	if (node->condition != NO_NODE && walk->fault == NULL)
	{
		NodeIndex	next = walk_check_quietly(walk, node->condition, value, place, scope, evaluated) ?
			node->consequence : node->alternative;

		if (next != NO_NODE)
			holds &= walk_check(walk, next, value, place, scope, evaluated);
	}
	return holds;
}

/* Members or items that no schema has looked at. */
static bool
check_unevaluated(Walk *walk, const SchemaNode *node, NodeIndex rest, const Value *value, const Place *place, const Scope *scope,
				  Evaluated *evaluated)
{
	bool		is_object = value->type == VALUE_OBJECT;
	uint32		count = VALUE_COUNT(value);
	ValueWalk	names = value_walk(VALUE_CONTAINER(value), 0);
	ValueWalk	values = value_walk(VALUE_CONTAINER(value), is_object ? count : 0);
	bool		holds = true;

	for (uint32 i = 0; i < count && !WALK_DONE(walk, holds); i++)
	{
		Value		name = {.data = NULL};
		Value		child;
		Place		member;

		if (is_object)
			value_next(&names, &name);
		value_next(&values, &child);
		if (evaluated_has(evaluated, i))
			continue;
		member = (Place) {place, name.data, name.length, i};
		if (walk->schema->nodes[rest].never)
			holds = walk_violate(walk, node, &member, is_object ? "unevaluatedProperties" : "unevaluatedItems",
								 is_object ? "is not a known member" : "is an item too many");
		else
			holds &= walk_check(walk, rest, &child, &member, scope, NULL);
		evaluated_add(evaluated, i);
	}
	return holds;
}

static bool
check_container(Walk *walk, const SchemaNode *node, const Value *value, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	NodeIndex	rest = value->type == VALUE_OBJECT ? node->unevaluated_properties : node->unevaluated_items;
	Evaluated	own;
	Evaluated  *outer = evaluated;
	bool		holds = true;

	if (rest != NO_NODE)
	{
		if (!evaluated_init(walk, &own, VALUE_COUNT(value)))
			return false;
		evaluated = &own;
	}
	if (value->type == VALUE_OBJECT ? node->object != NULL : node->array != NULL)
		holds = value->type == VALUE_OBJECT ? walk_check_object(walk, node, value, place, scope, evaluated) :
			walk_check_array(walk, node, value, place, scope, evaluated);
	if (node->in_place && !WALK_DONE(walk, holds))
		holds &= check_in_place(walk, node, value, place, scope, evaluated);
	if (rest == NO_NODE)
		return holds;
	if (!WALK_DONE(walk, holds))
		holds &= check_unevaluated(walk, node, rest, value, place, scope, &own);
	if (outer)
		evaluated_merge(walk, outer, &own, true);
	else
		evaluated_release(walk, &own);
	return holds;
}

bool
walk_check(Walk *walk, NodeIndex index, const Value *value, const Place *place, const Scope *scope, Evaluated *evaluated)
{
	const SchemaNode *node = &walk->schema->nodes[index];
	Scope		entered;
	bool		holds = true;

	if (!walk_spend(walk, 1))
		return false;
	if (stack_is_too_deep())
		return walk_give_up(walk, "the document is nested too deeply, or the schema refers to itself without end");
	if (node->never)
		return walk_violate(walk, node, place, "false", "is not allowed");
	/* a value of the wrong type says nothing about the rest */
	if (!type_fits(node->types, value))
		return walk_violate(walk, node, place, "type", "must be %s, not %s", node->types == VALUE_STRING && node->string && node->string->wanted ?
							node->string->wanted : type_words(node->types), type_words(value->type));
	if (node->constant && !enum_has(walk, node->constant, value))
		holds = walk_violate(walk, node, place, "const", "must be %s", node->constant->text);
	if (node->enumeration && !enum_has(walk, node->enumeration, value))
		holds = walk_violate(walk, node, place, "enum", "must be one of %s", node->enumeration->text);
	if (WALK_DONE(walk, holds))
		return false;
	if (walk->schema->is_dynamic && (scope == NULL || scope->resource != node->resource))
	{
		entered = (Scope) {scope, node->resource};
		scope = &entered;
	}
	if (value->type == VALUE_OBJECT || value->type == VALUE_ARRAY)
		return check_container(walk, node, value, place, scope, evaluated) && holds && walk->fault == NULL;
	if (value->type == VALUE_STRING && node->string)
		holds &= check_string(walk, node, value, place);
	else if (value->type == VALUE_NUMBER && node->number)
		holds &= check_number(walk, node, value, place);
	if (node->in_place && !WALK_DONE(walk, holds))
		holds &= check_in_place(walk, node, value, place, scope, NULL);
	return holds && walk->fault == NULL;
}

static bool
run(const Schema *schema, Jsonb *instance, SchemaErrors *errors, const char **fault)
{
	Walk		walk = {.schema = schema,.errors = errors,.step_limit = FREE_STEPS + (uint64) VARSIZE(instance) * STEPS_PER_BYTE,
	.next_look = STEPS_BETWEEN_LOOKS,.evaluated_limit = FREE_BYTES + VARSIZE(instance)};
	Value		root = value_of(instance);
	bool		holds = walk_check(&walk, schema->root, &root, NULL, NULL, NULL);

	*fault = walk.fault;
	return holds;
}

bool
schema_validate(const Schema *schema, Jsonb *instance, SchemaErrors *errors)
{
	return run(schema, instance, errors, &errors->fault);
}

bool
schema_holds(const Schema *schema, Jsonb *instance, const char **fault)
{
	return run(schema, instance, NULL, fault);
}
