/*
 * compiler.c
 *	  The nodes of a program in the making: each is there once, and waits to be
 *	  filled in when it is asked for first.
 */
#include "base/compat.h"

#include "schema/compiler.h"

static NodeIndex
new_node(Compiler *compiler, const Place *location, int resource)
{
	Schema	   *schema = compiler->schema;

	if (schema->node_count == compiler->node_capacity)
	{
		compiler->node_capacity = compiler->node_capacity ? compiler->node_capacity * 2 : 64;
		schema->nodes = schema->nodes ? repalloc_huge(schema->nodes, sizeof(SchemaNode) * compiler->node_capacity) :
			palloc(sizeof(SchemaNode) * compiler->node_capacity);
	}
	schema->nodes[schema->node_count] = (SchemaNode)
	{
		.location = location,.resource = resource,.negated = NO_NODE,.condition = NO_NODE,.consequence = NO_NODE,
			.alternative = NO_NODE,.reference = NO_NODE,.dynamic_reference = NO_NODE,.dynamic_name = -1,.unevaluated_items = NO_NODE,
			.unevaluated_properties = NO_NODE
	};
	return schema->node_count++;
}

NodeIndex
compiler_request_node(Compiler *compiler, const Value *value, int resource, const Place *location)
{
	SchemaPlace *place;

	if (compiler->schema->node_count >= SCHEMA_MAX_NODES)
	{
		schema_fault(compiler->faults, NULL, NULL, "limit", "has more than %d subschemas", SCHEMA_MAX_NODES);
		return NO_NODE;
	}
	if (value->type == VALUE_BOOLEAN)
	{
		NodeIndex	node = new_node(compiler, location, resource);

		compiler->schema->nodes[node].never = !value->truth;
		return node;
	}
	if (value->type != VALUE_OBJECT)
	{
		schema_fault(compiler->faults, location, NULL, "type", "must be a schema: an object or a boolean");
		return NO_NODE;
	}
	place = hash_search(compiler->resources->places, &value->data, HASH_FIND, NULL);
	if (place == NULL)
		return NO_NODE;			/* there were too many resources */
	if (place->node == NO_NODE)
	{
		place->node = new_node(compiler, place->location, place->resource);
		if (compiler->work_count == compiler->work_capacity)
		{
			compiler->work_capacity *= 2;
			compiler->work = repalloc(compiler->work, sizeof(Work) * compiler->work_capacity);
		}
		compiler->work[compiler->work_count++] = (Work) {place->node, *value, place->resource, place->location};
	}
	return place->node;
}
