/*
 * early.c
 *	  The head and then chunks (RFC 9112 section 7.1), written by hand.
 *
 * libmicrohttpd cannot do it: MHD_queue_response takes a response with the headers,
 * after which it reads no body, or at the end of the body, and at no other time.  While
 * a body arrives the library writes nothing itself, so the socket is free for it.
 *
 * The library knows nothing of such an answer, so the connection ends with it:
 * server.c closes it when early_write says that all is written.
 */
#include "http/early.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/watcher.h"

#define SIZE_LINE 6				/* four digits and CRLF */
#define CHUNK_DATA (16 * 1024)

struct Early
{
	Watcher		watcher;
	Request    *request;
	int			socket;
	int			epoll;
	bool		watching;		/* for room in the socket */
	bool		last;			/* the end of the answer is among what is out */
	bool		chunked;		/* not in HTTP/1.0, where the end of the connection ends the answer */
	void		(*written) (Request *request);
	EarlyState	state;
	const char *out;			/* not written yet */
	size_t		left;
	char		chunk[SIZE_LINE + CHUNK_DATA + 2];
};

bool
early_possible(const Request *request, EarlyAnswers answers)
{
	static const char *const proxied[] = {"Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP"};
	const char *connection = request_header(request, "Connection");

	if (answers == EARLY_NEVER || !request->full_http)
		return false;
	if (answers == EARLY_ALWAYS)
		return true;
	for (size_t i = 0; i < sizeof(proxied) / sizeof(proxied[0]); i++)
		if (request_header(request, proxied[i]))
			return false;
	return connection == NULL || strcasestr(connection, "close") == NULL;
}

static void
watch(Early *early, bool on)
{
	struct epoll_event event = {.events = EPOLLOUT,.data.ptr = &early->watcher};

	if (early->watching != on)
		epoll_ctl(early->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, early->socket, &event);
	early->watching = on;
}

/* The library sees the end of the socket and closes it. */
static void
fail(Early *early)
{
	watch(early, false);
	early->state = EARLY_FAILED;
	shutdown(early->socket, SHUT_RDWR);
}

/* Write what is out; false when that is not all. */
static bool
flush(Early *early)
{
	while (early->left > 0)
	{
		ssize_t		sent = send(early->socket, early->out, early->left, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
		{
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				watch(early, true);
			else
				fail(early);
			return false;
		}
		early->out += sent;
		early->left -= (size_t) sent;
	}
	return true;
}

static bool
is_streamed(const Request *request)
{
	return request->stream && request->stream->source;
}

/* Put the next part out; false when there is none. */
static bool
next_part(Early *early)
{
	Request    *request = early->request;
	char		size_line[SIZE_LINE + 1];
	size_t		length;

	if (early->last)
	{
		early->state = EARLY_DONE;
		return false;
	}
	if (!is_streamed(request))
	{
		early->last = true;
		early->out = request->reply.body;
		early->left = request->reply.length;
		return true;
	}
	switch (request->stream->source->read(request->stream, early->chunk + SIZE_LINE, CHUNK_DATA, &length))
	{
		case STREAM_BYTES:
			early->out = early->chunk + SIZE_LINE;
			early->left = length;
			if (!early->chunked)
				return true;
			snprintf(size_line, sizeof(size_line), "%04zx\r\n", length);
			memcpy(early->chunk, size_line, SIZE_LINE);
			memcpy(early->chunk + SIZE_LINE + length, "\r\n", 2);
			early->out = early->chunk;
			early->left = SIZE_LINE + length + 2;
			return true;
		case STREAM_WAIT:
			return false;
		case STREAM_END:
			early->last = true;
			early->out = "0\r\n\r\n";
			early->left = early->chunked ? 5 : 0;
			return true;
		default:
			fail(early);
			return false;
	}
}

EarlyState
early_write(Early *early)
{
	while (early->state == EARLY_WAITING && flush(early))
		if (!next_part(early))
		{
			watch(early, false);
			break;
		}
	return early->watching ? EARLY_FULL : early->state;
}

static void
on_room(Watcher *watcher, uint32_t events)
{
	Early	   *early = (Early *) watcher;

	(void) events;
	early_write(early);
	early->written(early->request);
}

static void
put_head(Early *early)
{
	Reply	   *reply = &early->request->reply;
	Buffer		head = {.arena = &early->request->arena};
	time_t		now = time(NULL);
	struct tm	parts;
	char		date[40];

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
	buffer_format(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n", reply->status,
				  MHD_get_reason_phrase_for((unsigned) reply->status), date);
	if (!is_streamed(early->request))
		buffer_format(&head, "Content-Length: %zu\r\n", reply->length);
	else if (early->chunked)
		buffer_text(&head, "Transfer-Encoding: chunked\r\n");
	for (int i = 0; i < reply->header_count; i++)
		buffer_format(&head, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
	buffer_text(&head, "\r\n");
	early->out = head.data;
	early->left = head.length;
}

Early *
early_start(Request *request, int socket, int epoll, void (*written) (Request *request))
{
	Early	   *early = malloc(sizeof(Early));
	int			on = 1;

	if (early == NULL)
		abort();
	*early = (Early) {.watcher = {on_room},.request = request,.socket = socket,.epoll = epoll,.written = written,
	.chunked = request->full_http};
	/* each chunk is news */
	setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	put_head(early);
	return early;
}

void
early_free(Early *early)
{
	if (early)
		watch(early, false);
	free(early);
}
