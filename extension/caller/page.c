/*
 * page.c
 *	  The frame of a list that goes by a cursor.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/cursor.h"
#include "base/json.h"
#include "caller/page.h"

static const char *
binding_of(const ListPage *page)
{
	return page->binding ? page->binding : "";
}

void
page_begin(ListPage *page, FunctionCallInfo fcinfo, int first)
{
	ViolationList faults = {0};
	char	   *cursor = argument_text(fcinfo, first + 1);

	page->limit = argument_page_size(fcinfo, first, &faults);
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	if (cursor)
	{
		int			length;
		char	   *position = cursor_open(page->context->tenant_id, page->endpoint, binding_of(page), cursor, &length);

		memcpy(page->position, position, Min(length, page->size));
	}
	json_begin(&page->out);
	json_literal(&page->out, "{\"items\":[");
}

uint64
page_select(ListPage *page, KeptPlan *plan, Datum *values, const char *nulls)
{
	uint64		rows = plan_execute(plan, values, nulls, true, page->limit + 1);

	page->more = rows > (uint64) page->limit;
	return Min(rows, (uint64) page->limit);
}

void
page_next(ListPage *page)
{
	if (page->has_item)
		appendStringInfoChar(&page->out, ',');
	page->has_item = true;
}

Datum
page_end(ListPage *page)
{
	char	   *next = NULL;

	if (page->more)
		next = cursor_seal(page->context->tenant_id, page->endpoint, binding_of(page), page->position, page->size);
	return context_answer_page(&page->out, page->context, next);
}
