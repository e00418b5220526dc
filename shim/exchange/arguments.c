/*
 * arguments.c
 *	  Each parameter that the endpoint table names, from its place in the request
 *	  to its place in the statement; what is missing, unknown or of another type
 *	  is a violation.
 */
#include "exchange/arguments.h"

#include <string.h>

#include "base/json.h"
#include "exchange/bind.h"
#include "exchange/problem.h"
#include "exchange/query.h"
#include "storage/storage.h"

static const char *
type_message(const char *type)
{
	if (strcmp(type, "integer") == 0)
		return "must be an integer";
	if (strcmp(type, "boolean") == 0)
		return "must be true or false";
	if (strcmp(type, "object") == 0)
		return "must be an object";
	if (strcmp(type, "array") == 0)
		return "must be an array";
	return "must be a string";
}

/* What a value of the right JSON type must look like. */
static const char *
value_message(const Parameter *parameter)
{
	if (strcmp(parameter->sql_type, "timestamptz") == 0)
		return "must be an RFC 3339 date-time with an offset, such as 2026-04-16T08:30:00Z";
	return type_message(parameter->type);
}

static bool
has_type(const JsonMember *member, const char *type)
{
	if (strcmp(type, "string") == 0)
		return member->type == JSON_STRING;
	if (strcmp(type, "integer") == 0)
		return member->type == JSON_NUMBER;
	if (strcmp(type, "boolean") == 0)
		return member->type == JSON_TRUE || member->type == JSON_FALSE;
	if (strcmp(type, "object") == 0)
		return member->type == JSON_OBJECT;
	if (strcmp(type, "array") == 0)
		return member->type == JSON_ARRAY;
	return true;
}

/* A pointer's reference token (RFC 6901 section 3). */
static const char *
member_path(Request *request, const char *name)
{
	Buffer		path = {.arena = &request->arena};

	buffer_text(&path, "/");
	for (; *name; name++)
		buffer_append(&path, *name == '~' ? "~0" : *name == '/' ? "~1" : name, *name == '~' || *name == '/' ? 2 : 1);
	return path.data;
}

static void
bind_member(Request *request, PgStatement *statement, int number, const Parameter *parameter, const JsonMember *member)
{
	size_t		length;
	const char *text;

	if (member == NULL || (member->type == JSON_NULL && !parameter->required))
	{
		if (parameter->required)
			problem_violation(request, member_path(request, parameter->name), "required", "is required");
		return;
	}
	if (!has_type(member, parameter->type))
	{
		problem_violation(request, member_path(request, parameter->name), "type", type_message(parameter->type));
		return;
	}
	if (strcmp(parameter->sql_type, "jsonb") == 0)
	{
		bind_jsonb(statement, number, member->value, member->length);
		return;
	}
	if (strcmp(parameter->sql_type, "text[]") == 0 || strcmp(parameter->sql_type, "int4[]") == 0)
	{
		bind_array(request, statement, number, parameter, member);
		return;
	}
	if (member->type == JSON_STRING)
		text = json_decode(member->value, member->length, &request->arena, &length);
	else
		text = arena_copy(&request->arena, member->value, member->length);
	if (!bind_value(request, statement, number, parameter, text))
		problem_violation(request, member_path(request, parameter->name), "type", value_message(parameter));
}

static const JsonMember *
find_member(const JsonDocument *document, const char *name)
{
	for (int i = 0; i < document->count; i++)
		if (strcmp(document->members[i].name, name) == 0)
			return &document->members[i];
	return NULL;
}

/* Scan the body; NULL when it is refused or has no use. */
static JsonDocument *
read_body(Request *request, const Endpoint *endpoint, bool optional)
{
	JsonDocument *document = arena_alloc(&request->arena, sizeof(JsonDocument));

	if (endpoint->body != BODY_JSON || (request->body_length == 0 && optional))
	{
		document->count = 0;
		return document;
	}
	if (!json_scan(REQUEST_BODY(request), request->body_length, &request->arena, document))
	{
		problem_violation(request, document->path, document->code, document->message);
		request_refuse(request, document->problem, "the body cannot be read as JSON");
		return NULL;
	}
	if (document->type != JSON_OBJECT)
	{
		problem_violation(request, "", "type", "must be an object");
		request_refuse(request, "validation_failed", "the body must be a JSON object");
		return NULL;
	}
	return document;
}

static void
refuse_unknown_members(Request *request, const Endpoint *endpoint, const JsonDocument *document)
{
	for (int i = 0; i < document->count; i++)
	{
		bool		known = false;

		for (int j = 0; j < endpoint->parameter_count && !known; j++)
			known = endpoint->parameters[j].place == IN_DOCUMENT ||
				(endpoint->parameters[j].place == IN_BODY &&
				 strcmp(endpoint->parameters[j].name, document->members[i].name) == 0);
		if (!known)
			problem_violation(request, member_path(request, document->members[i].name), "unknown_member",
							  "is not a member of this request");
	}
}

static void
bind_body(Request *request, PgStatement *statement, const Endpoint *endpoint)
{
	bool		optional = true;
	JsonDocument *document;

	for (int i = 0; i < endpoint->parameter_count; i++)
		optional = optional && !(endpoint->parameters[i].required &&
								 (endpoint->parameters[i].place == IN_BODY || endpoint->parameters[i].place == IN_DOCUMENT));
	document = read_body(request, endpoint, optional);
	if (document == NULL)
		return;
	refuse_unknown_members(request, endpoint, document);
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const Parameter *parameter = &endpoint->parameters[i];

		if (parameter->place == IN_BODY)
			bind_member(request, statement, i, parameter, find_member(document, parameter->name));
		else if (parameter->place == IN_DOCUMENT && request->body_length > 0)
			bind_jsonb(statement, i, document->value, document->length);
	}
	if (request->violations.count > 0)
		request_refuse(request, "validation_failed", "the body does not fit this endpoint");
}

static void
refuse_query(Request *request, const Parameter *parameter, const char *code, const char *message)
{
	problem_violation(request, arena_format(&request->arena, "?%s", parameter->name), code, message);
}

static void
bind_query(Request *request, PgStatement *statement, const Endpoint *endpoint, Query *query)
{
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const Parameter *parameter = &endpoint->parameters[i];
		const char *value;
		size_t		length;

		if (parameter->place == IN_FILTER)
		{
			value = query_filter(request, query, &length);
			if (value)
				bind_jsonb(statement, i, value, length);
		}
		else if (parameter->place == IN_QUERY)
		{
			value = query_value(request, query, parameter->name);
			if (value == NULL && parameter->required)
				refuse_query(request, parameter, "required", "is required");
			else if (value && !bind_value(request, statement, i, parameter, value))
				refuse_query(request, parameter, "type", value_message(parameter));
		}
	}
	query_refuse_unknown(request, query);
	if (request->violations.count > 0)
		request_refuse(request, "invalid_parameter", "a query parameter cannot be used as it is");
}

/* The type and subtype of the body in lower case; NULL when the request names none. */
static const char *
content_type(Request *request)
{
	const char *type = request_header(request, "Content-Type");
	char	   *name = type ? arena_copy(&request->arena, type, strcspn(type, "; \t")) : NULL;

	for (char *c = name; c && *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char) (*c | 0x20) : *c;
	return name;
}

/* What the server itself knows of a request: baseUrl, mediaType, which the answer will have, contentType, contentEncoding, or storage. */
static void
bind_server(Request *request, PgStatement *statement, int number, const Parameter *parameter)
{
	if (strcmp(parameter->name, "storage") == 0)
	{
		/* with the byte in front that bind_jsonb needs */
		const char *text = arena_format(&request->arena, " %s", storage_description(&request->arena)) + 1;

		bind_jsonb(statement, number, text, strlen(text));
	}
	else if (strcmp(parameter->name, "contentType") == 0)
	{
		const char *type = content_type(request);

		if (type)
			bind_value(request, statement, number, parameter, type);
	}
	else if (strcmp(parameter->name, "contentEncoding") == 0)
	{
		const char *encoding = request_header(request, "Content-Encoding");

		if (encoding)
			bind_value(request, statement, number, parameter, encoding);
	}
	else
		bind_value(request, statement, number, parameter, strcmp(parameter->name, "baseUrl") == 0 ? request->public_url : request->media);
}

void
arguments_read(Request *request, PgStatement *statement)
{
	const Endpoint *endpoint = request->endpoint;
	Query		query;
	int			path_values = 0;

	statement->count = endpoint->parameter_count;
	memset(statement->values, 0, sizeof(statement->values));
	memset(statement->lengths, 0, sizeof(statement->lengths));
	memset(statement->formats, 0, sizeof(statement->formats));
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const Parameter *parameter = &endpoint->parameters[i];
		const char *value = NULL;

		if (parameter->place == IN_PATH)
			value = request->path_values[path_values++];
		else if (parameter->place == IN_HEADER)
			value = request_header(request, parameter->name);
		else if (parameter->place == IN_SERVER)
			bind_server(request, statement, i, parameter);
		if (value)
			bind_value(request, statement, i, parameter, value);
	}
	query_read(request, &query);
	bind_query(request, statement, endpoint, &query);
	if (request->refusal.code == NULL)
		bind_body(request, statement, endpoint);
}

void
arguments_pick(const Call *call, const PgStatement *all, PgStatement *statement)
{
	statement->text = call->text;
	statement->count = call->count;
	for (int i = 0; i < call->count; i++)
	{
		statement->values[i] = all->values[call->from[i]];
		statement->lengths[i] = all->lengths[call->from[i]];
		statement->formats[i] = all->formats[call->from[i]];
	}
}
