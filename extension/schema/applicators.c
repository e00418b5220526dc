/*
 * applicators.c
 *	  The keywords that apply other schemas to a value or to what it holds (JSON Schema 2020-12, Core section 10), references, and
 *	  those of names that stand in one table with them.
 */
#include "base/compat.h"

#include "schema/applicators.h"
#include "schema/uri.h"

void
applicator_schema(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	*(NodeIndex *) target = compiler_request_node(compiler, value, building->node.resource, building_location(building, keyword->name));
}

void
applicator_additional(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type == VALUE_BOOLEAN && !value->truth)
		building_object(building)->closed = true;
	applicator_schema(compiler, building, keyword, value, target);
}

void
applicator_branches(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaBranches *branches = target;
	const Place *location;
	ValueWalk	walk;

	if (value->type != VALUE_ARRAY || VALUE_COUNT(value) == 0)
	{
		building_fault(compiler, building, keyword->name, "must be an array of at least one schema");
		return;
	}
	walk = value_walk(VALUE_CONTAINER(value), 0);
	branches->nodes = palloc(sizeof(NodeIndex) * VALUE_COUNT(value));
	location = building_location(building, keyword->name);
	for (uint32 i = 0; i < VALUE_COUNT(value); i++)
	{
		Value		item;

		value_next(&walk, &item);
		branches->nodes[branches->count++] =
			compiler_request_node(compiler, &item, building->node.resource, place_index(location, i));
	}
}

void
applicator_prefix(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaBranches branches = {0};

	applicator_branches(compiler, building, keyword, value, &branches);
	building_array(building)->prefix_count = branches.count;
	building_array(building)->prefix = branches.nodes;
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

/* Noted here, and made one table by applicator_finish_properties. */
void
applicator_required(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (is_string_array(value))
		building->required = *value;
	else
		building_fault(compiler, building, "required", "must be an array of strings");
}

void
applicator_properties(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	if (value->type == VALUE_OBJECT)
		building->properties = *value;
	else
		building_fault(compiler, building, "properties", "must be an object of schemas");
}

void
applicator_patterns(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaObjectRules *rules = building_object(building);
	const Place *around = building_location(building, keyword->name);
	ValueWalk	names;
	ValueWalk	values;

	if (value->type != VALUE_OBJECT)
	{
		building_fault(compiler, building, keyword->name, "must be an object of schemas");
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
		regex = building_regex(compiler, location, keyword->name, &name);
		if (regex)
			rules->patterns[rules->pattern_count++] =
				(SchemaPattern) {regex, compiler_request_node(compiler, &item, building->node.resource, location)};
	}
}

/* dependentSchemas, dependentRequired, and "dependencies" of before 2019-09, which is both. */
void
applicator_dependencies(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	SchemaObjectRules *rules = building_object(building);
	bool		schemas = strcmp(keyword->name, "dependentRequired") != 0;
	bool		names = strcmp(keyword->name, "dependentSchemas") != 0;
	uint32		count = value->type == VALUE_OBJECT ? VALUE_COUNT(value) : 0;
	const Place *around = building_location(building, keyword->name);
	ValueWalk	keys;
	ValueWalk	values;

	if (value->type != VALUE_OBJECT)
	{
		building_fault(compiler, building, keyword->name, "must be an object");
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

void
applicator_reference(Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target)
{
	Value		schema;
	int			resource;
	const Place *location;
	char	   *reference;
	const char *name;
	const SchemaAnchor *anchor;

	if (value->type != VALUE_STRING)
	{
		building_fault(compiler, building, keyword->name, "must be a string");
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

static int
compare_properties(const void *left, const void *right)
{
	const SchemaProperty *a = left;
	const SchemaProperty *b = right;

	return value_compare_keys(a->name, a->length, b->name, b->length);
}

/* One table of "properties" and "required", in the order of keys in jsonb. */
void
applicator_finish_properties(Compiler *compiler, Building *building)
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
	rules = building_object(building);
	location = building_location(building, "properties");
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
