/*
 * search.c
 *	  Lists of resources.
 *
 * Without sortBy the order is that of creation, by id.  A cursor holds the last row's
 * sort key and id and the total that the first page found, so that a page costs the
 * same at any depth; by index the rows in front are passed over.
 */
#include "base/compat.h"

#include "scim/search.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/json.h"
#include "base/plan.h"
#include "record/list.h"
#include "scim/input.h"
#include "scim/write.h"
#include "utils/builtins.h"

/* What a cursor holds, and behind it the sort key. */
typedef struct Position
{
	int64		total;
	pg_uuid_t	id;
	bool		has_key;
} Position;

typedef struct SearchPage
{
	const RequestContext *context;
	const char *base_url;
	const ScimSearch *search;
	const ScimFilter *filter;	/* or NULL */
	bool		descending;
	const ScimResourceType *type;
	int64		offset;			/* rows to pass over */
	int64		limit;
	const Position *after;		/* by cursor; NULL is the first page */
	const char *after_key;		/* or NULL */
	/* what came */
	int64		found;
	bool		more;
	Position	last;
	const char *last_key;
} SearchPage;

static bool
is_descending(const ScimSearch *search)
{
	if (search->sort_order == NULL || pg_strcasecmp(search->sort_order, "ascending") == 0)
		return false;
	if (pg_strcasecmp(search->sort_order, "descending") != 0)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?sortOrder", "enum", "must be ascending or descending");
	return true;
}

/* FROM and WHERE of what the filter lets through. */
static void
append_source(ScimSql *sql, const SearchPage *page)
{
	sql->all_types = page->search->type == NULL;
	appendStringInfoString(&sql->query.sql, store_from(sql));
	if (page->filter)
	{
		appendStringInfoString(&sql->query.sql, " AND (");
		filter_append(sql, page->filter);
		appendStringInfoChar(&sql->query.sql, ')');
	}
}

static int64
count_all(const SearchPage *page)
{
	ScimSql		sql;
	bool		isnull;

	filter_begin(&sql, page->type, page->context->tenant_id, page->base_url);
	appendStringInfoString(&sql.query.sql, "SELECT pg_catalog.count(*)");
	append_source(&sql, page);
	query_execute(&sql.query, false, 1);
	return DatumGetInt64(plan_value(0, 1, &isnull));
}

/* Rows behind the cursor's: absent keys come last ascending, first descending (RFC 7644 section 3.4.2.3). */
static void
append_position(ScimSql *sql, const SearchPage *page, const char *key, bool is_number)
{
	bool		descending = page->descending;
	StringInfo	out = &sql->query.sql;
	int			id = filter_uuid(sql, &page->after->id);
	const char *value;

	if (key == NULL)
	{
		appendStringInfo(out, " AND x.id > $%d", id);
		return;
	}
	if (!page->after->has_key)
	{
		appendStringInfo(out, descending ? " AND ((%s IS NULL AND x.id > $%d) OR %s IS NOT NULL)" : " AND %s IS NULL AND x.id > $%d", key, id, key);
		return;
	}
	value = psprintf("$%d%s", filter_text(sql, page->after_key), is_number ? "::pg_catalog.numeric" : "");
	appendStringInfo(out, " AND (%s %s %s OR (%s = %s AND x.id > $%d)%s)", key, descending ? "<" : ">", value, key, value, id,
					 descending ? "" : psprintf(" OR %s IS NULL", key));
}

static bool
is_sorted(const SearchPage *page)
{
	return page->search->sort_by && *page->search->sort_by;
}

/* The first page of a search for one user name, by index; false where it takes a statement. */
static bool
read_user(SearchPage *page, const ScimWriter *writer, ScimResource ***rows)
{
	const char *name = page->filter && !page->after && page->offset == 0 && page->limit > 0 && !is_sorted(page) && !write_shows(writer, "groups") ?
		filter_user_name(page->type, page->filter) : NULL;

	*rows = palloc(sizeof(ScimResource *));
	if (name == NULL || !store_find_user(page->context, name, *rows))
		return false;
	page->found = **rows ? 1 : 0;
	page->more = false;
	return true;
}

/* The statement of a page: as many rows as it has and one more, the sort key behind the columns. */
static void
append_page(ScimSql *sql, const SearchPage *page, const ScimWriter *writer)
{
	StringInfo	statement = &sql->query.sql;
	bool		is_number = false;
	const char *key = is_sorted(page) ? filter_sort_key(sql, page->search->sort_by, &is_number) : NULL;

	appendStringInfo(statement, "SELECT %s, (%s)::pg_catalog.text", store_columns(sql, write_shows(writer, "groups")), key ? key : "NULL");
	append_source(sql, page);
	if (page->after)
		append_position(sql, page, key, is_number);
	if (sql->one)
		;
	else if (key)
		appendStringInfo(statement, " ORDER BY %s%s, x.id", key, page->descending ? " DESC NULLS FIRST" : " ASC NULLS LAST");
	else
		appendStringInfoString(statement, " ORDER BY x.id");
	appendStringInfo(statement, " LIMIT $%d", filter_int(sql, page->limit + 1));
	if (page->offset > 0)
		appendStringInfo(statement, " OFFSET $%d", filter_int(sql, page->offset));
}

static ScimResource **
read_rows(SearchPage *page, const ScimWriter *writer)
{
	ScimResource **rows;
	ScimSql		sql;
	bool		isnull;
	Datum		last;

	filter_begin(&sql, page->type, page->context->tenant_id, page->base_url);
	append_page(&sql, page, writer);
	page->found = (int64) query_execute(&sql.query, false, page->limit + 1);
	page->more = page->found > page->limit;
	page->found = Min(page->found, page->limit);
	rows = palloc(sizeof(ScimResource *) * Max(page->found, 1));
	for (int64 i = 0; i < page->found; i++)
		rows[i] = store_read(page->type, i);
	if (page->found == 0)
		return rows;
	last = plan_value(page->found - 1, STORE_COLUMNS + 1, &isnull);
	page->last.id = rows[page->found - 1]->id;
	page->last.has_key = !isnull;
	page->last_key = isnull ? NULL : TextDatumGetCString(last);
	return rows;
}

/* Read a page of one type and write its resources; first is whether none was written before. */
static void
write_page(StringInfo out, SearchPage *page, bool first)
{
	ScimWriter	writer = {page->type, page->context, page->base_url, write_selection(page->type, page->search->attributes, page->search->excluded)};
	ScimResource **rows;

	if (!read_user(page, &writer, &rows))
		rows = read_rows(page, &writer);
	for (int64 i = 0; i < page->found; i++)
	{
		if (!first || i > 0)
			appendStringInfoChar(out, ',');
		write_resource(out, &writer, rows[i]);
	}
}

/* ---- cursors ---- */

static char *
binding_of(const ScimSearch *search)
{
	return psprintf("%s\n%s\n%s\n%s", search->type->name, search->filter ? search->filter : "", search->sort_by ? search->sort_by : "",
					is_descending(search) ? "d" : "a");
}

static void
open_cursor(SearchPage *page)
{
	const ScimSearch *search = page->search;
	Position   *position;
	int			length;
	char	   *bytes;

	if (search->has_start)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?startIndex", "conflict", "does not go with cursor");
	if (*search->cursor == '\0')
		return;
	bytes = cursor_open(page->context->tenant_id, "scim", binding_of(search), search->cursor, &length);
	if (length < (int) sizeof(Position))
		problem_raise_at(PROBLEM_INVALID_CURSOR, "?cursor", "invalid", "is not a cursor of this list");
	position = palloc(sizeof(Position));
	memcpy(position, bytes, sizeof(Position));
	page->after = position;
	page->after_key = position->has_key ? pnstrdup(bytes + sizeof(Position), length - sizeof(Position)) : NULL;
}

static char *
seal_cursor(const SearchPage *page, int64 total)
{
	Position	last;
	StringInfoData bytes;

	memset(&last, 0, sizeof(last));
	last.total = total;
	last.id = page->last.id;
	last.has_key = page->last.has_key;
	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, (const char *) &last, sizeof(last));
	if (page->last_key)
		appendStringInfoString(&bytes, page->last_key);
	return cursor_seal(page->context->tenant_id, "scim", binding_of(page->search), bytes.data, bytes.len);
}

/* ---- the answer ---- */

static void
write_head(StringInfo out, int64 total, int64 items)
{
	json_literal(out, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"totalResults\":");
	json_int(out, total);
	json_literal(out, ",\"itemsPerPage\":");
	json_int(out, items);
}

static void
write_by_cursor(StringInfo out, SearchPage *page)
{
	StringInfoData resources;
	int64		total;

	initStringInfo(&resources);
	open_cursor(page);
	page->type = page->search->type;
	write_page(&resources, page, true);
	total = page->after ? page->after->total : page->more ? count_all(page) : page->found;
	write_head(out, total, page->found);
	if (page->more && page->found > 0)
	{
		json_literal(out, ",\"nextCursor\":");
		json_string(out, seal_cursor(page, total));
	}
	json_literal(out, ",\"Resources\":[");
	appendBinaryStringInfo(out, resources.data, resources.len);
	json_literal(out, "]}");
}

/* One type's part of a list by index: start counts over all types, offset is how many rows the types before had. */
static void
write_type(StringInfo out, SearchPage *page, int64 start, int64 count, int64 *total, int64 *written)
{
	int64		rows;

	page->offset = Max(start - 1 - *total, 0);
	page->limit = count - *written;
	page->found = 0;
	page->more = page->limit == 0;
	if (page->limit > 0)
		write_page(out, page, *written == 0);
	*written += page->found;
	/* what was read to its end needs no count */
	rows = !page->more && (page->found > 0 || page->offset == 0) ? page->offset + page->found : count_all(page);
	*total += rows;
}

static void
write_by_index(StringInfo out, SearchPage *page)
{
	const ScimSearch *search = page->search;
	const ScimCatalogue *all = schema_catalogue();
	int64		start = search->has_start ? Max(search->start, 1) : 1;
	int64		count = search->has_count ? Min(Max(search->count, 0), SCIM_MAX_RESULTS) : SCIM_DEFAULT_RESULTS;
	int64		total = 0;
	int64		written = 0;
	StringInfoData resources;

	initStringInfo(&resources);
	if (search->type == NULL && search->sort_by && *search->sort_by)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "/sortBy", "unsupported", "needs the endpoint of one resource type");
	for (int i = 0; i < all->type_count; i++)
	{
		page->type = search->type ? search->type : &all->types[i];
		write_type(&resources, page, start, count, &total, &written);
		if (search->type)
			break;
	}
	write_head(out, total, written);
	json_literal(out, ",\"startIndex\":");
	json_int(out, start);
	json_literal(out, ",\"Resources\":[");
	appendBinaryStringInfo(out, resources.data, resources.len);
	json_literal(out, "]}");
}

void
search_write(StringInfo out, const RequestContext *context, const char *base_url, const ScimSearch *search)
{
	SearchPage	page = {.context = context,.base_url = base_url,.search = search,.descending = is_descending(search)};

	if (search->filter && *search->filter)
		page.filter = filter_read(search->filter);
	if (search->cursor == NULL)
	{
		write_by_index(out, &page);
		return;
	}
	if (search->type == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "/cursor", "unsupported", "needs the endpoint of one resource type");
	page.limit = search->has_count ? Min(Max(search->count, 0), SCIM_MAX_RESULTS) : SCIM_DEFAULT_RESULTS;
	write_by_cursor(out, &page);
}

/* ---- .search ---- */

static const char *
read_text(const ScimValue *message, const char *name)
{
	const ScimValue *value = tree_get_any_case(message, name);

	if (value == NULL || value->kind == SCIM_VALUE_NULL)
		return NULL;
	if (value->kind != SCIM_VALUE_TEXT)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, psprintf("/%s", name), "type", "must be a string");
	return value->text;
}

static bool
read_integer(const ScimValue *message, const char *name, int32 *number)
{
	const ScimValue *value = tree_get_any_case(message, name);

	if (value == NULL || value->kind == SCIM_VALUE_NULL)
		return false;
	if (value->kind != SCIM_VALUE_NUMBER || strspn(value->text, "-0123456789") != strlen(value->text) || strlen(value->text) > 9)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, psprintf("/%s", name), "type", "must be an integer of at most nine digits");
	*number = (int32) strtol(value->text, NULL, 10);
	return true;
}

/* A list of names, or a text of them, as the text of the query parameter. */
static const char *
read_names(const ScimValue *message, const char *name)
{
	const ScimValue *value = tree_get_any_case(message, name);
	StringInfoData text;

	if (value == NULL || value->kind != SCIM_VALUE_LIST)
		return read_text(message, name);
	initStringInfo(&text);
	for (int i = 0; i < value->count; i++)
	{
		if (value->items[i]->kind != SCIM_VALUE_TEXT)
			problem_raise_at(PROBLEM_VALIDATION_FAILED, psprintf("/%s/%d", name, i), "type", "must be a string");
		appendStringInfo(&text, "%s%s", i > 0 ? "," : "", value->items[i]->text);
	}
	return text.data;
}

void
search_read(const ScimValue *message, ScimSearch *search)
{
	static const char *const known[] = {"schemas", "attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"};

	input_require_schema(message, "urn:ietf:params:scim:api:messages:2.0:SearchRequest");
	for (int i = 0; i < message->count; i++)
	{
		bool		found = false;

		for (int j = 0; j < (int) lengthof(known); j++)
			found = found || pg_strcasecmp(message->names[i], known[j]) == 0;
		if (!found)
			problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "\"%s\" is no member of a search request", message->names[i]);
	}
	search->attributes = read_names(message, "attributes");
	search->excluded = read_names(message, "excludedAttributes");
	search->filter = read_text(message, "filter");
	search->sort_by = read_text(message, "sortBy");
	search->sort_order = read_text(message, "sortOrder");
	search->cursor = read_text(message, "cursor");
	search->has_start = read_integer(message, "startIndex", &search->start);
	search->has_count = read_integer(message, "count", &search->count);
}
