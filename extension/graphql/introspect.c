/*
 * introspect.c
 *	  The schema's own types: __schema and __type (specification, section 4).
 *
 * Each function writes an object of one type of introspection; what it may be null
 * of is never null here, so nothing is taken back.
 */
#include "base/compat.h"

#include "base/json.h"
#include "graphql/run.h"
#include "miscadmin.h"

static void write_type(Run *run, StringInfo out, RunField *field, const GraphqlType *type);

/* ---- small values ---- */

static void
write_text(StringInfo out, const char *text)
{
	json_string(out, text);		/* NULL is null */
}

static void
write_name(StringInfo out, GraphqlText name)
{
	json_string_n(out, name.data, name.length);
}

static bool
with_deprecated(const RunField *field)
{
	const JsonbValue *value = run_argument(field, "includeDeprecated");

	return value && value->type == jbvBool && value->val.boolean;
}

/* The fields of the type of introspection that a field gives. */
static RunFields *
fields_below(Run *run, RunField *field)
{
	return run_fields(run, field, graphql_named_type(field->field->type));
}

/* Write the members of an object, of which write_member knows the values but __typename. */
#define WRITE_MEMBERS(write_member, ...) \
	do { \
		RunFields  *below = fields_below(run, field); \
		int			start = out->len; \
		for (int number = 0; number < below->count; number++) \
		{ \
			RunField   *member = &below->items[number]; \
			int			path = run_begin_member(run, out, start, member); \
			if (member->source->origin == ORIGIN_TYPENAME) \
				write_name(out, below->type->name); \
			else \
				write_member(run, out, member, __VA_ARGS__); \
			run_end_member(run, out, start, path, true); \
		} \
		appendStringInfoString(out, out->len > start ? "}" : "{}"); \
	} while (0)

static bool
is_member(const RunField *member, const char *name)
{
	return strcmp(member->source->member, name) == 0;
}

/* ---- arguments, fields, values of enums ---- */

static void
write_input_member(Run *run, StringInfo out, RunField *member, const GraphqlInput *input)
{
	if (is_member(member, "name"))
		write_name(out, input->name);
	else if (is_member(member, "description"))
		write_text(out, input->description);
	else if (is_member(member, "type"))
		write_type(run, out, member, input->type);
	else if (is_member(member, "defaultValue"))
		write_text(out, input->default_value);
	else if (is_member(member, "isDeprecated"))
		json_bool(out, input->deprecation_reason != NULL);
	else
		write_text(out, input->deprecation_reason);
}

static void
write_inputs(Run *run, StringInfo out, RunField *field, const GraphqlInput *inputs, int count)
{
	bool		first = true;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		if (inputs[i].deprecation_reason && !with_deprecated(field))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		WRITE_MEMBERS(write_input_member, &inputs[i]);
	}
	appendStringInfoChar(out, ']');
}

static void
write_field_member(Run *run, StringInfo out, RunField *member, const GraphqlField *of)
{
	if (is_member(member, "name"))
		write_name(out, of->name);
	else if (is_member(member, "description"))
		write_text(out, of->description);
	else if (is_member(member, "args"))
		write_inputs(run, out, member, of->arguments, of->argument_count);
	else if (is_member(member, "type"))
		write_type(run, out, member, of->type);
	else if (is_member(member, "isDeprecated"))
		json_bool(out, of->deprecation_reason != NULL);
	else
		write_text(out, of->deprecation_reason);
}

static void
write_fields(Run *run, StringInfo out, RunField *field, const GraphqlType *type)
{
	bool		first = true;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < type->field_count; i++)
	{
		if (type->fields[i].deprecation_reason && !with_deprecated(field))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		WRITE_MEMBERS(write_field_member, &type->fields[i]);
	}
	appendStringInfoChar(out, ']');
}

static void
write_value_member(Run *run, StringInfo out, RunField *member, const GraphqlEnumValue *value)
{
	if (is_member(member, "name"))
		write_name(out, value->name);
	else if (is_member(member, "description"))
		write_text(out, value->description);
	else if (is_member(member, "isDeprecated"))
		json_bool(out, value->deprecation_reason != NULL);
	else
		write_text(out, value->deprecation_reason);
}

static void
write_values(Run *run, StringInfo out, RunField *field, const GraphqlType *type)
{
	bool		first = true;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < type->value_count; i++)
	{
		if (type->values[i].deprecation_reason && !with_deprecated(field))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		WRITE_MEMBERS(write_value_member, &type->values[i]);
	}
	appendStringInfoChar(out, ']');
}

/* ---- types ---- */

static void
write_types(Run *run, StringInfo out, RunField *field, const GraphqlType *const *types, int count)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		write_type(run, out, field, types[i]);
	}
	appendStringInfoChar(out, ']');
}

/* Members that types of some kinds have, and are null of the others. */
static void
write_kind_member(Run *run, StringInfo out, RunField *member, const GraphqlType *type)
{
	bool		has_fields = type->kind == GRAPHQL_TYPE_OBJECT || type->kind == GRAPHQL_TYPE_INTERFACE;

	if (is_member(member, "fields") && has_fields)
		write_fields(run, out, member, type);
	else if (is_member(member, "interfaces") && has_fields)
		write_types(run, out, member, type->interfaces, type->interface_count);
	else if (is_member(member, "possibleTypes") && (type->kind == GRAPHQL_TYPE_INTERFACE || type->kind == GRAPHQL_TYPE_UNION))
		write_types(run, out, member, type->possible, type->possible_count);
	else if (is_member(member, "enumValues") && type->kind == GRAPHQL_TYPE_ENUM)
		write_values(run, out, member, type);
	else if (is_member(member, "inputFields") && type->kind == GRAPHQL_TYPE_INPUT_OBJECT)
		write_inputs(run, out, member, type->inputs, type->input_count);
	else if (is_member(member, "isOneOf") && type->kind == GRAPHQL_TYPE_INPUT_OBJECT)
		json_bool(out, type->is_one_of);
	else
		json_literal(out, "null");
}

static void
write_type_member(Run *run, StringInfo out, RunField *member, const GraphqlType *type)
{
	static const char *const kinds[] = {"SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT", "LIST", "NON_NULL"};

	if (is_member(member, "kind"))
		write_text(out, kinds[type->kind]);
	else if (is_member(member, "name"))
	{
		if (type->of)
			json_literal(out, "null");
		else
			write_name(out, type->name);
	}
	else if (is_member(member, "description"))
		write_text(out, type->description);
	else if (is_member(member, "specifiedByURL"))
		write_text(out, type->specified_by);
	else if (is_member(member, "ofType"))
	{
		if (type->of)
			write_type(run, out, member, type->of);
		else
			json_literal(out, "null");
	}
	else
		write_kind_member(run, out, member, type);
}

static void
write_type(Run *run, StringInfo out, RunField *field, const GraphqlType *type)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	WRITE_MEMBERS(write_type_member, type);
}

/* ---- directives and the schema ---- */

static void
write_locations(StringInfo out, uint32 locations)
{
	static const char *const names[] = {
		"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION",
		"SCALAR", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION"
	};							/* in the order of the bits of GraphqlLocation */
	bool		first = true;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (!(locations & 1U << i))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		write_text(out, names[i]);
	}
	appendStringInfoChar(out, ']');
}

static void
write_directive_member(Run *run, StringInfo out, RunField *member, const GraphqlDirective *directive)
{
	if (is_member(member, "name"))
		write_name(out, directive->name);
	else if (is_member(member, "description"))
		write_text(out, directive->description);
	else if (is_member(member, "isRepeatable"))
		json_bool(out, directive->is_repeatable);
	else if (is_member(member, "locations"))
		write_locations(out, directive->locations);
	else
		write_inputs(run, out, member, directive->arguments, directive->argument_count);
}

static void
write_directives(Run *run, StringInfo out, RunField *field)
{
	const GraphqlSchema *schema = &run->model->schema;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < schema->directive_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		WRITE_MEMBERS(write_directive_member, &schema->directives[i]);
	}
	appendStringInfoChar(out, ']');
}

static void
write_schema_member(Run *run, StringInfo out, RunField *member, const GraphqlSchema *schema)
{
	if (is_member(member, "types"))
		write_types(run, out, member, schema->types, schema->type_count);
	else if (is_member(member, "queryType"))
		write_type(run, out, member, schema->query);
	else if (is_member(member, "mutationType") && schema->mutation)
		write_type(run, out, member, schema->mutation);
	else if (is_member(member, "directives"))
		write_directives(run, out, member);
	else
		json_literal(out, "null");	/* description, subscriptionType */
}

bool
run_write_schema(Run *run, StringInfo out, RunField *field)
{
	WRITE_MEMBERS(write_schema_member, &run->model->schema);
	return true;
}

bool
run_write_type(Run *run, StringInfo out, RunField *field, const GraphqlType *type)
{
	if (type == NULL)
		json_literal(out, "null");
	else
		write_type(run, out, field, type);
	return true;
}
