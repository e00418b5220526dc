/*
 * building.c
 *	  A node of a schema while its keywords fill it in.
 */
#include "base/compat.h"

#include "miscadmin.h"
#include "schema/building.h"

void
building_fault(Compiler *compiler, const Building *building, const char *keyword, const char *message)
{
	schema_fault(compiler->faults, building->node.location, keyword, keyword, "%s", message);
}

const Place *
building_location(const Building *building, const char *keyword)
{
	return place_key(building->node.location, keyword, strlen(keyword));
}

SchemaObjectRules *
building_object(Building *building)
{
	if (building->node.object == NULL)
	{
		building->node.object = palloc0(sizeof(SchemaObjectRules));
		building->node.object->additional = building->node.object->names = NO_NODE;
		building->node.object->maximum = -1;
	}
	return building->node.object;
}

SchemaArrayRules *
building_array(Building *building)
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

SchemaStringRules *
building_string(Building *building)
{
	if (building->node.string == NULL)
	{
		building->node.string = palloc0(sizeof(SchemaStringRules));
		building->node.string->maximum = -1;
	}
	return building->node.string;
}

void *
building_group(Building *building, Group group)
{
	switch (group)
	{
		case IN_STRING:
			return building_string(building);
		case IN_NUMBER:
			if (building->node.number == NULL)
				building->node.number = palloc0(sizeof(SchemaNumberRules));
			return building->node.number;
		case IN_ARRAY:
			return building_array(building);
		case IN_OBJECT:
			return building_object(building);
		default:
			return &building->node;
	}
}

Regex *
building_regex(Compiler *compiler, const Place *location, const char *keyword, const Value *pattern)
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
