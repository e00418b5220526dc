/*
 * postman.c
 *	  The operations as a Postman collection, format 2.1.
 *
 * A collection is run from top to bottom: within a tag what makes things goes
 * first and keeps their ids in variables for what follows, and what ends them
 * goes last.  Each module has a request of its own that makes a record; the
 * others take the record of the first.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "openapi/document.h"

typedef struct Ranked
{
	const ApiEndpoint *endpoint;
	int			rank;
	int			number;			/* in the document, to keep its order */
} Ranked;

static int
rank_of(const ApiEndpoint *endpoint)
{
	bool		one = endpoint_has_place(endpoint, "path");

	if (strcmp(endpoint->method, "GET") == 0)
		return one ? 3 : 1;
	if (strcmp(endpoint->method, "POST") == 0)
		return !one ? 0 : strstr(endpoint->operation, "restore") ? 7 : 5;
	/* a module is made by PUT, others need an id that a POST gave */
	return strcmp(endpoint->method, "DELETE") == 0 ? 6 : strcmp(endpoint->method, "PUT") == 0 && !endpoint_parameter(endpoint, "path", "id") ? 0 : 4;
}

static int
compare_rank(const void *left, const void *right)
{
	const Ranked *a = left;
	const Ranked *b = right;

	return a->rank != b->rank ? a->rank - b->rank : a->number - b->number;
}

/* The variable that stands for a path parameter: "recordId" for {id} of record_get, "jobId" for itself; NULL when it is no id. */
static char *
variable_name(const ApiEndpoint *endpoint, const ApiParameter *parameter)
{
	char	   *noun;
	const char *verb;

	if (strcmp(parameter->name, "jobId") == 0 || strcmp(parameter->name, "eventId") == 0)
		return pstrdup(parameter->name);
	if (strcmp(parameter->name, "id") != 0)
		return NULL;
	noun = document_pascal(endpoint->operation);
	verb = strrchr(endpoint->operation, '_');
	if (verb)
		noun[strlen(noun) - strlen(document_pascal(verb))] = '\0';
	noun[0] = pg_tolower((unsigned char) noun[0]);
	return psprintf("%sId", noun);
}

/* The module whose records the collection works with: the first that an example can be made in. */
static const ApiModule *
main_module(const ApiDocument *document)
{
	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].example && document->modules[i].example_runs && (document->modules[i].actions & ACTION_CREATE))
			return &document->modules[i];
	return NULL;
}

/* A transition that a new record of the example can take, or NULL. */
static const ModuleTransition *
first_transition(const ApiDocument *document, const ApiModule *module)
{
	for (int i = 0; module && i < module->module->transition_count; i++)
	{
		const ModuleTransition *transition = &module->module->transitions[i];
		bool		starts = transition->from_count < 0;
		bool		complete = transition->when == NULL && transition->children_count == 0 && transition->step_count == 0 &&
			transition->meanings.count < 0 && transition->not_same_actor.count < 0 && transition->file_count == 0;

		for (int j = 0; j < transition->from_count; j++)
			starts = starts || strcmp(transition->from[j], module->module->initial) == 0;
		for (int j = 0; j < transition->requires_count; j++)
		{
			JsonbValue	value;

			complete = complete && json_member(&module->example->root, transition->requires[j],
											   strlen(transition->requires[j]), &value);
		}
		if (starts && complete && permission_may_fire(document->context, module->module, transition, &permission_some_record))
			return transition;
	}
	return NULL;
}

/* Append text as the inside of a JSON string, with variables in place of path parameters. */
static void
write_path(StringInfo text, const ApiDocument *document, const ApiEndpoint *endpoint, const char *path)
{
	while (*path)
	{
		char	   *name;
		char	   *variable;
		const ApiParameter *parameter;
		size_t		length = strcspn(path, "{");

		appendBinaryStringInfo(text, path, length);
		path += length;
		if (*path == '\0')
			break;
		length = strcspn(path, "}");
		name = pnstrdup(path + 1, length - 1);
		parameter = endpoint_parameter(endpoint, "path", name);
		variable = parameter ? variable_name(endpoint, parameter) : NULL;
		if (variable)
			appendStringInfo(text, "{{%s}}", variable);
		else if (strcmp(name, "moduleKey") == 0 && strcmp(endpoint->method, "GET") == 0 && document->module_count > 0)
			appendStringInfoString(text, document->modules[0].module->key);
		else if (parameter && json_member_text(parameter->row, "example"))
			appendStringInfoString(text, json_member_text(parameter->row, "example"));
		else
			appendStringInfoString(text, name);
		path += length + 1;
	}
}

static void
write_query(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint, StringInfo raw)
{
	const ApiModule *module = main_module(document);
	int			count = 0;

	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const ApiParameter *parameter = &endpoint->parameters[i];
		char	   *value = json_member_text(parameter->row, "example");

		if (strcmp(parameter->place, "query") != 0)
			continue;
		if (strcmp(parameter->name, "moduleKey") == 0 && module)
			value = unconstify(char *, module->module->key);
		if (value == NULL)
			value = strcmp(parameter->name, "limit") == 0 ? "10" : "";
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_literal(out, "{\"key\":");
		json_string(out, parameter->name);
		json_literal(out, ",\"value\":");
		json_string(out, value);
		if (parameter->required)
			appendStringInfo(raw, "%c%s=%s", strchr(raw->data, '?') ? '&' : '?', parameter->name, value);
		else
			json_literal(out, ",\"disabled\":true");
		appendStringInfoChar(out, '}');
	}
}

static void
write_url(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	StringInfoData path;
	StringInfoData query;
	StringInfoData raw;
	char	   *rest;
	int			count = 0;

	initStringInfo(&path);
	initStringInfo(&query);
	initStringInfo(&raw);
	write_path(&path, document, endpoint, endpoint->path);
	appendStringInfo(&raw, "{{baseUrl}}%s", path.data);
	write_query(&query, document, endpoint, &raw);
	json_literal(out, "{\"raw\":");
	json_string(out, raw.data);
	json_literal(out, ",\"host\":[\"{{baseUrl}}\"],\"path\":[");
	for (char *segment = strtok_r(path.data + 1, "/", &rest); segment; segment = strtok_r(NULL, "/", &rest))
	{
		if (count++ > 0)
			appendStringInfoChar(out, ',');
		json_string(out, segment);
	}
	appendStringInfo(out, "],\"query\":[%s]}", query.data);
}

/* The body of a request, or nothing to send. */
static bool
write_body(StringInfo body, const ApiDocument *document, const ApiEndpoint *endpoint, const ApiModule *module)
{
	const ModuleTransition *transition;

	if (!endpoint_parameter(endpoint, "body", "transition") || document->module_count == 0)
		return example_body(body, endpoint, endpoint_is_typed(document, endpoint) ? module : NULL);
	transition = first_transition(document, module);
	if (transition == NULL)
		return false;
	json_literal(body, "{\"transition\":");
	json_string(body, transition->name);
	json_literal(body, ",\"comment\":\"From the collection\"}");
	return true;
}

/* The patch of the example: its first text, number or choice again, which every schema takes. */
static bool
write_patch(StringInfo body, const ApiModule *module)
{
	JsonbIterator *iterator = JsonbIteratorInit(&module->example->root);
	JsonbValue	key = {.type = jbvNull};
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = value;
		else if (token == WJB_VALUE)
		{
			json_literal(body, "{\"payload\":{");
			json_string_n(body, key.val.string.val, key.val.string.len);
			appendStringInfoChar(body, ':');
			json_jsonb_value(body, &value);
			json_literal(body, "},\"comment\":\"From the collection\"}");
			return true;
		}
	}
	return false;
}

/* What a request makes: by its operation, or, where that is of something else (record_comment), by the end of its path. */
static char *
made_noun(const ApiEndpoint *endpoint)
{
	const char *verb = strrchr(endpoint->operation, '_');
	char	   *noun;

	if (endpoint_has_place(endpoint, "path"))
	{
		noun = pstrdup(strrchr(endpoint->path, '/') + 1);
		noun[strlen(noun) - 1] = '\0';
	}
	else
		noun = document_pascal(pnstrdup(endpoint->operation, verb ? verb - endpoint->operation : 0));
	noun[0] = pg_tolower((unsigned char) noun[0]);
	return noun;
}

static void
write_tests(StringInfo out, const ApiEndpoint *endpoint, bool keep_id)
{
	StringInfoData script;

	initStringInfo(&script);
	if (strcmp(endpoint->method, "PUT") == 0)
		json_literal(&script, "pm.test(\"status is 200 or 201\", () => pm.expect(pm.response.code).to.be.oneOf([200, 201]));");
	else
		appendStringInfo(&script, "pm.test(\"status is %d\", () => pm.response.to.have.status(%d));", endpoint->status, endpoint->status);
	json_literal(out, "\"event\":[{\"listen\":\"test\",\"script\":{\"type\":\"text/javascript\",\"exec\":[");
	json_string(out, script.data);
	if (keep_id)
	{
		appendStringInfoChar(out, ',');
		json_string(out, psprintf("if (pm.response.code < 300) pm.collectionVariables.set(\"%sId\", pm.response.json().id);", made_noun(endpoint)));
	}
	if (endpoint->status == 202)
	{
		appendStringInfoChar(out, ',');
		json_string(out, "if (pm.response.code < 300) pm.collectionVariables.set(\"jobId\", pm.response.json().jobId);");
	}
	/* the last event of a seal has a proof */
	if (strcmp(endpoint->operation, "audit_seals") == 0)
	{
		appendStringInfoChar(out, ',');
		json_string(out, "if (pm.response.code < 300) pm.collectionVariables.set(\"eventId\", pm.response.json().items[0]?.upto);");
	}
	json_literal(out, "]}}]");
}

static void
write_item(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint, const ApiModule *module, const char *body,
		   bool keep_id)
{
	json_literal(out, "{\"name\":");
	json_string(out, module ? psprintf("%s: %s", endpoint->summary, module->label) : endpoint->summary);
	appendStringInfoChar(out, ',');
	write_tests(out, endpoint, keep_id);
	appendStringInfo(out, ",\"request\":{\"method\":\"%s\",\"header\":[", endpoint->method);
	if (strcmp(endpoint->method, "GET") != 0)
		json_literal(out, "{\"key\":\"Idempotency-Key\",\"value\":\"{{$guid}}\"}");
	if (body)
		appendStringInfo(out, ",{\"key\":\"Content-Type\",\"value\":\"%s\"}", endpoint->streams ? "application/x-ndjson" : endpoint_body_media(endpoint));
	if (endpoint_parameter(endpoint, "header", "If-Match"))
		json_literal(out, ",{\"key\":\"If-Match\",\"value\":\"\\\"1\\\"\",\"disabled\":true}");
	appendStringInfoChar(out, ']');
	if (!endpoint->authenticated && document->context == NULL)
		json_literal(out, ",\"auth\":{\"type\":\"noauth\"}");
	if (body)
	{
		json_literal(out, ",\"body\":{\"mode\":\"raw\",\"raw\":");
		json_string(out, body);
		json_literal(out, ",\"options\":{\"raw\":{\"language\":\"json\"}}}");
	}
	json_literal(out, ",\"url\":");
	write_url(out, document, endpoint);
	json_literal(out, ",\"description\":");
	json_string(out, endpoint->description ? endpoint->description : endpoint->summary);
	json_literal(out, "},\"response\":[]}");
}

static void
comma(StringInfo out)
{
	if (out->data[out->len - 1] == '}')
		appendStringInfoChar(out, ',');
}

/* One request that makes a record for each module that the caller may make one in. */
static void
write_creates(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	bool		first = true;

	for (int i = 0; i < document->module_count; i++)
	{
		const ApiModule *module = &document->modules[i];
		StringInfoData body;

		initStringInfo(&body);
		if (!(module->actions & ACTION_CREATE) || !module->example_runs || !example_body(&body, endpoint, module))
			continue;
		comma(out);
		write_item(out, document, endpoint, module, body.data, first);
		first = false;
	}
}

static void
write_endpoint(StringInfo out, const ApiDocument *document, const ApiEndpoint *endpoint)
{
	const ApiModule *module = main_module(document);
	StringInfoData body;
	bool		has_body;

	CHECK_FOR_INTERRUPTS();
	/* needs another person, or a secret that the collection has not */
	if (endpoint->action && strcmp(endpoint->action, "person") == 0)
		return;
	/* takes away for good what the other requests work with, or who */
	if ((endpoint->scope && strcmp(endpoint->scope, "records.purge") == 0) || strcmp(endpoint->operation, "user_erase") == 0)
		return;
	/* a key without a user has no Me, and a tenant without resource types of its own nothing at the last */
	if (strcmp(endpoint->path, "/api/scim/v2/Me") == 0 || endpoint_parameter(endpoint, "path", "resourceType"))
		return;
	if (endpoint_is_typed(document, endpoint) && endpoint_parameter(endpoint, "body", "moduleKey"))
	{
		write_creates(out, document, endpoint);
		return;
	}
	initStringInfo(&body);
	if (endpoint_is_typed(document, endpoint) && module && !endpoint_parameter(endpoint, "body", "transition"))
		has_body = write_patch(&body, module);
	else if (endpoint->streams)
	{
		appendStringInfoString(&body, example_lines(endpoint));
		has_body = true;
	}
	else
		has_body = endpoint->has_body && write_body(&body, document, endpoint, module);
	/* no transition that a new record can take */
	if (!has_body && endpoint_parameter(endpoint, "body", "transition"))
		return;
	comma(out);
	write_item(out, document, endpoint, NULL, has_body ? body.data : NULL,
			   endpoint->status == 201 && strchr(strrchr(endpoint->path, '/'), '{') == NULL);
}

static void
write_folder(StringInfo out, const ApiDocument *document, const Ranked *order, const char *tag)
{
	json_literal(out, "{\"name\":");
	json_string(out, tag);
	json_literal(out, ",\"item\":[");
	for (int i = 0; i < document->endpoint_count; i++)
		if (strcmp(order[i].endpoint->tag, tag) == 0)
			write_endpoint(out, document, order[i].endpoint);
	json_literal(out, "]}");
}

/* Whether a folder has a request that makes something: it goes before those that only look at what is there. */
static bool
makes_something(const ApiDocument *document, const char *tag)
{
	for (int i = 0; i < document->endpoint_count; i++)
		if (strcmp(document->endpoints[i].tag, tag) == 0 &&
			(strcmp(document->endpoints[i].method, "POST") == 0 || strcmp(document->endpoints[i].method, "PUT") == 0))
			return true;
	return false;
}

void
postman_write(StringInfo out, ApiDocument *document)
{
	Ranked	   *order = palloc(sizeof(Ranked) * (document->endpoint_count + 1));

	for (int i = 0; i < document->endpoint_count; i++)
		order[i] = (Ranked) {&document->endpoints[i], rank_of(&document->endpoints[i]), i};
	qsort(order, document->endpoint_count, sizeof(Ranked), compare_rank);
	json_literal(out, "{\"info\":{\"name\":\"qehs API\",\"description\":\"Fill in the variable apiKey and run it: each request tests its status.\","
				 "\"version\":\"" QEHS_VERSION "\",\"schema\":\"https://schema.getpostman.com/json/collection/v2.1.0/collection.json\"},"
				 "\"auth\":{\"type\":\"bearer\",\"bearer\":[{\"key\":\"token\",\"value\":\"{{apiKey}}\",\"type\":\"string\"}]},"
				 "\"variable\":[{\"key\":\"baseUrl\",\"value\":");
	json_string(out, document->base_url ? document->base_url : "http://127.0.0.1:8080");
	json_literal(out, "},{\"key\":\"apiKey\",\"value\":\"\"},{\"key\":\"recordId\",\"value\":\"\"},{\"key\":\"apiKeyId\",\"value\":\"\"},"
				 "{\"key\":\"jobId\",\"value\":\"\"}],\"item\":[");
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < document->tag_count; i++)
		{
			if (makes_something(document, document->tags[i]) != (pass == 0))
				continue;
			comma(out);
			write_folder(out, document, order, document->tags[i]);
		}
	}
	json_literal(out, "]}");
}
