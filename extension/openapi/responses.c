/*
 * responses.c
 *	  What an operation answers.
 *
 * Problem responses are shared: they are named by their codes joined with hyphens,
 * the form of their errors where it is another than problem, and that their endpoint is
 * deprecated; and noted in the document when an operation refers to them.
 */
#include "base/compat.h"

#include "base/json.h"
#include "openapi/operation.h"

#define DEPRECATED "deprecated"

/* Forms of errors besides problem (qehs.endpoint.error_form): the end of a response's name, media types, and the component. */
static const struct
{
	const char *name;
	const char *suffix;
	const char *media[2];		/* the second may be NULL */
	const char *component;
}			forms[] = {
	{"graphql", "-graphql", {"application/graphql-response+json", "application/json"}, "GraphqlAnswer"},
	{"scim", "-scim", {"application/scim+json", NULL}, "ScimError"},
};

/* endpoint is NULL for an answer that several endpoints share. */
static void
write_header_references(StringInfo out, const ApiEndpoint *endpoint, int status, bool deprecated)
{
	bool		is_async = endpoint && endpoint->async && status == 202;

	json_literal(out, "\"headers\":{\"X-Trace-Id\":{\"$ref\":\"#/components/headers/X-Trace-Id\"},"
				 "\"traceparent\":{\"$ref\":\"#/components/headers/traceparent\"},"
				 "\"X-RateLimit-Limit\":{\"$ref\":\"#/components/headers/X-RateLimit-Limit\"},"
				 "\"X-RateLimit-Remaining\":{\"$ref\":\"#/components/headers/X-RateLimit-Remaining\"},"
				 "\"X-RateLimit-Reset\":{\"$ref\":\"#/components/headers/X-RateLimit-Reset\"},"
				 "\"RateLimit-Policy\":{\"$ref\":\"#/components/headers/RateLimit-Policy\"},"
				 "\"RateLimit\":{\"$ref\":\"#/components/headers/RateLimit\"}");
	if (status == 304 || (endpoint && endpoint->etag))
		json_literal(out, ",\"ETag\":{\"$ref\":\"#/components/headers/ETag\"}");
	if (endpoint && strcmp(endpoint->method, "GET") == 0 && endpoint_parameter(endpoint, "header", "Accept-Language"))
		json_literal(out, ",\"Content-Language\":{\"$ref\":\"#/components/headers/Content-Language\"}");
	if (deprecated || (endpoint && endpoint_parameter(endpoint, "query", "cursor")))
		json_literal(out, ",\"Link\":{\"$ref\":\"#/components/headers/Link\"}");
	if (endpoint && strcmp(endpoint->method, "GET") != 0)
		json_literal(out, ",\"Idempotency-Replayed\":{\"$ref\":\"#/components/headers/Idempotency-Replayed\"}");
	if (status == 201 || status == 202 || status == 302)
		json_literal(out, ",\"Location\":{\"$ref\":\"#/components/headers/Location\"}");
	if (status == 401 || status == 403)
		json_literal(out, ",\"WWW-Authenticate\":{\"$ref\":\"#/components/headers/WWW-Authenticate\"}");
	/* a job is asked for again while it runs */
	if (status == 429 || status == 503 || status == 409 || is_async || (endpoint && endpoint->response && strcmp(endpoint->response, "Job") == 0))
		json_literal(out, ",\"Retry-After\":{\"$ref\":\"#/components/headers/Retry-After\"}");
	if (is_async)
		json_literal(out, ",\"Preference-Applied\":{\"$ref\":\"#/components/headers/Preference-Applied\"}");
	if (is_async || (endpoint && endpoint->response && strncmp(endpoint->response, "Job", 3) == 0))
		json_literal(out, ",\"Cache-Control\":{\"$ref\":\"#/components/headers/Cache-Control\"}");
	if (deprecated)
		json_literal(out, ",\"Deprecation\":{\"$ref\":\"#/components/headers/Deprecation\"},"
					 "\"Sunset\":{\"$ref\":\"#/components/headers/Sunset\"}");
	appendStringInfoChar(out, '}');
}

static bool
is_json(const char *media)
{
	size_t		length = strlen(media);

	return length > 4 && strcmp(media + length - 4, "json") == 0 && strstr(media, "ndjson") == NULL;
}

#define LINES "application/x-ndjson"

/* What the response says is of JSON; other types are text, as a stream of lines is. */
static void
write_content(StringInfo out, const ApiEndpoint *endpoint)
{
	appendStringInfo(out, ",\"content\":{\"%s\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}", endpoint->gives[0], endpoint->response);
	for (int i = 1; i < endpoint->gives_count; i++)
	{
		if (strcmp(endpoint->gives[i], LINES) == 0)
			continue;
		if (is_json(endpoint->gives[i]))
			appendStringInfo(out, ",\"%s\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}", endpoint->gives[i], endpoint->response);
		else
			appendStringInfo(out, ",\"%s\":{\"schema\":{\"type\":\"string\"}}", endpoint->gives[i]);
	}
	appendStringInfoChar(out, '}');
}

/*
 * Records as lines, with the itemSchema of OpenAPI 3.2.  Not in content, whose second schema would make every answer of a
 * typed client one of two.
 */
static void
write_lines(StringInfo out, const ApiEndpoint *endpoint)
{
	for (int i = 1; i < endpoint->gives_count; i++)
		if (strcmp(endpoint->gives[i], LINES) == 0)
			json_literal(out, ",\"x-content\":{\"" LINES "\":{\"itemSchema\":{\"$ref\":\"#/components/schemas/AnyRecord\"}}}");
}

static void
write_success(StringInfo out, const ApiEndpoint *endpoint, int status)
{
	appendStringInfo(out, "\"%d\":{\"description\":", status);
	json_string(out, status == 201 ? "Made" : status == 302 ? "What was asked for is at Location" : status == 202 ? "Accepted: it goes on by itself" :
				status == 204 ? "Done; there is no body" : "Success");
	appendStringInfoChar(out, ',');
	write_header_references(out, endpoint, status, endpoint->deprecated);
	if (endpoint->response && status != 204)
	{
		write_content(out, endpoint);
		write_lines(out, endpoint);
	}
	appendStringInfoChar(out, '}');
}

/* The name of the response of all problems with one status, from item on; moves item behind them. */
static char *
answer_name(List *problems, int *item)
{
	StringInfoData name;
	int			status = ((ApiProblem *) list_nth(problems, *item))->status;

	initStringInfo(&name);
	for (; *item < list_length(problems); (*item)++)
	{
		ApiProblem *problem = list_nth(problems, *item);

		if (problem->status != status)
			break;
		appendStringInfo(&name, "%s%s", name.len > 0 ? "-" : "", problem->code);
	}
	return name.data;
}

static void
note_answer(ApiDocument *document, char *name)
{
	ListCell   *cell;

	foreach(cell, document->answers)
		if (strcmp(lfirst(cell), name) == 0)
			return;
	document->answers = lappend(document->answers, name);
}

static void
write_not_modified(StringInfo out, bool deprecated)
{
	json_literal(out, "{\"description\":\"What If-None-Match names still holds.\",");
	write_header_references(out, NULL, 304, deprecated);
	appendStringInfoChar(out, '}');
}

void
responses_write(StringInfo out, ApiDocument *document, const ApiEndpoint *endpoint)
{
	List	   *problems = endpoint_problems(document, endpoint);

	json_literal(out, ",\"responses\":{");
	write_success(out, endpoint, endpoint->status);
	if (strcmp(endpoint->method, "PUT") == 0 && endpoint->status == 200)
	{
		appendStringInfoChar(out, ',');
		write_success(out, endpoint, 201);
	}
	if (endpoint->async)
	{
		json_literal(out, ",\"202\":{\"description\":\"Accepted with Prefer: respond-async: the job at Location loads it.\",");
		write_header_references(out, endpoint, 202, endpoint->deprecated);
		json_literal(out, ",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Job\"}}}}");
	}
	if (endpoint_parameter(endpoint, "query", "redirect"))
	{
		appendStringInfoChar(out, ',');
		write_success(out, endpoint, 302);
	}
	/* RFC 7644 section 3.5.2: no body unless attributes are asked for */
	if (strcmp(endpoint->method, "PATCH") == 0 && endpoint->status == 204)
	{
		appendStringInfoChar(out, ',');
		write_success(out, endpoint, 200);
	}
	if (strcmp(endpoint->method, "GET") == 0 && endpoint->etag && endpoint->deprecated)
	{
		json_literal(out, ",\"304\":");
		write_not_modified(out, true);
	}
	else if (strcmp(endpoint->method, "GET") == 0 && endpoint->etag)
		json_literal(out, ",\"304\":{\"$ref\":\"#/components/responses/NotModified\"}");
	for (int i = 0; i < list_length(problems);)
	{
		int			status = ((ApiProblem *) list_nth(problems, i))->status;
		char	   *name = answer_name(problems, &i);

		for (int j = 0; j < (int) lengthof(forms); j++)
			if (strcmp(forms[j].name, endpoint->error_form) == 0)
				name = psprintf("%s%s", name, forms[j].suffix);
		if (endpoint->deprecated)
			name = psprintf("%s-" DEPRECATED, name);
		note_answer(document, name);
		appendStringInfo(out, ",\"%d\":{\"$ref\":\"#/components/responses/%s\"}", status, name);
	}
	appendStringInfoChar(out, '}');
}

static const ApiProblem *
find_problem(const ApiDocument *document, const char *code, size_t length)
{
	for (int i = 0; i < document->problem_count; i++)
		if (strlen(document->problems[i].code) == length && strncmp(document->problems[i].code, code, length) == 0)
			return &document->problems[i];
	return NULL;
}

/* Writes the content of a problem response in the form that the suffix of its name says; returns false if it says none. */
static bool
write_form(StringInfo out, const char *name)
{
	for (int i = 0; i < (int) lengthof(forms); i++)
	{
		if (strstr(name, forms[i].suffix) == NULL)
			continue;
		appendStringInfo(out, ",\"content\":{\"%s\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}", forms[i].media[0], forms[i].component);
		if (forms[i].media[1])
			appendStringInfo(out, ",\"%s\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}", forms[i].media[1], forms[i].component);
		json_literal(out, "}}");
		return true;
	}
	return false;
}

/* A problem response from its name: its codes, then what forms and DEPRECATED put behind them. (A dot would end the name in many generated clients.) */
static void
write_answer(StringInfo out, const ApiDocument *document, const char *name)
{
	StringInfoData codes;
	StringInfoData description;
	const ApiProblem *first = find_problem(document, name, strcspn(name, "-"));

	initStringInfo(&codes);
	initStringInfo(&description);
	for (const char *at = name; *at;)
	{
		size_t		length = strcspn(at, "-");
		const ApiProblem *problem = find_problem(document, at, length);

		if (problem == NULL)
			break;
		appendStringInfo(&codes, "%s\"%s\"", at > name ? "," : "", problem->code);
		appendStringInfo(&description, "%s`%s`: %s", at > name ? "\n\n" : "", problem->code, problem->description);
		at += length + (at[length] == '-');
	}
	json_name(out, name);
	json_literal(out, "{\"description\":");
	json_string(out, description.data);
	appendStringInfoChar(out, ',');
	write_header_references(out, NULL, first->status, strstr(name, "-" DEPRECATED) != NULL);
	if (write_form(out, name))
		return;
	appendStringInfo(out, ",\"content\":{\"application/problem+json\":{\"schema\":{\"allOf\":[{\"$ref\":\"#/components/schemas/Problem\"},"
					 "{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"integer\",\"enum\":[%d]},\"code\":{\"type\":\"string\",\"enum\":[%s]}}}]}",
					 first->status, codes.data);
	json_literal(out, ",\"example\":{\"type\":");
	json_string(out, psprintf("%s/developers/errors#%s", document->base_url ? document->base_url : "http://127.0.0.1:8080", first->code));
	json_literal(out, ",\"title\":");
	json_string(out, first->title);
	appendStringInfo(out, ",\"status\":%d,\"detail\":", first->status);
	json_string(out, first->description);
	appendStringInfo(out, ",\"instance\":\"/api/v1/records\",\"code\":\"%s\",\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}}}}", first->code);
}

void
responses_write_shared(StringInfo out, const ApiDocument *document)
{
	ListCell   *cell;

	json_literal(out, "\"responses\":{\"NotModified\":");
	write_not_modified(out, false);
	foreach(cell, document->answers)
	{
		appendStringInfoChar(out, ',');
		write_answer(out, document, lfirst(cell));
	}
	appendStringInfoChar(out, '}');
}
