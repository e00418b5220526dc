/*
 * example.c
 *	  Examples that validate: payloads from a module's schema, bodies from the
 *	  endpoints' rows, and the same as a call in SQL.
 *
 * A value is made for each field by its schema.  What refers to other records,
 * users or files, or must be unique, is there only when it is required; then the
 * example shows the form but cannot be sent as it is.  The whole is then
 * checked with the module's own schema, and a field that it refuses (a pattern
 * that is too clever for pattern_example) is taken away.
 */
#include "base/compat.h"

#include "base/json.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "openapi/document.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define MAX_PATTERN_TEXT 200

static const char *pattern_branch(const char *at, StringInfo out, bool write);

/* ---- text for a pattern: the first way through it ---- */

/* One escape's character. */
static char
escape_example(char escape)
{
	switch (escape)
	{
		case 'd':
			return '1';
		case 'w':
			return 'a';
		case 's':
			return ' ';
		case 'D':
		case 'S':
			return 'a';
		case 'W':
			return '-';
		default:
			return escape;
	}
}

/* The first member of a class; moves behind its end. */
static const char *
class_example(const char *at, char *found)
{
	bool		negated = *at == '^';

	at += negated;
	*found = negated ? '_' : *at == '\\' ? escape_example(at[1]) : *at;
	while (*at && *at != ']')
		at += *at == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : at;
}

/* How often: the least, but one for + and for *. */
static const char *
quantifier(const char *at, int *times)
{
	*times = 1;
	if (*at == '{')
	{
		*times = (int) strtol(at + 1, NULL, 10);
		at += strcspn(at, "}");
		at += *at == '}';
	}
	else if (*at == '*' || *at == '+' || *at == '?')
	{
		*times = *at == '?' ? 0 : 1;
		at++;
	}
	return *at == '?' ? at + 1 : at;
}

static const char *
group_example(const char *at, StringInfo out, bool write)
{
	/* (?:…) and (?<name>…) are groups; look-arounds are not understood */
	if (at[0] == '?' && at[1] == ':')
		at += 2;
	else if (at[0] == '?' && at[1] == '<')
		at += strcspn(at, ">") + 1;
	at = pattern_branch(at, out, write);
	while (*at == '|')
		at = pattern_branch(at + 1, out, false);
	return *at == ')' ? at + 1 : at;
}

/* One alternative; stops at | ) or the end. */
static const char *
pattern_branch(const char *at, StringInfo out, bool write)
{
	check_stack_depth();
	while (*at && *at != '|' && *at != ')')
	{
		const char *atom = at;
		char		single = 0;
		int			times;

		if (*at == '^' || *at == '$')
		{
			at++;
			continue;
		}
		if (*at == '(')
			at = group_example(at + 1, out, false);
		else if (*at == '[')
			at = class_example(at + 1, &single);
		else if (*at == '\\' && at[1])
		{
			single = escape_example(at[1]);
			at += 2;
		}
		else
		{
			single = *at == '.' ? 'a' : *at;
			at++;
		}
		at = quantifier(at, &times);
		for (int i = 0; write && i < times && out->len < MAX_PATTERN_TEXT; i++)
			if (*atom == '(')
				group_example(atom + 1, out, true);
			else
				appendStringInfoChar(out, single);
	}
	return at;
}

static char *
pattern_example(const char *pattern)
{
	StringInfoData out;

	initStringInfo(&out);
	pattern_branch(pattern, &out, true);
	return out.data;
}

/* ---- a value for a schema ---- */

static char *
format_example(const char *format)
{
	static const char *const formats[][2] = {
		{"date-time", "2026-04-16T08:30:00.000Z"}, {"date", "2026-04-16"}, {"time", "08:30:00Z"}, {"duration", "PT1H30M"},
		{"email", "dana.ortiz@example.com"}, {"uri", "https://example.com/"}, {"uuid", "0199a5e8-fe65-7b6c-8a55-26d19b8ff02b"},
		{"ipv4", "192.0.2.1"}, {"hostname", "example.com"},
	};

	for (int i = 0; format && i < (int) lengthof(formats); i++)
		if (strcmp(formats[i][0], format) == 0)
			return pstrdup(formats[i][1]);
	return NULL;
}

static void
write_text_example(StringInfo out, const JsonbContainer *schema, const char *name)
{
	char	   *pattern = json_member_text(schema, "pattern");
	char	   *text = format_example(json_member_text(schema, "format"));
	char	   *title = json_member_text(schema, "title");
	int32		least = 0;
	int32		most = PG_INT32_MAX;

	json_member_int(schema, "minLength", &least);
	json_member_int(schema, "maxLength", &most);
	if (text == NULL && pattern)
		text = pattern_example(pattern);
	else if (text == NULL)
	{
		StringInfoData filled;

		initStringInfo(&filled);
		appendStringInfo(&filled, "%s of the example", title ? title : name);
		while (pg_mbstrlen(filled.data) < least && filled.len < 10000)
			appendStringInfoChar(&filled, '.');
		text = filled.data;
		if (pg_mbstrlen(text) > most)
			text[pg_mbcharcliplen(text, strlen(text), most)] = '\0';
	}
	json_string(out, text);
}

/* The minimum, or zero, or the least multiple that is not below it. */
static void
write_number_example(StringInfo out, const JsonbContainer *schema)
{
	JsonbValue	value;
	Datum		number = DirectFunctionCall1(int4_numeric, Int32GetDatum(1));

	if (json_member(schema, "multipleOf", 10, &value) && value.type == jbvNumeric)
		number = NumericGetDatum(value.val.numeric);
	if (json_member(schema, "minimum", 7, &value) && value.type == jbvNumeric &&
		DatumGetBool(DirectFunctionCall2(numeric_lt, number, NumericGetDatum(value.val.numeric))))
		number = NumericGetDatum(value.val.numeric);
	if (json_member(schema, "maximum", 7, &value) && value.type == jbvNumeric &&
		DatumGetBool(DirectFunctionCall2(numeric_gt, number, NumericGetDatum(value.val.numeric))))
		number = NumericGetDatum(value.val.numeric);
	appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out, number)));
}

static void write_example(StringInfo out, const JsonbContainer *schema, const char *name);

static void
write_object_example(StringInfo out, const JsonbContainer *schema)
{
	JsonbIterator *iterator;
	JsonbValue	properties;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *name = "";
	int			count = 0;

	appendStringInfoChar(out, '{');
	if (json_member(schema, "properties", 10, &properties) && properties.type == jbvBinary)
	{
		iterator = JsonbIteratorInit(properties.val.binary.data);
		while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		{
			if (token == WJB_KEY)
				name = json_text_copy(&value);
			/* what the server writes is not for examples */
			if (token != WJB_VALUE || value.type != jbvBinary || strcmp(name, "score") == 0 || strcmp(name, "band") == 0 ||
				json_member_bool(value.val.binary.data, "readOnly", false))
				continue;
			if (count++ > 0)
				appendStringInfoChar(out, ',');
			json_name(out, name);
			write_example(out, value.val.binary.data, name);
		}
	}
	appendStringInfoChar(out, '}');
}

/* The first of an array member, when it has one. */
static bool
first_of(const JsonbContainer *schema, const char *keyword, JsonbValue *value)
{
	JsonbValue	list;

	if (!json_member(schema, keyword, strlen(keyword), &list) || list.type != jbvBinary ||
		!JsonContainerIsArray(list.val.binary.data) || JsonContainerSize(list.val.binary.data) == 0)
		return false;
	*value = *getIthJsonbValueFromContainer(list.val.binary.data, 0);
	return true;
}

static void
write_example(StringInfo out, const JsonbContainer *schema, const char *name)
{
	JsonbValue	value;
	char	   *type = json_member_text(schema, "type");

	check_stack_depth();
	if (first_of(schema, "type", &value) && value.type == jbvString)
		type = json_text_copy(&value);
	if (json_member(schema, "const", 5, &value) || first_of(schema, "examples", &value) || first_of(schema, "enum", &value))
		json_jsonb_value(out, &value);
	else if ((first_of(schema, "anyOf", &value) || first_of(schema, "oneOf", &value) ||
			  (type == NULL && first_of(schema, "allOf", &value))) && value.type == jbvBinary)
		write_example(out, value.val.binary.data, name);
	else if (type && strcmp(type, "string") == 0)
		write_text_example(out, schema, name);
	else if (type && (strcmp(type, "number") == 0 || strcmp(type, "integer") == 0))
		write_number_example(out, schema);
	else if (type && strcmp(type, "boolean") == 0)
		json_literal(out, "true");
	else if (type && strcmp(type, "array") == 0)
	{
		appendStringInfoChar(out, '[');
		if (json_member(schema, "items", 5, &value) && value.type == jbvBinary)
			write_example(out, value.val.binary.data, name);
		appendStringInfoChar(out, ']');
	}
	else
		write_object_example(out, schema);
}

/* ---- a payload ---- */

/* Fields whose values must exist elsewhere or must be new each time. */
static bool
is_special(const ModuleField *field)
{
	switch (field->type)
	{
		case FIELD_LOOKUP:
		case FIELD_RECORD_REFERENCE:
		case FIELD_RECORD_REFERENCES:
		case FIELD_USER:
		case FIELD_FILE:
		case FIELD_IMAGE:
		case FIELD_SIGNATURE:	/* its image */
			return true;
		default:
			return field->unique || field->type == FIELD_IDENTIFIER;
	}
}

static Jsonb *
without_member(Jsonb *object, const char *pointer)
{
	const char *name = pointer + (pointer[0] == '/');
	int			length = strcspn(name, "/");

	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(object),
											  PointerGetDatum(cstring_to_text_with_len(name, length))));
}

/* Whether a fault is of a field that the server alone writes, which no client sends. */
static bool
is_of_server(const ModuleDef *module, const SchemaViolation *fault)
{
	const char *name = fault->instance_location + (fault->instance_location[0] == '/');
	const ModuleField *field = module_field(module, name, strcspn(name, "/"));

	return field && field->read_only;
}

Jsonb *
example_payload(const ModuleDef *module, Jsonb *schema, bool *runs)
{
	StringInfoData text;
	JsonbValue	properties;
	Jsonb	   *payload;
	int			count = 0;

	*runs = true;
	if (!json_member(&schema->root, "properties", 10, &properties) || properties.type != jbvBinary)
		return NULL;
	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		JsonbValue	value;

		if (field->type == FIELD_COMPUTED || (is_special(field) && !field->required) ||
			!json_member(properties.val.binary.data, field->key, field->key_length, &value) || value.type != jbvBinary)
			continue;
		*runs = *runs && !is_special(field);
		if (count++ > 0)
			appendStringInfoChar(&text, ',');
		json_name(&text, field->key);
		write_example(&text, value.val.binary.data, field->label ? field->label : field->key);
	}
	appendStringInfoChar(&text, '}');
	payload = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
	for (int round = 0; round < 3; round++)
	{
		SchemaErrors errors;
		bool		good = true;

		schema_errors_init(&errors);
		schema_validate(module->schema, payload, &errors);
		for (int i = 0; i < errors.count; i++)
		{
			if (is_of_server(module, &errors.items[i]))
				continue;
			good = false;
			if (errors.items[i].instance_location[0])
				payload = without_member(payload, errors.items[i].instance_location);
		}
		if (good && errors.fault == NULL)
			return payload;
	}
	return NULL;
}

/* ---- bodies and calls ---- */

static bool
write_member_example(StringInfo out, const ApiParameter *parameter, const ApiModule *module)
{
	JsonbValue	value;

	if (module && strcmp(parameter->name, "moduleKey") == 0)
		json_string(out, module->module->key);
	else if (module && strcmp(parameter->name, "payload") == 0 && module->example)
		json_jsonb(out, module->example);
	else if (module && strcmp(parameter->name, "transition") == 0 && module->module->transition_count > 0)
		json_string(out, module->module->transitions[0].name);
	else if (json_member(parameter->row, "example", 7, &value))
		json_jsonb_value(out, &value);
	else
		return false;
	return true;
}

bool
example_body(StringInfo out, const ApiEndpoint *endpoint, const ApiModule *module)
{
	int			count = 0;
	int			start = out->len;

	if (module && module->example == NULL)
		return false;
	for (int i = 0; i < endpoint->parameter_count; i++)
		if (strcmp(endpoint->parameters[i].place, "document") == 0)
			return write_member_example(out, &endpoint->parameters[i], NULL);
	appendStringInfoChar(out, '{');
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const ApiParameter *parameter = &endpoint->parameters[i];
		int			before = out->len;

		/* a transition's example has no payload: what it needs depends on the record */
		if (strcmp(parameter->place, "body") != 0 || (module && !parameter->required && strcmp(parameter->name, "payload") == 0))
			continue;
		if (count > 0)
			appendStringInfoChar(out, ',');
		json_name(out, parameter->name);
		if (write_member_example(out, parameter, module))
			count++;
		else
		{
			out->len = before;
			out->data[before] = '\0';
		}
	}
	appendStringInfoChar(out, '}');
	if (count > 0)
		return true;
	out->len = start;
	out->data[start] = '\0';
	return false;
}

/* 'text' as SQL; backslashes are ordinary characters. */
static void
write_sql_literal(StringInfo out, const char *text)
{
	appendStringInfoChar(out, '\'');
	for (; *text; text++)
	{
		if (*text == '\'')
			appendStringInfoChar(out, '\'');
		appendStringInfoChar(out, *text);
	}
	appendStringInfoChar(out, '\'');
}

void
example_sql(StringInfo out, const ApiEndpoint *endpoint, const ApiModule *module)
{
	int			count = 0;

	appendStringInfo(out, "SELECT %s(", endpoint->function);
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const ApiParameter *parameter = &endpoint->parameters[i];
		StringInfoData value;

		initStringInfo(&value);
		if (!parameter->required || !write_member_example(&value, parameter, module))
			continue;
		appendStringInfo(out, "%s%s => ", count++ > 0 ? ", " : "", parameter->argument);
		if (value.data[0] == '"')
		{
			/* a JSON string: its text */
			Datum		text = DirectFunctionCall1(jsonb_in, CStringGetDatum(value.data));
			JsonbValue	scalar;

			JsonbExtractScalar(&DatumGetJsonbP(text)->root, &scalar);
			write_sql_literal(out, json_text_copy(&scalar));
		}
		else if (value.data[0] == '[')
		{
			for (char *c = value.data; *c; c++)
				*c = *c == '[' ? '{' : *c == ']' ? '}' : *c;
			write_sql_literal(out, value.data);
		}
		else
			write_sql_literal(out, value.data);
	}
	json_literal(out, ");");
}

const char *
example_lines(const ApiEndpoint *endpoint)
{
	const ApiParameter *lines = endpoint_parameter(endpoint, "lines", "lines");
	char	   *text = lines ? json_member_text(lines->row, "example") : NULL;

	return text ? text : "{}\n";
}

const char *
example_rows(const ApiEndpoint *endpoint)
{
	const ApiParameter *header = endpoint_parameter(endpoint, "headerLine", "header");

	return header ? json_member_text(header->row, "example") : NULL;
}
