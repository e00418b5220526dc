/*
 * query.c
 *	  The fields of the query type.
 *
 * A field that fails by a problem (a filter that cannot be read, a field that the
 * caller may not sort by) is null, with the problem as its error.  Where it is the only one there is
 * nothing else to save, and the problem is raised as it is.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/argument.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "graphql/load.h"
#include "miscadmin.h"
#include "record/list.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define MAX_OFFSET 10000

/* ---- one record ---- */

/* A record by its id, of a module or (NULL) of any; null where there is none. */
static bool
write_get(Run *run, StringInfo out, RunField *field, const char *module_key)
{
	char	   *text = run_argument_text(field, "id");
	const ModuleDef *module = NULL;
	Record	   *records = NULL;
	RunFields  *below;
	pg_uuid_t	id;
	Datum		ids[1] = {UUIDPGetDatum(&id)};
	int			count = 0;

	if (text && id_parse(text, strlen(text), QEHS_ID_RECORD, &id))
		records = load_records(run, ids, 1, true, &count);
	if (count > 0)
		module = module_lookup_version(run->context->tenant_id, records[0].module_id, 0);
	if (module == NULL || (module_key && strcmp(module->key, module_key) != 0))
		return run_write_null(run, out, field, field->field->type);
	below = run_fields(run, field, graphql_model_type(run->model, module->key));
	return load_write_record(run, out, load_level(run, below, module, records, count), 0);
}

/* ---- lists ---- */

/* A page of records in the making. */
typedef struct RecordPage
{
	Run		   *run;
	RunField   *field;
	const ModuleDef *module;
	ViolationList faults;		/* of the arguments */
	ListWalk	walk;
	const char *binding;		/* of its cursors */
	int32		limit;
	int32		offset;
	bool		backward;
	bool		more;			/* records follow in the direction of the walk */
	int			room;
	int			count;
	Record	   *records;
	SortPosition *positions;
} RecordPage;

static bool
take_row(void *owner, const SortPosition *position, uint64 row)
{
	RecordPage	   *page = owner;

	if (page->count == page->room)
	{
		page->room = Max(64, 2 * page->room);
		page->records = page->records ? repalloc(page->records, page->room * sizeof(Record)) : palloc(page->room * sizeof(Record));
		page->positions = page->positions ? repalloc(page->positions, page->room * sizeof(SortPosition)) :
			palloc(page->room * sizeof(SortPosition));
	}
	record_read_row(row, &page->records[page->count]);
	page->positions[page->count++] = *position;
	return false;
}

static void
argument_fault(ViolationList *faults, const char *name, const char *message)
{
	violation_add(faults, psprintf("?%s", name), "range", "%s", message);
}

/* Where a cursor says that a page begins; raises QH400 invalid_cursor. */
static const SortPosition *
open_cursor(RecordPage *page, const char *name)
{
	char	   *cursor = run_argument_text(page->field, name);
	SortPosition *position;
	char	   *bytes;
	int			length;

	if (cursor == NULL)
		return NULL;
	position = palloc0(sizeof(SortPosition));
	bytes = cursor_open_as(name, page->run->context->tenant_id, "graphql", page->binding, cursor, &length);
	if (!sort_read_position(&page->walk.sort, bytes, length, position))
		problem_raise_at(PROBLEM_INVALID_CURSOR, psprintf("?%s", name), "invalid", "is not a cursor of this list with this filter and order");
	return position;
}

static char *
seal_cursor(const RecordPage *page, const SortPosition *position)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	sort_write_position(&bytes, &page->walk.sort, position);
	return cursor_seal(page->run->context->tenant_id, "graphql", page->binding, bytes.data, bytes.len);
}

/* Where the walk ended: at the last row of it, or where the index had done its work. */
static const SortPosition *
page_end(const RecordPage *page, int last)
{
	return list_end(&page->walk, page->count > 0 ? &page->positions[last] : NULL);
}

/* Read what a field of a list asks for; raises QH400 with all faults. */
static void
open_page(RecordPage *page, const char *module_key, const char *order)
{
	ListRequest request = {.filter = run_argument_json(page->field, "filter"),.filter_path = "?filter",
	.q = run_argument_text(page->field, "q"),.sort = run_argument_text(page->field, order),.sort_name = order};

	page->module = request.module = module_lookup(page->run->context->tenant_id, module_key);
	page->limit = run_list_limit(page->field);
	if (page->module == NULL || !permission_may(page->run->context, page->module, ACTION_READ, &permission_some_record, NULL))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	if (run_argument_int(page->field, "offset", &page->offset) && (page->offset < 0 || page->offset > MAX_OFFSET))
		argument_fault(&page->faults, "offset", psprintf("must be 0 to %d; use a cursor", MAX_OFFSET));
	list_open(&page->walk, page->run->context, &request, &page->faults);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &page->faults);
	page->binding = list_binding(&page->walk, &request);
}

/* Fetch the page behind a position. */
static void
fetch_page(RecordPage *page, const SortPosition *after, const RunFields *below)
{
	page->more = list_rows(&page->walk, after, page->backward, page->limit + page->offset,
						   load_columns("r", below == NULL || load_needs_payload(page->run, below, page->module)), take_row, page);
	if (page->offset > 0)
	{
		int			skipped = Min(page->offset, page->count);

		page->records += skipped;
		page->positions += skipped;
		page->count -= skipped;
	}
	if (page->backward)
		for (int i = 0, j = page->count - 1; i < j; i++, j--)
		{
			Record		record = page->records[i];
			SortPosition position = page->positions[i];

			page->records[i] = page->records[j];
			page->positions[i] = page->positions[j];
			page->records[j] = record;
			page->positions[j] = position;
		}
}

/* incidentsList: the records alone. */
static bool
write_list(Run *run, StringInfo out, RunField *field)
{
	RecordPage		page = {.run = run,.field = field};
	RunFields  *below = run_fields(run, field, graphql_named_type(field->field->type));

	open_page(&page, field->source->module, "orderBy");
	fetch_page(&page, open_cursor(&page, "cursor"), below);
	return load_write_records(run, out, load_level(run, below, page.module, page.records, page.count), 0, page.count);
}

/* records: { items nextCursor } */
static bool
write_records(Run *run, StringInfo out, RunField *field)
{
	RecordPage		page = {.run = run,.field = field};
	RunFields  *members = run_fields(run, field, graphql_named_type(field->field->type));
	const GraphqlType *type;
	bool		fetched = false;
	int			start = out->len;

	open_page(&page, run_argument_text(field, "moduleKey"), "sort");
	type = graphql_model_type(run->model, page.module->key);
	for (int i = 0; i < members->count; i++)
	{
		RunField   *member = &members->items[i];
		int			path = run_begin_member(run, out, start, member);
		bool		written = true;

		if (member->source->origin != ORIGIN_TYPENAME && !fetched)
		{
			page.walk.bounded = true;
			fetch_page(&page, open_cursor(&page, "cursor"), NULL);
			fetched = true;
		}
		if (member->source->origin == ORIGIN_TYPENAME)
			json_string_n(out, members->type->name.data, members->type->name.length);
		else if (strcmp(member->source->member, "items") == 0)
			written = load_write_records(run, out, load_level(run, run_fields(run, member, type), page.module, page.records, page.count), 0,
										 page.count);
		else
			json_string(out, page.more ? seal_cursor(&page, page_end(&page, page.count - 1)) : NULL);
		if (!run_end_member(run, out, start, path, written))
			return false;
	}
	appendStringInfoString(out, out->len > start ? "}" : "{}");
	return true;
}

/* ---- connections ---- */

/* Go through the members of an object; write_member appends one, or returns false. */
static bool
write_members(Run *run, StringInfo out, RunFields *members, bool (*write_member) (RecordPage *page, StringInfo out, RunField *member, int number),
			  RecordPage *page, int number)
{
	int			start = out->len;

	for (int i = 0; i < members->count; i++)
	{
		RunField   *member = &members->items[i];
		int			path = run_begin_member(run, out, start, member);
		bool		written = true;

		if (member->source->origin == ORIGIN_TYPENAME)
			json_string_n(out, members->type->name.data, members->type->name.length);
		else
			written = write_member(page, out, member, number);
		if (!run_end_member(run, out, start, path, written))
			return false;
	}
	appendStringInfoString(out, out->len > start ? "}" : "{}");
	return true;
}

/* The level of the records below a field of edges or nodes; kept in the page, one for each field. */
typedef struct EdgeLevels
{
	struct EdgeLevels *next;
	const RunField *field;
	RunLevel   *level;
} EdgeLevels;

typedef struct Connection
{
	RecordPage		page;			/* the first member, so that a RecordPage is a Connection */
	EdgeLevels *levels;
	bool		begins_inside;	/* a cursor says where it begins */
} Connection;

static const RunLevel *
edge_level(RecordPage *page, RunField *field)
{
	Connection *connection = (Connection *) page;
	EdgeLevels *found = connection->levels;

	while (found && found->field != field)
		found = found->next;
	if (found == NULL)
	{
		found = palloc(sizeof(EdgeLevels));
		found->field = field;
		found->level = load_level(page->run, run_fields(page->run, field, graphql_named_type(field->field->type)), page->module, page->records,
								  page->count);
		found->next = connection->levels;
		connection->levels = found;
	}
	return found->level;
}

static bool
write_edge_member(RecordPage *page, StringInfo out, RunField *member, int number)
{
	if (strcmp(member->source->member, "node") == 0)
		return load_write_record(page->run, out, edge_level(page, member), number);
	json_string(out, seal_cursor(page, &page->positions[number]));
	return true;
}

static bool
write_page_info_member(RecordPage *page, StringInfo out, RunField *member, int number)
{
	bool		begins_inside = ((Connection *) page)->begins_inside;
	const char *name = member->source->member;

	if (strcmp(name, "hasNextPage") == 0)
		json_bool(out, page->backward ? begins_inside : page->more);
	else if (strcmp(name, "hasPreviousPage") == 0)
		json_bool(out, page->backward ? page->more : begins_inside);
	else if (page->count == 0 && !page->walk.stopped)
		json_literal(out, "null");
	else if ((strcmp(name, "startCursor") == 0) == page->backward)
		json_string(out, seal_cursor(page, page_end(page, page->backward ? 0 : page->count - 1)));
	else
		json_string(out, page->count > 0 ? seal_cursor(page, &page->positions[page->backward ? page->count - 1 : 0]) : NULL);
	return true;
}

static bool
write_edges(RecordPage *page, StringInfo out, RunField *field)
{
	RunFields  *members = run_fields(page->run, field, graphql_named_type(field->field->type));
	int			start = out->len;

	appendStringInfoChar(out, '[');
	for (int i = 0; i < page->count; i++)
	{
		int			path = run_begin_item(page->run, i);
		bool		written;

		if (i > 0)
			appendStringInfoChar(out, ',');
		written = write_members(page->run, out, members, write_edge_member, page, i);
		if (!run_end_member(page->run, out, start, path, written))
			return false;
	}
	appendStringInfoChar(out, ']');
	return true;
}

static bool
write_connection_member(RecordPage *page, StringInfo out, RunField *member, int number)
{
	const char *name = member->source->member;

	if (strcmp(name, "edges") == 0)
		return write_edges(page, out, member);
	if (strcmp(name, "nodes") == 0)
		return load_write_records(page->run, out, edge_level(page, member), 0, page->count);
	if (strcmp(name, "pageInfo") == 0)
		return write_members(page->run, out, run_fields(page->run, member, graphql_named_type(member->field->type)), write_page_info_member,
							 page, 0);
	json_int(out, list_count(&page->walk));
	return true;
}

/* Whether a member but totalCount is asked for. */
static bool
wants_rows(const RunFields *members)
{
	for (int i = 0; i < members->count; i++)
		if (members->items[i].source->origin != ORIGIN_TYPENAME && strcmp(members->items[i].source->member, "totalCount") != 0)
			return true;
	return false;
}

/* incidents: a connection of Relay (first and after, or last and before). */
static bool
write_connection(Run *run, StringInfo out, RunField *field)
{
	Connection	connection = {.page = {.run = run,.field = field}};
	RecordPage	   *page = &connection.page;
	RunFields  *members = run_fields(run, field, graphql_named_type(field->field->type));
	const SortPosition *after;
	const SortPosition *before;

	page->backward = run_argument(field, "last") != NULL || (run_argument(field, "before") != NULL && run_argument(field, "first") == NULL);
	if (page->backward && (run_argument(field, "first") || run_argument(field, "after")))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?last", "conflict", "goes with before; first and after page the other way");
	if (!page->backward && run_argument(field, "before"))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?before", "conflict", "goes with last; first and after page the other way");
	open_page(page, field->source->module, "orderBy");
	after = open_cursor(page, "after");
	before = open_cursor(page, "before");
	connection.begins_inside = after || before;
	page->walk.bounded = true;
	if (wants_rows(members))
		fetch_page(page, page->backward ? before : after, NULL);
	return write_members(run, out, members, write_connection_member, page, 0);
}

/* ---- what has no records ---- */

/* A field whose value is the JSON in text. */
static bool
write_text(Run *run, StringInfo out, RunField *field, const StringInfoData *text)
{
	Jsonb	   *parsed = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text->data)));
	JsonbValue	value = {.type = jbvBinary};

	value.val.binary.data = &parsed->root;
	value.val.binary.len = VARSIZE_ANY_EXHDR(parsed);
	return run_write_json(run, out, field, field->field->type, &value);
}

static bool
write_me(Run *run, StringInfo out, RunField *field)
{
	const RequestContext *context = run->context;
	StringInfoData text;

	initStringInfo(&text);
	context_write_actor(&text, context->tenant_id, &context->actor_id);
	text.len--;					/* the closing brace */
	json_literal(&text, ",\"roles\":[");
	for (int i = 0; i < context->role_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(&text, ',');
		json_string(&text, context->roles[i]);
	}
	json_literal(&text, "],\"scopes\":[");
	for (uint32 scope = 1, first = 1; scope & SCOPE_ALL; scope <<= 1)
	{
		if (!(context->scopes & scope))
			continue;
		if (!first)
			appendStringInfoChar(&text, ',');
		first = 0;
		json_string(&text, scope_name(scope));
	}
	json_literal(&text, "]}");
	return write_text(run, out, field, &text);
}

static KeptPlan select_tenant = {
	"SELECT name FROM qehs.tenant WHERE id = $1", 1, {INT4OID}, NULL
};

static bool
write_tenant(Run *run, StringInfo out, RunField *field)
{
	Datum		values[1] = {Int32GetDatum(run->context->tenant_id)};
	bool		is_list = field->source->origin == ORIGIN_TENANTS;
	StringInfoData json;
	bool		isnull;

	initStringInfo(&json);
	plan_execute(&select_tenant, values, NULL, true, 1);
	appendStringInfoString(&json, is_list ? "[{\"slug\":" : "{\"slug\":");
	json_string(&json, run->context->tenant_slug);
	json_literal(&json, ",\"name\":");
	json_string(&json, SPI_processed == 1 ? TextDatumGetCString(plan_value(0, 1, &isnull)) : "");
	appendStringInfoString(&json, is_list ? "}]" : "}");
	return write_text(run, out, field, &json);
}

static bool
write_modules(Run *run, StringInfo out, RunField *field)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoChar(&text, '[');
	for (int i = 0; i < run->model->module_count; i++)
	{
		const ModuleDef *module = module_lookup(run->context->tenant_id, run->model->module_keys[i]);
		uint32		actions = module ? permission_actions(run->context, module, &permission_some_record) : 0;
		bool		first = true;

		if (module == NULL)
			continue;
		if (text.len > 1)
			appendStringInfoChar(&text, ',');
		json_literal(&text, "{\"key\":");
		json_string(&text, module->key);
		json_literal(&text, ",\"name\":");
		json_string(&text, module->name);
		json_literal(&text, ",\"description\":");
		json_string(&text, json_member_text(&module->definition->root, "description"));
		json_literal(&text, ",\"definitionVersion\":");
		json_int(&text, module->version);
		json_literal(&text, ",\"actions\":[");
		for (uint32 action = 1; action & ACTION_ALL; action <<= 1)
		{
			if (!(actions & action))
				continue;
			if (!first)
				appendStringInfoChar(&text, ',');
			first = false;
			json_string(&text, module_action_name(action));
		}
		json_literal(&text, "]}");
	}
	appendStringInfoChar(&text, ']');
	return write_text(run, out, field, &text);
}

/* ---- the root ---- */

static bool
write_field(Run *run, StringInfo out, RunField *field)
{
	char	   *name;

	switch (field->source->origin)
	{
		case ORIGIN_TYPENAME:
			json_literal(out, "\"Query\"");
			return true;
		case ORIGIN_SCHEMA:
			return run_write_schema(run, out, field);
		case ORIGIN_TYPE:
			name = run_argument_text(field, "name");
			return run_write_type(run, out, field, graphql_schema_type(&run->model->schema, (GraphqlText) {name, strlen(name)}));
		case ORIGIN_RECORDS:
			return write_records(run, out, field);
		case ORIGIN_LIST:
			return write_list(run, out, field);
		case ORIGIN_CONNECTION:
			return write_connection(run, out, field);
		case ORIGIN_GET:
			return write_get(run, out, field, field->source->module);
		case ORIGIN_NODE:
			return write_get(run, out, field, NULL);
		case ORIGIN_AGGREGATE:
			return run_write_aggregate(run, out, field);
		case ORIGIN_ME:
			return write_me(run, out, field);
		case ORIGIN_TENANT:
		case ORIGIN_TENANTS:
			return write_tenant(run, out, field);
		case ORIGIN_MODULES:
			return write_modules(run, out, field);
		default:
			elog(ERROR, "field \"%.*s\" of the query type has no value", (int) field->field->name.length, field->field->name.data);
	}
	return false;
}

bool
run_write_query(Run *run, StringInfo out, RunFields *fields)
{
	int			start = out->len;

	for (int i = 0; i < fields->count; i++)
	{
		RunField   *field = &fields->items[i];
		int			path = run_begin_member(run, out, start, field);
		int			begun = out->len;
		bool		written;

		if (fields->count == 1)
			written = write_field(run, out, field);
		else
			written = run_write_guarded(run, out, field, write_field);
		if (!written && field->field->type->kind != GRAPHQL_TYPE_NON_NULL)
		{
			out->len = begun;
			json_literal(out, "null");
			written = true;
		}
		if (!run_end_member(run, out, start, path, written))
			return false;
	}
	appendStringInfoString(out, out->len > start ? "}" : "{}");
	return true;
}
