/*
 * schema.c
 *	  Looking things up in a schema, and how types relate.
 */
#include "graphql/schema.h"

#include <stdio.h>
#include <string.h>

#include "graphql/parser.h"

int
graphql_text_compare(GraphqlText a, GraphqlText b)
{
	size_t		common = a.length < b.length ? a.length : b.length;
	int			order = common > 0 ? memcmp(a.data, b.data, common) : 0;

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

const GraphqlType *
graphql_schema_type(const GraphqlSchema *schema, GraphqlText name)
{
	int			low = 0;
	int			high = schema->type_count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			order = graphql_text_compare(schema->types[middle]->name, name);

		if (order == 0)
			return schema->types[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const GraphqlDirective *
graphql_schema_directive(const GraphqlSchema *schema, GraphqlText name)
{
	for (int i = 0; i < schema->directive_count; i++)
		if (graphql_texts_equal(schema->directives[i].name, name))
			return &schema->directives[i];
	return NULL;
}

const GraphqlInput *
graphql_input_find(const GraphqlInput *inputs, int count, GraphqlText name)
{
	for (int i = 0; i < count; i++)
		if (graphql_texts_equal(inputs[i].name, name))
			return &inputs[i];
	return NULL;
}

const GraphqlEnumValue *
graphql_enum_find(const GraphqlType *type, GraphqlText name)
{
	for (int i = 0; i < type->value_count; i++)
		if (graphql_texts_equal(type->values[i].name, name))
			return &type->values[i];
	return NULL;
}

const GraphqlField *
graphql_field_find(const GraphqlSchema *schema, const GraphqlType *type, GraphqlText name)
{
	if (!graphql_is_composite(type))
		return NULL;
	if (name.length > 2 && name.data[0] == '_' && name.data[1] == '_')
	{
		if (graphql_text_is(name, "__typename"))
			return schema->typename_field;
		if (type == schema->query && graphql_text_is(name, "__schema"))
			return schema->schema_field;
		if (type == schema->query && graphql_text_is(name, "__type"))
			return schema->type_field;
	}
	for (int i = 0; i < type->field_count; i++)
		if (graphql_texts_equal(type->fields[i].name, name))
			return &type->fields[i];
	return NULL;
}

const GraphqlType *
graphql_root_type(const GraphqlSchema *schema, GraphqlOperationType operation)
{
	return operation == GRAPHQL_QUERY ? schema->query : operation == GRAPHQL_MUTATION ? schema->mutation : schema->subscription;
}

const GraphqlType *
graphql_named_type(const GraphqlType *type)
{
	while (type && type->of)
		type = type->of;
	return type;
}

const GraphqlType *
graphql_nullable_type(const GraphqlType *type)
{
	return type && type->kind == GRAPHQL_TYPE_NON_NULL ? type->of : type;
}

bool
graphql_is_composite(const GraphqlType *type)
{
	return type && (type->kind == GRAPHQL_TYPE_OBJECT || type->kind == GRAPHQL_TYPE_INTERFACE || type->kind == GRAPHQL_TYPE_UNION);
}

bool
graphql_is_leaf(const GraphqlType *type)
{
	return type && (type->kind == GRAPHQL_TYPE_SCALAR || type->kind == GRAPHQL_TYPE_ENUM);
}

bool
graphql_is_input(const GraphqlType *type)
{
	type = graphql_named_type(type);
	return graphql_is_leaf(type) || (type && type->kind == GRAPHQL_TYPE_INPUT_OBJECT);
}

bool
graphql_is_required(const GraphqlInput *input)
{
	return input->type->kind == GRAPHQL_TYPE_NON_NULL && input->default_value == NULL;
}

bool
graphql_types_equal(const GraphqlType *a, const GraphqlType *b)
{
	while (a != b && a->kind == b->kind && a->of && b->of)
	{
		a = a->of;
		b = b->of;
	}
	return a == b;
}

static bool
has_possible(const GraphqlType *abstract, const GraphqlType *object)
{
	for (int i = 0; i < abstract->possible_count; i++)
		if (abstract->possible[i] == object)
			return true;
	for (int i = 0; i < object->interface_count; i++)
		if (object->interfaces[i] == abstract)
			return true;
	return false;
}

bool
graphql_is_subtype(const GraphqlType *type, const GraphqlType *super)
{
	for (;;)
	{
		if (type == super)
			return true;
		if (super->kind == GRAPHQL_TYPE_NON_NULL)
		{
			if (type->kind != GRAPHQL_TYPE_NON_NULL)
				return false;
			type = type->of;
			super = super->of;
		}
		else if (type->kind == GRAPHQL_TYPE_NON_NULL)
			type = type->of;
		else if (super->kind == GRAPHQL_TYPE_LIST || type->kind == GRAPHQL_TYPE_LIST)
		{
			if (super->kind != type->kind)
				return false;
			type = type->of;
			super = super->of;
		}
		else
			return (super->kind == GRAPHQL_TYPE_INTERFACE || super->kind == GRAPHQL_TYPE_UNION) && has_possible(super, type);
	}
}

bool
graphql_types_overlap(const GraphqlType *a, const GraphqlType *b)
{
	if (a == b)
		return true;
	if (a->kind == GRAPHQL_TYPE_OBJECT)
		return b->kind != GRAPHQL_TYPE_OBJECT && has_possible(b, a);
	if (b->kind == GRAPHQL_TYPE_OBJECT)
		return has_possible(a, b);
	for (int i = 0; i < a->possible_count; i++)
		if (has_possible(b, a->possible[i]))
			return true;
	return false;
}

char *
graphql_type_print(const GraphqlType *type, char *out, size_t size)
{
	const GraphqlType *named = graphql_named_type(type);
	size_t		used = 0;
	char		behind[32];		/* the characters that close, outermost last */
	size_t		closing = 0;

	for (; type != named && closing < sizeof(behind); type = type->of)
	{
		if (type->kind == GRAPHQL_TYPE_LIST && used + 1 < size)
			out[used++] = '[';
		behind[closing++] = type->kind == GRAPHQL_TYPE_LIST ? ']' : '!';
	}
	for (size_t i = 0; i < named->name.length && used + 1 < size; i++)
		out[used++] = named->name.data[i];
	while (closing > 0 && used + 1 < size)
		out[used++] = behind[--closing];
	out[used] = '\0';
	return out;
}
