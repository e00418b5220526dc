/*
 * satisfiable.c
 *	  A search for contradictions in a JSON Schema.
 *
 * A schema is taken apart into the parts that must all hold: itself, what allOf
 * has, what a reference names, and of anyOf and oneOf each branch in turn.  Of
 * what is left the types must meet, limits must leave room, a text must be able to
 * match all patterns and formats (schema/overlap.c), a required member
 * must be able to hold, and of the values that enum, const, boolean or null
 * list one must pass the validator, or as many as the entries that an array without twins must have.
 *
 * The work is bounded: where a search would take more than MAX_STEPS, or parts
 * nest deeper than MAX_DEPTH, the answer is that a value may hold.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/satisfiable.h"
#include "nodes/pg_list.h"
#include "schema/jsonschema.h"
#include "schema/overlap.h"
#include "schema/schema.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define MAX_STEPS 2000
#define MAX_DEPTH 16
#define VALIDATOR_STEPS 50		/* what asking the validator counts as, and comparing patterns */

/* JSON's types; a number is an integer or has a fraction. */
typedef enum Type
{
	TYPE_NULL = 1 << 0,
	TYPE_BOOLEAN = 1 << 1,
	TYPE_INTEGER = 1 << 2,
	TYPE_FRACTION = 1 << 3,
	TYPE_STRING = 1 << 4,
	TYPE_ARRAY = 1 << 5,
	TYPE_OBJECT = 1 << 6,
	TYPE_ANY = (1 << 7) - 1
} Type;

typedef struct Search
{
	const JsonbContainer *root;	/* of references, or NULL */
	int			steps;
} Search;

/* What must all hold: schema objects (const JsonbContainer *), and the choices among which one must. */
typedef struct Parts
{
	List	   *schemas;
	List	   *choices;			/* arrays of schemas */
	bool		never;			/* one of them is false */
	bool		has_reference;
} Parts;

static bool is_possible(Search *search, Parts *parts, int depth);

static const JsonbContainer *
member_container(const JsonbContainer *object, const char *key, bool array)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value) || value.type != jbvBinary)
		return NULL;
	return (array ? JsonContainerIsArray(value.val.binary.data) : JsonContainerIsObject(value.val.binary.data)) ? value.val.binary.data : NULL;
}

/* The schema that a reference within the root names; false for another. */
static bool
resolve(const Search *search, const JsonbValue *reference, JsonbValue *target)
{
	char	   *text = json_text_copy(reference);
	char	   *rest = NULL;
	const JsonbContainer *at = search->root;

	if (at == NULL || (strcmp(text, "#") != 0 && strncmp(text, "#/", 2) != 0))
		return false;
	*target = (JsonbValue) {.type = jbvBinary,.val.binary = {VARHDRSZ, unconstify(JsonbContainer *, at)}};
	for (char *token = strtok_r(text + 1, "/", &rest); token; token = strtok_r(NULL, "/", &rest))
	{
		if (strpbrk(token, "~%") || at == NULL || !JsonContainerIsObject(at) || !json_member(at, token, strlen(token), target))
			return false;
		at = target->type == jbvBinary ? target->val.binary.data : NULL;
	}
	return true;
}

/* Take a schema apart into parts. */
static void
add_part(Search *search, Parts *parts, const JsonbValue *schema, int depth)
{
	const JsonbContainer *object;
	const JsonbContainer *list;
	JsonbValue	value;

	if (schema->type == jbvBool)
		parts->never |= !schema->val.boolean;
	if (schema->type != jbvBinary || !JsonContainerIsObject(schema->val.binary.data) || depth > MAX_DEPTH || ++search->steps > MAX_STEPS)
		return;
	object = schema->val.binary.data;
	parts->schemas = lappend(parts->schemas, unconstify(JsonbContainer *, object));
	list = member_container(object, "allOf", true);
	for (uint32 i = 0; list && i < JsonContainerSize(list); i++)
		add_part(search, parts, getIthJsonbValueFromContainer(unconstify(JsonbContainer *, list), i), depth + 1);
	if (json_member(object, "$ref", 4, &value) && value.type == jbvString)
	{
		parts->has_reference = true;
		if (resolve(search, &value, &value))
			add_part(search, parts, &value, depth + 1);
	}
	if (json_member(object, "if", 2, &value) && value.type == jbvBool &&
		json_member(object, value.val.boolean ? "then" : "else", 4, &value))
		add_part(search, parts, &value, depth + 1);
	if ((list = member_container(object, "anyOf", true)) != NULL)
		parts->choices = lappend(parts->choices, unconstify(JsonbContainer *, list));
	if ((list = member_container(object, "oneOf", true)) != NULL)
		parts->choices = lappend(parts->choices, unconstify(JsonbContainer *, list));
}

static int
type_of_name(const JsonbValue *name)
{
	static const struct
	{
		const char *name;
		int			types;
	}			names[] = {
		{"null", TYPE_NULL}, {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER}, {"number", TYPE_INTEGER | TYPE_FRACTION},
		{"string", TYPE_STRING}, {"array", TYPE_ARRAY}, {"object", TYPE_OBJECT}
	};

	for (int i = 0; name->type == jbvString && i < (int) lengthof(names); i++)
		if ((int) strlen(names[i].name) == name->val.string.len && memcmp(names[i].name, name->val.string.val, name->val.string.len) == 0)
			return names[i].types;
	return 0;
}

/* The types that the keywords type and not, as far as that names types, leave. */
static int
types_of(const JsonbContainer *schema)
{
	JsonbValue	value;
	const JsonbContainer *negated = member_container(schema, "not", false);
	int			types = TYPE_ANY;

	if (json_member(schema, "type", 4, &value))
	{
		types = type_of_name(&value);
		for (uint32 i = 0; value.type == jbvBinary && i < JsonContainerSize(value.val.binary.data); i++)
			types |= type_of_name(getIthJsonbValueFromContainer(value.val.binary.data, i));
	}
	if (json_member(schema, "not", 3, &value) && ((value.type == jbvBool && value.val.boolean) || (negated && JsonContainerSize(negated) == 0)))
		return 0;
	if (negated && JsonContainerSize(negated) == 1 && json_member(negated, "type", 4, &value))
		types &= ~types_of(negated);
	return types;
}

/* The strictest value of a limit among the parts: the greatest, or the least. */
static bool
limit_of(const Parts *parts, const char *keyword, bool greatest, Numeric *limit)
{
	bool		found = false;
	ListCell   *cell;
	JsonbValue	value;

	foreach(cell, parts->schemas)
		if (json_member(lfirst(cell), keyword, strlen(keyword), &value) && value.type == jbvNumeric &&
			(!found || DatumGetBool(DirectFunctionCall2(greatest ? numeric_gt : numeric_lt, NumericGetDatum(value.val.numeric), NumericGetDatum(*limit)))))
		{
			*limit = value.val.numeric;
			found = true;
		}
	return found;
}

/* A limit as an integer of at most a million. */
static int64
integer_of(Numeric limit)
{
	Datum		most = DirectFunctionCall1(int4_numeric, Int32GetDatum(1000000));

	if (DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(limit), most)))
		return 1000000;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, DirectFunctionCall1(numeric_floor, NumericGetDatum(limit))));
}

/* Do two limits leave no room?  With equal also when they are the same. */
static bool
limits_cross(const Parts *parts, const char *low, const char *high, bool equal)
{
	Numeric		least;
	Numeric		most;

	return limit_of(parts, low, true, &least) && limit_of(parts, high, false, &most) &&
		DatumGetBool(DirectFunctionCall2(equal ? numeric_ge : numeric_gt, NumericGetDatum(least), NumericGetDatum(most)));
}

/* Is there no integer between the limits? */
static bool
no_integer(const Parts *parts)
{
	Numeric		least;
	Numeric		most;

	return limit_of(parts, "minimum", true, &least) && limit_of(parts, "maximum", false, &most) &&
		DatumGetBool(DirectFunctionCall2(numeric_gt, DirectFunctionCall1(numeric_ceil, NumericGetDatum(least)),
										 DirectFunctionCall1(numeric_floor, NumericGetDatum(most))));
}

/* Is there no multiple of a step between the limits? */
static bool
no_multiple(const Parts *parts)
{
	Numeric		least;
	Numeric		most;
	ListCell   *cell;
	JsonbValue	value;

	if (!limit_of(parts, "minimum", true, &least) || !limit_of(parts, "maximum", false, &most))
		return false;
	foreach(cell, parts->schemas)
	{
		Datum		step;
		Datum		greatest;

		if (!json_member(lfirst(cell), "multipleOf", 10, &value) || value.type != jbvNumeric)
			continue;
		/* the greatest multiple that is not above most */
		step = NumericGetDatum(value.val.numeric);
		greatest = DirectFunctionCall2(numeric_sub, NumericGetDatum(most), DirectFunctionCall2(numeric_mod, NumericGetDatum(most), step));
		if (DatumGetBool(DirectFunctionCall2(numeric_gt, greatest, NumericGetDatum(most))))
			greatest = DirectFunctionCall2(numeric_sub, greatest, step);
		if (DatumGetBool(DirectFunctionCall2(numeric_lt, greatest, NumericGetDatum(least))))
			return true;
	}
	return false;
}

/* Whether a text can match all patterns and formats, with a length in its limits. */
static bool
string_is_possible(Search *search, const Parts *parts)
{
	static const char *const keywords[] = {"pattern", "format"};
	Overlap		overlap = {.max_length = -1};
	Numeric		limit;
	ListCell   *cell;
	JsonbValue	value;

	if (limits_cross(parts, "minLength", "maxLength", false))
		return false;
	foreach(cell, parts->schemas)
		for (int i = 0; i < (int) lengthof(keywords); i++)
		{
			const char *pattern = NULL;

			if (json_member(lfirst(cell), keywords[i], strlen(keywords[i]), &value) && value.type == jbvString)
				pattern = i == 0 ? json_text_copy(&value) : overlap_of_format(json_text_copy(&value));
			if (pattern && overlap.count < QEHS_OVERLAP_PATTERNS)
				overlap.patterns[overlap.count++] = pattern;
		}
	if (overlap.count == 0)
		return true;
	search->steps += VALIDATOR_STEPS;
	if (limit_of(parts, "minLength", true, &limit))
		overlap.min_length = integer_of(limit);
	if (limit_of(parts, "maxLength", false, &limit))
		overlap.max_length = integer_of(limit);
	return overlap_has_text(&overlap);
}

/* Whether a member of this name can hold in an object. */
static bool
member_is_possible(Search *search, const Parts *parts, const JsonbValue *name, int depth)
{
	Parts		member = {0};
	ListCell   *cell;

	foreach(cell, parts->schemas)
	{
		const JsonbContainer *properties = member_container(lfirst(cell), "properties", false);
		JsonbValue	schema;

		if ((properties && json_member(properties, name->val.string.val, name->val.string.len, &schema)) ||
			(!json_member(lfirst(cell), "patternProperties", 17, &schema) && json_member(lfirst(cell), "additionalProperties", 20, &schema)))
			add_part(search, &member, &schema, 0);
	}
	return is_possible(search, &member, depth + 1);
}

static bool
object_is_possible(Search *search, const Parts *parts, int depth)
{
	ListCell   *cell;

	if (limits_cross(parts, "minProperties", "maxProperties", false))
		return false;
	foreach(cell, parts->schemas)
	{
		const JsonbContainer *required = member_container(lfirst(cell), "required", true);

		for (uint32 i = 0; required && i < JsonContainerSize(required); i++)
		{
			JsonbValue *name = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, required), i);

			if (name->type == jbvString && !member_is_possible(search, parts, name, depth))
				return false;
		}
	}
	return true;
}

static const JsonbContainer *listed_values(const Parts *parts, int types);
static int	holding(Search *search, const Parts *parts, const JsonbContainer *values, int enough);
static int	types_left(const Parts *parts);

/* Whether there are as many different entries as an array without twins must have. */
static bool
entries_suffice(Search *search, const Parts *parts, const Parts *entry, Numeric least)
{
	ListCell   *cell;
	JsonbValue	value;
	bool		unique = false;
	bool		has_prefix = false;
	const JsonbContainer *values;

	foreach(cell, parts->schemas)
	{
		unique |= json_member_bool(lfirst(cell), "uniqueItems", false);
		has_prefix |= json_member(lfirst(cell), "prefixItems", 11, &value);
	}
	values = unique && !entry->has_reference && !has_prefix ? listed_values(entry, types_left(entry)) : NULL;
	return values == NULL || holding(search, entry, values, integer_of(least)) >= integer_of(least);
}

/* Whether an array that must have an entry can have its first. */
static bool
array_is_possible(Search *search, const Parts *parts, int depth)
{
	Parts		first = {0};
	Numeric		least;
	ListCell   *cell;

	if (limits_cross(parts, "minItems", "maxItems", false))
		return false;
	if (!limit_of(parts, "minItems", true, &least) || !DatumGetBool(DirectFunctionCall2(numeric_ge, NumericGetDatum(least), NumericGetDatum(int64_to_numeric(1)))))
		return true;
	foreach(cell, parts->schemas)
	{
		const JsonbContainer *prefix = member_container(lfirst(cell), "prefixItems", true);
		JsonbValue	schema;

		if (prefix && JsonContainerSize(prefix) > 0)
			add_part(search, &first, getIthJsonbValueFromContainer(unconstify(JsonbContainer *, prefix), 0), 0);
		else if (json_member(lfirst(cell), "items", 5, &schema))
			add_part(search, &first, &schema, 0);
	}
	return is_possible(search, &first, depth + 1) && entries_suffice(search, parts, &first, least);
}

/* How many of the listed values hold under all parts, counted until they are enough?  The validator says. */
static int
holding(Search *search, const Parts *parts, const JsonbContainer *values, int enough)
{
	SchemaOptions options = {.assert_formats = true,.lookup = jsonschema_find_registered};
	SchemaErrors errors;
	StringInfoData text;
	Schema	   *schema;
	ListCell   *cell;
	int			count = 0;

	search->steps += VALIDATOR_STEPS;
	initStringInfo(&text);
	json_literal(&text, "{\"allOf\":[");
	foreach(cell, parts->schemas)
	{
		if (foreach_current_index(cell) > 0)
			appendStringInfoChar(&text, ',');
		json_container(&text, lfirst(cell));
	}
	json_literal(&text, "]}");
	schema_errors_init(&errors);
	schema = schema_compile(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data))), &options, CurrentMemoryContext, &errors);
	if (schema == NULL)
		return enough;
	for (uint32 i = 0; i < JsonContainerSize(values) && count < enough; i++)
	{
		const char *fault = NULL;

		CHECK_FOR_INTERRUPTS();
		count += schema_holds(schema, json_value_to_jsonb(getIthJsonbValueFromContainer(unconstify(JsonbContainer *, values), i)), &fault) || fault;
	}
	schema_free(schema);
	return count;
}

/* The values that the parts list, or that boolean and null have; NULL when there are too many. */
static const JsonbContainer *
listed_values(const Parts *parts, int types)
{
	static const char *const few[] = {"[]", "[null]", "[true,false]", "[null,true,false]"};
	ListCell   *cell;
	JsonbValue	value;

	foreach(cell, parts->schemas)
	{
		const JsonbContainer *list = member_container(lfirst(cell), "enum", true);

		if (list)
			return list;
		if (json_member(lfirst(cell), "const", 5, &value))
		{
			StringInfoData text;

			initStringInfo(&text);
			appendStringInfoChar(&text, '[');
			json_jsonb_value(&text, &value);
			appendStringInfoChar(&text, ']');
			return &DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)))->root;
		}
	}
	if (types & ~(TYPE_NULL | TYPE_BOOLEAN))
		return NULL;
	return &DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(few[types])))->root;
}

/* Whether the parts, with the choices from one on, can hold together. */
static bool
choice_is_possible(Search *search, const Parts *parts, int depth)
{
	const JsonbContainer *branches = linitial(parts->choices);

	for (uint32 i = 0; i < JsonContainerSize(branches); i++)
	{
		Parts		tried = *parts;

		tried.schemas = list_copy(parts->schemas);
		tried.choices = list_copy_tail(parts->choices, 1);
		add_part(search, &tried, getIthJsonbValueFromContainer(unconstify(JsonbContainer *, branches), i), 0);
		if (is_possible(search, &tried, depth + 1))
			return true;
	}
	return false;
}

/* The types that all parts leave. */
static int
types_left(const Parts *parts)
{
	int			types = TYPE_ANY;
	ListCell   *cell;

	foreach(cell, parts->schemas)
		types &= types_of(lfirst(cell));
	return types;
}

static bool
is_possible(Search *search, Parts *parts, int depth)
{
	int			types = types_left(parts);
	const JsonbContainer *values;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (parts->never)
		return false;
	if (++search->steps > MAX_STEPS || depth > MAX_DEPTH)
		return true;
	if (types & TYPE_INTEGER && no_integer(parts))
		types &= ~TYPE_INTEGER;
	if (limits_cross(parts, "minimum", "maximum", false) || limits_cross(parts, "exclusiveMinimum", "maximum", true) ||
		limits_cross(parts, "minimum", "exclusiveMaximum", true) || limits_cross(parts, "exclusiveMinimum", "exclusiveMaximum", true) ||
		no_multiple(parts))
		types &= ~(TYPE_INTEGER | TYPE_FRACTION);
	if (types & TYPE_STRING && !string_is_possible(search, parts))
		types &= ~TYPE_STRING;
	if (types & TYPE_ARRAY && !array_is_possible(search, parts, depth))
		types &= ~TYPE_ARRAY;
	if (types & TYPE_OBJECT && !object_is_possible(search, parts, depth))
		types &= ~TYPE_OBJECT;
	if (types == 0)
		return false;
	values = parts->has_reference ? NULL : listed_values(parts, types);
	if (values)
		return holding(search, parts, values, 1) > 0;
	return parts->choices == NIL || choice_is_possible(search, parts, depth);
}

bool
satisfiable_schema(Jsonb *schema, const JsonbContainer *root)
{
	Search		search = {.root = root};
	Parts		parts = {0};
	JsonbValue	value = {.type = jbvBinary,.val.binary = {VARSIZE(schema) - VARHDRSZ, &schema->root}};

	if (!JB_ROOT_IS_OBJECT(schema))
		return true;
	add_part(&search, &parts, &value, 0);
	return is_possible(&search, &parts, 0);
}
