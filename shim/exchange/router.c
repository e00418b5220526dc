/*
 * router.c
 *	  Endpoints from JSON, and matching.
 *
 * A word or a number of parameters that this version does not know makes the whole
 * table unusable: an endpoint that is served half is worse than none.
 *
 * A template is matched left to right: literal text must be equal, {name} takes
 * at least one character up to the next literal or slash.  Templates with more
 * literal text win, so {id}:transition goes before {id}.
 */
#include "exchange/router.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BEGIN_ARGUMENTS "$1::text, $2::text, $3::text, $4::text, $5::bytea, $6::text, $7::text, $8::jsonb"
#define CALL_WHOLE "SELECT qehs.request("
#define CALL_PART "SELECT qehs.request_part("
#define BEGIN_SQL "SELECT qehs.request_begin(" BEGIN_ARGUMENTS ")"
#define RESUME_SQL "SELECT qehs.request_resume(" BEGIN_ARGUMENTS ")"

static const char *const places[] = {"path", "query", "header", "body", "document", "filter", "server", "lines", "lineNumber", "headerLine", "stored", NULL};
static const char *const bodies[] = {"none", "json", "stream", "file", NULL};
static const char *const answers[] = {"none", "json", "stream", "file", NULL};
static const char *const forms[] = {"problem", "scim", "graphql", NULL};
static const char *const server_names[] = {"baseUrl", "mediaType", "contentType", "contentEncoding", "storage", NULL};
static const char *const roles[] = {"function", "streamBegin", "streamEnd", "asyncBegin", "asyncFunction", NULL};

/* What is being read, and what is wrong with it. */
typedef struct Reader
{
	Router	   *router;
	const char *operation;
	char	   *fault;
	size_t		size;
	bool		failed;
} Reader;

static void
fail(Reader *reader, const char *what, const char *value)
{
	if (!reader->failed)
		snprintf(reader->fault, reader->size, "%s: %s \"%s\"", reader->operation, what, value);
	reader->failed = true;
}

static const char *
copy_member(Reader *reader, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? arena_copy(&reader->router->arena, text, strlen(text)) : "";
}

/* Which of the names a member is. */
static int
read_word(Reader *reader, const json_t *object, const char *member, const char *const *names)
{
	const char *word = copy_member(reader, object, member);

	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	fail(reader, arena_format(&reader->router->arena, "%s cannot be", member), word);
	return 0;
}

static void
read_media(Reader *reader, const json_t *object, const char *member, MediaList *list)
{
	const json_t *array = json_object_get(object, member);

	if (json_array_size(array) > ROUTER_MAX_MEDIA)
	{
		fail(reader, "more media types than this version takes in", member);
		return;
	}
	for (size_t i = 0; i < json_array_size(array); i++)
	{
		const char *type = json_string_value(json_array_get(array, i));

		list->types[list->count++] = type ? arena_copy(&reader->router->arena, type, strlen(type)) : "";
	}
}

/* Which calls take a parameter: names with spaces between. */
static unsigned
read_roles(Reader *reader, const char *names)
{
	unsigned	bits = 0;

	while (names && *names)
	{
		size_t		length = strcspn(names, " ");
		int			role = 0;

		while (roles[role] && (strlen(roles[role]) != length || strncmp(roles[role], names, length) != 0))
			role++;
		if (roles[role] == NULL)
		{
			fail(reader, "of cannot be", names);
			return bits;
		}
		bits |= 1U << role;
		names += length + (names[length] == ' ');
	}
	return bits;
}

static void
read_parameters(Reader *reader, Endpoint *endpoint, const json_t *list)
{
	if (json_array_size(list) > ROUTER_MAX_PARAMETERS)
	{
		fail(reader, "more parameters than this version takes:", arena_format(&reader->router->arena, "%zu", json_array_size(list)));
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const json_t *item = json_array_get(list, i);

		endpoint->parameters[endpoint->parameter_count++] = (Parameter) {
			.name = copy_member(reader, item, "name"),
			.argument = copy_member(reader, item, "argument"),
			.type = copy_member(reader, item, "type"),
			.sql_type = copy_member(reader, item, "sqlType"),
			.place = (ParameterPlace) read_word(reader, item, "in", places),
			.required = json_is_true(json_object_get(item, "required")),
			.only = read_roles(reader, json_string_value(json_object_get(item, "of"))),
		};
		if (endpoint->parameters[i].place == IN_SERVER)
			read_word(reader, item, "name", server_names);
	}
}

/* A list that is given as lines too has parts, which go on at a cursor. */
static void
make_part(Endpoint *endpoint, const Call *call, const char *arguments, Arena *arena)
{
	for (int i = 0; i < call->count; i++)
		if (strcmp(endpoint->parameters[call->from[i]].name, "cursor") == 0)
			endpoint->cursor = i;
	for (int i = 0; i < endpoint->gives.count; i++)
		if (strcmp(endpoint->gives.types[i], "application/x-ndjson") == 0)
			endpoint->part = pg_text(arena_format(arena, CALL_PART "%s", arguments));
}

/* SELECT function(name => $1::type, …), or qehs.request, of the parameters that the function takes. */
static void
make_call(Reader *reader, Endpoint *endpoint, CallRole role, const json_t *source)
{
	const char *function = copy_member(reader, source, roles[role]);
	Call	   *call = &endpoint->calls[role];
	Buffer		sql = {.arena = &reader->router->arena};
	bool		whole;

	if (*function == '\0')
		return;
	/* what streams has chunks between the first and the last statement; all else is one statement */
	whole = role == CALL_FUNCTION && endpoint->body != BODY_STREAM;
	if (whole)
		buffer_text(&sql, CALL_WHOLE BEGIN_ARGUMENTS);
	else
		buffer_format(&sql, "SELECT %s(", function);
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const Parameter *parameter = &endpoint->parameters[i];
		bool		chunk = parameter->place == IN_LINES || parameter->place == IN_LINE_NUMBER || parameter->place == IN_HEADER_LINE;

		if (parameter->only ? !(parameter->only & 1U << role) : role == CALL_END || (chunk && role != CALL_FUNCTION))
			continue;
		call->from[call->count++] = i;
		if (whole)
			buffer_format(&sql, ", $%d::%s", BEGIN_PARAMETERS + call->count, parameter->sql_type);
		else
			buffer_format(&sql, "%s%s => $%d::%s", call->count > 1 ? ", " : "", parameter->argument, call->count, parameter->sql_type);
	}
	buffer_text(&sql, ")");
	call->text = pg_text(sql.data);
	if (whole)
		make_part(endpoint, call, sql.data + sizeof(CALL_WHOLE) - 1, &reader->router->arena);
}

/* What the row must have for what it says. */
static void
check_endpoint(Reader *reader, const Endpoint *endpoint)
{
	const Call *calls = endpoint->calls;

	if (calls[CALL_FUNCTION].text == NULL)
		fail(reader, "has no", "function");
	if (endpoint->body == BODY_STREAM && (calls[CALL_BEGIN].text == NULL || calls[CALL_END].text == NULL))
		fail(reader, "a body that streams needs", "stream_begin and stream_end");
	if ((calls[CALL_ASYNC_BEGIN].text == NULL) != (calls[CALL_ASYNC].text == NULL))
		fail(reader, "has one alone of", "async_begin and async_function");
	if (endpoint->body == BODY_FILE && calls[CALL_BEGIN].text == NULL)
		fail(reader, "a body that is a file needs", "stream_begin");
	if (endpoint->body != BODY_NONE && endpoint->takes.count == 0)
		fail(reader, "has a body but no media type in", "takes");
	if (endpoint->answer != ANSWER_NONE && endpoint->gives.count == 0)
		fail(reader, "has an answer but no media type in", "gives");
	if (endpoint->answer == ANSWER_STREAM && endpoint->body != BODY_STREAM)
		fail(reader, "only a body that streams has an answer that does: body is not", "stream");
}

static void
read_endpoint(Reader *reader, Endpoint *endpoint, const json_t *source)
{
	reader->operation = copy_member(reader, source, "operation");
	endpoint->operation = reader->operation;
	endpoint->method = copy_member(reader, source, "method");
	endpoint->path = copy_member(reader, source, "path");
	endpoint->status = (int) json_integer_value(json_object_get(source, "status"));
	endpoint->headers = copy_member(reader, source, "headers");
	endpoint->limit = (uint64_t) json_integer_value(json_object_get(source, "timeLimit")) * (CLOCK_SECOND / 1000);
	endpoint->body = (BodyKind) read_word(reader, source, "body", bodies);
	endpoint->answer = (AnswerKind) read_word(reader, source, "answer", answers);
	endpoint->error_form = (ErrorForm) read_word(reader, source, "errorForm", forms);
	read_media(reader, source, "takes", &endpoint->takes);
	read_media(reader, source, "gives", &endpoint->gives);
	read_parameters(reader, endpoint, json_object_get(source, "parameters"));
	for (int role = 0; role < CALL_ROLES; role++)
		make_call(reader, endpoint, (CallRole) role, source);
	check_endpoint(reader, endpoint);
}

/* All of them, once more where they have an alias. */
static void
read_endpoints(Reader *reader, const json_t *list)
{
	Router	   *router = reader->router;
	size_t		count = json_array_size(list);

	router->endpoints = arena_alloc(&router->arena, sizeof(Endpoint) * count * 2);
	memset(router->endpoints, 0, sizeof(Endpoint) * count * 2);
	for (size_t i = 0; i < count; i++)
	{
		const json_t *source = json_array_get(list, i);
		const char *alias = copy_member(reader, source, "alias");
		Endpoint   *endpoint = &router->endpoints[router->endpoint_count++];

		read_endpoint(reader, endpoint, source);
		if (*alias == '\0')
			continue;
		router->endpoints[router->endpoint_count] = *endpoint;
		router->endpoints[router->endpoint_count++].path = alias;
	}
}

static void
read_problem(Reader *reader, Problem *problem, const json_t *source)
{
	json_t	   *titles = json_object_get(source, "titles");
	const char *language;
	json_t	   *title;

	memset(problem, 0, sizeof(*problem));
	problem->code = copy_member(reader, source, "code");
	problem->status = (int) json_integer_value(json_object_get(source, "status"));
	problem->title = copy_member(reader, source, "title");
	problem->description = copy_member(reader, source, "description");
	problem->scim_type = copy_member(reader, source, "scimType");
	json_object_foreach(titles, language, title)
	{
		if (problem->title_count == ROUTER_MAX_LANGUAGES || !json_is_string(title))
		{
			fail(reader, "more titles than this version takes for problem", problem->code);
			return;
		}
		problem->titles[problem->title_count].language = arena_copy(&reader->router->arena, language, strlen(language));
		problem->titles[problem->title_count++].text = copy_member(reader, titles, language);
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

static int
count_slashes(const char *path)
{
	int			count = 0;

	for (; *path; path++)
		count += *path == '/';
	return count;
}

static void
make_routes(Router *router)
{
	router->routes = arena_alloc(&router->arena, sizeof(Route) * (size_t) router->endpoint_count);
	for (int i = 0; i < router->endpoint_count; i++)
	{
		const char *path = router->endpoints[i].path;

		router->routes[i] = (Route) {path, strcspn(path, "{"), count_slashes(path)};
	}
}

Router *
router_load(const char *endpoints_json, const char *problems_json, const char *version, char *fault, size_t size)
{
	json_t	   *endpoints = json_loads(endpoints_json, 0, NULL);
	json_t	   *problems = json_loads(problems_json, 0, NULL);
	Router	   *router = calloc(1, sizeof(Router));
	Reader		reader = {.router = router,.operation = "the endpoint table",.size = size};

	if (router == NULL)
		abort();
	reader.fault = fault;
	router->references = 1;
	if (json_is_array(endpoints) && json_is_array(problems))
	{
		router->version = arena_copy(&router->arena, version, strlen(version));
		router->begin = pg_text(BEGIN_SQL);
		router->resume = pg_text(RESUME_SQL);
		router->end = pg_text("SELECT qehs.request_end()");
		read_endpoints(&reader, endpoints);
		qsort(router->endpoints, (size_t) router->endpoint_count, sizeof(Endpoint), compare_endpoints);
		make_routes(router);
		router->problem_count = (int) json_array_size(problems);
		router->problems = arena_alloc(&router->arena, sizeof(Problem) * (size_t) router->problem_count);
		for (int i = 0; i < router->problem_count; i++)
			read_problem(&reader, &router->problems[i], json_array_get(problems, (size_t) i));
	}
	else
		fail(&reader, "is not", "a list");
	json_decref(endpoints);
	json_decref(problems);
	if (reader.failed)
	{
		router_release(router);
		return NULL;
	}
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

/* Match one template, or the rest of it from a name on; values of its names are copied into the arena, values of the template before are gone. */
static bool
match_template(const char *template, const char *path, Arena *arena, const char **values)
{
	int			count = 0;

	memset(values, 0, sizeof(*values) * ROUTER_MAX_PARAMETERS);
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

static bool
has_method(const Endpoint *endpoint, const char *method)
{
	return strcmp(endpoint->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(endpoint->method, "GET") == 0);
}

static void
list_methods(const Router *router, const char *template, Buffer *allow)
{
	for (int i = 0; i < router->endpoint_count; i++)
	{
		const Endpoint *endpoint = &router->endpoints[i];

		if (strcmp(endpoint->path, template) == 0)
			buffer_format(allow, "%s%s%s", allow->length > 0 ? ", " : "", endpoint->method,
						  strcmp(endpoint->method, "GET") == 0 ? ", HEAD" : "");
	}
	buffer_text(allow, ", OPTIONS");
}

const Endpoint *
router_match(const Router *router, const char *method, const char *path, Arena *arena, const char **values, Buffer *allow)
{
	const char *best = NULL;
	size_t		length = strlen(path);
	int			slashes = count_slashes(path);

	for (int i = 0; i < router->endpoint_count; i++)
	{
		const Route *route = &router->routes[i];

		/* no value has a slash in it */
		if (route->slashes != slashes || route->literal > length || memcmp(route->path, path, route->literal) != 0)
			continue;
		/* once a template has matched, less literal ones are another resource */
		if ((best && strcmp(best, route->path) != 0) || !match_template(route->path + route->literal, path + route->literal, arena, values))
			continue;
		best = route->path;
		if (has_method(&router->endpoints[i], method))
			return &router->endpoints[i];
	}
	if (best)
		list_methods(router, best, allow);
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
