/*
 * errors.c
 *	  The errors of an answer (specification, section 7.1.2), with what problems
 *	  say among their extensions.
 */
#include "base/compat.h"

#include "base/json.h"
#include "graphql/run.h"
#include "utils/elog.h"

/* The path of the field that is written: ["incidentsList",0,"title"]. */
static char *
path_json(const Run *run)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < run->path_length; i++)
	{
		const RunStep *step = &run->path[i];

		appendStringInfoChar(&text, i > 0 ? ',' : '[');
		if (step->field)
			json_string_n(&text, step->field->response.data, step->field->response.length);
		else
			json_int(&text, step->number);
	}
	appendStringInfoChar(&text, ']');
	return text.data;
}

RunError *
run_error_add(Run *run, const GraphqlNode *node, const char *code, const char *problem, const char *message)
{
	RunError   *error = palloc0(sizeof(RunError));
	uint32	   *places = palloc(sizeof(uint32));

	error->message = message;
	error->code = code;
	error->problem = problem;
	if (node)
	{
		places[0] = node->start;
		error->places = places;
		error->place_count = 1;
	}
	if (run->path_length > 0)
		error->path = path_json(run);
	if (run->last_error)
		run->last_error->next = error;
	else
		run->first_error = error;
	run->last_error = error;
	return error;
}

void
run_error(Run *run, const GraphqlNode *node, const char *code, const char *problem, const char *format,...)
{
	StringInfoData message;
	va_list		arguments;

	initStringInfo(&message);
	for (;;)
	{
		int			needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	run_error_add(run, node, code, problem, message.data);
}

/* A text of a problem, with what it tells of If-Match told of ifVersion, the argument that it came from. */
static char *
told_of_arguments(const char *text, const char *header, const char *argument)
{
	const char *found = strstr(text, header);

	return found ? psprintf("%.*s%s%s", (int) (found - text), text, argument, found + strlen(header)) : pstrdup(text);
}

void
run_error_caught(Run *run, const GraphqlNode *node, const ErrorData *error)
{
	bool		is_condition = strncmp(error->message, "@If-Match ", 10) == 0;
	StringInfoData problem;

	initStringInfo(&problem);
	json_literal(&problem, "\"status\":");
	json_int(&problem, strtol(unpack_sql_state(error->sqlerrcode) + 2, NULL, 10));
	if (error->detail && error->detail[0] == '{' && error->detail[1] != '}')
		appendStringInfo(&problem, ",%.*s", (int) strlen(error->detail) - 2, error->detail + 1);
	run_error_add(run, node, error->constraint_name ? pstrdup(error->constraint_name) : "internal",
				  is_condition ? told_of_arguments(problem.data, "\"path\":\"@If-Match\"", "\"path\":\"?ifVersion\"") : problem.data,
				  is_condition ? told_of_arguments(error->message, "@If-Match", "?ifVersion") : pstrdup(error->message));
}

static void
write_error(StringInfo out, const Run *run, const RunError *error)
{
	json_literal(out, "{\"message\":");
	json_string(out, error->message);
	if (error->place_count > 0)
	{
		json_literal(out, ",\"locations\":[");
		for (int i = 0; i < error->place_count; i++)
		{
			int			line;
			int			column;

			graphql_locate(run->source, error->places[i], &line, &column);
			appendStringInfo(out, "%s{\"line\":%d,\"column\":%d}", i > 0 ? "," : "", line, column);
		}
		appendStringInfoChar(out, ']');
	}
	if (error->path)
		appendStringInfo(out, ",\"path\":%s", error->path);
	if (error->code)
	{
		json_literal(out, ",\"extensions\":{\"code\":");
		json_string(out, error->code);
		if (error->problem)
		{
			json_literal(out, ",\"problem\":{\"code\":");
			json_string(out, error->code);
			appendStringInfo(out, ",%s}", error->problem);
		}
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, '}');
}

void
run_write_errors(StringInfo out, const Run *run)
{
	if (run->first_error == NULL)
		return;
	if (out->data[out->len - 1] != '{')
		appendStringInfoChar(out, ',');
	json_literal(out, "\"errors\":[");
	for (const RunError *error = run->first_error; error; error = error->next)
	{
		if (error != run->first_error)
			appendStringInfoChar(out, ',');
		write_error(out, run, error);
	}
	appendStringInfoChar(out, ']');
}
