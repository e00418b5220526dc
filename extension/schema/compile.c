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

#include "schema/keywords.h"
#include "utils/memutils.h"

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

			keywords_compile(&compiler, &work, resources_vocabularies(compiler.resources, work.resource));
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
