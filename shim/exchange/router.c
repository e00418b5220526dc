/*
 * router.c
 *	  Endpoints from JSON, and matching.
 *
 * A template is matched left to right: literal text must be equal, {name} takes
 * at least one character up to the next literal or slash.  Templates with more
 * literal text win, so {id}:transition goes before {id}.
 */
#include "exchange/router.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BEGIN_SQL "SELECT qehs.request_begin($1::text, $2::text, $3::text, $4::text, $5::bytea, $6::text, $7::text, $8::jsonb)"

static ParameterPlace
read_place(const char *name)
{
	static const char *const names[] = {"path", "query", "header", "body", "document", "filter", "server"};

	for (int i = 0; i < 7; i++)
		if (strcmp(names[i], name) == 0)
			return (ParameterPlace) i;
	return IN_QUERY;
}

static const char *
copy_member(Router *router, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? arena_copy(&router->arena, text, strlen(text)) : "";
}

static void
read_endpoint(Router *router, Endpoint *endpoint, const json_t *source)
{
	const json_t *parameters = json_object_get(source, "parameters");
	Buffer		call = {.arena = &router->arena};

	endpoint->operation = copy_member(router, source, "operation");
	endpoint->method = copy_member(router, source, "method");
	endpoint->path = copy_member(router, source, "path");
	endpoint->headers = copy_member(router, source, "headers");
	endpoint->media = copy_member(router, source, "media");
	endpoint->has_body = strcmp(copy_member(router, source, "body"), "json") == 0;
	endpoint->streams = strcmp(copy_member(router, source, "body"), "stream") == 0;
	endpoint->limit = (uint64_t) json_integer_value(json_object_get(source, "timeLimit")) * (CLOCK_SECOND / 1000);
	buffer_text(&call, "SELECT ");
	/* what a stream's lines go to is in stream.c */
	buffer_text(&call, endpoint->streams ? "qehs.bulk_begin" : copy_member(router, source, "function"));
	buffer_text(&call, "(");
	for (size_t i = 0; i < json_array_size(parameters) && i < ROUTER_MAX_PARAMETERS; i++)
	{
		const json_t *item = json_array_get(parameters, i);
		Parameter  *parameter;

		if (strcmp(copy_member(router, item, "in"), "stream") == 0)
			continue;
		parameter = &endpoint->parameters[endpoint->parameter_count++];
		parameter->name = copy_member(router, item, "name");
		parameter->argument = copy_member(router, item, "argument");
		parameter->type = copy_member(router, item, "type");
		parameter->sql_type = copy_member(router, item, "sqlType");
		parameter->place = read_place(copy_member(router, item, "in"));
		parameter->required = json_is_true(json_object_get(item, "required"));
		buffer_format(&call, "%s%s => $%d::%s", endpoint->parameter_count > 1 ? ", " : "", parameter->argument, endpoint->parameter_count,
					  parameter->sql_type);
	}
	buffer_text(&call, ")");
	endpoint->call = pg_text(call.data);
}

/* All of them, once more where they have an alias. */
static void
read_endpoints(Router *router, const json_t *list)
{
	size_t		count = json_array_size(list);

	router->endpoints = arena_alloc(&router->arena, sizeof(Endpoint) * count * 2);
	memset(router->endpoints, 0, sizeof(Endpoint) * count * 2);
	for (size_t i = 0; i < count; i++)
	{
		const json_t *source = json_array_get(list, i);
		const char *alias = copy_member(router, source, "alias");
		Endpoint   *endpoint = &router->endpoints[router->endpoint_count++];

		read_endpoint(router, endpoint, source);
		if (*alias == '\0')
			continue;
		router->endpoints[router->endpoint_count] = *endpoint;
		router->endpoints[router->endpoint_count++].path = alias;
	}
}

static void
read_problem(Router *router, Problem *problem, const json_t *source)
{
	json_t	   *titles = json_object_get(source, "titles");
	const char *language;
	json_t	   *title;

	memset(problem, 0, sizeof(*problem));
	problem->code = copy_member(router, source, "code");
	problem->status = (int) json_integer_value(json_object_get(source, "status"));
	problem->title = copy_member(router, source, "title");
	problem->description = copy_member(router, source, "description");
	json_object_foreach(titles, language, title)
	{
		if (problem->title_count == ROUTER_MAX_LANGUAGES || !json_is_string(title))
			continue;
		problem->titles[problem->title_count].language = arena_copy(&router->arena, language, strlen(language));
		problem->titles[problem->title_count++].text = copy_member(router, titles, language);
	}
}

static size_t
literal_length(const char *template)
{
	size_t		length = 0;
	bool		in_name = false;

	for (; *template; template++)
	{
		if (*template == '{')
			in_name = true;
		length += !in_name;
		if (*template == '}')
			in_name = false;
	}
	return length;
}

static int
compare_endpoints(const void *left, const void *right)
{
	size_t		a = literal_length(((const Endpoint *) left)->path);
	size_t		b = literal_length(((const Endpoint *) right)->path);

	return a > b ? -1 : a < b;
}

Router *
router_load(const char *endpoints_json, const char *problems_json, const char *version)
{
	json_t	   *endpoints = json_loads(endpoints_json, 0, NULL);
	json_t	   *problems = json_loads(problems_json, 0, NULL);
	Router	   *router = NULL;

	if (json_is_array(endpoints) && json_is_array(problems) && (router = calloc(1, sizeof(Router))) != NULL)
	{
		router->references = 1;
		router->version = arena_copy(&router->arena, version, strlen(version));
		router->begin = pg_text(BEGIN_SQL);
		router->end = pg_text("SELECT qehs.request_end()");
		read_endpoints(router, endpoints);
		qsort(router->endpoints, (size_t) router->endpoint_count, sizeof(Endpoint), compare_endpoints);
		router->problem_count = (int) json_array_size(problems);
		router->problems = arena_alloc(&router->arena, sizeof(Problem) * (size_t) router->problem_count);
		for (int i = 0; i < router->problem_count; i++)
		{
			read_problem(router, &router->problems[i], json_array_get(problems, (size_t) i));
		}
	}
	json_decref(endpoints);
	json_decref(problems);
	return router;
}

Router *
router_hold(Router *router)
{
	if (router)
		__atomic_add_fetch(&router->references, 1, __ATOMIC_RELAXED);
	return router;
}

void
router_release(Router *router)
{
	if (router && __atomic_sub_fetch(&router->references, 1, __ATOMIC_ACQ_REL) == 0)
	{
		arena_free(&router->arena);
		free(router);
	}
}

/* Match one template; values of its names are copied into the arena. */
static bool
match_template(const char *template, const char *path, Arena *arena, const char **values)
{
	int			count = 0;

	while (*template)
	{
		const char *literal;
		const char *end;

		if (*template != '{')
		{
			if (*template++ != *path++)
				return false;
			continue;
		}
		literal = strchr(template, '}') + 1;
		template = literal;
		/* up to the slash or, for a literal suffix, up to its last start */
		end = path + strcspn(path, "/");
		if (*literal && *literal != '/')
		{
			size_t		suffix = strcspn(literal, "/{");

			if ((size_t) (end - path) <= suffix || memcmp(end - suffix, literal, suffix) != 0)
				return false;
			end -= suffix;
		}
		if (end == path)
			return false;
		values[count++] = arena_copy(arena, path, (size_t) (end - path));
		path = end;
	}
	return *path == '\0';
}

const Endpoint *
router_match(const Router *router, const char *method, const char *path, Arena *arena, const char **values, Buffer *allow)
{
	const char *best = NULL;

	for (int i = 0; i < router->endpoint_count; i++)
	{
		const Endpoint *endpoint = &router->endpoints[i];

		/* once a template has matched, less literal ones are another resource */
		if (best && strcmp(best, endpoint->path) != 0)
			continue;
		if (!match_template(endpoint->path, path, arena, values))
			continue;
		best = endpoint->path;
		if (strcmp(endpoint->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(endpoint->method, "GET") == 0))
			return endpoint;
		buffer_format(allow, "%s%s%s", allow->length > 0 ? ", " : "", endpoint->method,
					  strcmp(endpoint->method, "GET") == 0 ? ", HEAD" : "");
	}
	if (best)
		buffer_text(allow, ", OPTIONS");
	return NULL;
}

const Problem *
router_problem(const Router *router, const char *code)
{
	for (int i = 0; i < router->problem_count; i++)
		if (strcmp(router->problems[i].code, code) == 0)
			return &router->problems[i];
	return NULL;
}
