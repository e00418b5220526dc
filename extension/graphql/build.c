/*
 * build.c
 *	  Types of the schema from texts as they are written in GraphQL.
 *
 * The texts are the product's own (static_types.c, module_types.c), so one that
 * cannot be read is a fault of the product.
 */
#include "base/compat.h"

#include <ctype.h>

#include "graphql/build.h"

GraphqlType *
build_type(ModelBuilder *builder, GraphqlTypeKind kind, const char *name, const char *description)
{
	GraphqlType *type = palloc0(sizeof(GraphqlType));

	type->kind = kind;
	type->name = (GraphqlText) {name, strlen(name)};
	type->description = description;
	if (builder->type_count == builder->type_room)
	{
		builder->type_room = Max(64, 2 * builder->type_room);
		builder->types = builder->types ? repalloc(builder->types, builder->type_room * sizeof(GraphqlType *)) :
			palloc(builder->type_room * sizeof(GraphqlType *));
	}
	builder->types[builder->type_count++] = type;
	return type;
}

GraphqlType *
build_find(const ModelBuilder *builder, const char *name, int length)
{
	for (int i = builder->type_count - 1; i >= 0; i--)
		if (builder->types[i]->name.length == (size_t) length && memcmp(builder->types[i]->name.data, name, length) == 0)
			return builder->types[i];
	return NULL;
}

static const GraphqlType *
wrap(GraphqlTypeKind kind, const GraphqlType *of)
{
	GraphqlType *type = palloc0(sizeof(GraphqlType));

	type->kind = kind;
	type->of = of;
	return type;
}

/* The type that *text begins with; moves behind it. */
static const GraphqlType *
read_type(const ModelBuilder *builder, const char **text)
{
	const GraphqlType *type;
	const char *start = *text;

	if (**text == '[')
	{
		(*text)++;
		type = wrap(GRAPHQL_TYPE_LIST, read_type(builder, text));
		Assert(**text == ']');
		(*text)++;
	}
	else
	{
		while (isalnum((unsigned char) **text) || **text == '_')
			(*text)++;
		type = build_find(builder, start, *text - start);
		if (type == NULL)
			elog(ERROR, "GraphQL type \"%s\" is missing", start);
	}
	if (**text != '!')
		return type;
	(*text)++;
	return wrap(GRAPHQL_TYPE_NON_NULL, type);
}

const GraphqlType *
build_reference(const ModelBuilder *builder, const char *text)
{
	return read_type(builder, &text);
}

const GraphqlInput *
build_arguments(const ModelBuilder *builder, const char *text, int *count)
{
	GraphqlInput *inputs;
	int			room = 1;

	*count = 0;
	if (text == NULL)
		return NULL;
	for (const char *at = text; *at; at++)
		room += *at == ',';
	inputs = palloc0(room * sizeof(GraphqlInput));
	while (*text)
	{
		GraphqlInput *input = &inputs[(*count)++];
		const char *colon = strchr(text, ':');

		input->name = (GraphqlText) {text, colon - text};
		text = colon + 2;
		input->type = read_type(builder, &text);
		if (strncmp(text, " = ", 3) == 0)
		{
			int			length = strcspn(text + 3, ",");

			input->default_value = pnstrdup(text + 3, length);
			text += 3 + length;
		}
		text += strspn(text, ", ");
	}
	return inputs;
}

/* What a schema holds is its own: the definitions that it was made from may go before it does. */
static const char *
copy(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

GraphqlField *
build_field(const ModelBuilder *builder, FieldList *list, const char *name, const char *type, const char *arguments, GraphqlSource source,
			const char *description)
{
	GraphqlField *field;
	GraphqlSource *kept = palloc(sizeof(GraphqlSource));

	if (list->count == list->room)
	{
		list->room = Max(16, 2 * list->room);
		list->items = list->items ? repalloc(list->items, list->room * sizeof(GraphqlField)) : palloc(list->room * sizeof(GraphqlField));
	}
	field = &list->items[list->count++];
	memset(field, 0, sizeof(*field));
	kept->origin = source.origin;
	kept->module = copy(source.module);
	kept->key = copy(source.key);
	kept->member = copy(source.member);
	field->name = (GraphqlText) {name, strlen(name)};
	field->description = copy(description);
	field->type = build_reference(builder, type);
	field->arguments = build_arguments(builder, arguments, &field->argument_count);
	field->source = kept;
	return field;
}

void
build_finish(GraphqlType *type, const FieldList *list)
{
	type->field_count = list->count;
	type->fields = list->items;
}
