/*
 * extension_graphql.c
 *	  Fuzz target of GraphQL: a document is parsed and validated against the schema
 *	  of the product's own types (static_types.c) and some of arguments of each kind.
 *
 * The schema is made once, of the types that model.c makes, so the target needs no
 * tables.
 */
#include "extension_driver.h"

#include "graphql/build.h"
#include "graphql/parser.h"
#include "graphql/validate.h"
#include "utils/memutils.h"

static int
compare_types(const void *a, const void *b)
{
	return graphql_text_compare((*(GraphqlType *const *) a)->name, (*(GraphqlType *const *) b)->name);
}

static void
add_interface(ModelBuilder *builder, const FieldList *fields, GraphqlType *type, const char *name)
{
	GraphqlType *interface = build_type(builder, GRAPHQL_TYPE_INTERFACE, name, NULL);
	const GraphqlType **one = palloc(sizeof(GraphqlType *));
	const GraphqlType **of = palloc(sizeof(GraphqlType *));

	build_finish(interface, fields);
	one[0] = type;
	of[0] = interface;
	interface->possible_count = type->interface_count = 1;
	interface->possible = one;
	type->interfaces = of;
}

static void
add_inputs(ModelBuilder *builder)
{
	GraphqlType *input = build_type(builder, GRAPHQL_TYPE_INPUT_OBJECT, "Choice", NULL);
	GraphqlType *choice = build_type(builder, GRAPHQL_TYPE_ENUM, "Colour", NULL);
	static const GraphqlEnumValue values[] = {{{"RED", 3}, NULL, NULL, "red"}, {{"blue", 4}, NULL, "old", "blue"}};

	choice->values = values;
	choice->value_count = lengthof(values);
	input->inputs = build_arguments(builder, "colour: Colour, number: Int = 5, inner: Choice, list: [[ID!]]!", &input->input_count);
	input = build_type(builder, GRAPHQL_TYPE_INPUT_OBJECT, "OneOf", NULL);
	input->is_one_of = true;
	input->inputs = build_arguments(builder, "a: Int, b: [OneOf]", &input->input_count);
}

static const GraphqlSchema *
make_schema(void)
{
	GraphqlSchema *schema = palloc0(sizeof(GraphqlSchema));
	ModelBuilder builder = {0};
	FieldList	thing = {0};
	FieldList	named = {0};
	FieldList	meta = {0};
	GraphqlSource none = {ORIGIN_MEMBER, NULL, NULL, NULL};
	GraphqlType *type;

	build_static_types(&builder);
	add_inputs(&builder);
	type = build_type(&builder, GRAPHQL_TYPE_OBJECT, "Thing", NULL);
	build_field(&builder, &named, "id", "ID!", NULL, none, NULL);
	build_field(&builder, &named, "name", "String", "colour: Colour", none, NULL);
	add_interface(&builder, &named, type, "Named");
	build_field(&builder, &thing, "id", "ID!", NULL, none, NULL);
	build_field(&builder, &thing, "name", "String", "colour: Colour", none, NULL);
	build_field(&builder, &thing, "things", "[Thing!]!", "choice: Choice, one: OneOf, first: Int! = 3", none, NULL);
	build_field(&builder, &thing, "colours", "[[Colour!]]", "of: [Colour!]!", none, NULL);
	build_field(&builder, &thing, "me", "Caller", NULL, none, NULL);
	build_field(&builder, &thing, "other", "Named", "f: Float, s: String, b: Boolean, j: JSON", none, NULL);
	build_finish(type, &thing);
	schema->query = schema->mutation = type;
	build_field(&builder, &meta, "__schema", "__Schema!", NULL, none, NULL);
	build_field(&builder, &meta, "__type", "__Type", "name: String!", none, NULL);
	build_field(&builder, &meta, "__typename", "String!", NULL, none, NULL);
	schema->schema_field = &meta.items[0];
	schema->type_field = &meta.items[1];
	schema->typename_field = &meta.items[2];
	schema->directives = build_directives(&builder, &schema->directive_count);
	qsort(builder.types, builder.type_count, sizeof(GraphqlType *), compare_types);
	schema->type_count = builder.type_count;
	schema->types = (const GraphqlType *const *) builder.types;
	return schema;
}

static void *
take(void *owner, size_t size)
{
	return MemoryContextAlloc(owner, size);
}

static void
try_document(const char *text, int length)
{
	static const GraphqlSchema *schema = NULL;
	static const GraphqlLimits limits = {10000, 100};
	GraphqlArena arena = {take, CurrentMemoryContext, NULL, 0};
	GraphqlText source = {text, (size_t) length};
	GraphqlErrors errors = {0};
	GraphqlFault fault;
	GraphqlNode *document;
	int			line;
	int			column;

	if (schema == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		schema = make_schema();
		MemoryContextSwitchTo(before);
	}
	document = graphql_parse(source, &limits, &arena, &fault);
	if (document == NULL)
	{
		if (fault.message[0] == '\0' || fault.offset > (uint32_t) length)
			elog(ERROR, "graphql_parse fails at %u without a fault", fault.offset);
		graphql_locate(source, fault.offset, &line, &column);
		return;
	}
	graphql_validate(schema, document, &arena, &errors);
	for (const GraphqlError *error = errors.first; error; error = error->next)
		for (int i = 0; i < error->place_count; i++)
			if (error->places[i] >= (uint32_t) length)
				elog(ERROR, "rule %s tells a place behind the document", error->rule);
}

const FuzzTarget fuzz_graphql = {"graphql", try_document};
