/*
 * validate.c
 *	  Walking a jsonb with a compiled schema.
 *
 * The path of the place is built only for a violation's sake: it is a stack of
 * steps on the C stack, written out when something is wrong.
 */
#include "compat.h"

#include "json.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "schema/node.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

typedef struct Place
{
	const struct Place *parent;
	const char *key;			/* NULL: an index */
	int			key_length;
	uint32		index;
} Place;

typedef struct Walk
{
	const Schema *schema;
	SchemaErrors *errors;		/* NULL: the first violation ends it */
} Walk;

static bool check(Walk *walk, const SchemaNode *node, const JsonbValue *value, const Place *place);

static void
write_place(StringInfo out, const Place *place)
{
	if (place == NULL)
		return;
	write_place(out, place->parent);
	if (place->key)
		json_pointer_append(out, place->key, place->key_length);
	else
		appendStringInfo(out, "/%u", place->index);
}

/* Record a violation; gives false, so that a check can return it. */
static bool
violate(Walk *walk, const Place *place, const char *keyword, const char *message)
{
	StringInfoData path;

	if (walk->errors == NULL)
		return false;
	initStringInfo(&path);
	write_place(&path, place);
	schema_add(walk->errors, path.data, keyword, keyword, "%s", message);
	return false;
}

static bool
is_integer(Numeric number)
{
	return DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(number),
											DirectFunctionCall2(numeric_trunc, NumericGetDatum(number), Int32GetDatum(0))));
}

static uint32
type_of(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return SCHEMA_NULL;
		case jbvBool:
			return SCHEMA_BOOLEAN;
		case jbvString:
			return SCHEMA_STRING;
		case jbvNumeric:
			return SCHEMA_NUMBER;
		default:
			return JsonContainerIsObject(value->val.binary.data) ? SCHEMA_OBJECT : SCHEMA_ARRAY;
	}
}

static const char *
type_words(uint32 types)
{
	static const char *const words[] = {"null", "a boolean", "a string", "a number", "an integer", "an array", "an object"};
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < (int) lengthof(words); i++)
	{
		if (!(types & (1u << i)))
			continue;
		if (out.len > 0)
			json_literal(&out, " or ");
		appendStringInfoString(&out, words[i]);
	}
	return out.data;
}

static bool
check_type(Walk *walk, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	uint32		type = type_of(value);

	if (node->types == 0 || (node->types & type) ||
		(type == SCHEMA_NUMBER && (node->types & SCHEMA_INTEGER) && is_integer(value->val.numeric)))
		return true;
	return violate(walk, place, "type", psprintf("must be %s, not %s", type_words(node->types), type_words(type)));
}

static bool
check_enumeration(Walk *walk, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	for (uint32 i = 0; i < JsonContainerSize(&node->enumeration->root); i++)
		if (json_values_equal(getIthJsonbValueFromContainer(&node->enumeration->root, i), value))
			return true;
	return violate(walk, place, "enum", psprintf("must be one of %s", node->enumeration_text));
}

static bool
check_string(Walk *walk, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	const char *text = value->val.string.val;
	int			length = value->val.string.len;
	bool		holds = true;

	if (node->min_length >= 0 || node->max_length >= 0)
	{
		int64		characters = pg_mbstrlen_with_len(text, length);

		if (node->min_length > characters)
			holds = violate(walk, place, "minLength", node->min_length == 1 ? "must not be empty" :
							psprintf("must be at least " INT64_FORMAT " characters (has " INT64_FORMAT ")", node->min_length, characters));
		if (node->max_length >= 0 && node->max_length < characters)
			holds = violate(walk, place, "maxLength", psprintf("must be at most " INT64_FORMAT " characters (has " INT64_FORMAT ")",
															   node->max_length, characters));
	}
	if (node->pattern && pcre2_match(node->pattern, (PCRE2_SPTR) text, length, 0, PCRE2_NO_UTF_CHECK,
									 walk->schema->match_data, walk->schema->match) < 0)
		holds = violate(walk, place, "pattern", psprintf("must match the pattern %s", node->pattern_text));
	if (node->format && walk->schema->assert_formats && !schema_format_holds(node->format, text, length))
		holds = violate(walk, place, "format", psprintf("must be a valid %s", node->format));
	return holds;
}

static bool
compares(PGFunction function, Numeric left, Numeric right)
{
	return DatumGetBool(DirectFunctionCall2(function, NumericGetDatum(left), NumericGetDatum(right)));
}

static const char *
number_text(Numeric number)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
}

static bool
check_number(Walk *walk, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	Numeric		number = value->val.numeric;
	bool		holds = true;

	if (node->minimum && compares(numeric_lt, number, node->minimum))
		holds = violate(walk, place, "minimum", psprintf("must be at least %s", number_text(node->minimum)));
	if (node->maximum && compares(numeric_gt, number, node->maximum))
		holds = violate(walk, place, "maximum", psprintf("must be at most %s", number_text(node->maximum)));
	if (node->exclusive_minimum && compares(numeric_le, number, node->exclusive_minimum))
		holds = violate(walk, place, "exclusiveMinimum", psprintf("must be greater than %s", number_text(node->exclusive_minimum)));
	if (node->exclusive_maximum && compares(numeric_ge, number, node->exclusive_maximum))
		holds = violate(walk, place, "exclusiveMaximum", psprintf("must be less than %s", number_text(node->exclusive_maximum)));
	if (node->multiple_of &&
		!is_integer(DatumGetNumeric(DirectFunctionCall2(numeric_div, NumericGetDatum(number), NumericGetDatum(node->multiple_of)))))
		holds = violate(walk, place, "multipleOf", psprintf("must be a multiple of %s", number_text(node->multiple_of)));
	return holds;
}

static const SchemaProperty *
find_property(const SchemaNode *node, const JsonbValue *key)
{
	for (int i = 0; i < node->property_count; i++)
		if (node->properties[i].length == key->val.string.len &&
			memcmp(node->properties[i].name, key->val.string.val, key->val.string.len) == 0)
			return &node->properties[i];
	return NULL;
}

static bool
check_object(Walk *walk, const SchemaNode *node, const JsonbValue *object, const Place *place)
{
	JsonbIterator *iterator;
	JsonbValue	key;
	JsonbValue	value;
	JsonbIteratorToken token;
	bool		holds = true;

	for (int i = 0; i < node->required_count; i++)
	{
		Place		missing = {place, node->required[i], strlen(node->required[i]), 0};

		if (!json_member(object->val.binary.data, node->required[i], missing.key_length, &value))
			holds = violate(walk, &missing, "required", "is required");
	}
	if (node->property_count == 0 && !node->closed)
		return holds;
	iterator = JsonbIteratorInit(object->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE && (holds || walk->errors))
	{
		const SchemaProperty *property;
		Place		member;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		property = find_property(node, &key);
		member = (Place) {place, key.val.string.val, key.val.string.len, 0};
		if (property)
			holds &= check(walk, property->node, &value, &member);
		else if (node->closed)
			holds = violate(walk, &member, "additionalProperties", "is not a known member");
	}
	return holds;
}

static bool
has_twin(const JsonbContainer *array, uint32 index, const JsonbValue *value)
{
	for (uint32 i = 0; i < index; i++)
		if (json_values_equal(getIthJsonbValueFromContainer(unconstify(JsonbContainer *, array), i), value))
			return true;
	return false;
}

static bool
check_array(Walk *walk, const SchemaNode *node, const JsonbValue *array, const Place *place)
{
	uint32		count = JsonContainerSize(array->val.binary.data);
	bool		holds = true;

	if (node->min_items > (int64) count)
		holds = violate(walk, place, "minItems", psprintf("must have at least " INT64_FORMAT " items", node->min_items));
	if (node->max_items >= 0 && node->max_items < (int64) count)
		return violate(walk, place, "maxItems", psprintf("must have at most " INT64_FORMAT " items (has %u)", node->max_items, count));
	for (uint32 i = 0; i < count && (holds || walk->errors); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(array->val.binary.data, i);
		Place		element = {place, NULL, 0, i};

		CHECK_FOR_INTERRUPTS();
		if (node->items)
			holds &= check(walk, node->items, item, &element);
		if (node->unique_items && has_twin(array->val.binary.data, i, item))
			holds = violate(walk, &element, "uniqueItems", "is there twice");
	}
	return holds;
}

static bool
check_alternatives(Walk *walk, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	Walk		silent = {walk->schema, NULL};
	bool		holds = true;

	for (int i = 0; i < node->all_count; i++)
		holds &= check(walk, node->all[i], value, place);
	if (node->any_count == 0)
		return holds;
	for (int i = 0; i < node->any_count; i++)
		if (check(&silent, node->any[i], value, place))
			return holds;
	return violate(walk, place, "anyOf", "has none of the forms that are allowed");
}

static bool
check(Walk *walk, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	bool		holds;

	check_stack_depth();
	if (node->never)
		return violate(walk, place, "false", "is not allowed");
	/* a value of the wrong type says nothing about the rest */
	if (!check_type(walk, node, value, place))
		return false;
	holds = node->enumeration == NULL || check_enumeration(walk, node, value, place);
	switch (value->type)
	{
		case jbvString:
			holds &= check_string(walk, node, value, place);
			break;
		case jbvNumeric:
			holds &= check_number(walk, node, value, place);
			break;
		case jbvBinary:
			holds &= JsonContainerIsObject(value->val.binary.data) ? check_object(walk, node, value, place) :
				check_array(walk, node, value, place);
			break;
		default:
			break;
	}
	if (node->all_count > 0 || node->any_count > 0)
		holds &= check_alternatives(walk, node, value, place);
	return holds;
}

bool
schema_validate(const Schema *schema, Jsonb *instance, SchemaErrors *errors)
{
	Walk		walk = {schema, errors};
	JsonbValue	root;

	JsonbToJsonbValue(instance, &root);
	if (JB_ROOT_IS_SCALAR(instance))
		JsonbExtractScalar(&instance->root, &root);
	return check(&walk, schema->root, &root, NULL);
}
