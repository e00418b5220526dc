/*
 * record_links.c
 *	  qehs.record_links: the records that a record names, and those that name it.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "fmgr.h"
#include "record/link.h"

PG_FUNCTION_INFO_V1(qehs_record_links);

/* A page in the making. */
typedef struct LinkPage
{
	StringInfo	out;
	int32		limit;
	int			count;
	LinkPosition last;			/* of those that were written */
} LinkPage;

/* Append a link, unless the page is full. */
static void
take_link(void *owner, const LinkTold *link)
{
	LinkPage	   *page = owner;

	if (page->count++ == page->limit)
		return;
	page->last = link->position;
	appendStringInfo(page->out, "%s{\"direction\":\"%s\",\"fields\":%s,\"record\":{\"id\":", page->count > 1 ? "," : "",
					 link->position.is_in ? "in" : "out", link->fields);
	json_id(page->out, &link->other->id, QEHS_ID_RECORD);
	json_literal(page->out, ",\"moduleKey\":");
	json_string(page->out, link->module->key);
	json_literal(page->out, ",\"displayCode\":");
	record_write_display_code(page->out, link->module, link->other->display_no);
	json_literal(page->out, ",\"workflowState\":");
	json_string(page->out, link->other->workflow_state);
	json_literal(page->out, "}}");
}

/* The arguments of qehs.record_links. */
enum
{
	ARGUMENT_ID, ARGUMENT_PAGE_SIZE, ARGUMENT_CURSOR
};

/* record_links(id, page_size, cursor) */
Datum
qehs_record_links(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_READ);
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, ARGUMENT_PAGE_SIZE, &faults);
	char	   *cursor = argument_text(fcinfo, ARGUMENT_CURSOR);
	Record		record;
	LinkPosition after;
	pg_uuid_t	id;
	StringInfoData out;
	LinkPage		page = {.out = &out,.limit = limit};
	char	   *next = NULL;

	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	record_parse_id(argument_text(fcinfo, ARGUMENT_ID), &id);
	json_begin(&out);
	SPI_connect();
	record_fetch(context, &id, RECORD_READ, false, &record);
	record_require(context, record_module(context, &record), ACTION_READ, &record);
	after = link_open_cursor(context->tenant_id, &id, cursor);
	json_literal(&out, "{\"items\":[");
	/* one more says whether more follow */
	link_walk(context, &record, &after, 1, limit + 1, take_link, &page);
	SPI_finish();
	if (page.count > limit)
		next = link_seal_cursor(context->tenant_id, &id, &page.last);
	PG_RETURN_DATUM(context_answer_page(&out, context, next));
}
