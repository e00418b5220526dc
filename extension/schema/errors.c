/*
 * errors.c
 *	  Collecting violations and faults.
 */
#include "compat.h"

#include "lib/stringinfo.h"
#include "schema/program.h"

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

	if (errors->count >= errors->limit)
	{
		errors->truncated = true;
		return;
	}
	previous = MemoryContextSwitchTo(errors->context);
	if (errors->items == NULL)
		errors->items = palloc(sizeof(SchemaViolation) * errors->limit);
	initStringInfo(&message);
	for (;;)
	{
		va_list		arguments;
		int			needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	item = &errors->items[errors->count++];
	item->instance_location = pstrdup(instance);
	item->keyword_location = pstrdup(keyword_location);
	item->keyword = keyword;
	item->message = message.data;
	MemoryContextSwitchTo(previous);
}
