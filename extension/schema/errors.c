/*
 * errors.c
 *	  Collecting violations and faults, and writing places out.
 *
 * Their number is bounded, and so is their text: keys may be as long as documents.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/text.h"
#include "mb/pg_wchar.h"
#include "schema/program.h"

#define SHOWN_BYTES 200

void
schema_errors_init(SchemaErrors *errors)
{
	memset(errors, 0, sizeof(*errors));
	errors->limit = QEHS_SCHEMA_ERROR_LIMIT;
	errors->context = CurrentMemoryContext;
}

bool
schema_errors_have_room(SchemaErrors *errors)
{
	if (errors->count < errors->limit && errors->bytes < QEHS_SCHEMA_ERROR_BYTES)
		return true;
	errors->truncated = true;
	return false;
}

void
schema_add_place(SchemaErrors *errors, const Place *instance, const Place *schema, const char *token, const char *keyword,
				 const char *format, va_list arguments)
{
	MemoryContext previous = MemoryContextSwitchTo(errors->context);
	StringInfoData instance_location;
	StringInfoData keyword_location;
	StringInfoData message;

	initStringInfo(&instance_location);
	place_append(&instance_location, instance);
	initStringInfo(&keyword_location);
	place_append(&keyword_location, schema);
	if (token)
		json_pointer_append(&keyword_location, token, strlen(token));
	initStringInfo(&message);
	text_append_va(&message, format, arguments);
	if (errors->items == NULL)
		errors->items = palloc(sizeof(SchemaViolation) * errors->limit);
	errors->items[errors->count++] = (SchemaViolation)
	{
		instance_location.data, keyword_location.data, keyword, message.data
	};
	errors->bytes += instance_location.len + keyword_location.len + message.len;
	MemoryContextSwitchTo(previous);
}

void
schema_fault(SchemaErrors *faults, const Place *at, const char *token, const char *keyword, const char *format,...)
{
	Place		place = {at, token, token ? strlen(token) : 0, 0};
	va_list		arguments;

	if (!schema_errors_have_room(faults))
		return;
	va_start(arguments, format);
	schema_add_place(faults, token ? &place : at, at, token, keyword, format, arguments);
	va_end(arguments);
}

void
schema_add(SchemaErrors *errors, const SchemaViolation *violation)
{
	if (!schema_errors_have_room(errors))
		return;
	if (errors->items == NULL)
		errors->items = MemoryContextAlloc(errors->context, sizeof(SchemaViolation) * errors->limit);
	errors->items[errors->count++] = *violation;
}

void
place_append(StringInfo out, const Place *place)
{
	const Place **steps;
	int			depth = 0;

	for (const Place *p = place; p; p = p->parent)
		depth++;
	steps = palloc(sizeof(Place *) * (depth + 1));
	for (const Place *p = place; p; p = p->parent)
		steps[--depth] = p;
	for (const Place *p = place; p; p = p->parent)
		depth++;
	for (int i = 0; i < depth; i++)
		if (steps[i]->key == NULL)
			appendStringInfo(out, "/%u", steps[i]->index);
		else if (steps[i]->index == PLACE_VERBATIM)
			appendBinaryStringInfo(out, steps[i]->key, steps[i]->length);
		else
			json_pointer_append(out, steps[i]->key, steps[i]->length);
	pfree(steps);
}

char *
schema_shown(const char *text, int length)
{
	int			shown = length > SHOWN_BYTES ? pg_mbcliplen(text, length, SHOWN_BYTES) : length;

	return psprintf("%.*s%s", shown, text, shown < length ? "..." : "");
}
