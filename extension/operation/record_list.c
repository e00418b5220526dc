/*
 * record_list.c
 *	  qehs.record_list: one page of one module, by filter, sort and cursor, or all
 *	  records as lines, in parts.
 *
 * Each row is written in a memory context of its own, and a page ends early when
 * it has many bytes (record/list.h has the walk).  A part of lines is a page without
 * braces, whose cursor goes to the shim in the header line "@next": a client that
 * reads slowly, or leaves, holds no transaction.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/cursor.h"
#include "base/json.h"
#include "base/plan.h"
#include "fmgr.h"
#include "record/list.h"
#include "record/selection.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The arguments of qehs.record_list. */
enum
{
	ARGUMENT_MODULE_KEY, ARGUMENT_FILTER, ARGUMENT_STATUS, ARGUMENT_CREATED_FROM, ARGUMENT_CREATED_TO, ARGUMENT_Q, ARGUMENT_SORT,
	ARGUMENT_FIELDS, ARGUMENT_PAGE_SIZE, ARGUMENT_CURSOR, ARGUMENT_MEDIA_TYPE, ARGUMENT_COUNT
};

PG_FUNCTION_INFO_V1(qehs_record_list);

/* A part of lines ends with the record that makes it so long, or with so many. */
#define PART_BYTES (256 * 1024)
#define PART_RECORDS 5000

/* A page in the making. */
typedef struct ListPage
{
	RequestContext *context;
	ListWalk	walk;
	Selection  *selection;		/* or NULL: whole records */
	bool		lines;			/* a part of them in place of a page */
	StringInfoData out;
	uint64		written;
	SortPosition last;
	MemoryContext row_memory;
	bool		counted;		/* with totalCount */
	bool		exact;
} ListPage;

/* Append a record to the page. */
static bool
write_item(void *owner, const SortPosition *position, uint64 row)
{
	ListPage   *page = owner;
	MemoryContext previous = MemoryContextSwitchTo(page->row_memory);
	Record		record;
	const ModuleDef *module;

	if (page->written++ > 0 && !page->lines)
		appendStringInfoChar(&page->out, ',');
	record_read_row(row, &record);
	module = record_module(page->context, &record);
	if (page->selection)
		selection_write(&page->out, page->context, module, &record, page->selection);
	else
		record_write_json(&page->out, page->context, module, &record, false);
	if (page->lines)
		appendStringInfoChar(&page->out, '\n');
	MemoryContextSwitchTo(previous);
	MemoryContextReset(page->row_memory);
	page->last = *position;
	return page->out.len > (page->lines ? PART_BYTES : QEHS_PAGE_BYTES);
}

/* "totalCount": what all pages have. */
static void
write_count(ListPage *page)
{
	bool		estimated = false;
	int64		count = page->exact ? list_count(&page->walk) : list_estimate(&page->walk, &estimated);

	json_literal(&page->out, "\"totalCount\":");
	json_int(&page->out, count);
	if (estimated)
		json_literal(&page->out, ",\"totalCountEstimated\":true");
	appendStringInfoChar(&page->out, ',');
}

/* End a page, or a part of lines; next is NULL at the last. */
static Datum
end_page(ListPage *page, const char *next)
{
	if (!page->lines)
		return context_answer_page(&page->out, page->context, next);
	if (next)
		context_header(page->context, "@next", "%s", next);
	return context_answer(&page->out);
}

/* Write {"items":[…],"nextCursor":…}, or lines. */
static Datum
write_page(ListPage *page, uint64 limit, const SortPosition *after, const char *binding)
{
	char	   *next = NULL;
	Datum		answer;

	json_begin(&page->out);
	if (!page->lines)
		appendStringInfoChar(&page->out, '{');
	SPI_connect();
	if (page->counted)
		write_count(page);
	if (!page->lines)
		json_literal(&page->out, "\"items\":[");
	page->row_memory = AllocSetContextCreate(CurrentMemoryContext, "qehs row", ALLOCSET_DEFAULT_SIZES);
	if (list_rows(&page->walk, after, false, limit, QEHS_RECORD_COLUMNS, write_item, page))
	{
		StringInfoData position;

		initStringInfo(&position);
		sort_write_position(&position, &page->walk.sort, list_end(&page->walk, &page->last));
		next = cursor_seal(page->context->tenant_id, "record_list", binding, position.data, position.len);
	}
	answer = end_page(page, next);
	SPI_finish();
	return answer;
}

/* Open the cursor; raises QH400 invalid_cursor. */
static const SortPosition *
read_position(const ListPage *page, const char *binding, const char *cursor)
{
	SortPosition *position = palloc0(sizeof(SortPosition));
	int			length;
	char	   *bytes = cursor_open(page->context->tenant_id, "record_list", binding, cursor, &length);

	if (!sort_read_position(&page->walk.sort, bytes, length, position))
		problem_raise_at(PROBLEM_INVALID_CURSOR, "?cursor", "invalid", "is not a cursor of this list with this filter and sort");
	return position;
}

/* Whether, and how, the list is counted. */
static void
read_count(ListPage *page, const char *count, ViolationList *faults)
{
	if (count == NULL)
		return;
	page->counted = true;
	page->exact = strcmp(count, "exact") == 0;
	if (!page->exact && strcmp(count, "estimated") != 0)
		violation_add(faults, "?count", "enum", "must be exact or estimated");
	if (page->lines)
		violation_add(faults, "?count", "media_type", "is for pages: the lines of application/x-ndjson are all records");
}

/* Whether lines are asked for, which only a request can take in parts. */
static bool
wants_lines(RequestContext *context, FunctionCallInfo fcinfo, ViolationList *faults)
{
	char	   *media_type = argument_text(fcinfo, ARGUMENT_MEDIA_TYPE);

	context_header(context, "Vary", "Accept");
	if (media_type == NULL || strcmp(media_type, "application/json") == 0)
		return false;
	if (!context->over_http || strcmp(media_type, "application/x-ndjson") != 0)
		violation_add(faults, "?mediaType", "media_type", "must be application/json, or in a request application/x-ndjson");
	if (!PG_ARGISNULL(ARGUMENT_PAGE_SIZE))
		violation_add(faults, "?limit", "media_type", "is for pages: the lines of application/x-ndjson are all records");
	return true;
}

/*
 * record_list(module_key, filter, status, created_from, created_to, q, sort, fields, page_size, cursor, media_type,
 * count)
 */
Datum
qehs_record_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	char	   *module_key = argument_text(fcinfo, ARGUMENT_MODULE_KEY);
	char	   *fields = argument_text(fcinfo, ARGUMENT_FIELDS);
	char	   *cursor = argument_text(fcinfo, ARGUMENT_CURSOR);
	ListRequest request = {
		.filter = PG_ARGISNULL(ARGUMENT_FILTER) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_FILTER),
		.filter_path = "?filter",
		.status = argument_text(fcinfo, ARGUMENT_STATUS),
		.from = argument_text(fcinfo, ARGUMENT_CREATED_FROM),
		.to = argument_text(fcinfo, ARGUMENT_CREATED_TO),
		.q = argument_text(fcinfo, ARGUMENT_Q),
		.sort = argument_text(fcinfo, ARGUMENT_SORT),
	};
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, ARGUMENT_PAGE_SIZE, &faults);
	ListPage	page = {.context = context};
	Selection	selection;
	char	   *binding;

	page.lines = wants_lines(context, fcinfo, &faults);
	if (module_key == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?moduleKey", "required", "is required");
	request.module = module_lookup(context->tenant_id, module_key);
	if (request.module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	permission_require(context, request.module, ACTION_READ, &permission_some_record);
	if (fields)
	{
		selection_read(request.module, fields, &selection, &faults);
		page.selection = &selection;
	}
	read_count(&page, argument_text(fcinfo, ARGUMENT_COUNT), &faults);
	list_open(&page.walk, context, &request, &faults);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	page.walk.bounded = !page.lines;
	binding = list_binding(&page.walk, &request);
	PG_RETURN_DATUM(write_page(&page, page.lines ? PART_RECORDS : limit, cursor ? read_position(&page, binding, cursor) : NULL, binding));
}
