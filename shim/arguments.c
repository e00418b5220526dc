/*
 * arguments.c
 *	  Values go to PostgreSQL in binary form where that is no work: text as it
 *	  is, integers in network order, jsonb as its version byte and the text.  A
 *	  JSON slice of the body gets that byte written in front of it, which is free:
 *	  before a value stands a colon, white space or the spare byte of the buffer.
 */
#include "arguments.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "problem.h"

#define JSONB_VERSION 1

typedef struct QueryItem
{
	const char *name;
	const char *value;
	bool		used;
} QueryItem;

typedef struct Query
{
	int			count;
	QueryItem  *items;
} Query;

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char) (c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Is it UTF-8 without overlong forms and surrogates (RFC 3629)? */
static bool
valid_utf8(const unsigned char *s)
{
	while (*s)
	{
		int			more = *s < 0x80 ? 0 : (*s & 0xE0) == 0xC0 ? 1 : (*s & 0xF0) == 0xE0 ? 2 : (*s & 0xF8) == 0xF0 ? 3 : -1;
		unsigned	code = more == 0 ? *s : *s & (0x3Fu >> (more > 0 ? more : 0));

		if (more < 0)
			return false;
		for (int i = 1; i <= more; i++)
		{
			if ((s[i] & 0xC0) != 0x80)
				return false;
			code = code << 6 | (s[i] & 0x3F);
		}
		if ((more == 1 && code < 0x80) || (more == 2 && (code < 0x800 || (code >= 0xD800 && code < 0xE000))) ||
			(more == 3 && (code < 0x10000 || code > 0x10FFFF)))
			return false;
		s += more + 1;
	}
	return true;
}

char *
arguments_decode(Arena *arena, const char *text, size_t length, bool plus_is_space)
{
	char	   *decoded = arena_alloc(arena, length + 1);
	size_t		used = 0;

	for (size_t i = 0; i < length; i++)
	{
		char		c = text[i];

		if (c == '%')
		{
			int			high = i + 1 < length ? hex_digit(text[i + 1]) : -1;
			int			low = i + 2 < length ? hex_digit(text[i + 2]) : -1;

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
	return valid_utf8((unsigned char *) decoded) ? decoded : NULL;
}

static void
bind_text(PgStatement *statement, int number, const char *value, size_t length)
{
	statement->values[number] = value;
	statement->lengths[number] = (int) length;
	statement->formats[number] = 1;
}

static void
bind_jsonb(PgStatement *statement, int number, const char *slice, size_t length)
{
	/* the byte in front is ours: see the head of this file */
	char	   *start = (char *) slice - 1;

	*start = JSONB_VERSION;
	bind_text(statement, number, start, length + 1);
}

static int
two_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

/* Is the full-date one that the calendar has? */
static bool
is_date(const char *text)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			year = two_digits(text) * 100 + two_digits(text + 2);
	int			month = two_digits(text + 5);
	bool		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return year > 0 && month >= 1 && month <= 12 && two_digits(text + 8) >= 1 &&
		two_digits(text + 8) <= days[month - 1] + (month == 2 && leap);
}

/* RFC 3339 section 5.6, with an offset. */
static bool
is_date_time(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00";
	size_t		at;

	for (at = 0; form[at]; at++)
		if (form[at] == '0' ? text[at] < '0' || text[at] > '9' : text[at] != form[at])
			return false;
	if (!is_date(text) || two_digits(text + 11) > 23 || two_digits(text + 14) > 59 || two_digits(text + 17) > 60)
		return false;
	if (text[at] == '.')
		at += 1 + strspn(text + at + 1, "0123456789");
	if (text[at] == 'Z')
		return text[at + 1] == '\0';
	return (text[at] == '+' || text[at] == '-') && strlen(text + at) == 6 && text[at + 3] == ':' &&
		strspn(text + at + 1, "0123456789:") == 5;
}

/* Bind text by the parameter's SQL type; false when it does not have its form. */
static bool
bind_value(Request *request, PgStatement *statement, int number, const Parameter *parameter, const char *text)
{
	if (strcmp(parameter->sql_type, "int4") == 0)
	{
		char	   *end;
		long		value;
		uint32_t   *slot = arena_alloc(&request->arena, sizeof(uint32_t));

		errno = 0;
		value = strtol(text, &end, 10);
		if (end == text || *end != '\0' || strspn(text, "-0123456789") != strlen(text) || errno != 0 ||
			value < INT32_MIN || value > INT32_MAX)
			return false;
		*slot = htonl((uint32_t) (int32_t) value);
		bind_text(statement, number, (char *) slot, sizeof(uint32_t));
		return true;
	}
	if (strcmp(parameter->sql_type, "bool") == 0)
	{
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return false;
		bind_text(statement, number, *text == 't' ? "\1" : "\0", 1);
		return true;
	}
	if (strcmp(parameter->sql_type, "timestamptz") == 0)
	{
		if (!is_date_time(text))
			return false;
		statement->values[number] = text;
		statement->formats[number] = 0;
		return true;
	}
	bind_text(statement, number, text, strlen(text));
	return true;
}

/*
 * Bind a JSON array of strings as a text[] literal; false when an item is not a
 * string.
 */
static bool
bind_text_array(Request *request, PgStatement *statement, int number, const char *name, const JsonMember *member)
{
	Buffer		literal = {.arena = &request->arena};
	const char *at = member->value + 1;
	int			count = 0;

	buffer_text(&literal, "{");
	for (;;)
	{
		const char *end;
		char	   *text;
		size_t		length;

		at += strspn(at, " \t\r\n,");
		if (*at == ']')
			break;
		if (*at != '"')
		{
			problem_violation(request, arena_format(&request->arena, "/%s/%d", name, count), "type", "must be a string");
			return false;
		}
		for (end = at + 1; *end != '"'; end++)
			end += *end == '\\';
		text = json_decode(at, (size_t) (end + 1 - at), &request->arena, &length);
		buffer_text(&literal, count++ > 0 ? ",\"" : "\"");
		for (; *text; text++)
			buffer_append(&literal, *text == '"' ? "\\\"" : *text == '\\' ? "\\\\" : text, *text == '"' || *text == '\\' ? 2 : 1);
		buffer_text(&literal, "\"");
		at = end + 1;
	}
	buffer_text(&literal, "}");
	statement->values[number] = literal.data;
	statement->formats[number] = 0;
	return true;
}

/* Split the query string; what is malformed is a violation. */
static void
read_query(Request *request, Query *query)
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
			char	   *name = arguments_decode(&request->arena, at, name_length, true);
			char	   *value = equals ? arguments_decode(&request->arena, equals + 1, length - name_length - 1, true) : "";

			if (name == NULL || value == NULL)
				problem_violation(request, arena_format(&request->arena, "?%s", name ? name : ""), "encoding",
								  "must be percent-encoded UTF-8 without NUL");
			else
				query->items[query->count++] = (QueryItem) {name, value, false};
		}
		at += length + (at[length] == '&');
	}
}

static const char *
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

/* All filter[…] items as {"field":{"op":"value"}}; NULL when there are none. */
static const char *
read_filter(Request *request, Query *query, size_t *length)
{
	struct
	{
		const char *field;
		const char *op;
	}		   *parts = arena_alloc(&request->arena, sizeof(*parts) * (size_t) (query->count + 1));
	Buffer		text = {.arena = &request->arena};

	/* the spare byte for bind_jsonb */
	buffer_text(&text, " {");
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
		buffer_text(&text, text.length > 2 ? "," : "");
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
	*length = text.length - 1;
	return text.length > 3 ? text.data + 1 : NULL;
}

static void
refuse_unknown_parameters(Request *request, const Query *query)
{
	for (int i = 0; i < query->count; i++)
		if (!query->items[i].used)
			problem_violation(request, arena_format(&request->arena, "?%s", query->items[i].name), "unknown_parameter",
							  "is not a parameter of this endpoint");
}

static const char *
type_message(const char *type)
{
	if (strcmp(type, "integer") == 0)
		return "must be an integer";
	if (strcmp(type, "boolean") == 0)
		return "must be true or false";
	if (strcmp(type, "object") == 0)
		return "must be an object";
	if (strcmp(type, "array") == 0)
		return "must be an array";
	return "must be a string";
}

/* What a value of the right JSON type must look like. */
static const char *
value_message(const Parameter *parameter)
{
	if (strcmp(parameter->sql_type, "timestamptz") == 0)
		return "must be an RFC 3339 date-time with an offset, such as 2026-04-16T08:30:00Z";
	return type_message(parameter->type);
}

static bool
has_type(const JsonMember *member, const char *type)
{
	if (strcmp(type, "string") == 0)
		return member->type == JSON_STRING;
	if (strcmp(type, "integer") == 0)
		return member->type == JSON_NUMBER;
	if (strcmp(type, "boolean") == 0)
		return member->type == JSON_TRUE || member->type == JSON_FALSE;
	if (strcmp(type, "object") == 0)
		return member->type == JSON_OBJECT;
	if (strcmp(type, "array") == 0)
		return member->type == JSON_ARRAY;
	return true;
}

/* A pointer's reference token (RFC 6901 section 3). */
static const char *
member_path(Request *request, const char *name)
{
	Buffer		path = {.arena = &request->arena};

	buffer_text(&path, "/");
	for (; *name; name++)
		buffer_append(&path, *name == '~' ? "~0" : *name == '/' ? "~1" : name, *name == '~' || *name == '/' ? 2 : 1);
	return path.data;
}

static void
bind_member(Request *request, PgStatement *statement, int number, const Parameter *parameter, const JsonMember *member)
{
	size_t		length;
	const char *text;

	if (member == NULL || (member->type == JSON_NULL && !parameter->required))
	{
		if (parameter->required)
			problem_violation(request, member_path(request, parameter->name), "required", "is required");
		return;
	}
	if (!has_type(member, parameter->type))
	{
		problem_violation(request, member_path(request, parameter->name), "type", type_message(parameter->type));
		return;
	}
	if (strcmp(parameter->sql_type, "jsonb") == 0)
	{
		bind_jsonb(statement, number, member->value, member->length);
		return;
	}
	if (strcmp(parameter->sql_type, "text[]") == 0)
	{
		bind_text_array(request, statement, number, parameter->name, member);
		return;
	}
	if (member->type == JSON_STRING)
		text = json_decode(member->value, member->length, &request->arena, &length);
	else
		text = arena_copy(&request->arena, member->value, member->length);
	if (!bind_value(request, statement, number, parameter, text))
		problem_violation(request, member_path(request, parameter->name), "type", value_message(parameter));
}

static const JsonMember *
find_member(const JsonDocument *document, const char *name)
{
	for (int i = 0; i < document->count; i++)
		if (strcmp(document->members[i].name, name) == 0)
			return &document->members[i];
	return NULL;
}

/* Scan the body; NULL when it is refused or has no use. */
static JsonDocument *
read_body(Request *request, const Endpoint *endpoint, bool optional)
{
	JsonDocument *document = arena_alloc(&request->arena, sizeof(JsonDocument));

	if (!endpoint->has_body || (request->body_length == 0 && optional))
	{
		document->count = 0;
		return document;
	}
	if (!json_scan(REQUEST_BODY(request), request->body_length, &request->arena, document))
	{
		problem_violation(request, document->path, document->code, document->message);
		request_refuse(request, document->problem, "the body cannot be read as JSON");
		return NULL;
	}
	if (document->type != JSON_OBJECT)
	{
		problem_violation(request, "", "type", "must be an object");
		request_refuse(request, "validation_failed", "the body must be a JSON object");
		return NULL;
	}
	return document;
}

static void
refuse_unknown_members(Request *request, const Endpoint *endpoint, const JsonDocument *document)
{
	for (int i = 0; i < document->count; i++)
	{
		bool		known = false;

		for (int j = 0; j < endpoint->parameter_count && !known; j++)
			known = endpoint->parameters[j].place == IN_DOCUMENT ||
				(endpoint->parameters[j].place == IN_BODY &&
				 strcmp(endpoint->parameters[j].name, document->members[i].name) == 0);
		if (!known)
			problem_violation(request, member_path(request, document->members[i].name), "unknown_member",
							  "is not a member of this request");
	}
}

static void
bind_body(Request *request, PgStatement *statement, const Endpoint *endpoint)
{
	bool		optional = true;
	JsonDocument *document;

	for (int i = 0; i < endpoint->parameter_count; i++)
		optional = optional && !(endpoint->parameters[i].required &&
								 (endpoint->parameters[i].place == IN_BODY || endpoint->parameters[i].place == IN_DOCUMENT));
	document = read_body(request, endpoint, optional);
	if (document == NULL)
		return;
	refuse_unknown_members(request, endpoint, document);
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const Parameter *parameter = &endpoint->parameters[i];

		if (parameter->place == IN_BODY)
			bind_member(request, statement, i, parameter, find_member(document, parameter->name));
		else if (parameter->place == IN_DOCUMENT && request->body_length > 0)
			bind_jsonb(statement, i, document->value, document->length);
	}
	if (request->violations.count > 0)
		request_refuse(request, "validation_failed", "the body does not fit this endpoint");
}

static void
bind_query(Request *request, PgStatement *statement, const Endpoint *endpoint, Query *query)
{
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const Parameter *parameter = &endpoint->parameters[i];
		const char *path = arena_format(&request->arena, "?%s", parameter->name);
		const char *value;
		size_t		length;

		if (parameter->place == IN_FILTER)
		{
			value = read_filter(request, query, &length);
			if (value)
				bind_jsonb(statement, i, value, length);
		}
		else if (parameter->place == IN_QUERY)
		{
			value = query_value(request, query, parameter->name);
			if (value == NULL && parameter->required)
				problem_violation(request, path, "required", "is required");
			else if (value && !bind_value(request, statement, i, parameter, value))
				problem_violation(request, path, "type", value_message(parameter));
		}
	}
	refuse_unknown_parameters(request, query);
	if (request->violations.count > 0)
		request_refuse(request, "invalid_parameter", "a query parameter cannot be used as it is");
}

void
arguments_read(Request *request, PgStatement *statement)
{
	const Endpoint *endpoint = request->endpoint;
	Query		query;
	int			path_values = 0;

	statement->count = endpoint->parameter_count;
	memset(statement->values, 0, sizeof(statement->values));
	memset(statement->lengths, 0, sizeof(statement->lengths));
	memset(statement->formats, 0, sizeof(statement->formats));
	for (int i = 0; i < endpoint->parameter_count; i++)
	{
		const Parameter *parameter = &endpoint->parameters[i];
		const char *value = NULL;

		if (parameter->place == IN_PATH)
			value = request->path_values[path_values++];
		else if (parameter->place == IN_HEADER)
			value = request_header(request, parameter->name);
		else if (parameter->place == IN_SERVER)
			value = request->public_url;
		if (value)
			bind_value(request, statement, i, parameter, value);
	}
	read_query(request, &query);
	bind_query(request, statement, endpoint, &query);
	if (request->refusal.code == NULL)
		bind_body(request, statement, endpoint);
}
