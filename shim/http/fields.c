/*
 * fields.c
 *	  The header fields of a request, as the library has them.
 *
 * A field that stands on several lines is their values with commas between (RFC 9110
 * section 5.3).  Requests where any does are rare, so the first look-up finds out.
 */
#include <string.h>
#include <strings.h>

#include "http/state.h"

typedef struct Lines
{
	const char *name;
	Buffer		list;
	int			count;
} Lines;

static enum MHD_Result
add_line(void *closure, enum MHD_ValueKind kind, const char *name, const char *value)
{
	Lines	   *lines = closure;

	(void) kind;
	if (strcasecmp(name, lines->name) != 0)
		return MHD_YES;
	if (lines->count++ > 0)
		buffer_text(&lines->list, ", ");
	buffer_text(&lines->list, value ? value : "");
	return MHD_YES;
}

typedef struct Names
{
	uint64_t	seen;			/* a bit for the hash of each name */
	bool		twice;			/* two names have the same */
} Names;

static enum MHD_Result
note_name(void *closure, enum MHD_ValueKind kind, const char *name, const char *value)
{
	Names	   *names = closure;
	uint64_t	hash = 0;

	(void) kind;
	(void) value;
	for (; *name; name++)
		hash = hash * 31 + (unsigned char) (*name | 0x20);
	hash = UINT64_C(1) << (hash * UINT64_C(0x9E3779B97F4A7C15) >> 58);
	names->twice = names->twice || (names->seen & hash);
	names->seen |= hash;
	return MHD_YES;
}

/* May a field stand on several lines? */
static bool
has_lines(Request *request)
{
	if (request->lines_known == 0)
	{
		Names		names = {0};

		MHD_get_connection_values(request->connection, MHD_HEADER_KIND, note_name, &names);
		request->lines_known = names.twice ? 2 : 1;
	}
	return request->lines_known == 2;
}

const char *
fields_list(Request *request, const char *name)
{
	Lines		lines = {.name = name,.list = {.arena = &request->arena}};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_line, &lines);
	return lines.list.data;
}

const char *
request_header(const Request *request, const char *name)
{
	const char *value = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);

	/* what is found out is kept in a request that nobody else sees meanwhile */
	return value && has_lines((Request *) request) ? fields_list((Request *) request, name) : value;
}
