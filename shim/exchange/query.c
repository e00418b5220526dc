/*
 * query.c
 *	  The query string of a request target: percent-encoding, names that come
 *	  once, the filter[field][op] form.
 */
#include "exchange/query.h"

#include <string.h>

#include "common/hex.h"
#include "common/utf8.h"
#include "base/json.h"
#include "exchange/problem.h"

char *
query_decode(Arena *arena, const char *text, size_t length, bool plus_is_space)
{
	char	   *decoded = arena_alloc(arena, length + 1);
	size_t		used = 0;

	for (size_t i = 0; i < length; i++)
	{
		char		c = text[i];

		if (c == '%')
		{
			int			high = i + 1 < length ? hex_value(text[i + 1]) : -1;
			int			low = i + 2 < length ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return NULL;
			c = (char) (high << 4 | low);
			i += 2;
		}
		else if (c == '+' && plus_is_space)
			c = ' ';
		decoded[used++] = c;
	}
	decoded[used] = '\0';
	return utf8_is_valid(decoded, used) ? decoded : NULL;
}

void
query_read(Request *request, Query *query)
{
	const char *at = request->query;
	int			capacity = 1;

	for (const char *c = at; *c; c++)
		capacity += *c == '&';
	query->items = arena_alloc(&request->arena, sizeof(QueryItem) * (size_t) capacity);
	query->count = 0;
	while (*at)
	{
		size_t		length = strcspn(at, "&");
		const char *equals = memchr(at, '=', length);
		size_t		name_length = equals ? (size_t) (equals - at) : length;

		if (length > 0)
		{
			char	   *name = query_decode(&request->arena, at, name_length, true);
			char	   *value = equals ? query_decode(&request->arena, equals + 1, length - name_length - 1, true) : "";

			if (name == NULL || value == NULL)
				problem_violation(request, arena_format(&request->arena, "?%s", name ? name : ""), "encoding",
								  "must be percent-encoded UTF-8 without NUL");
			else
				query->items[query->count++] = (QueryItem) {name, value, false};
		}
		at += length + (at[length] == '&');
	}
}

const char *
query_value(Request *request, Query *query, const char *name)
{
	const char *value = NULL;

	for (int i = 0; i < query->count; i++)
	{
		QueryItem  *item = &query->items[i];

		if (strcmp(item->name, name) != 0)
			continue;
		if (value && !item->used)
			problem_violation(request, arena_format(&request->arena, "?%s", name), "duplicate_parameter",
							  "must be given once");
		item->used = true;
		value = value ? value : item->value;
	}
	return value;
}

/* Split filter[field] or filter[field][op]; false when the name has another form. */
static bool
split_filter(Arena *arena, const char *name, const char **field, const char **op)
{
	const char *close;

	if (strncmp(name, "filter[", 7) != 0 || (close = strchr(name + 7, ']')) == NULL || close == name + 7)
		return false;
	*field = arena_copy(arena, name + 7, (size_t) (close - name - 7));
	*op = "eq";
	if (close[1] == '\0')
		return true;
	name = close + 1;
	if (name[0] != '[' || (close = strchr(name, ']')) == NULL || close == name + 1 || close[1] != '\0')
		return false;
	*op = arena_copy(arena, name + 1, (size_t) (close - name - 1));
	return true;
}

/* The value of filter=<JSON>, an object; NULL when there is none or, with a violation, when it cannot be read. */
static const char *
filter_document(Request *request, Query *query)
{
	const char *text = query_value(request, query, "filter");
	JsonDocument document;

	if (text == NULL)
		return NULL;
	if (!json_scan(text, strlen(text), &request->arena, &document))
		problem_violation(request, "?filter", document.code, document.message);
	else if (document.type != JSON_OBJECT)
		problem_violation(request, "?filter", "type", "must be a JSON object, or filter[field][operator]=value");
	else
		return text;
	return NULL;
}

const char *
query_filter(Request *request, Query *query, size_t *length)
{
	struct
	{
		const char *field;
		const char *op;
	}		   *parts = arena_alloc(&request->arena, sizeof(*parts) * (size_t) (query->count + 1));
	Buffer		text = {.arena = &request->arena};
	const char *document = filter_document(request, query);
	size_t		start;

	/* the spare byte for bind_jsonb */
	buffer_text(&text, " ");
	if (document)
	{
		buffer_text(&text, "{\"and\":[");
		buffer_text(&text, document);
		buffer_text(&text, ",");
	}
	buffer_text(&text, "{");
	start = text.length;
	for (int i = 0; i < query->count; i++)
	{
		parts[i].field = NULL;
		if (strncmp(query->items[i].name, "filter", 6) != 0)
			continue;
		if (!split_filter(&request->arena, query->items[i].name, &parts[i].field, &parts[i].op))
			continue;
		query->items[i].used = true;
		for (int j = 0; j < i; j++)
			if (parts[j].field && strcmp(parts[j].field, parts[i].field) == 0 && strcmp(parts[j].op, parts[i].op) == 0)
			{
				problem_violation(request, arena_format(&request->arena, "?%s", query->items[i].name),
								  "duplicate_parameter", "must be given once");
				parts[i].field = NULL;
				break;
			}
	}
	/* operators of one field stand together, as an object has each key once */
	for (int i = 0; i < query->count; i++)
	{
		const char *field = parts[i].field;

		if (field == NULL)
			continue;
		buffer_text(&text, text.length > start ? "," : "");
		buffer_json(&text, field, strlen(field));
		buffer_text(&text, ":{");
		for (int j = i; j < query->count; j++)
		{
			if (parts[j].field == NULL || strcmp(parts[j].field, field) != 0)
				continue;
			buffer_text(&text, j > i ? "," : "");
			buffer_json(&text, parts[j].op, strlen(parts[j].op));
			buffer_text(&text, ":");
			buffer_json(&text, query->items[j].value, strlen(query->items[j].value));
			parts[j].field = NULL;
		}
		buffer_text(&text, "}");
	}
	buffer_text(&text, "}");
	if (text.length == start + 1 && document == NULL)
		return NULL;
	/* alone it is not wrapped, so that faults have their place in it */
	if (text.length == start + 1)
	{
		text.length = 0;
		buffer_text(&text, " ");
		buffer_text(&text, document);
	}
	else if (document)
		buffer_text(&text, "]}");
	*length = text.length - 1;
	return text.data + 1;
}

void
query_refuse_unknown(Request *request, const Query *query)
{
	for (int i = 0; i < query->count; i++)
		if (!query->items[i].used)
			problem_violation(request, arena_format(&request->arena, "?%s", query->items[i].name), "unknown_parameter",
							  "is not a parameter of this endpoint");
}
