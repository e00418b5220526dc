/*
 * bind.c
 *	  Values go to PostgreSQL in binary form where that is no work: text as it
 *	  is, integers in network order, jsonb as its version byte and the text.
 */
#include "exchange/bind.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/rfc3339.h"
#include "exchange/problem.h"

#define JSONB_VERSION 1

void
bind_text(PgStatement *statement, int number, const char *value, size_t length)
{
	statement->values[number] = value;
	statement->lengths[number] = (int) length;
	statement->formats[number] = 1;
}

void
bind_jsonb(PgStatement *statement, int number, const char *slice, size_t length)
{
	/* the byte in front is ours: see bind.h */
	char	   *start = (char *) slice - 1;

	*start = JSONB_VERSION;
	bind_text(statement, number, start, length + 1);
}

static bool
bind_integer(Request *request, PgStatement *statement, int number, const char *text, bool small)
{
	char	   *end;
	long long	value;
	uint64_t   *slot = arena_alloc(&request->arena, sizeof(uint64_t));

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || strspn(text, "-0123456789") != strlen(text) || errno != 0 ||
		(small && (value < INT32_MIN || value > INT32_MAX)))
		return false;
	if (small)
		*(uint32_t *) slot = htonl((uint32_t) (int32_t) value);
	else
		*slot = htobe64((uint64_t) value);
	bind_text(statement, number, (char *) slot, small ? sizeof(uint32_t) : sizeof(uint64_t));
	return true;
}

bool
bind_value(Request *request, PgStatement *statement, int number, const Parameter *parameter, const char *text)
{
	if (strcmp(parameter->sql_type, "int4") == 0 || strcmp(parameter->sql_type, "int8") == 0)
		return bind_integer(request, statement, number, text, parameter->sql_type[3] == '4');
	if (strcmp(parameter->sql_type, "bool") == 0)
	{
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return false;
		bind_text(statement, number, *text == 't' ? "\1" : "\0", 1);
		return true;
	}
	if (strcmp(parameter->sql_type, "timestamptz") == 0)
	{
		Rfc3339		time;

		if (!rfc3339_read(text, (int) strlen(text), &time) || time.year == 0)
			return false;
		statement->values[number] = text;
		statement->formats[number] = 0;
		return true;
	}
	if (strcmp(parameter->sql_type, "jsonb") == 0)
	{
		/* JSON in a query parameter: the byte in front of a copy is for bind_jsonb */
		size_t		length = strlen(text);
		char	   *copy = arena_alloc(&request->arena, length + 2);
		JsonDocument document;

		memcpy(copy + 1, text, length + 1);
		if (!json_scan(copy + 1, length, &request->arena, &document))
			return false;
		bind_jsonb(statement, number, copy + 1, length);
		return true;
	}
	bind_text(statement, number, text, strlen(text));
	return true;
}

/* Append an integer of a JSON array to an array literal; gives what is behind it, or NULL when it is none. */
static const char *
append_integer(Buffer *literal, const char *at)
{
	char	   *end;
	long long	value;

	errno = 0;
	value = strtoll(at, &end, 10);
	if (end == at || strchr(" \t\r\n,]", *end) == NULL || errno != 0 || value < INT32_MIN || value > INT32_MAX)
		return NULL;
	buffer_append(literal, at, (size_t) (end - at));
	return end;
}

/* The same for a string; gives what is behind it. */
static const char *
append_string(Request *request, Buffer *literal, const char *at)
{
	const char *end;
	char	   *text;
	size_t		length;

	if (*at != '"')
		return NULL;
	for (end = at + 1; *end != '"'; end++)
		end += *end == '\\';
	buffer_text(literal, "\"");
	for (text = json_decode(at, (size_t) (end + 1 - at), &request->arena, &length); *text; text++)
		buffer_append(literal, *text == '"' ? "\\\"" : *text == '\\' ? "\\\\" : text, *text == '"' || *text == '\\' ? 2 : 1);
	buffer_text(literal, "\"");
	return end + 1;
}

bool
bind_array(Request *request, PgStatement *statement, int number, const Parameter *parameter, const JsonMember *member)
{
	bool		integers = strcmp(parameter->sql_type, "int4[]") == 0;
	Buffer		literal = {.arena = &request->arena};
	const char *at = member->value + 1;

	buffer_text(&literal, "{");
	for (int count = 0;; count++)
	{
		at += strspn(at, " \t\r\n,");
		if (*at == ']')
			break;
		if (count > 0)
			buffer_text(&literal, ",");
		at = integers ? append_integer(&literal, at) : append_string(request, &literal, at);
		if (at == NULL)
		{
			problem_violation(request, arena_format(&request->arena, "/%s/%d", parameter->name, count), "type",
							  integers ? "must be an integer" : "must be a string");
			return false;
		}
	}
	buffer_text(&literal, "}");
	statement->values[number] = literal.data;
	statement->formats[number] = 0;
	return true;
}
