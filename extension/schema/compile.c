/*
 * compile.c
 *	  A schema document to a program: every schema object that can be reached from
 *	  the root becomes a node, once.
 *
 * A list of nodes to do takes the place of recursion, so that neither the depth
 * of a document nor a circle of references matters here.  Values of the program
 * point into the documents, whose copies it owns.
 */
#include "compat.h"

#include "schema/compiler.h"
#include "utils/memutils.h"

static NodeIndex
new_node(Compiler *compiler, const char *location, int resource)
{
	Schema	   *schema = compiler->schema;

	if (schema->node_count == compiler->node_capacity)
	{
		compiler->node_capacity = compiler->node_capacity ? compiler->node_capacity * 2 : 64;
		schema->nodes = schema->nodes ? repalloc(schema->nodes, sizeof(SchemaNode) * compiler->node_capacity) :
			palloc(sizeof(SchemaNode) * compiler->node_capacity);
	}
	schema->nodes[schema->node_count] = (SchemaNode)
	{
		.location = location,.resource = resource,.negated = NO_NODE,.condition = NO_NODE,.consequence = NO_NODE,
			.alternative = NO_NODE,.reference = NO_NODE,.dynamic_reference = NO_NODE,.unevaluated_items = NO_NODE,
			.unevaluated_properties = NO_NODE
	};
	return schema->node_count++;
}

NodeIndex
compiler_request_node(Compiler *compiler, const Value *value, int resource, const char *location)
{
	SchemaPlace *place;

	if (compiler->schema->node_count >= SCHEMA_MAX_NODES)
	{
		schema_add(compiler->faults, location, "$schema", "$schema", "has more than %d subschemas", SCHEMA_MAX_NODES);
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
		schema_add(compiler->faults, location, "type", "type", "must be a schema: an object or a boolean");
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

/* All that a $dynamicRef may meet must be there, whoever refers to it. */
static void
request_dynamic_anchors(Compiler *compiler)
{
	ListCell   *cell;

	foreach(cell, compiler->dynamic_names)
		for (int i = 0; i < compiler->resources->count; i++)
		{
			const SchemaAnchor *anchor = resources_anchor(&compiler->resources->items[i], lfirst(cell));

			if (anchor && anchor->dynamic)
				compiler_request_node(compiler, &anchor->target, i, "");
		}
}

static void
build_scopes(Compiler *compiler)
{
	Schema	   *schema = compiler->schema;

	schema->scopes = palloc0(sizeof(SchemaScope) * compiler->resources->count);
	for (int i = 0; i < compiler->resources->count; i++)
	{
		const SchemaResource *resource = &compiler->resources->items[i];

		schema->scopes[i].anchors = palloc(sizeof(SchemaDynamicAnchor) * Max(resource->anchor_count, 1));
		for (int j = 0; j < resource->anchor_count; j++)
		{
			SchemaPlace *place = hash_search(compiler->resources->places, &resource->anchors[j].target.data, HASH_FIND, NULL);

			if (resource->anchors[j].dynamic && place && place->node != NO_NODE)
				schema->scopes[i].anchors[schema->scopes[i].count++] =
					(SchemaDynamicAnchor) {resource->anchors[j].name, place->node};
		}
	}
}

Schema *
schema_compile(Jsonb *document, const SchemaOptions *options, MemoryContext parent, SchemaErrors *faults)
{
	MemoryContext context = AllocSetContextCreate(parent, "qehs schema", ALLOCSET_SMALL_SIZES);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "qehs schema compiler", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	Compiler	compiler = {.faults = faults,.assert_formats = options && options->assert_formats,.work_capacity = 64};
	int			faults_before = faults->count;

	compiler.resources = resources_create(context, options, faults);
	compiler.work = palloc(sizeof(Work) * compiler.work_capacity);
	MemoryContextSwitchTo(context);
	compiler.schema = palloc0(sizeof(Schema));
	compiler.schema->context = context;
	if (resources_add_document(compiler.resources, document, "") >= 0)
		compiler.schema->root = compiler_request_node(&compiler, &compiler.resources->items[0].root, 0, "");
	do
	{
		while (compiler.work_count > 0)
		{
			Work		work = compiler.work[--compiler.work_count];

			compile_keywords(&compiler, &work, resources_vocabularies(compiler.resources, work.resource));
		}
		request_dynamic_anchors(&compiler);
	} while (compiler.work_count > 0);
	build_scopes(&compiler);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	if (faults->count == faults_before && !faults->truncated)
		return compiler.schema;
	MemoryContextDelete(context);
	return NULL;
}

void
schema_free(Schema *schema)
{
	MemoryContextDelete(schema->context);
}
