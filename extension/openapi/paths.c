/*
 * paths.c
 *	  The document itself: info, servers, paths, and the components that they
 *	  refer to.
 *
 * Paths are written first, into text of their own, as the problem responses and
 * schemas that go out are those that the paths refer to.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "openapi/operation.h"

static const struct
{
	const char *name;
	const char *description;
}			tags[] = {
	{"Records", "Records of the tenant's modules: create, read, change, move through their workflow."},
	{"Retention", "Legal holds, and what is left of records that were purged."},
	{"Audit", "What happened, and who did it."},
	{"Modules", "Definitions: fields, workflow, permissions."},
	{"Approvals", "Who approves a transition before it is fired, in whose place, and signatures."},
	{"Calendar", "The calendar in which due dates are counted, for administrators."},
	{"Locations", "The location tree: sites and what lies in them, and who has them."},
	{"Comments", "What people say of records."},
	{"Attachments", "Files of records, sent to and fetched from signed URLs."},
	{"API keys", "Keys of the tenant, for administrators."},
	{"GraphQL", "The same records, rules and rights as a graph."},
	{"SCIM", "Users, groups and other resources for identity providers (RFC 7643, RFC 7644)."},
	{"Jobs", "Work in the background."},
	{"Exports", "Records as files: CSV, XLSX, PDF, NDJSON."},
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

/* ---- operations ---- */

static const ApiModule *
sample_module(const ApiDocument *document, const ApiEndpoint *endpoint)
{
	uint32		action = endpoint->action ? module_action_parse(endpoint->action) : 0;

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
	appendStringInfoString(&code, endpoint->status == 204 || endpoint->streams || strstr(endpoint->gives[0], "json") == NULL ? "text()" : "json()");
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
	parameters_write(out, document, endpoint);
	request_body_write(out, document, endpoint);
	responses_write(out, document, endpoint);
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
	"\"schema\":{\"type\":\"string\",\"enum\":[\"true\"]}"},
	{"WWW-Authenticate", "How to authenticate (RFC 6750).", TEXT},
	{"Retry-After", "Seconds to wait before the next try, or before a job is asked for again.", NUMBER},
	{"Cache-Control", "no-store: what is told of jobs is not kept.", TEXT},
	{"Preference-Applied", "What of Prefer was done (RFC 7240).", "\"schema\":{\"type\":\"string\",\"enum\":[\"respond-async\"]}"},
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

	initStringInfo(&responses);
	responses_write_shared(&responses, document);
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
