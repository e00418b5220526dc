/*
 * keywords.c
 *	  What each keyword compiles to.
 */
#include "base/compat.h"

#include "miscadmin.h"
#include "schema/format.h"
#include "schema/keywords.h"
#include "schema/uri.h"

#define ENUM_TEXT_BYTES 300

/* A node under construction. */
typedef struct Building
{
	SchemaNode	node;
	Value		schema;
	Value		required;
	Value		properties;
	bool		asserts_formats;
} Building;

typedef struct Keyword Keyword;

typedef enum Group
{
	IN_NODE, IN_STRING, IN_NUMBER, IN_ARRAY, IN_OBJECT
} Group;

struct Keyword
{
	const char *name;
	uint32		vocabulary;
	Group		group;
	size_t		offset;
	void		(*compile) (Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);
};

static void
fault(Compiler *compiler, const Building *building, const char *keyword, const char *message)
{
	schema_fault(compiler->faults, building->node.location, keyword, keyword, "%s", message);
}

static const Place *
location_of(const Building *building, const char *keyword)
{
	return place_key(building->node.location, keyword, strlen(keyword));
}

static SchemaObjectRules *
object_rules(Building *building)
{
	if (building->node.object == NULL)
	{
		building->node.object = palloc0(sizeof(SchemaObjectRules));
		building->node.object->additional = building->node.object->names = NO_NODE;
		building->node.object->maximum = -1;
	}
	return building->node.object;
}

static SchemaArrayRules *
array_rules(Building *building)
{
	if (building->node.array == NULL)
	{
		building->node.array = palloc0(sizeof(SchemaArrayRules));
		building->node.array->items = building->node.array->contains = NO_NODE;
		building->node.array->contains_minimum = 1;
		building->node.array->maximum = building->node.array->contains_maximum = -1;
	}
	return building->node.array;
}

static SchemaStringRules *
string_rules(Building *building)
{
	if (building->node.string == NULL)
	{
		building->node.string = palloc0(sizeof(SchemaStringRules));
		building->node.string->maximum = -1;
	}
	return building->node.string;
}

static void *
group_of(Building *building, Group group)
{
	switch (group)
	{
		case IN_STRING:
			return string_rules(building);
		case IN_NUMBER:
			if (building->node.number == NULL)
				building->node.number = palloc0(sizeof(SchemaNumberRules));
			return building->node.number;
		case IN_ARRAY:
			return array_rules(building);
		case IN_OBJECT:
			return object_rules(building);
		default:
			return &building->node;
	}
}

static void
compile_type(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	static const char *const names[] = {"null", "boolean", "string", "number", "integer", "array", "object"};
	uint32		count = value->type == VALUE_ARRAY ? VALUE_COUNT(value) : 1;

	for (uint32 i = 0; i < count; i++)
	{
		Value		name = *value;
		bool		known = false;

		if (value->type == VALUE_ARRAY)
			value_item(value, i, &name);
		for (int j = 0; j < (int) lengthof(names) && name.type == VALUE_STRING; j++)
			if (strlen(names[j]) == name.length && memcmp(names[j], name.data, name.length) == 0)
			{
				building->node.types |= 1 << j;
				known = true;
			}
		if (!known)
			fault(compiler, building, "type", "must be of null, boolean, string, number, integer, array and object");
	}
	if (count == 0)
		fault(compiler, building, "type", "must name at least one type");
}

static int
compare_values(const void *left, const void *right)
{
	return value_compare(left, right);
}

static char *
shown_value(const Value *value)
{
	char	   *text = value_text(value);

	return schema_shown(text, strlen(text));
}

/* "low, medium, high": strings as they are, other values as JSON. */
static const char *
enum_text(const Value *values, int count)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(&out, ", ");
		if (out.len > ENUM_TEXT_BYTES)
		{
			appendStringInfo(&out, "and %d more", count - i);
			break;
		}
		if (values[i].type == VALUE_STRING)
			appendStringInfoString(&out, schema_shown(values[i].data, values[i].length));
		else
			appendStringInfoString(&out, shown_value(&values[i]));
	}
	return out.data;
}

static void
compile_enum(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaEnum *enumeration;
	ValueWalk	walk;

	if (value->type != VALUE_ARRAY)
	{
		fault(compiler, building, "enum", "must be an array");
		return;
	}
	enumeration = palloc0(sizeof(SchemaEnum));
	enumeration->count = VALUE_COUNT(value);
	enumeration->values = palloc_extended(sizeof(Value) * Max(enumeration->count, 1), MCXT_ALLOC_HUGE);
	walk = value_walk(VALUE_CONTAINER(value), 0);
	for (int i = 0; i < enumeration->count; i++)
	{
		value_next(&walk, &enumeration->values[i]);
		enumeration->string_count += enumeration->values[i].type == VALUE_STRING;
	}
	enumeration->text = enum_text(enumeration->values, enumeration->count);
	qsort(enumeration->values, enumeration->count, sizeof(Value), compare_values);
	*(const SchemaEnum **) target = enumeration;
}

static void
compile_const(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaEnum *constant = palloc0(sizeof(SchemaEnum));

	constant->count = 1;
	constant->string_count = value->type == VALUE_STRING;
	constant->values = palloc(sizeof(Value));
	constant->values[0] = *value;
	constant->text = enum_text(value, 1);
	*(const SchemaEnum **) target = constant;
}

/* A length or a count: an integer of at least 0; huge ones are as good as the greatest. */
static void
compile_count(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	int64		scaled;

	if (value->type != VALUE_NUMBER || !value_is_integer(value) ||
		(value_scaled(value, &scaled) ? scaled < 0 : value_text(value)[0] == '-'))
		fault(compiler, building, keyword->name, "must be an integer of at least 0");
	else
		*(int64 *) target = value_scaled(value, &scaled) ? scaled / 100000000 : PG_INT64_MAX;
}

static void
compile_bound(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaBound *bound = target;

	if (value->type != VALUE_NUMBER)
	{
		fault(compiler, building, keyword->name, "must be a number");
		return;
	}
	bound->given = true;
	bound->value = *value;
	bound->is_scaled = value_scaled(value, &bound->scaled);
}

static void
compile_multiple(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaBound *bound = target;

	compile_bound(compiler, building, keyword, value, target);
	if (bound->given && (bound->is_scaled ? bound->scaled <= 0 : value_text(value)[0] == '-'))
	{
		bound->given = false;
		fault(compiler, building, keyword->name, "must be a number greater than 0");
	}
}

static Regex *
compile_regex(Compiler *compiler, const Place *location, const char *keyword, const Value *pattern)
{
	Schema	   *schema = compiler->schema;
	char	   *message;
	Regex	   *regex;

	CHECK_FOR_INTERRUPTS();
	if (schema->regex_bytes > SCHEMA_MAX_REGEX_BYTES)
	{
		schema_fault(compiler->faults, location, NULL, keyword, "the patterns together take more than %d MB compiled",
					 SCHEMA_MAX_REGEX_BYTES / (1024 * 1024));
		return NULL;
	}
	regex = regex_compile(pattern->data, pattern->length, schema->context, &message);
	if (regex == NULL)
		schema_fault(compiler->faults, location, NULL, keyword, "is no regular expression of ECMA-262: %s", message);
	else
		schema->regex_bytes += regex_size(regex);
	return regex;
}

static void
compile_pattern(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type != VALUE_STRING)
	{
		fault(compiler, building, "pattern", "must be a string");
		return;
	}
	string_rules(building)->pattern = compile_regex(compiler, location_of(building, "pattern"), "pattern", value);
	string_rules(building)->pattern_text = schema_shown(value->data, value->length);
}

static void
compile_format(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type != VALUE_STRING)
		fault(compiler, building, "format", "must be a string");
	else if (building->asserts_formats)
	{
		string_rules(building)->format = pnstrdup(value->data, value->length);
		string_rules(building)->format_holds = format_find(string_rules(building)->format, &string_rules(building)->format_steps);
		string_rules(building)->wanted = format_wanted(string_rules(building)->format);
	}
}

static void
compile_unique(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type != VALUE_BOOLEAN)
		fault(compiler, building, "uniqueItems", "must be true or false");
	else
		*(bool *) target = value->truth;
}

static void
compile_schema(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	*(NodeIndex *) target = compiler_request_node(compiler, value, building->node.resource, location_of(building, keyword->name));
}

static void
compile_additional(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type == VALUE_BOOLEAN && !value->truth)
		object_rules(building)->closed = true;
	compile_schema(compiler, building, keyword, value, target);
}

static void
compile_branches(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaBranches *branches = target;
	const Place *location;
	ValueWalk	walk;

	if (value->type != VALUE_ARRAY || VALUE_COUNT(value) == 0)
	{
		fault(compiler, building, keyword->name, "must be an array of at least one schema");
		return;
	}
	walk = value_walk(VALUE_CONTAINER(value), 0);
	branches->nodes = palloc(sizeof(NodeIndex) * VALUE_COUNT(value));
	location = location_of(building, keyword->name);
	for (uint32 i = 0; i < VALUE_COUNT(value); i++)
	{
		Value		item;

		value_next(&walk, &item);
		branches->nodes[branches->count++] =
			compiler_request_node(compiler, &item, building->node.resource, place_index(location, i));
	}
}

static void
compile_prefix(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaBranches branches = {0};

	compile_branches(compiler, building, keyword, value, &branches);
	array_rules(building)->prefix_count = branches.count;
	array_rules(building)->prefix = branches.nodes;
}

static bool
is_string_array(const Value *value)
{
	Value		item;

	for (uint32 i = 0; value->type == VALUE_ARRAY && i < VALUE_COUNT(value); i++)
		if (!value_item(value, i, &item) || item.type != VALUE_STRING)
			return false;
	return value->type == VALUE_ARRAY;
}

/* Noted here, and made one table by finish_properties. */
static void
compile_required(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (is_string_array(value))
		building->required = *value;
	else
		fault(compiler, building, "required", "must be an array of strings");
}

static void
compile_properties(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type == VALUE_OBJECT)
		building->properties = *value;
	else
		fault(compiler, building, "properties", "must be an object of schemas");
}

static void
compile_patterns(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaObjectRules *rules = object_rules(building);
	const Place *around = location_of(building, keyword->name);
	ValueWalk	names;
	ValueWalk	values;

	if (value->type != VALUE_OBJECT)
	{
		fault(compiler, building, keyword->name, "must be an object of schemas");
		return;
	}
	names = value_walk(VALUE_CONTAINER(value), 0);
	values = value_walk(VALUE_CONTAINER(value), VALUE_COUNT(value));
	rules->patterns = palloc(sizeof(SchemaPattern) * Max(VALUE_COUNT(value), 1));
	for (uint32 i = 0; i < VALUE_COUNT(value); i++)
	{
		Value		name;
		Value		item;
		const Place *location;
		Regex	   *regex;

		value_next(&names, &name);
		value_next(&values, &item);
		location = place_key(around, name.data, name.length);
		regex = compile_regex(compiler, location, keyword->name, &name);
		if (regex)
			rules->patterns[rules->pattern_count++] =
				(SchemaPattern) {regex, compiler_request_node(compiler, &item, building->node.resource, location)};
	}
}

/* dependentSchemas, dependentRequired, and "dependencies" of before 2019-09, which is both. */
static void
compile_dependencies(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaObjectRules *rules = object_rules(building);
	bool		schemas = strcmp(keyword->name, "dependentRequired") != 0;
	bool		names = strcmp(keyword->name, "dependentSchemas") != 0;
	uint32		count = value->type == VALUE_OBJECT ? VALUE_COUNT(value) : 0;
	const Place *around = location_of(building, keyword->name);
	ValueWalk	keys;
	ValueWalk	values;

	if (value->type != VALUE_OBJECT)
	{
		fault(compiler, building, keyword->name, "must be an object");
		return;
	}
	keys = value_walk(VALUE_CONTAINER(value), 0);
	values = value_walk(VALUE_CONTAINER(value), count);
	rules->dependencies = rules->dependencies ?
		repalloc(rules->dependencies, sizeof(SchemaDependency) * (rules->dependency_count + count + 1)) :
		palloc(sizeof(SchemaDependency) * (count + 1));
	for (uint32 i = 0; i < count; i++)
	{
		SchemaDependency dependency = {.keyword = keyword->name,.node = NO_NODE};
		Value		item;
		const Place *location;

		value_next(&keys, &dependency.name);
		value_next(&values, &item);
		location = place_key(around, dependency.name.data, dependency.name.length);
		if (names && is_string_array(&item))
		{
			dependency.count = VALUE_COUNT(&item);
			dependency.names = palloc(sizeof(Value) * Max(dependency.count, 1));
			for (int j = 0; j < dependency.count; j++)
				value_item(&item, j, &dependency.names[j]);
		}
		else if (schemas)
			dependency.node = compiler_request_node(compiler, &item, building->node.resource, location);
		else
			schema_fault(compiler->faults, location, NULL, keyword->name, "must be an array of strings");
		rules->dependencies[rules->dependency_count++] = dependency;
	}
}

static void
compile_reference(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	Value		schema;
	int			resource;
	const Place *location;
	char	   *reference;
	const char *name;
	const SchemaAnchor *anchor;

	if (value->type != VALUE_STRING)
	{
		fault(compiler, building, keyword->name, "must be a string");
		return;
	}
	reference = pnstrdup(value->data, value->length);
	if (!resources_resolve(compiler->resources, building->node.resource, reference, building->node.location, keyword->name,
						   &schema, &resource, &location))
		return;
	*(NodeIndex *) target = compiler_request_node(compiler, &schema, resource, location);
	name = strchr(reference, '#');
	if (strcmp(keyword->name, "$dynamicRef") != 0 || name == NULL || name[1] == '/' || name[1] == '\0')
		return;
	anchor = resources_anchor(compiler->resources, resource, name + 1);
	if (anchor == NULL || !anchor->dynamic)
		return;
	building->node.dynamic_name = resources_use_dynamic_name(compiler->resources, anchor->name.text);
	compiler->schema->is_dynamic = true;
}

#define NODE(member) IN_NODE, offsetof(SchemaNode, member)
#define STRING(member) IN_STRING, offsetof(SchemaStringRules, member), compile_count
#define BOUND(member) IN_NUMBER, offsetof(SchemaNumberRules, member)
#define ARRAY(member) IN_ARRAY, offsetof(SchemaArrayRules, member)
#define OBJECT(member) IN_OBJECT, offsetof(SchemaObjectRules, member)

static const Keyword keywords[] = {
	{"$ref", VOCABULARY_CORE, NODE(reference), compile_reference},
	{"$dynamicRef", VOCABULARY_CORE, NODE(dynamic_reference), compile_reference},
	{"type", VOCABULARY_VALIDATION, NODE(types), compile_type},
	{"enum", VOCABULARY_VALIDATION, NODE(enumeration), compile_enum},
	{"const", VOCABULARY_VALIDATION, NODE(constant), compile_const},
	{"minLength", VOCABULARY_VALIDATION, STRING(minimum)},
	{"maxLength", VOCABULARY_VALIDATION, STRING(maximum)},
	{"pattern", VOCABULARY_VALIDATION, IN_NODE, 0, compile_pattern},
	{"format", VOCABULARY_FORMAT, IN_NODE, 0, compile_format},
	{"minimum", VOCABULARY_VALIDATION, BOUND(minimum), compile_bound},
	{"maximum", VOCABULARY_VALIDATION, BOUND(maximum), compile_bound},
	{"exclusiveMinimum", VOCABULARY_VALIDATION, BOUND(exclusive_minimum), compile_bound},
	{"exclusiveMaximum", VOCABULARY_VALIDATION, BOUND(exclusive_maximum), compile_bound},
	{"multipleOf", VOCABULARY_VALIDATION, BOUND(multiple_of), compile_multiple},
	{"minItems", VOCABULARY_VALIDATION, ARRAY(minimum), compile_count},
	{"maxItems", VOCABULARY_VALIDATION, ARRAY(maximum), compile_count},
	{"uniqueItems", VOCABULARY_VALIDATION, ARRAY(unique), compile_unique},
	{"prefixItems", VOCABULARY_APPLICATOR, IN_NODE, 0, compile_prefix},
	{"items", VOCABULARY_APPLICATOR, ARRAY(items), compile_schema},
	{"contains", VOCABULARY_APPLICATOR, ARRAY(contains), compile_schema},
	{"minContains", VOCABULARY_VALIDATION, ARRAY(contains_minimum), compile_count},
	{"maxContains", VOCABULARY_VALIDATION, ARRAY(contains_maximum), compile_count},
	{"minProperties", VOCABULARY_VALIDATION, OBJECT(minimum), compile_count},
	{"maxProperties", VOCABULARY_VALIDATION, OBJECT(maximum), compile_count},
	{"required", VOCABULARY_VALIDATION, IN_NODE, 0, compile_required},
	{"properties", VOCABULARY_APPLICATOR, IN_NODE, 0, compile_properties},
	{"patternProperties", VOCABULARY_APPLICATOR, IN_NODE, 0, compile_patterns},
	{"additionalProperties", VOCABULARY_APPLICATOR, OBJECT(additional), compile_additional},
	{"propertyNames", VOCABULARY_APPLICATOR, OBJECT(names), compile_schema},
	{"dependentRequired", VOCABULARY_VALIDATION, IN_NODE, 0, compile_dependencies},
	{"dependentSchemas", VOCABULARY_APPLICATOR, IN_NODE, 0, compile_dependencies},
	{"dependencies", VOCABULARY_APPLICATOR, IN_NODE, 0, compile_dependencies},
	{"allOf", VOCABULARY_APPLICATOR, NODE(all), compile_branches},
	{"anyOf", VOCABULARY_APPLICATOR, NODE(any), compile_branches},
	{"oneOf", VOCABULARY_APPLICATOR, NODE(one), compile_branches},
	{"not", VOCABULARY_APPLICATOR, NODE(negated), compile_schema},
	{"if", VOCABULARY_APPLICATOR, NODE(condition), compile_schema},
	{"then", VOCABULARY_APPLICATOR, NODE(consequence), compile_schema},
	{"else", VOCABULARY_APPLICATOR, NODE(alternative), compile_schema},
	{"unevaluatedItems", VOCABULARY_UNEVALUATED, NODE(unevaluated_items), compile_schema},
	{"unevaluatedProperties", VOCABULARY_UNEVALUATED, NODE(unevaluated_properties), compile_schema},
};

static int
compare_properties(const void *left, const void *right)
{
	const SchemaProperty *a = left;
	const SchemaProperty *b = right;

	return value_compare_keys(a->name, a->length, b->name, b->length);
}

/* One table of "properties" and "required", in the order of keys in jsonb. */
static void
finish_properties(Compiler *compiler, Building *building)
{
	uint32		named = building->properties.type ? VALUE_COUNT(&building->properties) : 0;
	uint32		required = building->required.type ? VALUE_COUNT(&building->required) : 0;
	SchemaObjectRules *rules;
	const Place *location;
	ValueWalk	names;
	ValueWalk	values;
	int			kept = 0;

	if (named + required == 0)
		return;
	rules = object_rules(building);
	location = location_of(building, "properties");
	rules->properties = palloc_extended(sizeof(SchemaProperty) * (named + required), MCXT_ALLOC_HUGE);
	if (named > 0)
	{
		names = value_walk(VALUE_CONTAINER(&building->properties), 0);
		values = value_walk(VALUE_CONTAINER(&building->properties), named);
	}
	for (uint32 i = 0; i < named; i++)
	{
		Value		name;
		Value		schema;

		value_next(&names, &name);
		value_next(&values, &schema);
		rules->properties[i] = (SchemaProperty)
		{
			name.data, name.length,
			compiler_request_node(compiler, &schema, building->node.resource, place_key(location, name.data, name.length)), false
		};
	}
	for (uint32 i = 0; i < required; i++)
	{
		Value		name;

		value_item(&building->required, i, &name);
		rules->properties[named + i] = (SchemaProperty) {name.data, name.length, NO_NODE, true};
	}
	qsort(rules->properties, named + required, sizeof(SchemaProperty), compare_properties);
	for (uint32 i = 1; i < named + required; i++)
	{
		SchemaProperty *last = &rules->properties[kept];

		if (compare_properties(last, &rules->properties[i]) != 0)
			rules->properties[++kept] = rules->properties[i];
		else
		{
			last->required |= rules->properties[i].required;
			last->node = last->node == NO_NODE ? rules->properties[i].node : last->node;
		}
	}
	rules->property_count = kept + 1;
}

void
keywords_compile(Compiler *compiler, const Work *work, uint32 vocabularies)
{
	Building	building = {.node = compiler->schema->nodes[work->node],.schema = work->value};
	uint32		count = VALUE_COUNT(&work->value);
	ValueWalk	names = value_walk(VALUE_CONTAINER(&work->value), 0);
	ValueWalk	values = value_walk(VALUE_CONTAINER(&work->value), count);
	SchemaNode *node = &building.node;

	CHECK_FOR_INTERRUPTS();
	building.asserts_formats = compiler->assert_formats || (vocabularies & VOCABULARY_FORMAT_ASSERTION);
	for (uint32 i = 0; i < count; i++)
	{
		Value		name;
		Value		value;

		value_next(&names, &name);
		value_next(&values, &value);
		for (int j = 0; j < (int) lengthof(keywords); j++)
		{
			const Keyword *keyword = &keywords[j];

			if (strlen(keyword->name) != name.length || memcmp(keyword->name, name.data, name.length) != 0)
				continue;
			if ((keyword->vocabulary & ~vocabularies) == 0)
				keyword->compile(compiler, &building, keyword, &value, (char *) group_of(&building, keyword->group) + keyword->offset);
			break;
		}
	}
	finish_properties(compiler, &building);
	if (node->condition == NO_NODE)
		node->consequence = node->alternative = NO_NODE;
	node->in_place = node->all.count + node->any.count + node->one.count > 0 || node->negated != NO_NODE ||
		node->condition != NO_NODE || node->reference != NO_NODE || node->dynamic_reference != NO_NODE;
	compiler->schema->nodes[work->node] = *node;
}
