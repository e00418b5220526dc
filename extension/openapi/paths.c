/*
 * paths.c
 *	  The document itself: info, servers, paths, responses, headers.
 *
 * Paths are written first, into text of their own, as the problem responses and
 * schemas that go out are those that the paths refer to.  Problem responses are
 * named by their codes joined with points.
 */
#include "compat.h"

#include "json.h"
#include "miscadmin.h"
#include "openapi/document.h"

#define DEPRECATED "-deprecated"

static const struct
{
	const char *name;
	const char *description;
}			tags[] = {
	{"Records", "Records of the tenant's modules: create, read, change, move through their workflow."},
	{"Audit", "What happened, and who did it."},
	{"Modules", "Definitions: fields, workflow, permissions."},
	{"API keys", "Keys of the tenant, for administrators."},
	{"About", "The API itself; no key needed."},
};

static void
write_info(StringInfo out, const ApiDocument *document)
{
	json_literal(out, "{\"openapi\":\"3.1.0\","
				 "\"info\":{\"title\":\"qehs API\",\"version\":\"" QEHS_VERSION "\",\"summary\":\"Quality, environment, health and safety\","
				 "\"description\":\"All endpoints follow the same patterns: bearer authentication, JSON bodies, pages by cursor, "
				 "idempotency keys, rate-limit headers and problems as RFC 9457 says. ");
	if (document->context)
		appendStringInfo(out, "This document has the modules of tenant %s that your key may see, and what it may do.",
						 document->context->tenant_slug);
	else
		json_literal(out, "Read this document with an API key to have the modules of your tenant as typed schemas.");
	json_literal(out, "\",\"license\":{\"name\":\"PostgreSQL License\",\"identifier\":\"PostgreSQL\"},\"contact\":{\"name\":\"Developer portal\",\"url\":");
	json_string(out, psprintf("%s/developers", document->base_url ? document->base_url : "http://127.0.0.1:8080"));
	json_literal(out, "}},\"servers\":[{\"url\":");
	json_string(out, document->base_url ? document->base_url : "/");
	json_literal(out, ",\"description\":\"This server\"}],\"security\":[{\"apiKey\":[]}],\"externalDocs\":{\"description\":\"Error codes\",\"url\":");
	json_string(out, psprintf("%s/developers/errors", document->base_url ? document->base_url : "http://127.0.0.1:8080"));
	json_literal(out, "},\"tags\":[");
	for (int i = 0, count = 0; i < document->tag_count; i++)
	{
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_literal(out, "{\"name\":");
		json_string(out, document->tags[i]);
		for (int j = 0; j < (int) lengthof(tags); j++)
			if (strcmp(tags[j].name, document->tags[i]) == 0)
			{
				json_literal(out, ",\"description\":");
				json_string(out, tags[j].description);
			}
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* ---- parameters ---- */

static void
write_module_keys(StringInfo out, const ApiDocument *document)
{
	int			count = 0;

	json_literal(out, "{\"type\":\"string\",\"enum\":[");
	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].actions & ACTION_READ)
		{
			if (count++ > 0)
				appendStringInfoChar(out, ',');
			json_string(out, document->modules[i].module->key);
		}
	json_literal(out, "]}");
}

/* Fields of the modules by which lists can be sorted, and all by which they can be trimmed. */
static void
write_field_choice(StringInfo out, const ApiDocument *document, bool sort)
{
	static const char *const own[] = {"id", "displayCode", "workflowState", "version", "createdAt", "updatedAt", "createdBy"};
	static const char *const selectable[] = {"moduleKey", "payload", "definitionVersion", "updatedBy", "deletedAt"};
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(own); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? "|" : "", own[i]);
	for (int i = 0; i < (int) lengthof(selectable) && !sort; i++)
		appendStringInfo(&names, "|%s", selectable[i]);
	for (int i = 0; i < document->module_count; i++)
	{
		const ModuleDef *module = document->modules[i].module;

		for (int j = 0; j < module->field_count && (document->modules[i].actions & ACTION_READ); j++)
			if (!sort || module->fields[j].kind != SLOT_NONE)
				appendStringInfo(&names, "|%s%s", sort ? "" : "payload[.]", module->fields[j].key);
	}
	json_literal(out, "{\"type\":\"string\",\"pattern\":");
	json_string(out, sort ? psprintf("^-?(%s)$", names.data) : psprintf("^(%s)(,(%s))*$", names.data, names.data));
	appendStringInfoString(out, sort ? ",\"default\":\"-createdAt\"}" : "}");
}

static bool
readable_modules(const ApiDocument *document)
{
	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].actions & ACTION_READ)
			return true;
	return false;
}

static void
write_parameter(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint, const ApiParameter *parameter)
{
	bool		filter = strcmp(parameter->place, "filter") == 0;
	bool		typed = strcmp(parameter->name, "moduleKey") == 0 && strcmp(parameter->place, "query") == 0 &&
		readable_modules(document);
	bool		chooses = strcmp(parameter->name, "sort") == 0 || strcmp(parameter->name, "fields") == 0;
	JsonbValue	value;

	json_literal(out, "{\"name\":");
	json_string(out, parameter->name);
	appendStringInfo(out, ",\"in\":\"%s\"", filter ? "query" : parameter->place);
	if (parameter->required)
		json_literal(out, ",\"required\":true");
	if (filter)
		json_literal(out, ",\"style\":\"deepObject\",\"explode\":true");
	if (json_member(parameter->row, "description", 11, &value))
	{
		json_literal(out, ",\"description\":");
		json_jsonb_value(out, &value);
	}
	json_literal(out, ",\"schema\":");
	if (filter)
		json_literal(out, "{\"$ref\":\"#/components/schemas/RecordFilter\"}");
	else if (typed)
		write_module_keys(out, document);
	else if (chooses && endpoint_parameter(endpoint, "query", "moduleKey") && readable_modules(document))
		write_field_choice(out, document, parameter->name[0] == 's');
	else if (json_member(parameter->row, "schema", 6, &value) && value.type == jbvBinary)
		json_jsonb_value(out, &value);
	else
		appendStringInfo(out, "{\"type\":\"%s\"}", parameter->type);
	if (!typed && json_member(parameter->row, "example", 7, &value))
	{
		json_literal(out, ",\"example\":");
		json_jsonb_value(out, &value);
	}
	appendStringInfoChar(out, '}');
}

static void
write_parameters(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	json_literal(out, ",\"parameters\":[{\"$ref\":\"#/components/parameters/traceparent\"}");
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const char *place = endpoint->parameters[i].place;

		if (strcmp(place, "body") == 0 || strcmp(place, "document") == 0 || strcmp(place, "server") == 0 ||
			strcmp(place, "stream") == 0)
			continue;
		appendStringInfoChar(out, ',');
		write_parameter(out, document, endpoint, &endpoint->parameters[i]);
	}
	if (strcmp(endpoint->method, "GET") != 0)
		json_literal(out, ",{\"$ref\":\"#/components/parameters/Idempotency-Key\"},{\"$ref\":\"#/components/parameters/Prefer\"}");
	else if (endpoint->etag)
		json_literal(out, ",{\"$ref\":\"#/components/parameters/If-None-Match\"}");
	appendStringInfoChar(out, ']');
}

/* ---- request body ---- */

static void
write_examples(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	int			count = 0;
	int			start = out->len;

	json_literal(out, ",\"examples\":{");
	for (int i = 0; i < document->module_count; i++)
	{
		const ApiModule *module = &document->modules[i];
		StringInfoData body;

		/* which transition suits depends on the record: its schema has them all */
		if (!(module->actions & permission_action_parse(endpoint->action)) || endpoint_parameter(endpoint, "body", "transition"))
			continue;
		initStringInfo(&body);
		if (!example_body(&body, endpoint, module))
			continue;
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_name(out, module->module->key);
		json_literal(out, "{\"summary\":");
		json_string(out, module->label);
		appendStringInfo(out, ",\"value\":%s}", body.data);
	}
	appendStringInfoChar(out, '}');
	if (count == 0)
	{
		out->len = start;
		out->data[start] = '\0';
	}
}

/* The body of a stream has no schema beyond text. */
static void
write_stream_body(StringInfo out, const ApiEndpoint *endpoint)
{
	json_literal(out, ",\"requestBody\":{\"required\":true,\"content\":{\"application/x-ndjson\":{\"schema\":{\"type\":\"string\"},\"example\":");
	json_string(out, example_lines(endpoint));
	json_literal(out, "}}}");
}

static void
write_request_body(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	bool		required = false;
	const ApiParameter *whole = NULL;
	JsonbValue	schema;

	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const ApiParameter *parameter = &endpoint->parameters[i];
		bool		document_wide = strcmp(parameter->place, "document") == 0;

		if (document_wide)
			whole = parameter;
		required = required || (parameter->required && (document_wide || strcmp(parameter->place, "body") == 0));
	}
	json_literal(out, ",\"requestBody\":{\"required\":");
	json_bool(out, required);
	json_literal(out, ",\"content\":{\"application/json\":{\"schema\":");
	if (whole && json_member(whole->row, "schema", 6, &schema) && schema.type == jbvBinary)
		json_jsonb_value(out, &schema);
	else if (whole)
		json_literal(out, "{\"type\":\"object\"}");
	else
		appendStringInfo(out, "{\"$ref\":\"#/components/schemas/%s\"}", document_pascal(endpoint->operation));
	if (endpoint_is_typed(document, endpoint))
		write_examples(out, document, endpoint);
	else
	{
		StringInfoData body;

		initStringInfo(&body);
		if (example_body(&body, endpoint, NULL))
			appendStringInfo(out, ",\"example\":%s", body.data);
	}
	json_literal(out, "}}}");
}

/* ---- responses ---- */

/* endpoint is NULL for an answer that several endpoints share. */
static void
write_header_references(StringInfo out, const ApiEndpoint *endpoint, int status, bool deprecated)
{
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
	if (status == 201 || status == 202)
		json_literal(out, ",\"Location\":{\"$ref\":\"#/components/headers/Location\"}");
	if (status == 401)
		json_literal(out, ",\"WWW-Authenticate\":{\"$ref\":\"#/components/headers/WWW-Authenticate\"}");
	if (status == 429 || status == 503 || status == 409)
		json_literal(out, ",\"Retry-After\":{\"$ref\":\"#/components/headers/Retry-After\"}");
	if (deprecated)
		json_literal(out, ",\"Deprecation\":{\"$ref\":\"#/components/headers/Deprecation\"},"
					 "\"Sunset\":{\"$ref\":\"#/components/headers/Sunset\"}");
	appendStringInfoChar(out, '}');
}

static void
write_success(StringInfo out, const ApiEndpoint *endpoint, int status)
{
	appendStringInfo(out, "\"%d\":{\"description\":", status);
	json_string(out, status == 201 ? "Made" : status == 202 ? "Accepted: it goes on by itself" :
				status == 204 ? "Done; there is no body" : "Success");
	appendStringInfoChar(out, ',');
	write_header_references(out, endpoint, status, endpoint->deprecated);
	if (endpoint->response && status != 204)
		appendStringInfo(out, ",\"content\":{\"%s\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}", endpoint->media, endpoint->response);
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
		appendStringInfo(&name, "%s%s", name.len > 0 ? "." : "", problem->code);
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

static void
write_responses(StringInfo out, ApiDocument *document, const ApiEndpoint *endpoint)
{
	List	   *problems = endpoint_problems(document, endpoint);

	json_literal(out, ",\"responses\":{");
	write_success(out, endpoint, endpoint->status);
	if (strcmp(endpoint->method, "PUT") == 0 && endpoint->status == 200)
	{
		appendStringInfoChar(out, ',');
		write_success(out, endpoint, 201);
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

		if (endpoint->deprecated)
			name = psprintf("%s" DEPRECATED, name);
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

/* A problem response from its name: codes with dots between them, of a deprecated endpoint with DEPRECATED behind them. */
static void
write_answer(StringInfo out, const ApiDocument *document, const char *name)
{
	StringInfoData codes;
	StringInfoData description;
	const ApiProblem *first = find_problem(document, name, strcspn(name, ".-"));

	initStringInfo(&codes);
	initStringInfo(&description);
	for (const char *at = name; *at && strcmp(at, DEPRECATED) != 0;)
	{
		size_t		length = strcspn(at, ".-");
		const ApiProblem *problem = find_problem(document, at, length);

		appendStringInfo(&codes, "%s\"%s\"", at > name ? "," : "", problem->code);
		appendStringInfo(&description, "%s`%s`: %s", at > name ? "\n\n" : "", problem->code, problem->description);
		at += length + (at[length] == '.');
	}
	json_name(out, name);
	json_literal(out, "{\"description\":");
	json_string(out, description.data);
	appendStringInfoChar(out, ',');
	write_header_references(out, NULL, first->status, strstr(name, DEPRECATED) != NULL);
	appendStringInfo(out, ",\"content\":{\"application/problem+json\":{\"schema\":{\"allOf\":[{\"$ref\":\"#/components/schemas/Problem\"},"
					 "{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"integer\",\"const\":%d},\"code\":{\"type\":\"string\",\"enum\":[%s]}}}]}",
					 first->status, codes.data);
	json_literal(out, ",\"example\":{\"type\":");
	json_string(out, psprintf("%s/developers/errors#%s", document->base_url ? document->base_url : "http://127.0.0.1:8080", first->code));
	json_literal(out, ",\"title\":");
	json_string(out, first->title);
	appendStringInfo(out, ",\"status\":%d,\"detail\":", first->status);
	json_string(out, first->description);
	appendStringInfo(out, ",\"instance\":\"/api/v1/records\",\"code\":\"%s\",\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}}}}", first->code);
}

/* ---- operations ---- */

static const ApiModule *
sample_module(const ApiDocument *document, const ApiEndpoint *endpoint)
{
	uint32		action = endpoint->action ? permission_action_parse(endpoint->action) : 0;

	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].example && (action == 0 || document->modules[i].actions & action))
			return &document->modules[i];
	return NULL;
}

/* The same call in three languages; the path has its examples in place. */
static void
write_code_samples(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	const ApiModule *module = sample_module(document, endpoint);
	StringInfoData target;
	StringInfoData body;
	StringInfoData code;
	bool		has_body;
	int			count = 0;

	initStringInfo(&target);
	initStringInfo(&body);
	initStringInfo(&code);
	appendStringInfoString(&target, endpoint->path);
	for (int i = 0; i < endpoint->parameter_count; i++)
		if (endpoint->parameters[i].required && strcmp(endpoint->parameters[i].place, "query") == 0)
			appendStringInfo(&target, "%c%s=%s", count++ > 0 ? '&' : '?', endpoint->parameters[i].name,
							 module && strcmp(endpoint->parameters[i].name, "moduleKey") == 0 ? module->module->key :
							 json_member_text(endpoint->parameters[i].row, "example"));
	has_body = endpoint->has_body && !endpoint->streams &&
		example_body(&body, endpoint, endpoint_is_typed(document, endpoint) ? module : NULL);
	appendStringInfo(&code, "curl -g -X %s \"$QEHS_URL%s\" \\\n  -H \"Authorization: Bearer $QEHS_API_KEY\"", endpoint->method, target.data);
	if (has_body)
		appendStringInfo(&code, " \\\n  -H \"Content-Type: application/json\" \\\n  -d @- <<'JSON'\n%s\nJSON", body.data);
	if (endpoint->streams)
		appendStringInfoString(&code, " \\\n  -H \"Content-Type: application/x-ndjson\" \\\n  --data-binary @records.ndjson");
	json_literal(out, ",\"x-codeSamples\":[{\"lang\":\"Shell\",\"label\":\"curl\",\"source\":");
	json_string(out, code.data);
	resetStringInfo(&code);
	appendStringInfo(&code, "const response = await fetch(base + '%s', {\n  method: '%s',\n  headers: { Authorization: `Bearer ${key}`%s },",
					 target.data, endpoint->method, has_body ? ", 'Content-Type': 'application/json'" :
					 endpoint->streams ? ", 'Content-Type': 'application/x-ndjson'" : "");
	if (has_body)
		appendStringInfo(&code, "\n  body: JSON.stringify(%s),", body.data);
	if (endpoint->streams)
		appendStringInfoString(&code, "\n  body: lines.map(line => JSON.stringify(line) + '\\n').join(''),");
	json_literal(&code, "\n})\nconst answer = await response.");
	appendStringInfoString(&code, endpoint->status == 204 || endpoint->streams || strstr(endpoint->media, "json") == NULL ? "text()" : "json()");
	json_literal(out, "},{\"lang\":\"JavaScript\",\"label\":\"JavaScript\",\"source\":");
	json_string(out, code.data);
	resetStringInfo(&code);
	example_sql(&code, endpoint, endpoint_is_typed(document, endpoint) || endpoint_parameter(endpoint, "query", "moduleKey") ? module : NULL);
	json_literal(out, "},{\"lang\":\"SQL\",\"label\":\"SQL\",\"source\":");
	json_string(out, code.data);
	json_literal(out, "}]");
}

static void
write_operation(StringInfo out, ApiDocument *document, const ApiEndpoint *endpoint)
{
	StringInfoData description;
	char		method[16];

	initStringInfo(&description);
	appendStringInfoString(&description, endpoint->description ? endpoint->description : endpoint->summary);
	if (endpoint->scope)
		appendStringInfo(&description, " Needs scope `%s`.", endpoint->scope);
	strlcpy(method, endpoint->method, sizeof(method));
	for (char *c = method; *c; c++)
		*c = pg_tolower((unsigned char) *c);
	json_name(out, method);
	json_literal(out, "{\"operationId\":");
	json_string(out, endpoint->operation);
	json_literal(out, ",\"summary\":");
	json_string(out, endpoint->summary);
	json_literal(out, ",\"description\":");
	json_string(out, description.data);
	json_literal(out, ",\"tags\":[");
	json_string(out, endpoint->tag);
	appendStringInfoChar(out, ']');
	if (!endpoint->authenticated)
		json_literal(out, ",\"security\":[{},{\"apiKey\":[]}]");
	if (endpoint->deprecated)
		json_literal(out, ",\"deprecated\":true");
	if (endpoint->scope)
		appendStringInfo(out, ",\"x-qehs-scope\":\"%s\"", endpoint->scope);
	appendStringInfo(out, ",\"x-qehs-function\":\"%s\"", endpoint->function);
	write_parameters(out, document, endpoint);
	if (endpoint->streams)
		write_stream_body(out, endpoint);
	else if (endpoint->has_body)
		write_request_body(out, document, endpoint);
	write_responses(out, document, endpoint);
	write_code_samples(out, document, endpoint);
	appendStringInfoChar(out, '}');
}

static void
write_paths(StringInfo out, ApiDocument *document)
{
	json_literal(out, "\"paths\":{");
	for (int i = 0; i < document->endpoint_count; i++)
	{
		const ApiEndpoint *endpoint = &document->endpoints[i];
		bool		same = i > 0 && strcmp(endpoint[-1].path, endpoint->path) == 0;

		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoString(out, same ? "," : "},");
		if (!same)
		{
			json_name(out, endpoint->path);
			appendStringInfoChar(out, '{');
		}
		write_operation(out, document, endpoint);
	}
	appendStringInfoString(out, document->endpoint_count > 0 ? "}}" : "}");
}

/* ---- components ---- */

#define TEXT "\"schema\":{\"type\":\"string\"}"
#define NUMBER "\"schema\":{\"type\":\"integer\",\"minimum\":0}"

typedef struct Fixed
{
	const char *name;
	const char *description;
	const char *rest;
} Fixed;

static const Fixed parameters[] = {
	{"traceparent", "W3C Trace Context: the answer carries the same trace id.",
	TEXT ",\"example\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\""},
	{"Idempotency-Key", "Makes a retry safe: for 24 hours the same key gives the first answer again.",
		"\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[ -~]+$\"},\"example\":\"9c0a1f6e\""},
	{"Prefer", "wait=10 waits up to 10 seconds for a twin with the same Idempotency-Key (RFC 7240).", TEXT ",\"example\":\"wait=10\""},
	{"If-None-Match", "ETag of an answer at hand: 304 when it still holds.", TEXT ",\"example\":\"\\\"1\\\"\""},
	{NULL, NULL, NULL}
};

static const Fixed headers[] = {
	{"X-Trace-Id", "Names the request in the logs.", "\"schema\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{32}$\"}"},
	{"traceparent", "W3C Trace Context.", TEXT},
	{"X-RateLimit-Limit", "Requests a minute.", NUMBER},
	{"X-RateLimit-Remaining", "Requests left in this minute.", NUMBER},
	{"X-RateLimit-Reset", "When the window ends, in seconds since 1970.", NUMBER},
	{"RateLimit-Policy", "The limit as the IETF draft writes it.", TEXT},
	{"RateLimit", "What is left as the IETF draft writes it.", TEXT},
	{"ETag", "The version of what is answered.", TEXT},
	{"Content-Language", "The language of the labels, where Accept-Language chose one.", TEXT},
	{"Link", "The next page, rel next (RFC 8288); of a deprecated endpoint also what to read about it, rel deprecation.", TEXT},
	{"Location", "Where what was made is found.", "\"schema\":{\"type\":\"string\",\"format\":\"uri-reference\"}"},
	{"Idempotency-Replayed", "true when the answer is that of an earlier request with this Idempotency-Key.",
	"\"schema\":{\"type\":\"string\",\"const\":\"true\"}"},
	{"WWW-Authenticate", "How to authenticate (RFC 6750).", TEXT},
	{"Retry-After", "Seconds to wait before the next try.", NUMBER},
	{"Deprecation", "Since when the endpoint is deprecated (RFC 9745).", TEXT},
	{"Sunset", "When the endpoint ends (RFC 8594).", TEXT},
	{NULL, NULL, NULL}
};

/* A section of components: what roots refers to. */
static void
write_fixed(StringInfo out, const char *section, const Fixed *items, const char *roots)
{
	int			count = 0;

	appendStringInfo(out, "\"%s\":{", section);
	for (const Fixed *item = items; item->name; item++)
	{
		if (strstr(roots, psprintf("#/components/%s/%s\"", section, item->name)) == NULL)
			continue;
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_name(out, item->name);
		appendStringInfoChar(out, '{');
		if (items == parameters)
			appendStringInfo(out, "\"name\":\"%s\",\"in\":\"header\",", item->name);
		json_literal(out, "\"description\":");
		json_string(out, item->description);
		appendStringInfo(out, ",%s}", item->rest);
	}
	json_literal(out, "},");
}

static void
write_components(StringInfo out, ApiDocument *document, const char *paths)
{
	StringInfoData responses;
	StringInfoData roots;
	ListCell   *cell;

	initStringInfo(&responses);
	json_literal(&responses, "\"responses\":{\"NotModified\":");
	write_not_modified(&responses, false);
	foreach(cell, document->answers)
	{
		appendStringInfoChar(&responses, ',');
		write_answer(&responses, document, lfirst(cell));
	}
	appendStringInfoChar(&responses, '}');
	initStringInfo(&roots);
	appendStringInfoString(&roots, paths);
	appendBinaryStringInfo(&roots, responses.data, responses.len);
	json_literal(out, ",\"components\":{\"securitySchemes\":{\"apiKey\":{\"type\":\"http\",\"scheme\":\"bearer\","
				 "\"bearerFormat\":\"qehs_live_sk_…\",\"description\":\"An API key of the tenant. It has scopes, roles and, "
				 "where it is so made, a list of modules.\"}},");
	write_fixed(out, "parameters", parameters, roots.data);
	write_fixed(out, "headers", headers, roots.data);
	appendBinaryStringInfo(out, responses.data, responses.len);
	json_literal(out, ",\"schemas\":{");
	components_write(out, document, roots.data);
	json_literal(out, "}}");
}

void
openapi_write(StringInfo out, ApiDocument *document)
{
	StringInfoData paths;

	initStringInfo(&paths);
	write_paths(&paths, document);
	write_info(out, document);
	appendStringInfoChar(out, ',');
	appendBinaryStringInfo(out, paths.data, paths.len);
	write_components(out, document, paths.data);
	appendStringInfoChar(out, '}');
}
