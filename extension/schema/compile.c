/*
 * compile.c
 *	  A schema document to a program: every schema object that can be reached from
 *	  the root becomes a node, once.
 *
 * A list of nodes to do takes the place of recursion, so that neither the depth
 * of a document nor a circle of references matters here.  Values of the program
 * point into the documents, whose copies it owns.  The work ends when there is no
 * room for more faults.  An error leaves nothing behind: the program becomes a
 * child of the caller's context when it is whole.
 */
#include "base/compat.h"

#include "schema/compiler.h"
#include "utils/memutils.h"

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

/* All that a $dynamicRef may meet must be there, whoever refers to it. */
static void
request_dynamic_anchors(Compiler *compiler)
{
	Resources  *resources = compiler->resources;
	List	   *names = resources->pending;
	ListCell   *cell;

	resources->pending = NIL;
	foreach(cell, names)
	{
		SchemaDynamicName *name = lfirst(cell);

		for (; name->requested < list_length(name->anchors); name->requested++)
		{
			const SchemaAnchor *anchor = list_nth(name->anchors, name->requested);

			compiler_request_node(compiler, &anchor->target, anchor->name.resource, NULL);
		}
	}
	list_free(names);
}

static int
compare_anchors(const void *left, const void *right)
{
	return ((const SchemaDynamicAnchor *) left)->name - ((const SchemaDynamicAnchor *) right)->name;
}

static void
build_scopes(Compiler *compiler)
{
	Resources  *resources = compiler->resources;
	SchemaScope *scopes = palloc0(sizeof(SchemaScope) * Max(resources->count, 1));
	ListCell   *cell;

	for (int i = 0; i < resources->count; i++)
	{
		scopes[i].anchors = palloc(sizeof(SchemaDynamicAnchor) * Max(list_length(resources->items[i].anchors), 1));
		foreach(cell, resources->items[i].anchors)
		{
			const SchemaAnchor *anchor = lfirst(cell);
			const SchemaDynamicName *name = resources_dynamic_name(resources, anchor->name.text);
			const SchemaPlace *place = hash_search(resources->places, &anchor->target.data, HASH_FIND, NULL);

			if (name && place && place->node != NO_NODE)
				scopes[i].anchors[scopes[i].count++] = (SchemaDynamicAnchor) {name->number, place->node};
		}
		qsort(scopes[i].anchors, scopes[i].count, sizeof(SchemaDynamicAnchor), compare_anchors);
	}
	compiler->schema->scopes = scopes;
}

Schema *
schema_compile(Jsonb *document, const SchemaOptions *options, MemoryContext parent, SchemaErrors *faults)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "qehs schema", ALLOCSET_SMALL_SIZES);
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
		compiler.schema->root = compiler_request_node(&compiler, &compiler.resources->items[0].root, 0, NULL);
	do
	{
		while (compiler.work_count > 0 && !faults->truncated)
		{
			Work		work = compiler.work[--compiler.work_count];

			compile_keywords(&compiler, &work, resources_vocabularies(compiler.resources, work.resource));
		}
		request_dynamic_anchors(&compiler);
	} while (compiler.work_count > 0 && !faults->truncated);
	build_scopes(&compiler);
	compiler.schema->document = compiler.resources->items[0].document;
	compiler.schema->uses_registered = compiler.resources->uses_registered;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	if (faults->count == faults_before && !faults->truncated)
	{
		MemoryContextSetParent(context, parent);
		return compiler.schema;
	}
	MemoryContextDelete(context);
	return NULL;
}

const Jsonb *
schema_document(const Schema *schema)
{
	return schema->document;
}

Size
schema_size(const Schema *schema)
{
	return MemoryContextMemAllocated(schema->context, true) + schema->regex_bytes;
}

Size
schema_size_beside(const Schema *schema)
{
	return schema->regex_bytes;
}

bool
schema_uses_registered(const Schema *schema)
{
	return schema->uses_registered;
}

void
schema_free(Schema *schema)
{
	MemoryContextDelete(schema->context);
}
