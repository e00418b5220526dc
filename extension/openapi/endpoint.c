/*
 * endpoint.c
 *	  What follows from an endpoint's row: its parameters, and the problems that
 *	  it can answer.
 */
#include "base/compat.h"

#include "openapi/document.h"

const ApiParameter *
endpoint_parameter(const ApiEndpoint *endpoint, const char *place, const char *name)
{
	for (int i = 0; i < endpoint->parameter_count; i++)
		if (strcmp(endpoint->parameters[i].place, place) == 0 && strcmp(endpoint->parameters[i].name, name) == 0)
			return &endpoint->parameters[i];
	return NULL;
}

const char *
endpoint_body_media(const ApiEndpoint *endpoint)
{
	return strcmp(endpoint->error_form, "scim") == 0 ? "application/scim+json" : "application/json";
}

bool
endpoint_has_place(const ApiEndpoint *endpoint, const char *place)
{
	for (int i = 0; i < endpoint->parameter_count; i++)
		if (strcmp(endpoint->parameters[i].place, place) == 0)
			return true;
	return false;
}

bool
endpoint_is_typed(const ApiDocument *document, const ApiEndpoint *endpoint)
{
	return document->module_count > 0 && endpoint->action && module_action_parse(endpoint->action) != 0 &&
		endpoint_parameter(endpoint, "body", "payload") != NULL;
}

static bool
always(const ApiEndpoint *endpoint)
{
	return true;
}

static bool
takes_body(const ApiEndpoint *endpoint)
{
	return endpoint->has_body;
}

/* What is wrong with a line of a stream is said in the answer's line. */
static bool
takes_json(const ApiEndpoint *endpoint)
{
	return endpoint->has_body && !endpoint->streams;
}

static bool
has_cursor(const ApiEndpoint *endpoint)
{
	return endpoint_parameter(endpoint, "query", "cursor") != NULL;
}

/* What has an ETag is read under If-Match too (RFC 9110 section 13.1.1). */
static bool
takes_if_match(const ApiEndpoint *endpoint)
{
	return endpoint_parameter(endpoint, "header", "If-Match") != NULL ||
		(endpoint->etag && strcmp(endpoint->method, "GET") == 0);
}

static bool
is_protected(const ApiEndpoint *endpoint)
{
	return endpoint->authenticated;
}

static bool
changes_things(const ApiEndpoint *endpoint)
{
	return strcmp(endpoint->method, "GET") != 0;
}

/* The key of a stream is that of its lines. */
static bool
takes_key(const ApiEndpoint *endpoint)
{
	return changes_things(endpoint) && !endpoint->streams;
}

/* Codes that follow from what an endpoint is. */
static const struct
{
	const char *code;
	bool		(*applies) (const ApiEndpoint *endpoint);
}			common[] = {
	{"malformed_request", always}, {"malformed_json", takes_json}, {"validation_failed", takes_json},
	{"invalid_parameter", always}, {"invalid_cursor", has_cursor}, {"unauthenticated", always},
	{"forbidden", is_protected}, {"not_acceptable", always}, {"conflict", changes_things},
	{"idempotency_key_in_progress", takes_key}, {"version_mismatch", takes_if_match}, {"payload_too_large", always},
	{"uri_too_long", always}, {"unsupported_media_type", takes_body}, {"idempotency_key_conflict", takes_key},
	{"rate_limited", always}, {"header_too_large", always}, {"internal", always}, {"not_implemented", always},
	{"unavailable", always}, {"timeout", always}, {"http_version_not_supported", always},
};

static bool
can_answer(const ApiEndpoint *endpoint, const char *code)
{
	for (int i = 0; i < (int) lengthof(common); i++)
		if (strcmp(common[i].code, code) == 0 && common[i].applies(endpoint))
			return true;
	/* what PUT does not find it makes */
	if (strcmp(code, "not_found") == 0 && endpoint_has_place(endpoint, "path") && strcmp(endpoint->method, "PUT") != 0)
		return true;
	for (int i = 0; i < endpoint->problem_count; i++)
		if (strcmp(endpoint->problems[i], code) == 0)
			return true;
	return false;
}

List *
endpoint_problems(const ApiDocument *document, const ApiEndpoint *endpoint)
{
	List	   *found = NIL;

	for (int i = 0; i < document->problem_count; i++)
		if (can_answer(endpoint, document->problems[i].code))
			found = lappend(found, &document->problems[i]);
	return found;
}
