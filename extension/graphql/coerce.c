/*
 * coerce.c
 *	  Values of variables and arguments (specification, sections 6.1.2 and 6.4.1).
 *
 * A value is a JsonbValue: that of an enum is what the name stands for, that of a
 * custom scalar any JSON, in which variables may stand.
 */
#include "base/compat.h"

#include "base/json.h"
#include "graphql/run.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static const GraphqlLimits constant_limits = {1000, 50};

static JsonbValue *literal_value(Run *run, const GraphqlNode *node, const GraphqlType *type, bool *failed);

/* ---- variables ---- */

static const RunVariable *
find_variable(const Run *run, GraphqlText name)
{
	for (int i = 0; i < run->variable_count; i++)
		if (graphql_texts_equal(run->variables[i].name, name))
			return &run->variables[i];
	return NULL;
}

/* A type as the document writes it, of the schema's named types. */
static const GraphqlType *
resolve(const Run *run, const GraphqlNode *node)
{
	GraphqlType *type;

	if (node->kind == GRAPHQL_NAMED_TYPE)
		return graphql_schema_type(&run->model->schema, node->name);
	type = palloc0(sizeof(GraphqlType));
	type->kind = node->kind == GRAPHQL_LIST_TYPE ? GRAPHQL_TYPE_LIST : GRAPHQL_TYPE_NON_NULL;
	type->of = resolve(run, node->type);
	return type;
}

/* Whether a scalar takes a JSON value; an ID that is a number becomes text. */
static bool
scalar_takes(const GraphqlType *type, JsonbValue *value)
{
	StringInfoData text;

	switch (type->scalar)
	{
		case GRAPHQL_SCALAR_INT:
			return json_is_integer(value, PG_INT32_MIN, PG_INT32_MAX);
		case GRAPHQL_SCALAR_FLOAT:
			return value->type == jbvNumeric;
		case GRAPHQL_SCALAR_STRING:
			return value->type == jbvString;
		case GRAPHQL_SCALAR_BOOLEAN:
			return value->type == jbvBool;
		case GRAPHQL_SCALAR_ID:
			if (json_is_integer(value, PG_INT32_MIN, PG_INT32_MAX))
			{
				initStringInfo(&text);
				json_jsonb_value(&text, value);
				value->type = jbvString;
				value->val.string.val = text.data;
				value->val.string.len = text.len;
			}
			return value->type == jbvString;
		case GRAPHQL_SCALAR_CUSTOM:
			break;
	}
	return true;
}

/* What was built, as one value. */
static JsonbValue *
make_container(JsonbValue *built)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));
	Jsonb	   *container = JsonbValueToJsonb(built);

	value->type = jbvBinary;
	value->val.binary.data = &container->root;
	value->val.binary.len = VARSIZE(container) - VARHDRSZ;
	return value;
}

/* Coerce a JSON value to a type; false where it is none: *wanted is then the type that it should have, or the item in it that place names ("[2][0]"). */
static bool
coerce_json(const GraphqlType *type, JsonbValue *value, StringInfo place, const GraphqlType **wanted)
{
	const GraphqlEnumValue *found;

	*wanted = type;
	check_stack_depth();
	if (type->kind == GRAPHQL_TYPE_NON_NULL)
		return value->type != jbvNull && coerce_json(type->of, value, place, wanted);
	if (value->type == jbvNull)
		return true;
	if (type->kind == GRAPHQL_TYPE_LIST)
	{
		JsonbParseState *state = NULL;
		JsonbValue *list;
		bool		is_list = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
		int			count = is_list ? (int) JsonContainerSize(value->val.binary.data) : 1;

		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (int i = 0; i < count; i++)
		{
			JsonbValue	item = is_list ? *getIthJsonbValueFromContainer(value->val.binary.data, i) : *value;
			int			start = place->len;

			if (is_list)
				appendStringInfo(place, "[%d]", i);
			if (!coerce_json(type->of, &item, place, wanted))
				return false;
			place->len = start;
			pushJsonbValue(&state, WJB_ELEM, &item);
		}
		list = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
		*value = *make_container(list);
		return true;
	}
	if (type->kind == GRAPHQL_TYPE_ENUM)
	{
		if (value->type != jbvString ||
			(found = graphql_enum_find(type, (GraphqlText) {value->val.string.val, value->val.string.len})) == NULL)
			return false;
		value->val.string.val = unconstify(char *, found->value);
		value->val.string.len = strlen(found->value);
		return true;
	}
	return scalar_takes(type, value);
}

/* One variable from the client's values, or its default. */
static void
coerce_variable(Run *run, const GraphqlNode *definition, const JsonbContainer *values, RunVariable *variable)
{
	const GraphqlType *type = resolve(run, definition->type);
	const GraphqlType *wanted;
	StringInfoData place;
	char		printed[200];
	char	   *name = pnstrdup(definition->name.data, definition->name.length);
	bool		failed = false;

	initStringInfo(&place);
	variable->name = definition->name;
	if (values && json_member(values, definition->name.data, definition->name.length, &variable->value))
	{
		variable->given = true;
		if (!coerce_json(type, &variable->value, &place, &wanted))
			run_error(run, definition, "BAD_USER_INPUT", NULL, "variable \"$%s\" must be a value of type \"%s\"%s", name,
					  graphql_type_print(place.len > 0 ? wanted : type, printed, sizeof(printed)),
					  place.len > 0 ? psprintf(" at \"%s%s\"", name, place.data) : "");
	}
	else if (definition->value)
	{
		variable->given = true;
		variable->value = *literal_value(run, definition->value, type, &failed);
	}
	else if (type->kind == GRAPHQL_TYPE_NON_NULL)
		run_error(run, definition, "BAD_USER_INPUT", NULL, "variable \"$%s\" of type \"%s\" is required", name,
				  graphql_type_print(type, printed, sizeof(printed)));
}

bool
run_coerce_variables(Run *run, Jsonb *values)
{
	int			i = 0;

	run->variables = palloc0((run->operation->variables.count + 1) * sizeof(RunVariable));
	for (const GraphqlNode *definition = run->operation->variables.first; definition; definition = definition->next)
		coerce_variable(run, definition, values ? &values->root : NULL, &run->variables[i++]);
	run->variable_count = i;
	return run->first_error == NULL;
}

/* ---- literals ---- */

static JsonbValue *
make_string(const char *text, size_t length)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvString;
	value->val.string.val = unconstify(char *, text);
	value->val.string.len = length;
	return value;
}

/* A number; one that numeric cannot hold (some hundred thousand digits) is an error. */
static JsonbValue *
make_number(Run *run, const GraphqlNode *node, bool *failed)
{
	JsonbValue *value = palloc0(sizeof(JsonbValue));
	GraphqlText text = node->text;
	const char *exponent = memchr(text.data, 'e', text.length);

	if (exponent == NULL)
		exponent = memchr(text.data, 'E', text.length);
	if (text.length > 1000 || (exponent && labs(strtol(exponent + 1, NULL, 10)) > 1000))
	{
		run_error(run, node, "BAD_USER_INPUT", NULL, "the number has too many digits");
		*failed = true;
		return value;
	}
	value->type = jbvNumeric;
	value->val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(pnstrdup(text.data, text.length)),
															 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	return value;
}

/* A list; of a type that is no list it is one of JSON. */
static JsonbValue *
list_value(Run *run, const GraphqlNode *node, const GraphqlType *type, bool *failed)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (const GraphqlNode *child = node->children.first; child; child = child->next)
		pushJsonbValue(&state, WJB_ELEM, literal_value(run, child, type, failed));
	return make_container(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* An object, which only JSON takes; a member whose variable has no value is left out. */
static JsonbValue *
object_value(Run *run, const GraphqlNode *node, bool *failed)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (const GraphqlNode *field = node->children.first; field; field = field->next)
	{
		const RunVariable *variable = field->value->kind == GRAPHQL_VARIABLE ? find_variable(run, field->value->name) : NULL;

		if (variable && !variable->given)
			continue;
		pushJsonbValue(&state, WJB_KEY, make_string(field->name.data, field->name.length));
		pushJsonbValue(&state, WJB_VALUE, literal_value(run, field->value, NULL, failed));
	}
	return make_container(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * A literal, valid for its type (NULL: JSON), with the values of the variables in it.
 * A variable without a value is null.
 */
static JsonbValue *
literal_value(Run *run, const GraphqlNode *node, const GraphqlType *type, bool *failed)
{
	const GraphqlType *nullable = graphql_nullable_type(type);
	JsonbValue *value;
	const RunVariable *variable;

	check_stack_depth();
	if (nullable && nullable->kind == GRAPHQL_TYPE_LIST && node->kind != GRAPHQL_NULL && node->kind != GRAPHQL_VARIABLE)
	{
		GraphqlNode alone = *node;
		GraphqlNode list = {.kind = GRAPHQL_LIST};

		if (node->kind == GRAPHQL_LIST)
			return list_value(run, node, nullable->of, failed);
		/* one item stands for a list of it */
		alone.next = NULL;
		list.children = (GraphqlNodes) {&alone, &alone, 1};
		return list_value(run, &list, nullable->of, failed);
	}
	switch (node->kind)
	{
		case GRAPHQL_VARIABLE:
			variable = find_variable(run, node->name);
			value = palloc(sizeof(JsonbValue));
			value->type = jbvNull;
			if (variable && variable->given)
				*value = variable->value;
			if (type && type->kind == GRAPHQL_TYPE_NON_NULL && value->type == jbvNull)
			{
				run_error(run, node, "BAD_USER_INPUT", NULL, "variable \"$%.*s\" must not be null here", (int) node->name.length, node->name.data);
				*failed = true;
			}
			return value;
		case GRAPHQL_INT:
		case GRAPHQL_FLOAT:
			return nullable && nullable->scalar == GRAPHQL_SCALAR_ID ? make_string(node->text.data, node->text.length) :
				make_number(run, node, failed);
		case GRAPHQL_STRING:
			return make_string(node->text.data, node->text.length);
		case GRAPHQL_ENUM:
			if (nullable && nullable->kind == GRAPHQL_TYPE_ENUM)
			{
				const GraphqlEnumValue *found = graphql_enum_find(nullable, node->text);

				return make_string(found->value, strlen(found->value));
			}
			return make_string(node->text.data, node->text.length);
		case GRAPHQL_BOOLEAN:
			value = palloc(sizeof(JsonbValue));
			value->type = jbvBool;
			value->val.boolean = node->truth;
			return value;
		case GRAPHQL_LIST:
			return list_value(run, node, NULL, failed);
		case GRAPHQL_OBJECT:
			return object_value(run, node, failed);
		default:
			value = palloc(sizeof(JsonbValue));
			value->type = jbvNull;
			return value;
	}
}

/* ---- arguments ---- */

static void *
take_palloc(void *owner, size_t size)
{
	return palloc(size);
}

/* The default of an argument, as the schema writes it. */
static JsonbValue *
default_value(Run *run, const GraphqlInput *input, bool *failed)
{
	GraphqlArena arena = {take_palloc, NULL, NULL, 0};
	GraphqlFault fault;
	GraphqlNode *node = graphql_parse_value((GraphqlText) {input->default_value, strlen(input->default_value)}, &constant_limits, &arena, &fault);

	if (node == NULL)
		elog(ERROR, "default \"%s\" cannot be read", input->default_value);
	return literal_value(run, node, input->type, failed);
}

JsonbValue *
run_coerce_argument(Run *run, const GraphqlNode *value, const GraphqlInput *input, bool *failed)
{
	const RunVariable *variable = value && value->kind == GRAPHQL_VARIABLE ? find_variable(run, value->name) : NULL;

	if (value == NULL || (value->kind == GRAPHQL_VARIABLE && (variable == NULL || !variable->given)))
		return input->default_value ? default_value(run, input, failed) : NULL;
	return literal_value(run, value, input->type, failed);
}

bool
run_is_included(Run *run, const GraphqlNode *node)
{
	for (const GraphqlNode *directive = node->directives.first; directive; directive = directive->next)
	{
		bool		is_skip = graphql_text_is(directive->name, "skip");
		bool		failed = false;
		JsonbValue *condition;

		if ((!is_skip && !graphql_text_is(directive->name, "include")) || directive->arguments.first == NULL)
			continue;
		condition = literal_value(run, directive->arguments.first->value, NULL, &failed);
		if (condition->type == jbvBool && condition->val.boolean == is_skip)
			return false;
	}
	return true;
}
