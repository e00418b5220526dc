/*
 * parse.c
 *	  One line of JSON to jsonb, without ever raising an error for bad input.
 *
 * PostgreSQL's own parser gives a code; what it would raise (depth), keep
 * silent about (duplicate keys) or leave to types that raise (numbers) is seen
 * to here: the depth before it runs, numbers and duplicates in its callbacks.
 */
#include "base/compat.h"

#include "base/json.h"
#include "bulk/bulk.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define MAX_DEPTH 64
#define MAX_NUMBER_LENGTH 1000
#define MAX_EXPONENT 1000

typedef struct Builder
{
	JsonbParseState *state;
	JsonbValue *result;
	bool		duplicates;
	bool		bad_number;
} Builder;

/* ---- callbacks that build jsonb ---- */

static JsonActionResult
begin_object(void *argument)
{
	Builder    *builder = argument;

	builder->result = pushJsonbValue(&builder->state, WJB_BEGIN_OBJECT, NULL);
	JSON_ACTION_DONE;
}

/* Ending an object drops duplicates: count before and after. */
static JsonActionResult
end_object(void *argument)
{
	Builder    *builder = argument;
	int			pairs = builder->state->contVal.val.object.nPairs;

	builder->result = pushJsonbValue(&builder->state, WJB_END_OBJECT, NULL);
	if (builder->result->val.object.nPairs < pairs)
		builder->duplicates = true;
	JSON_ACTION_DONE;
}

static JsonActionResult
begin_array(void *argument)
{
	Builder    *builder = argument;

	builder->result = pushJsonbValue(&builder->state, WJB_BEGIN_ARRAY, NULL);
	JSON_ACTION_DONE;
}

static JsonActionResult
end_array(void *argument)
{
	Builder    *builder = argument;

	builder->result = pushJsonbValue(&builder->state, WJB_END_ARRAY, NULL);
	JSON_ACTION_DONE;
}

static JsonActionResult
field_start(void *argument, char *name, bool isnull)
{
	Builder    *builder = argument;
	JsonbValue	key = {.type = jbvString, .val.string = {strlen(name), name}};

	builder->result = pushJsonbValue(&builder->state, WJB_KEY, &key);
	JSON_ACTION_DONE;
}

/* The shim's bounds of a number: numeric holds all within. */
static bool
is_number_in_range(const char *token)
{
	const char *exponent = strpbrk(token, "eE");
	char	   *end;
	long		value;

	if (strlen(token) > MAX_NUMBER_LENGTH)
		return false;
	if (exponent == NULL)
		return true;
	value = strtol(exponent + 1, &end, 10);
	return value >= -MAX_EXPONENT && value <= MAX_EXPONENT;
}

static JsonActionResult
scalar(void *argument, char *token, JsonTokenType type)
{
	Builder    *builder = argument;
	JsonbValue	value = {.type = jbvNull};

	if (type == JSON_TOKEN_STRING)
	{
		value.type = jbvString;
		value.val.string.val = token;
		value.val.string.len = strlen(token);
	}
	else if (type == JSON_TOKEN_TRUE || type == JSON_TOKEN_FALSE)
	{
		value.type = jbvBool;
		value.val.boolean = type == JSON_TOKEN_TRUE;
	}
	else if (type == JSON_TOKEN_NUMBER && is_number_in_range(token))
	{
		value.type = jbvNumeric;
		value.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(token),
																ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	else if (type == JSON_TOKEN_NUMBER)
		builder->bad_number = true;
	if (builder->state == NULL)
	{
		/* a bare scalar: the caller wants an object and says so */
		builder->result = palloc(sizeof(JsonbValue));
		*builder->result = value;
	}
	else
		builder->result = pushJsonbValue(&builder->state, builder->state->contVal.type == jbvArray ? WJB_ELEM : WJB_VALUE,
										 &value);
	JSON_ACTION_DONE;
}

/* ---- the name of a duplicate, looked for once there is one ---- */

typedef struct Names
{
	int			count;
	int			room;
	char	  **names;
	int			depth;
	int			begins[MAX_DEPTH + 1];
	const char *duplicate;
} Names;

static int
compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *) left, *(char *const *) right);
}

static JsonActionResult
open_names(void *argument)
{
	Names	   *names = argument;

	names->begins[names->depth++] = names->count;
	JSON_ACTION_DONE;
}

static JsonActionResult
close_names(void *argument)
{
	Names	   *names = argument;
	int			begin = names->begins[--names->depth];

	qsort(names->names + begin, names->count - begin, sizeof(char *), compare_names);
	for (int i = begin + 1; i < names->count && names->duplicate == NULL; i++)
		if (strcmp(names->names[i - 1], names->names[i]) == 0)
			names->duplicate = names->names[i];
	names->count = begin;
	JSON_ACTION_DONE;
}

static JsonActionResult
add_name(void *argument, char *name, bool isnull)
{
	Names	   *names = argument;

	if (names->count == names->room)
	{
		names->room *= 2;
		names->names = repalloc(names->names, sizeof(char *) * names->room);
	}
	names->names[names->count++] = name;
	JSON_ACTION_DONE;
}

static const char *
find_duplicate(const char *text, int length)
{
	Names		names = {.room = 64, .names = palloc(sizeof(char *) * 64)};
	JsonSemAction actions = {.semstate = &names, .object_start = open_names, .object_end = close_names,
	.object_field_start = add_name};

	pg_parse_json(json_lexer(text, length), &actions);
	return names.duplicate;
}

/* ---- bounds that are cheap to see before parsing ---- */

/* Whether brackets outside of strings nest no deeper than allowed; true for what is no JSON, too. */
static bool
is_shallow(const char *text, int length)
{
	int			depth = 0;
	bool		quoted = false;

	for (int i = 0; i < length; i++)
	{
		char		c = text[i];

		if (quoted)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		}
		else if (c == '"')
			quoted = true;
		else if ((c == '{' || c == '[') && ++depth > MAX_DEPTH)
			return false;
		else if (c == '}' || c == ']')
			depth--;
	}
	return true;
}

bool
bulk_check_text(const char *text, int length, ViolationList *violations)
{
	int			whole = pg_encoding_verifymbstr(PG_UTF8, text, length);
	const char *form = bulk_form_of_bytes(text, length);

	if (length > QEHS_BULK_LINE_BYTES)
		violation_add(violations, "", "too_long", "must be at most %d bytes long", QEHS_BULK_LINE_BYTES);
	else if (form)
		violation_add(violations, "", "utf8", "%s", form);
	else if (memchr(text, '\0', length))
		violation_add(violations, "", "nul", "must not contain a NUL byte");
	else if (whole != length)
		violation_add(violations, "", "utf8", "is not valid UTF-8 (byte 0x%02x at %d): send files of other encodings converted to it",
					  (unsigned char) text[whole], whole);
	else
		return true;
	return false;
}

/* What stands before the parser; false with a violation. */
static bool
check_bytes(const char *text, int length, ViolationList *violations)
{
	if (!bulk_check_text(text, length, violations))
		return false;
	if (is_shallow(text, length))
		return true;
	violation_add(violations, "", "depth", "must not be nested deeper than %d levels", MAX_DEPTH);
	return false;
}

Jsonb *
bulk_parse(const char *text, int length, ViolationList *violations)
{
	Builder		builder = {0};
	JsonSemAction actions = {.semstate = &builder, .object_start = begin_object, .object_end = end_object,
	.array_start = begin_array, .array_end = end_array, .object_field_start = field_start, .scalar = scalar};
	JsonLexContext *lexer;
	JsonParseErrorType result;
	const char *form;

	if (!check_bytes(text, length, violations))
		return NULL;
	lexer = json_lexer(text, length);
	result = pg_parse_json(lexer, &actions);
	if (result == JSON_UNICODE_CODE_POINT_ZERO)
		violation_add(violations, "", "nul", "must not contain the character U+0000");
	else if (result != JSON_SUCCESS && (form = bulk_form_of_line(text, length)) != NULL)
		violation_add(violations, "", "malformed_json", "%s", form);
	else if (result != JSON_SUCCESS)
		violation_add(violations, "", "malformed_json", "is not JSON: %s", json_errdetail(result, lexer));
	else if (builder.duplicates)
		violation_add(violations, "", "duplicate_key", "has the member \"%s\" twice", find_duplicate(text, length));
	else if (builder.bad_number)
		violation_add(violations, "", "number_range",
					  "must have numbers of at most %d characters and an exponent from -%d to %d only",
					  MAX_NUMBER_LENGTH, MAX_EXPONENT, MAX_EXPONENT);
	else
		return JsonbValueToJsonb(builder.result);
	return NULL;
}
