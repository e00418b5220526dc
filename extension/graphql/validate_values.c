/*
 * validate_values.c
 *	  Literals against the types of their places, and where variables stand.
 */
#include "graphql/validation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "graphql/parser.h"

static void check_literal(Validation *validation, const GraphqlNode *value, const GraphqlType *type);

/* An integer of 32 bits (3.5.1). */
static bool
is_int32(GraphqlText text)
{
	char		digits[16];
	long long	number;

	if (text.length >= sizeof(digits))
		return false;
	memcpy(digits, text.data, text.length);
	digits[text.length] = '\0';
	number = strtoll(digits, NULL, 10);
	return number >= INT32_MIN && number <= INT32_MAX;
}

/* A number that a double holds; whatever is longer than 400 characters is taken for one that it does not. */
static bool
is_finite(GraphqlText text)
{
	char		digits[400];
	double		number;

	if (text.length >= sizeof(digits))
		return false;
	memcpy(digits, text.data, text.length);
	digits[text.length] = '\0';
	number = strtod(digits, NULL);
	return number - number == 0;
}

/* Whether a scalar or enum takes the literal. */
static bool
leaf_accepts(const GraphqlType *type, const GraphqlNode *value)
{
	if (type->kind == GRAPHQL_TYPE_ENUM)
		return value->kind == GRAPHQL_ENUM && graphql_enum_find(type, value->text);
	switch (type->scalar)
	{
		case GRAPHQL_SCALAR_INT:
			return value->kind == GRAPHQL_INT && is_int32(value->text);
		case GRAPHQL_SCALAR_FLOAT:
			return (value->kind == GRAPHQL_INT || value->kind == GRAPHQL_FLOAT) && is_finite(value->text);
		case GRAPHQL_SCALAR_STRING:
			return value->kind == GRAPHQL_STRING;
		case GRAPHQL_SCALAR_BOOLEAN:
			return value->kind == GRAPHQL_BOOLEAN;
		case GRAPHQL_SCALAR_ID:
			return value->kind == GRAPHQL_STRING || value->kind == GRAPHQL_INT;
		case GRAPHQL_SCALAR_CUSTOM:
			break;
	}
	return true;				/* looked at when it is coerced */
}

static void
wrong_value(Validation *validation, const GraphqlNode *value, const GraphqlType *type)
{
	char		printed[200];

	validation_error(validation, "ValuesOfCorrectType", value->start, "expected a value of type \"%s\"",
					 graphql_type_print(type, printed, sizeof(printed)));
}

static const GraphqlNode *
find_field(const GraphqlNode *object, GraphqlText name)
{
	const GraphqlNode *found = NULL;

	for (const GraphqlNode *field = object->children.first; field; field = field->next)
		if (graphql_texts_equal(field->name, name))
			found = field;
	return found;
}

/* An input object (5.6.2 to 5.6.4): fields known, those required there, of a one-of exactly one that is not null. */
static void
check_object(Validation *validation, const GraphqlNode *value, const GraphqlType *type)
{
	const GraphqlNode *known = NULL;
	int			known_count = 0;

	for (int i = 0; i < type->input_count; i++)
	{
		const GraphqlNode *field = find_field(value, type->inputs[i].name);

		if (field)
			check_literal(validation, field->value, type->inputs[i].type);
		else if (graphql_is_required(&type->inputs[i]))
			validation_error(validation, "ValuesOfCorrectType", value->start, "field \"%.*s\" of \"%.*s\" is required",
							 SHOWN(type->inputs[i].name), SHOWN(type->name));
	}
	for (const GraphqlNode *field = value->children.first; field; field = field->next)
	{
		if (graphql_input_find(type->inputs, type->input_count, field->name))
		{
			known = known ? known : field;
			known_count++;
		}
		else
			validation_error(validation, "ValuesOfCorrectType", field->start, "\"%.*s\" has no field \"%.*s\"",
							 SHOWN(type->name), SHOWN(field->name));
	}
	if (type->is_one_of && (known_count != 1 || known->value->kind == GRAPHQL_NULL))
		validation_error(validation, "ValuesOfCorrectType", value->start, "exactly one field of \"%.*s\" must be given, and not null",
						 SHOWN(type->name));
}

static void
check_list(Validation *validation, const GraphqlNode *value, const GraphqlType *type)
{
	if (value->kind != GRAPHQL_LIST)
		check_literal(validation, value, type->of);
	else
		for (const GraphqlNode *item = value->children.first; item && !validation_is_over(validation); item = item->next)
			check_literal(validation, item, type->of);
}

/* ValuesOfCorrectType (5.6.1); variables are judged by their types elsewhere. */
static void
check_literal(Validation *validation, const GraphqlNode *value, const GraphqlType *type)
{
	if (value->kind == GRAPHQL_VARIABLE)
		return;
	if (type->kind == GRAPHQL_TYPE_NON_NULL)
	{
		if (value->kind == GRAPHQL_NULL)
		{
			wrong_value(validation, value, type);
			return;
		}
		type = type->of;
	}
	if (value->kind == GRAPHQL_NULL)
		return;
	if (type->kind == GRAPHQL_TYPE_LIST)
		check_list(validation, value, type);
	else if (type->kind == GRAPHQL_TYPE_INPUT_OBJECT && value->kind == GRAPHQL_OBJECT)
		check_object(validation, value, type);
	else if (type->kind == GRAPHQL_TYPE_INPUT_OBJECT || !leaf_accepts(type, value))
		wrong_value(validation, value, type);
}

static void
note_use(Validation *validation, const GraphqlNode *node, const GraphqlType *type, const GraphqlType *parent, bool has_default)
{
	Definition *definition = validation->current;
	VariableUse *use = validation_take(validation, sizeof(VariableUse));

	if (use == NULL)
		return;
	*use = (VariableUse) {NULL, node, type, parent, has_default};
	if (definition->last_use)
		definition->last_use->next = use;
	else
		definition->first_use = use;
	definition->last_use = use;
}

/* What is inside a value: its variables, and names that stand twice. */
static void
walk_value(Validation *validation, const GraphqlNode *value, const GraphqlType *type, const GraphqlType *parent, bool has_default)
{
	const GraphqlType *nullable = graphql_nullable_type(type);

	if (value->kind == GRAPHQL_VARIABLE)
		note_use(validation, value, type, parent, has_default);
	else if (value->kind == GRAPHQL_LIST)
	{
		const GraphqlType *item = nullable && nullable->kind == GRAPHQL_TYPE_LIST ? nullable->of : nullable;

		for (const GraphqlNode *child = value->children.first; child; child = child->next)
			walk_value(validation, child, item, NULL, false);
	}
	else if (value->kind == GRAPHQL_OBJECT)
	{
		const GraphqlType *object = graphql_named_type(type);

		if (object && object->kind != GRAPHQL_TYPE_INPUT_OBJECT)
			object = NULL;
		validation_check_unique(validation, "UniqueInputFieldNames", &value->children, true, "input field");
		for (const GraphqlNode *field = value->children.first; field; field = field->next)
		{
			const GraphqlInput *input = object ? graphql_input_find(object->inputs, object->input_count, field->name) : NULL;

			walk_value(validation, field->value, input ? input->type : NULL, object, input && input->default_value);
		}
	}
}

void
validate_value(Validation *validation, const GraphqlNode *value, const GraphqlType *type, bool has_default)
{
	if (type)
		check_literal(validation, value, type);
	walk_value(validation, value, type, NULL, has_default);
}
