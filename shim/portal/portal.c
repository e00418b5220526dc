/*
 * portal.c
 *	  The developer portal.
 *
 * Its files are gzipped into the binary by shim/portal/embed.sh and sent as they
 * are; a client that takes no gzip has them unpacked.  The errors page has the
 * problem table in it, so that it reads without scripts and its anchors are
 * there from the start.  Nothing on the pages comes from another host, and the
 * content security policy lets nothing in.
 */
#include "portal/portal.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "exchange/problem.h"
#include "exchange/reply.h"

typedef struct PortalFile
{
	const char *path;
	const char *type;
	const char *tag;
	const char *start;			/* gzipped */
	const char *end;
	size_t		length;			/* unpacked */
} PortalFile;

#include "portal_files.h"

#define PROBLEMS_MARK "<!--problems-->"
/* GraphiQL's parts bring styles and fonts in their own text */
#define GRAPHQL_POLICY "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; " \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
#define POLICY "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const PortalFile *
find_file(const char *path)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	return NULL;
}

static char *
unpack(const PortalFile *file, Arena *arena)
{
	char	   *text = arena_alloc(arena, file->length + 1);
	z_stream	stream = {.next_in = (Bytef *) file->start,.avail_in = (uInt) (file->end - file->start),
	.next_out = (Bytef *) text,.avail_out = (uInt) file->length};

	text[0] = '\0';
	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return text;
	inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	text[stream.total_out] = '\0';
	return text;
}

static void
append_html(Buffer *page, const char *text)
{
	for (; *text; text++)
	{
		if (*text == '&')
			buffer_text(page, "&amp;");
		else if (*text == '<')
			buffer_text(page, "&lt;");
		else if (*text == '"')
			buffer_text(page, "&quot;");
		else
			buffer_append(page, text, 1);
	}
}

/* One section a code, in the table's order: by status. */
static void
append_problems(Buffer *page, const Router *router)
{
	int			status = 0;

	for (int i = 0; i < router->problem_count; i++)
	{
		const Problem *problem = &router->problems[i];

		if (problem->status != status)
			buffer_format(page, "%s<section aria-labelledby=\"status-%d\"><h2 id=\"status-%d\">%d</h2>", status ? "</section>" : "",
						  problem->status, problem->status, problem->status);
		status = problem->status;
		buffer_text(page, "<article id=\"");
		append_html(page, problem->code);
		buffer_text(page, "\"><h3><a href=\"#");
		append_html(page, problem->code);
		buffer_text(page, "\"><code>");
		append_html(page, problem->code);
		buffer_text(page, "</code></a> ");
		append_html(page, problem->title);
		buffer_text(page, "</h3><p>");
		append_html(page, problem->description);
		buffer_text(page, "</p></article>");
	}
	buffer_text(page, status ? "</section>" : "");
}

/* The page with the problem table in place of the mark. */
static void
reply_errors(Request *request, const PortalFile *file)
{
	Buffer		page = {.arena = &request->arena};
	char	   *text = unpack(file, &request->arena);
	char	   *mark = strstr(text, PROBLEMS_MARK);

	if (mark == NULL)
		mark = text + strlen(text);
	buffer_append(&page, text, (size_t) (mark - text));
	append_problems(&page, request->router);
	if (*mark)
		buffer_text(&page, mark + strlen(PROBLEMS_MARK));
	request->reply.body = page.data;
	request->reply.length = page.length;
}

static void
reply_file(Request *request, const PortalFile *file)
{
	const char *encodings = request_header(request, "Accept-Encoding");

	reply_header(&request->reply, "ETag", file->tag);
	if (reply_accepts_gzip(encodings))
	{
		reply_header(&request->reply, "Vary", "Accept-Encoding");
		reply_header(&request->reply, "Content-Encoding", "gzip");
		request->reply.body = file->start;
		request->reply.length = (size_t) (file->end - file->start);
		return;
	}
	request->reply.body = unpack(file, &request->arena);
	request->reply.length = file->length;
}

/* A browser that was led to the endpoint of GraphQL by a link: it asks for a page, and for no query. */
static bool
asks_for_console(const Request *request)
{
	const char *accept = request_header(request, "Accept");

	return strcmp(request->path, "/api/graphql") == 0 && strcmp(request->method, "GET") == 0 &&
		(request->query == NULL || request->query[0] == '\0') && accept && strncmp(accept, "text/html", 9) == 0;
}

bool
portal_reply(Request *request)
{
	const PortalFile *file;

	if (asks_for_console(request))
	{
		request->reply.status = 302;
		reply_header(&request->reply, "Location", "/developers/graphql");
		reply_header(&request->reply, "Vary", "Accept");
		return true;
	}
	if (strncmp(request->path, "/developers", 11) != 0)
		return false;
	file = find_file(strcmp(request->path, "/developers/") == 0 ? "/developers" : request->path);
	if (file == NULL || (request->router == NULL && strcmp(file->path, "/developers/errors") == 0))
		return false;
	if (problem_unless_read(request))
		return true;
	request->reply.status = 200;
	reply_header(&request->reply, "Content-Type", file->type);
	reply_header(&request->reply, "Content-Security-Policy", strcmp(file->path, "/developers/graphql") == 0 ? GRAPHQL_POLICY : POLICY);
	reply_header(&request->reply, "X-Content-Type-Options", "nosniff");
	reply_header(&request->reply, "Referrer-Policy", "no-referrer");
	reply_header(&request->reply, "Cache-Control", "no-cache");
	if (strcmp(file->path, "/developers/errors") == 0)
		reply_errors(request, file);
	else
		reply_file(request, file);
	return true;
}
