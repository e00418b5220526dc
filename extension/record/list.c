/*
 * list.c
 *	  Records of a module by filter, search and order.
 *
 * A page costs the same at any depth (sort.c), and rows that stand throughout are
 * seen once whatever is inserted or deleted meanwhile; a record whose sort value
 * changes during a walk may be seen twice or not at all.  The executor is stopped
 * after one row more than is wanted, which tells whether others follow.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "permission/permission.h"
#include "port/pg_bitutils.h"
#include "record/changed.h"
#include "record/check.h"
#include "record/list_search.h"
#include "record/list_ties.h"
#include "record/record.h"
#include "record/search_index.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* ---- what is asked for ---- */

void
list_require_readable(const ListWalk *walk, const FilterField *field, const char *path)
{
	if (field->top && !permission_reads_field(walk->context, walk->query.module, field->top, NULL))
		problem_raise_at(PROBLEM_FORBIDDEN, path, "forbidden", "is a field that the caller may not read");
}

static void
require_condition(const FilterField *field, void *walk)
{
	const ListWalk *of = walk;

	list_require_readable(of, field, psprintf(*of->root == '/' ? "/filter/%s" : "?filter[%s]", field->name));
}

/* Whether a version before the current one had the state, or the option or what else a field lists. */
static bool
knew(const ModuleDef *module, const FilterField *field, const char *value)
{
	for (int32 version = module->version - 1; version > 0; version--)
	{
		const ModuleDef *old = module_lookup_version(module->tenant_id, module->module_id, version);
		const char *key;
		FilterField old_field;

		if (old == NULL)
			continue;
		if (field->built_in == BUILT_IN_STATE && module_has_state(old, value))
			return true;
		key = field->top ? module_field_key(field->top, version) : NULL;
		if (key && filter_field(old, psprintf("%s%s", key, field->below), &old_field) && filter_may_have(&old_field, value))
			return true;
	}
	return false;
}

static const char *
id_of_code(const FilterScope *scope, const ModuleField *field, const char *text, const char *path)
{
	char	   *formatted = palloc(QEHS_ID_LENGTH + 1);
	const char *modules = NULL;
	pg_uuid_t	id;
	CodeOutcome outcome = named_record_of_code(scope->context, field, text, strlen(text), &id, &modules);

	named_code_fault(scope->faults, path, field, outcome, modules);
	if (outcome == CODE_NONE)
		return text;
	if (outcome != CODE_FOUND)
		return NULL;
	id_format(&id, QEHS_ID_RECORD, formatted);
	return formatted;
}

/* The path of a parameter in faults. */
static const char *
path_of(const ListWalk *walk, const char *name)
{
	return psprintf("%s%s", walk->root, name);
}

/* " AND r.created_at >= $n" of from, "<=" of to. */
static void
append_bound(ListWalk *walk, const char *text, bool is_end)
{
	ListQuery  *query = &walk->query;
	TimestampTz time;

	if (argument_bound(text, is_end, path_of(walk, is_end ? "to" : "from"), &time, query->faults))
		appendStringInfo(&query->sql, " AND %s.created_at %s $%d", query->alias, is_end ? "<=" : ">=",
						 query_argument(query, TIMESTAMPTZOID, TimestampTzGetDatum(time)));
}

static void
append_status(ListWalk *walk, const char *status)
{
	ListQuery  *query = &walk->query;

	if (status == NULL)
		return;
	if (!module_has_state(query->module, status) && !knew(query->module, &(FilterField) {.built_in = BUILT_IN_STATE}, status))
		violation_add_first(query->faults, path_of(walk, "status"), "enum", "must be a state of the module, not \"%s\"", status);
	appendStringInfo(&query->sql, " AND %s.workflow_state COLLATE \"C\" = $%d", query->alias,
					 query_argument(query, TEXTOID, CStringGetTextDatum(status)));
}

/* ---- conditions ---- */

/* " AND (r.created_by = $n OR …)" for a caller who has the action on some records only. */
static void
append_permitted(ListWalk *walk, ModuleAction action)
{
	ListQuery  *query = &walk->query;
	const char *permitted = permission_predicate(walk->context, query->module, action, psprintf("%s.", query->alias), query->count + 1);
	Datum		values[QEHS_PERMISSION_ARGUMENTS];

	if (permitted == NULL)
		return;
	appendStringInfo(&query->sql, " AND %s", permitted);
	permission_arguments(walk->context, values);
	for (int i = 0; i < QEHS_PERMISSION_ARGUMENTS; i++)
		query_argument(query, permission_argument_types[i], values[i]);
}

static void
append_filter(ListWalk *walk, const ListRequest *request)
{
	FilterScope scope = {walk->context, walk->query.module, request->filter_path, knew, id_of_code, walk->query.faults, request->deleted_too};
	FilterNode *node;

	if (request->filter == NULL)
		return;
	node = filter_parse(&scope, &request->filter->root);
	filter_each(node, require_condition, walk);
	if (walk->query.faults->count > 0)
		return;
	/* an option that is none any more has no place */
	walk->sort_required = !walk->sort.keys[0].by_place && filter_requires(node, walk->sort.keys[0].field.name);
	appendStringInfoString(&walk->query.sql, " AND ");
	query_filter(&walk->query, node);
	changed_read(&walk->query, node);
	if (walk->query.faults->count == 0)
		changed_few(&walk->query);
}

void
list_open(ListWalk *walk, const RequestContext *context, const ListRequest *request, ViolationList *faults)
{
	ListQuery  *query = &walk->query;
	Question   *question;
	const char *sort_path;

	memset(walk, 0, sizeof(*walk));
	walk->context = context;
	walk->root = request->in_body ? "/" : "?";
	sort_path = path_of(walk, request->sort_name ? request->sort_name : "sort");
	query->module = request->module;
	query->alias = "r";
	query->faults = faults;
	question = list_search_open(walk, request);
	sort_read(query->module, request->sort ? request->sort : walk->question ? "-displayCode" : "-createdAt", sort_path, &walk->sort, faults);
	for (int i = 0; i < walk->sort.count; i++)
	{
		list_require_readable(walk, &walk->sort.keys[i].field, sort_path);
		if (request->deleted_too)
			walk->sort.keys[i].field.slot = -1;
	}
	initStringInfo(&query->sql);
	appendStringInfo(&query->sql, "%1$s.tenant_id = $1 AND %1$s.module_id = $2%2$s", query->alias,
					 request->deleted_too ? "" : psprintf(" AND %s.deleted_at IS NULL", query->alias));
	query_argument(query, INT4OID, Int32GetDatum(context->tenant_id));
	query_argument(query, INT4OID, Int32GetDatum(query->module->module_id));
	append_permitted(walk, ACTION_READ);
	if (request->action)
		append_permitted(walk, (ModuleAction) request->action);
	append_filter(walk, request);
	append_status(walk, request->status);
	append_bound(walk, request->from, false);
	append_bound(walk, request->to, true);
	if (question)
		list_search_append(walk, question, request);
	walk->keyset_only = query->count == 2;
	walk->conditions = query->sql.data;
}

char *
list_binding(const ListWalk *walk, const ListRequest *request)
{
	const char *const texts[] = {request->status, request->from, request->to, request->q};
	StringInfoData binding;

	initStringInfo(&binding);
	appendStringInfo(&binding, "%s\n", request->module->key);
	sort_describe(&binding, &walk->sort);
	for (int i = 0; i < (int) lengthof(texts); i++)
		appendStringInfo(&binding, "%d:%s\n", i + 2, texts[i] ? texts[i] : "");
	if (request->filter)
		json_jsonb(&binding, request->filter);
	return binding.data;
}

/* ---- rows ---- */

/* A walk over the parts of a list. */
typedef struct ListPass
{
	ListWalk   *walk;
	ListSort	sort;			/* that of the walk, turned round when it goes backward */
	const char *columns;
	uint64		left;			/* rows that are still wanted */
	bool		more;
	ListVisit	visit;
	void	   *owner;
} ListPass;

/* Visit rows of a statement that was asked for one more than are wanted. */
static void
visit_rows(ListPass *pass, SortPart part, uint64 rows)
{
	uint64		wanted = pass->left;

	for (uint64 row = 0; row < Min(rows, wanted); row++)
	{
		SortPosition position = {.part = part};
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		position.id = *DatumGetUUIDP(plan_value(row, LIST_ID_COLUMN, &isnull));
		for (int i = 0; i < pass->sort.count; i++)
			position.values[i] = plan_value(row, LIST_PLACE_COLUMN + i, &position.nulls[i]);
		pass->left--;
		if (pass->visit(pass->owner, &position, row))
		{
			pass->more = row + 1 < rows;
			pass->left = 0;
			return;
		}
	}
	pass->more = rows > wanted;
}

/* Write the statement of one part: in the order of changes by their events, in another by the records. */
static void
write_statement(ListQuery *query, const ListSort *sort, SortPart part, const SortPosition *after, const char *conditions)
{
	initStringInfo(&query->sql);
	if (changed_orders(query, sort))
		changed_write_statement(query, sort, after, conditions);
	else
		sort_write_statement(query, sort, part, after, conditions);
}

/* Visit the rows of one part from a position on, for which conditions, with their arguments in query, hold. */
static void
visit_statement(ListPass *pass, ListQuery *query, const ListSort *sort, SortPart part, const SortPosition *after, const char *conditions)
{
	uint64		wanted = pass->left;

	query->columns = pass->columns;
	/* few different limits, so that plans are found again; the executor is stopped after those that are wanted */
	query->limit = wanted <= QEHS_MAX_PAGE ? QEHS_MAX_PAGE + 1 : pg_nextpower2_64(wanted + 1);
	write_statement(query, sort, part, after, conditions);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, query->faults);
	visit_rows(pass, part, query_execute(query, pass->walk->keyset_only && part == SORT_VALUED && sort->count == 1, wanted + 1));
}

/* Visit those with a value of the first key, value by value as long as many tie. */
static void
visit_ties(ListPass *pass, const SortPosition *after)
{
	Ties		ties;

	for (bool found = ties_begin(&ties, &pass->walk->query, &pass->sort, after); found && !pass->more; found = ties.many && ties_next(&ties))
	{
		ListQuery	query = pass->walk->query;
		ListSort	sort = pass->sort;

		CHECK_FOR_INTERRUPTS();
		sort.tied = ties.many;
		visit_statement(pass, &query, &sort, SORT_VALUED, after, ties_conditions(&ties, &query, pass->walk->conditions, ties.many));
		after = NULL;
	}
}

/* Visit the rows of one part from a position on. */
static void
visit_part(ListPass *pass, SortPart part, const SortPosition *after)
{
	ListQuery	query = pass->walk->query;

	if (part == SORT_VALUED && ties_walk(&query, &pass->sort))
		visit_ties(pass, after);
	else
		visit_statement(pass, &query, &pass->sort, part, after, pass->walk->conditions);
}

/* Visit the records of a question from a position on, in the order of the index, until it is known whether more follow. */
static void
visit_found(ListPass *pass, const SortPosition *after)
{
	ListWalk   *walk = pass->walk;
	const char *alias = walk->query.alias;
	bool		descending = pass->sort.keys[0].descending != pass->sort.backward;
	char	   *columns = psprintf("%s, %s.display_no", pass->columns, alias);
	char	   *order = psprintf(" ORDER BY %s.display_no %s", alias, descending ? "DESC" : "ASC");
	int64		position = after ? DatumGetInt64(after->values[0]) : 0;
	Found		found;

	found_begin(&found, walk->question, walk->context->tenant_id, walk->query.module->module_id, descending, after ? &position : NULL,
				walk->bounded ? search_index_most : PG_INT64_MAX);
	while (!pass->more)
	{
		position = found.position;
		if (!found_next(&found))
			break;
		walk->stopped = pass->more = found.cut;
		if (!found.cut)
			visit_rows(pass, SORT_VALUED, list_search_step(walk, &found, columns, order, pass->left + 1));
	}
	walk->stop = (SortPosition) {.part = SORT_VALUED,.values = {Int64GetDatum(position)}};
}

bool
list_rows(ListWalk *walk, const SortPosition *after, bool backward, uint64 limit, const char *columns, ListVisit visit, void *owner)
{
	ListPass	pass = {.walk = walk,.sort = walk->sort,.columns = columns,.left = limit,.visit = visit,.owner = owner};
	bool		has_rest = sort_has_rest(&walk->sort) && !walk->sort_required;

	pass.sort.backward = backward;
	walk->stopped = false;
	if (walk->steps)
	{
		visit_found(&pass, after);
		return pass.more;
	}
	if (backward && has_rest && (after == NULL || after->part == SORT_REST))
	{
		visit_part(&pass, SORT_REST, after);
		after = NULL;
	}
	if (!pass.more && (after == NULL || after->part == SORT_VALUED))
	{
		visit_part(&pass, SORT_VALUED, after);
		after = NULL;
	}
	if (!pass.more && !backward && has_rest)
		visit_part(&pass, SORT_REST, after);
	return pass.more;
}

/* The name of the portal of a part. */
static const char *
portal_name(const char *name, SortPart part)
{
	return psprintf("%s %c", name, (char) part);
}

/* Open a portal on all rows of a part. */
static void
open_portal(ListWalk *walk, const char *name, SortPart part, const char *columns)
{
	ListQuery	query = walk->query;

	query.columns = columns;
	query.limit = PG_INT64_MAX;
	write_statement(&query, &walk->sort, part, NULL, walk->conditions);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, query.faults);
	SPI_cursor_open_with_args(portal_name(name, part), query.sql.data, query.count, query.types, query.values, NULL, true,
							  CURSOR_OPT_NO_SCROLL);
}

void
list_portals_open(ListWalk *walk, const char *name, const char *columns)
{
	open_portal(walk, name, SORT_VALUED, columns);
	if (sort_has_rest(&walk->sort) && !walk->sort_required)
		open_portal(walk, name, SORT_REST, columns);
}

/* In the order of their rows. */
static const SortPart portal_parts[] = {SORT_VALUED, SORT_REST};

void
list_portals_close(const char *name)
{
	for (int i = 0; i < (int) lengthof(portal_parts); i++)
	{
		Portal		portal = SPI_cursor_find(portal_name(name, portal_parts[i]));

		if (portal)
			SPI_cursor_close(portal);
	}
}

uint64
list_portals_fetch(const char *name, uint64 count, void (*visit) (void *owner, uint64 row), void *owner)
{
	uint64		visited = 0;

	for (int i = 0; i < (int) lengthof(portal_parts) && visited < count; i++)
	{
		Portal		portal = SPI_cursor_find(portal_name(name, portal_parts[i]));

		if (portal == NULL || portal->atEnd)
			continue;
		SPI_cursor_fetch(portal, true, (long) (count - visited));
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			CHECK_FOR_INTERRUPTS();
			visit(owner, row);
		}
		visited += SPI_processed;
		SPI_freetuptable(SPI_tuptable);
	}
	return visited;
}

uint64
list_rows_that_name(ListWalk *walk, const char *field_key, const Datum *ids, int id_count, int32 limit, const char *columns)
{
	ListQuery	query = walk->query;
	FilterField field;

	filter_field(query.module, field_key, &field);
	initStringInfo(&query.sql);
	appendStringInfo(&query.sql, "SELECT %s, p.place FROM pg_catalog.unnest($%d) WITH ORDINALITY AS p (id, place) CROSS JOIN LATERAL"
					 " (SELECT r.* FROM qehs.record AS r WHERE %s AND %s ORDER BY r.created_at DESC, r.id DESC LIMIT $%d) AS r"
					 " ORDER BY p.place, r.created_at DESC, r.id DESC", columns,
					 query_array(&query, TEXTOID, unconstify(Datum *, ids), id_count), walk->conditions,
					 field.kind == VALUE_LIST ? psprintf("r.id IN (SELECT l.source_id FROM qehs.record_link AS l WHERE l.tenant_id = r.tenant_id"
						" AND l.target_id = qehs.id_uuid(p.id)) AND p.id = ANY (%s)", query_whole(&query, &field)) :
					 psprintf("%s = p.id", field.slot >= 0 ? query_ordered(&query, &field) : query_whole(&query, &field)),
					 query_argument(&query, INT4OID, Int32GetDatum(limit)));
	return query_execute(&query, true, 0);
}
