/*
 * errors.c
 *	  Collecting violations and faults.
 */
#include "compat.h"

#include "lib/stringinfo.h"
#include "schema/program.h"
#include "text.h"

void
schema_errors_init(SchemaErrors *errors)
{
	memset(errors, 0, sizeof(*errors));
	errors->limit = QEHS_SCHEMA_ERROR_LIMIT;
	errors->context = CurrentMemoryContext;
}

void
schema_add(SchemaErrors *errors, const char *instance, const char *keyword_location, const char *keyword,
		   const char *format,...)
{
	MemoryContext previous;
	StringInfoData message;
	SchemaViolation *item;
	va_list		arguments;

	if (errors->count >= errors->limit)
	{
		errors->truncated = true;
		return;
	}
	previous = MemoryContextSwitchTo(errors->context);
	if (errors->items == NULL)
		errors->items = palloc(sizeof(SchemaViolation) * errors->limit);
	initStringInfo(&message);
	va_start(arguments, format);
	text_append_va(&message, format, arguments);
	va_end(arguments);
	item = &errors->items[errors->count++];
	item->instance_location = pstrdup(instance);
	item->keyword_location = pstrdup(keyword_location);
	item->keyword = keyword;
	item->message = message.data;
	MemoryContextSwitchTo(previous);
}
