/*
 * document.c
 *	  Reading what the document is made from, cut to what the caller may do.
 *
 * Tables are read with the newest snapshot, as what is built from them is kept
 * longer than the transaction (openapi.c).
 */
#include "base/compat.h"

#include <ctype.h>

#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "openapi/document.h"
#include "utils/builtins.h"

/* The columns of select_endpoints. */
enum
{
	COLUMN_OPERATION = 1, COLUMN_METHOD, COLUMN_PATH, COLUMN_FUNCTION, COLUMN_STATUS, COLUMN_BODY, COLUMN_AUTHENTICATED, COLUMN_TAG,
	COLUMN_SUMMARY, COLUMN_DESCRIPTION, COLUMN_SCOPE, COLUMN_ACTION, COLUMN_RESPONSE, COLUMN_ETAG, COLUMN_GIVES, COLUMN_PROBLEMS,
	COLUMN_PARAMETERS, COLUMN_DEPRECATED, COLUMN_ERROR_FORM, COLUMN_ASYNC
};

static KeptPlan select_endpoints = {
	"SELECT operation, method, path, function, status, body, authenticated, tag, summary, description, scope, action,"
	" response, etag, gives, problems, parameters, deprecated_at IS NOT NULL, error_form,"
	" async_function IS NOT NULL FROM qehs.endpoint"
	" WHERE body <> 'file' AND answer <> 'file'"
	" ORDER BY path COLLATE \"C\", pg_catalog.array_position('{GET,POST,PUT,PATCH,DELETE}'::text[], method)",
	0, {0}, NULL
};
static KeptPlan select_problems = {
	"SELECT code, status, title, description FROM qehs.problem ORDER BY status, code COLLATE \"C\"", 0, {0}, NULL
};
/* The columns of select_problems. */
enum
{
	COLUMN_PROBLEM_CODE = 1, COLUMN_PROBLEM_STATUS, COLUMN_PROBLEM_TITLE, COLUMN_PROBLEM_DESCRIPTION
};
static KeptPlan select_modules = {
	"SELECT m.key, m.name, v.json_schema FROM qehs.module AS m JOIN qehs.module_version AS v ON v.tenant_id = $1"
	" AND v.module_id = m.id AND v.version = m.version WHERE m.tenant_id = $1 ORDER BY m.key COLLATE \"C\"",
	1, {INT4OID}, NULL
};
/* The columns of select_modules. */
enum
{
	COLUMN_MODULE_KEY = 1, COLUMN_MODULE_NAME, COLUMN_MODULE_JSON_SCHEMA
};

static char *
text_column(MemoryContext memory, uint64 row, int column)
{
	bool		isnull;
	Datum		value = plan_value(row, column, &isnull);

	return isnull ? NULL : MemoryContextStrdup(memory, TextDatumGetCString(value));
}

char *
document_pascal(const char *name)
{
	char	   *result = palloc(strlen(name) + 1);
	char	   *end = result;
	bool		upper = true;

	for (; *name; name++)
	{
		if (!isalnum((unsigned char) *name))
		{
			upper = true;
			continue;
		}
		*end++ = upper ? pg_toupper((unsigned char) *name) : *name;
		upper = false;
	}
	*end = '\0';
	return result;
}

/* A name that only the alias of the path has is not documented, as the alias is not. */
static void
read_parameters(ApiEndpoint *endpoint, Jsonb *rows)
{
	int			count = JB_ROOT_COUNT(rows);

	endpoint->parameter_count = 0;
	endpoint->parameters = palloc0(sizeof(ApiParameter) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		ApiParameter *parameter = &endpoint->parameters[endpoint->parameter_count];
		const JsonbContainer *row = getIthJsonbValueFromContainer(&rows->root, i)->val.binary.data;

		parameter->row = row;
		parameter->name = json_member_text(row, "name");
		parameter->place = json_member_text(row, "in");
		parameter->argument = json_member_text(row, "argument");
		parameter->type = json_member_text(row, "type");
		parameter->required = json_member_bool(row, "required", false) || json_member_bool(row, "expected", false);
		if (strcmp(parameter->place, "path") != 0 || strstr(endpoint->path, psprintf("{%s}", parameter->name)))
			endpoint->parameter_count++;
	}
}

/* One row of select_endpoints; inside SPI, into memory. */
static void
read_endpoint(ApiEndpoint *endpoint, uint64 row, MemoryContext memory)
{
	MemoryContext previous = MemoryContextSwitchTo(memory);
	bool		isnull;

	endpoint->operation = text_column(memory, row, COLUMN_OPERATION);
	endpoint->method = text_column(memory, row, COLUMN_METHOD);
	endpoint->path = text_column(memory, row, COLUMN_PATH);
	endpoint->function = text_column(memory, row, COLUMN_FUNCTION);
	endpoint->status = DatumGetInt32(plan_value(row, COLUMN_STATUS, &isnull));
	endpoint->has_body = strcmp(text_column(memory, row, COLUMN_BODY), "none") != 0;
	endpoint->streams = strcmp(text_column(memory, row, COLUMN_BODY), "stream") == 0;
	endpoint->authenticated = DatumGetBool(plan_value(row, COLUMN_AUTHENTICATED, &isnull));
	endpoint->tag = text_column(memory, row, COLUMN_TAG);
	endpoint->summary = text_column(memory, row, COLUMN_SUMMARY);
	endpoint->description = text_column(memory, row, COLUMN_DESCRIPTION);
	endpoint->scope = text_column(memory, row, COLUMN_SCOPE);
	endpoint->action = text_column(memory, row, COLUMN_ACTION);
	endpoint->response = text_column(memory, row, COLUMN_RESPONSE);
	endpoint->etag = DatumGetBool(plan_value(row, COLUMN_ETAG, &isnull));
	endpoint->gives = auth_names(plan_value(row, COLUMN_GIVES, &isnull), &endpoint->gives_count);
	endpoint->problems = auth_names(plan_value(row, COLUMN_PROBLEMS, &isnull), &endpoint->problem_count);
	read_parameters(endpoint, DatumGetJsonbPCopy(plan_value(row, COLUMN_PARAMETERS, &isnull)));
	endpoint->deprecated = DatumGetBool(plan_value(row, COLUMN_DEPRECATED, &isnull));
	endpoint->error_form = text_column(memory, row, COLUMN_ERROR_FORM);
	endpoint->async = DatumGetBool(plan_value(row, COLUMN_ASYNC, &isnull));
	MemoryContextSwitchTo(previous);
}

/* May the caller use it?  The generic document shows all. */
static bool
may_use(const ApiDocument *document, const ApiEndpoint *endpoint)
{
	uint32		action;

	if (document->context == NULL)
		return true;
	if (endpoint->scope && !(document->context->scopes & scope_parse(endpoint->scope)))
		return false;
	if (endpoint->action == NULL)
		return true;
	if (strcmp(endpoint->action, "person") == 0)
		return document->context->actor_type == ACTOR_USER;
	action = module_action_parse(endpoint->action);
	if (action == 0)
		return permission_is_administrator(document->context);
	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].actions & action)
			return true;
	return false;
}

static void
load_endpoints(ApiDocument *document, MemoryContext memory)
{
	uint64		rows = plan_execute_latest(&select_endpoints, NULL, NULL, 0);

	document->endpoints = MemoryContextAllocZero(memory, sizeof(ApiEndpoint) * (rows + 1));
	for (uint64 i = 0; i < rows; i++)
	{
		ApiEndpoint *endpoint = &document->endpoints[document->endpoint_count];

		CHECK_FOR_INTERRUPTS();
		read_endpoint(endpoint, i, memory);
		if (may_use(document, endpoint))
			document->endpoint_count++;
	}
}

static void
load_problems(ApiDocument *document, MemoryContext memory)
{
	uint64		rows = plan_execute_latest(&select_problems, NULL, NULL, 0);
	bool		isnull;

	document->problems = MemoryContextAllocZero(memory, sizeof(ApiProblem) * (rows + 1));
	document->problem_count = (int) rows;
	for (uint64 i = 0; i < rows; i++)
	{
		document->problems[i].code = text_column(memory, i, COLUMN_PROBLEM_CODE);
		document->problems[i].status = DatumGetInt32(plan_value(i, COLUMN_PROBLEM_STATUS, &isnull));
		document->problems[i].title = text_column(memory, i, COLUMN_PROBLEM_TITLE);
		document->problems[i].description = text_column(memory, i, COLUMN_PROBLEM_DESCRIPTION);
	}
}

/* The right to fire transitions comes from an action or from the roles of one. */
static uint32
module_actions(const ApiDocument *document, ApiModule *item)
{
	item->actions = permission_actions(document->context, item->module, &permission_some_record);
	for (int i = 0; i < item->module->transition_count; i++)
		if (permission_may_fire(document->context, item->module, &item->module->transitions[i], &permission_some_record))
			return item->actions | ACTION_TRANSITION;
	return item->actions & ~(uint32) ACTION_TRANSITION;
}

/* Whether an earlier module's components are called so; generated files and types may not differ by case alone. */
static bool
is_prefix(const ApiDocument *document, const char *name)
{
	for (int i = 0; i < document->module_count; i++)
		if (pg_strcasecmp(document->modules[i].name, name) == 0)
			return true;
	return false;
}

/* A name for the components of a module that no other one and no fixed component begins with. */
static char *
component_prefix(const ApiDocument *document, const char *key)
{
	static const char *const taken[] = {"Any", "Record", "ApiKey", "Module", "Problem", "Audit", "Activity", "Attachment", "Actor", "Text",
	"Number", "Time", "Id", "Code", "Boolean", "Presence"};
	char	   *base = document_pascal(key);
	char	   *name;

	for (int i = 0; i < (int) lengthof(taken); i++)
		if (pg_strcasecmp(taken[i], base) == 0)
			base = psprintf("%sModule", base);
	name = base;
	for (int i = 2; is_prefix(document, name); i++)
		name = psprintf("%s_%d", base, i);
	return name;
}

/* Modules in which the caller may do something. */
static void
load_modules(ApiDocument *document, MemoryContext memory)
{
	Datum		tenant = Int32GetDatum(document->context->tenant_id);
	uint64		rows = plan_execute_latest(&select_modules, &tenant, NULL, 0);
	SPITupleTable *table = SPI_tuptable;
	bool		isnull;

	document->modules = MemoryContextAllocZero(memory, sizeof(ApiModule) * (rows + 1));
	for (uint64 i = 0; i < rows; i++)
	{
		ApiModule  *item = &document->modules[document->module_count];
		MemoryContext previous;
		Jsonb	   *schema;

		CHECK_FOR_INTERRUPTS();
		SPI_tuptable = table;	/* module_lookup runs statements of its own */
		previous = MemoryContextSwitchTo(memory);
		item->label = text_column(memory, i, COLUMN_MODULE_NAME);
		schema = DatumGetJsonbPCopy(plan_value(i, COLUMN_MODULE_JSON_SCHEMA, &isnull));
		item->module = module_lookup(document->context->tenant_id, text_column(memory, i, COLUMN_MODULE_KEY));
		MemoryContextSwitchTo(previous);
		if (item->module == NULL || (item->actions = module_actions(document, item)) == 0)
			continue;
		previous = MemoryContextSwitchTo(memory);
		item->name = component_prefix(document, item->module->key);
		payload_cut_schemas(item, document->context, schema);
		item->example = example_payload(item->module, item->input_schema, &item->example_runs);
		MemoryContextSwitchTo(previous);
		document->module_count++;
	}
}

static int
compare_tags(const void *left, const void *right)
{
	const char *a = *(const char *const *) left;
	const char *b = *(const char *const *) right;
	int			rank_a = strcmp(a, "Records") == 0 ? 0 : strcmp(a, "About") == 0 ? 2 : 1;
	int			rank_b = strcmp(b, "Records") == 0 ? 0 : strcmp(b, "About") == 0 ? 2 : 1;

	return rank_a != rank_b ? rank_a - rank_b : strcmp(a, b);
}

static void
collect_tags(ApiDocument *document)
{
	document->tags = palloc(sizeof(char *) * (document->endpoint_count + 1));
	for (int i = 0; i < document->endpoint_count; i++)
	{
		bool		known = false;

		for (int j = 0; j < document->tag_count; j++)
			known = known || strcmp(document->tags[j], document->endpoints[i].tag) == 0;
		if (!known)
			document->tags[document->tag_count++] = document->endpoints[i].tag;
	}
	qsort(document->tags, document->tag_count, sizeof(char *), compare_tags);
}

void
document_load(ApiDocument *document, const RequestContext *context, const char *base_url)
{
	MemoryContext memory = CurrentMemoryContext;

	memset(document, 0, sizeof(*document));
	document->context = context;
	document->base_url = base_url;
	SPI_connect();
	if (context)
		load_modules(document, memory);
	load_endpoints(document, memory);
	load_problems(document, memory);
	SPI_finish();
	collect_tags(document);
}
