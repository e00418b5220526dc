/*
 * write.c
 *	  Values as the text of the answer (specification, section 6.4.3).
 *
 * Everything is written once, into one buffer.  Where null comes to a place that
 * does not take it, what was written of the object is taken back, and null goes to
 * the place above.
 */
#include "base/compat.h"

#include "base/json.h"
#include "graphql/run.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define MAX_SAFE_INTEGER INT64CONST(9007199254740991)	/* up to it a double holds every integer */

typedef enum Outcome
{
	WRITTEN,
	NOTHING,					/* a null is to be written */
	HAS_FAILED					/* nothing was written, an error was added */
} Outcome;

/* ---- members and items ---- */

static int
enter_path(Run *run, const RunField *field, int number)
{
	if (run->path_length == run->path_room)
	{
		run->path_room = Max(32, 2 * run->path_room);
		run->path = run->path ? repalloc(run->path, sizeof(RunStep) * run->path_room) : palloc(sizeof(RunStep) * run->path_room);
	}
	run->path[run->path_length] = (RunStep) {field, number};
	return run->path_length++;
}

int
run_begin_member(Run *run, StringInfo out, int start, const RunField *field)
{
	appendStringInfoChar(out, out->len > start ? ',' : '{');
	appendStringInfoChar(out, '"');
	appendBinaryStringInfo(out, field->response.data, field->response.length);
	json_literal(out, "\":");
	return enter_path(run, field, 0);
}

int
run_begin_item(Run *run, int number)
{
	return enter_path(run, NULL, number);
}

bool
run_end_member(Run *run, StringInfo out, int start, int path, bool written)
{
	run->path_length = path;
	if (!written)
		out->len = start;
	return written;
}

/* ---- leaves ---- */

static Outcome
wrong_leaf(Run *run, const RunField *field, const GraphqlType *type)
{
	run_error(run, field->node, "INTERNAL_SERVER_ERROR", NULL, "the value cannot be told as \"%.*s\"", (int) type->name.length, type->name.data);
	return HAS_FAILED;
}

static Outcome
write_enum(Run *run, StringInfo out, const RunField *field, const GraphqlType *type, const JsonbValue *value)
{
	for (int i = 0; value->type == jbvString && i < type->value_count; i++)
	{
		const char *option = type->values[i].value;

		if (strlen(option) != (size_t) value->val.string.len || memcmp(option, value->val.string.val, value->val.string.len) != 0)
			continue;
		json_string_n(out, type->values[i].name.data, type->values[i].name.length);
		return WRITTEN;
	}
	return wrong_leaf(run, field, type);
}

/* As text in quotes, whatever it is. */
static void
write_text(StringInfo out, const JsonbValue *value)
{
	StringInfoData text;

	if (value->type == jbvString)
	{
		json_jsonb_value(out, value);
		return;
	}
	initStringInfo(&text);
	json_jsonb_value(&text, value);
	json_string_n(out, text.data, text.len);
	pfree(text.data);
}

static Outcome
write_leaf(Run *run, StringInfo out, const RunField *field, const GraphqlType *type, const JsonbValue *value)
{
	TimestampTz time;

	if (type->kind == GRAPHQL_TYPE_ENUM)
		return write_enum(run, out, field, type, value);
	switch (type->scalar)
	{
		case GRAPHQL_SCALAR_INT:
			if (!json_is_integer(value, PG_INT32_MIN, PG_INT32_MAX))
				return wrong_leaf(run, field, type);
			break;
		case GRAPHQL_SCALAR_FLOAT:
			if (value->type != jbvNumeric)
				return wrong_leaf(run, field, type);
			break;
		case GRAPHQL_SCALAR_BOOLEAN:
			if (value->type != jbvBool)
				return wrong_leaf(run, field, type);
			break;
		case GRAPHQL_SCALAR_STRING:
		case GRAPHQL_SCALAR_ID:
			write_text(out, value);
			return WRITTEN;
		case GRAPHQL_SCALAR_CUSTOM:
			if (graphql_text_is(type->name, "Decimal") ||
				(graphql_text_is(type->name, "BigInt") && !json_is_integer(value, -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)))
			{
				write_text(out, value);
				return WRITTEN;
			}
			if (graphql_text_is(type->name, "DateTime") && value->type == jbvString &&
				json_time_parse(value->val.string.val, value->val.string.len, &time))
			{
				json_time(out, time);
				return WRITTEN;
			}
			break;
	}
	json_jsonb_value(out, value);
	return WRITTEN;
}

/* ---- lists and objects ---- */

static Outcome write_nullable(Run *run, StringInfo out, RunField *field, const GraphqlType *type, const JsonbValue *value);

static Outcome
write_list(Run *run, StringInfo out, RunField *field, const GraphqlType *type, const JsonbValue *value)
{
	bool		is_list = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
	int			count = is_list ? (int) JsonContainerSize(value->val.binary.data) : 1;
	int			start = out->len;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		JsonbValue *item = is_list ? getIthJsonbValueFromContainer(value->val.binary.data, i) : unconstify(JsonbValue *, value);
		int			path = run_begin_item(run, i);
		bool		written;

		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoChar(out, ',');
		written = run_write_json(run, out, field, type->of, item);
		if (!run_end_member(run, out, start, path, written))
			return HAS_FAILED;
	}
	appendStringInfoChar(out, ']');
	return WRITTEN;
}

static Outcome
write_nullable(Run *run, StringInfo out, RunField *field, const GraphqlType *type, const JsonbValue *value)
{
	check_stack_depth();
	if (value == NULL || value->type == jbvNull)
		return NOTHING;
	if (type->kind == GRAPHQL_TYPE_LIST)
		return write_list(run, out, field, type, value);
	if (graphql_is_leaf(type))
		return write_leaf(run, out, field, type, value);
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return wrong_leaf(run, field, type);
	return run_write_object(run, out, run_fields(run, field, type), value->val.binary.data) ? WRITTEN : HAS_FAILED;
}

bool
run_write_json(Run *run, StringInfo out, RunField *field, const GraphqlType *type, const JsonbValue *value)
{
	Outcome		outcome = write_nullable(run, out, field, graphql_nullable_type(type), value);

	if (outcome == WRITTEN)
		return true;
	if (outcome == NOTHING)
		return run_write_null(run, out, field, type);
	if (type->kind == GRAPHQL_TYPE_NON_NULL)
		return false;
	json_literal(out, "null");
	return true;
}

bool
run_write_null(Run *run, StringInfo out, const RunField *field, const GraphqlType *type)
{
	if (type->kind != GRAPHQL_TYPE_NON_NULL)
	{
		json_literal(out, "null");
		return true;
	}
	run_error(run, field->node, "INTERNAL_SERVER_ERROR", NULL, "there is no value where one must be");
	return false;
}

bool
run_write_object(Run *run, StringInfo out, RunFields *fields, const JsonbContainer *object)
{
	int			start = out->len;

	for (int i = 0; i < fields->count; i++)
	{
		RunField   *field = &fields->items[i];
		int			path = run_begin_member(run, out, start, field);
		JsonbValue	value;
		bool		written = true;

		if (field->source->origin == ORIGIN_TYPENAME)
			json_string_n(out, fields->type->name.data, fields->type->name.length);
		else
		{
			bool		found = json_member(object, field->source->member, strlen(field->source->member), &value);

			written = run_write_json(run, out, field, field->field->type, found ? &value : NULL);
		}
		if (!run_end_member(run, out, start, path, written))
			return false;
	}
	appendStringInfoString(out, out->len > start ? "}" : "{}");
	return true;
}
