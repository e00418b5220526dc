/*
 * server.c
 *	  libmicrohttpd; the only file that includes it.
 *
 * The library calls on_request first with the headers, then with parts of the
 * body, then with nothing more to come; a request that waits for the database is
 * suspended and called once again when its reply is there.  Everything runs in
 * the thread of one event loop.
 *
 * Errors that the library answers itself (a malformed request line, too large
 * headers) would be HTML.  The link wraps MHD_create_response_from_buffer, which
 * it calls for nothing else here, and makes them problems like all others; their
 * status is read from the message that it logs right before.  Two of its checks
 * (Host, Content-Length) answer twice in 0.9.75: the first is switched off, the
 * second passes through a wrapped MHD_str_to_uint64_n_, and framing_check does
 * both.
 *
 * The library takes bare line ends, folded lines and more that other parsers read
 * otherwise; guard.c stands in front of it.
 */
#include "http/server.h"

#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "exchange/log.h"
#include "exchange/metrics.h"
#include "exchange/problem.h"
#include "exchange/trace.h"
#include "http/client.h"
#include "http/deadline.h"
#include "http/early.h"
#include "http/framing.h"
#include "http/guard.h"

#define SILENT_SECONDS 120
#define CONNECTION_MEMORY (16 * 1024)
#define SPARE_REQUESTS 64
#define SPARE_BODY_BYTES (16 * 1024)
#define BODY_FIRST_BYTES 2048
#define DRAIN_BYTES (16 * 1024 * 1024)
#define STREAM_BLOCK 8192

struct Server
{
	struct MHD_Daemon *daemon;
	Exchange   *exchange;
	Deadlines	deadlines;
	int			active;
	int			spare_count;
	Request    *spare[SPARE_REQUESTS];	/* with memory that the next request can use */
};

static __thread unsigned library_status;

const char *
request_header(const Request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

typedef struct EachHeader
{
	void		(*take) (void *closure, const char *name, const char *value);
	void	   *closure;
} EachHeader;

static enum MHD_Result
give_header(void *closure, enum MHD_ValueKind kind, const char *name, const char *value)
{
	const EachHeader *each = closure;

	(void) kind;
	each->take(each->closure, name, value);
	return MHD_YES;
}

void
request_each_header(const Request *request, void (*take) (void *closure, const char *name, const char *value), void *closure)
{
	EachHeader	each = {take, closure};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, give_header, &each);
}

/* The library's log: remember the status of the error that it is about to answer. */
static void
on_log(void *closure, const char *format, va_list arguments)
{
	(void) closure;
	if (strncmp(format, "Error processing request (HTTP response code is %u", 50) == 0)
		library_status = va_arg(arguments, unsigned);
}

static const char *
library_problem(unsigned status, const char **detail)
{
	static const struct
	{
		unsigned	status;
		const char *code;
		const char *detail;
	}			known[] = {
		{413, "payload_too_large", "the body is larger than the server takes"},
		{414, "uri_too_long", "the request target is longer than the server takes"},
		{431, "header_too_large", "the request line and headers are larger than the server takes"},
		{500, "internal", "the server failed"},
		{505, "http_version_not_supported", "the server speaks HTTP/1.1"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
		{
			*detail = known[i].detail;
			return known[i].code;
		}
	*detail = "the request is not well-formed HTTP/1.1";
	return "malformed_request";
}

extern struct MHD_Response *__wrap_MHD_create_response_from_buffer(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode);
extern size_t __real_MHD_str_to_uint64_n_(const char *text, size_t length, uint64_t *value);
extern size_t __wrap_MHD_str_to_uint64_n_(const char *text, size_t length, uint64_t *value);

/* Write the problem for what never became a request. */
static void
write_problem(Request *request, Buffer *body, unsigned status)
{
	const char *detail;
	const char *code = library_problem(status, &detail);

	trace_new(request);
	problem_body(body, NULL, code, (int) status, detail, "", request->trace_id, NULL, NULL);
	log_event("info", "answered %u to what is not HTTP/1.1, traceId %s", status, request->trace_id);
}

struct MHD_Response *
__wrap_MHD_create_response_from_buffer(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode)
{
	Request		request = {.target = ""};
	Buffer		body = {.arena = &request.arena};
	struct MHD_Response *response;
	char	   *copy;

	(void) size;
	(void) buffer;
	(void) mode;
	write_problem(&request, &body, library_status ? library_status : 400);
	library_status = 0;
	copy = malloc(body.length);
	if (copy == NULL)
		abort();
	memcpy(copy, body.data, body.length);
	response = MHD_create_response_from_buffer_with_free_callback(body.length, copy, free);
	MHD_add_response_header(response, "Content-Type", "application/problem+json");
	MHD_add_response_header(response, "X-Trace-Id", request.trace_id);
	MHD_add_response_header(response, "traceparent", trace_parent(&request));
	arena_free(&request.arena);
	return response;
}

/* The value of Content-Length; one that cannot be read counts as 0 until framing_check refuses it. */
size_t
__wrap_MHD_str_to_uint64_n_(const char *text, size_t length, uint64_t *value)
{
	if (length == 0 || __real_MHD_str_to_uint64_n_(text, length, value) != length)
		*value = 0;
	return length > 0 ? length : 1;
}

/*
 * The library closes a connection without an answer when the first line has no
 * space at all (a TLS hello, say).  Answer it, if the client is still there; what
 * was sent is an answer of the library's own.
 */
static void
answer_first_line(int socket)
{
	Request		request = {.target = ""};
	Buffer		body = {.arena = &request.arena};
	struct tcp_info info;
	socklen_t	size = sizeof(info);
	const char *head;
	char		byte;

	if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_bytes_received == 0 ||
		info.tcpi_bytes_sent > 0 ||
		recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		return;
	write_problem(&request, &body, 400);
	head = arena_format(&request.arena, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
						"X-Trace-Id: %s\r\ntraceparent: %s\r\nContent-Length: %zu\r\n\r\n",
						request.trace_id, trace_parent(&request), body.length);
	if (send(socket, head, strlen(head), MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE) > 0)
		(void) !send(socket, body.data, body.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	arena_free(&request.arena);
}

static int
connection_socket(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void
on_connection(void *closure, struct MHD_Connection *connection, void **memory, enum MHD_ConnectionNotificationCode code)
{
	Server	   *server = closure;

	metrics_connection(code == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1);
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
	{
		*memory = malloc(sizeof(Watch));
		if (*memory == NULL)
			abort();
		guard_open(connection_socket(connection));
		deadline_open(&server->deadlines, *memory, connection_socket(connection));
	}
	else
	{
		Watch	   *watch = *memory;

		if (watch->stage == STAGE_NEW)
			answer_first_line(watch->socket);
		deadline_close(&server->deadlines, watch);
		free(watch);
	}
}

static void
enter_stage(const Request *request, Stage stage)
{
	Watch	   *watch = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

	deadline_move(&request->server->deadlines, watch, stage);
}

static void
free_request(Request *request)
{
	arena_free(&request->arena);
	free(request->buffer);
	free(request);
}

static Request *
new_request(Server *server)
{
	Request    *request;

	if (server->spare_count > 0)
		return server->spare[--server->spare_count];
	request = calloc(1, sizeof(Request));
	if (request == NULL)
		abort();
	return request;
}

/* Keep a request's memory for the next one, unless it is much. */
static void
put_away(Server *server, Request *request)
{
	Request		empty = {.arena = request->arena,.buffer = request->buffer,.body_capacity = request->body_capacity};

	if (server->spare_count == SPARE_REQUESTS || request->body_capacity > SPARE_BODY_BYTES)
	{
		free_request(request);
		return;
	}
	arena_reset(&empty.arena);
	*request = empty;
	server->spare[server->spare_count++] = request;
}

/* A new request: its line has been read, its headers have not. */
static void *
on_target(void *closure, const char *target, struct MHD_Connection *connection)
{
	Server	   *server = closure;
	Request    *request = new_request(server);

	request->server = server;
	request->connection = connection;
	request->started = clock_now();
	request->target = request->sent_target = arena_copy(&request->arena, target, strlen(target));
	server->active++;
	enter_stage(request, STAGE_HEAD);
	return request;
}

static void
on_completed(void *closure, struct MHD_Connection *connection, void **memory, enum MHD_RequestTerminationCode code)
{
	Server	   *server = closure;
	Request    *request = *memory;
	uint64_t	duration;

	(void) connection;
	(void) code;
	if (request == NULL)
		return;
	enter_stage(request, STAGE_IDLE);
	duration = clock_now() - request->started;
	if (request->method && request->reply.status > 0)
	{
		metrics_count(request, duration);
		log_request(request, duration);
	}
	early_free(request->early);
	if (request->stream)
		request->stream->close(request->stream);
	job_free(&request->job);
	router_release(request->router);
	put_away(server, request);
	*memory = NULL;
	server->active--;
}

typedef struct FieldLines
{
	const char *name;
	Buffer		list;
} FieldLines;

static enum MHD_Result
add_line(void *closure, enum MHD_ValueKind kind, const char *name, const char *value)
{
	FieldLines *lines = closure;

	(void) kind;
	if (strcasecmp(name, lines->name) == 0 && value)
	{
		if (lines->list.length > 0)
			buffer_text(&lines->list, ", ");
		buffer_text(&lines->list, value);
	}
	return MHD_YES;
}

/* A field that is a list: its lines are one (RFC 9110 section 5.3), as some proxies add a line of their own.  NULL: none. */
static const char *
header_list(Request *request, const char *name)
{
	FieldLines	lines = {name, {.arena = &request->arena}};

	if (request_header(request, name) == NULL)
		return NULL;
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_line, &lines);
	return lines.list.data;
}

static void
copy_client(Request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	client_address(info ? info->client_addr : NULL, header_list(request, "Forwarded"), header_list(request, "X-Forwarded-For"),
				   request->client, sizeof(request->client));
}

/* Take a part of the body; too large ones are read to their end and forgotten. */
static enum MHD_Result
take_body(Request *request, const char *part, size_t length)
{
	size_t		needed = request->body_length + length + 2;
	size_t		limit = request->server->exchange->config->max_body;

	if (request->body_length + length > limit)
	{
		request_refuse_now(request, "payload_too_large", 413, "the body is larger than the server takes");
		request->body_length += length;
		return request->body_length > limit + DRAIN_BYTES ? MHD_NO : MHD_YES;
	}
	if (needed > request->body_capacity)
	{
		size_t		capacity = needed < BODY_FIRST_BYTES ? BODY_FIRST_BYTES : needed * 2;
		char	   *buffer = realloc(request->buffer, capacity);

		if (buffer == NULL)
			abort();
		request->buffer = buffer;
		request->body_capacity = capacity;
	}
	memcpy(REQUEST_BODY(request) + request->body_length, part, length);
	request->body_length += length;
	REQUEST_BODY(request)[request->body_length] = '\0';
	return MHD_YES;
}

/* The memory of a body is the request's. */
static void
keep_body(void *body)
{
	(void) body;
}

/*
 * Is a refused body read all the same?  Closing a connection on which bytes still
 * come resets it, and the client may never see the answer (RFC 9112 section 9.6);
 * a body that is far too large is not worth its time.
 */
static bool
drains_body(const Request *request)
{
	const char *length = request_header(request, "Content-Length");

	return request->refusal.status == 413 && request_header(request, "Expect") == NULL &&
		strtoull(length, NULL, 10) <= request->server->exchange->config->max_body + DRAIN_BYTES;
}

static ssize_t read_stream(void *closure, uint64_t position, char *buffer, size_t room);

static enum MHD_Result
send_reply(Request *request)
{
	Reply	   *reply = &request->reply;
	struct MHD_Response *response = request->stream && request->stream->source ?
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, request, NULL) :
		MHD_create_response_from_buffer_with_free_callback(reply->length, (void *) reply->body, keep_body);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	for (int i = 0; i < reply->header_count; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	if (reply->close || request->server->exchange->stopping)
		MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(request->connection, (unsigned) reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static bool
is_urgent(const Stream *stream)
{
	return stream->source && stream->source->urgent && stream->source->urgent(stream);
}

static void
resume(Request *request)
{
	/* a reply that came at once finds the connection not yet suspended */
	if (request->suspended)
	{
		request->suspended = false;
		MHD_resume_connection(request->connection);
	}
}

/* Write what there is of an early answer.  Once the body has come, nothing but time tells that its client has left. */
static EarlyState
write_early(Request *request, bool has_read)
{
	const Watch *watch = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	EarlyState	state = early_write(request->early);
	Stage		stage = STAGE_NONE;

	if (request->cut && !request->body_done)
		stage = STAGE_CUT;
	else if (request->body_done && state == EARLY_FULL)
		stage = STAGE_ANSWER;

	if (has_read || stage != watch->stage)
		enter_stage(request, stage);
	return state;
}

/* The client has read on. */
static void
on_written(Request *request)
{
	EarlyState	state = write_early(request, true);

	if (state == EARLY_DONE || state == EARLY_FAILED)
		resume(request);
}

/* The reply is there, or its stream can go on. */
static void
on_reply(Request *request)
{
	if (request->stream && request->early == NULL && !request->body_done && is_urgent(request->stream) &&
		early_possible(request, request->server->exchange->config->early_answers))
		request->early = early_start(request, connection_socket(request->connection),
									 request->server->exchange->epoll, on_written);
	if (request->early)
		write_early(request, false);
	resume(request);
}

/* Its connection rests until on_reply. */
static enum MHD_Result
put_aside(Request *request)
{
	if (!request->suspended)
	{
		request->suspended = true;
		MHD_suspend_connection(request->connection);
	}
	return MHD_YES;
}

/* The answer of a stream, as the library asks for it. */
static ssize_t
read_stream(void *closure, uint64_t position, char *buffer, size_t room)
{
	Request    *request = closure;
	size_t		length;

	(void) position;
	switch (request->stream->source->read(request->stream, buffer, room, &length))
	{
		case STREAM_BYTES:
			return (ssize_t) length;
		case STREAM_WAIT:
			put_aside(request);
			return 0;
		case STREAM_END:
			return MHD_CONTENT_READER_END_OF_STREAM;
		default:
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
}

/* All of the body has come: the answer goes the library's way, or has begun and goes on. */
static enum MHD_Result
finish_stream(Request *request)
{
	EarlyState	state;

	if (!request->body_done)
	{
		request->body_done = true;
		if (request->cut)
			enter_stage(request, STAGE_NONE);
		request->stream->sink->finish(request->stream);
	}
	if (request->early == NULL)
		return send_reply(request);
	state = write_early(request, false);
	if (state == EARLY_DONE || state == EARLY_FAILED || request->server->exchange->ended)
		return MHD_NO;			/* closes the connection */
	return put_aside(request);
}

/*
 * The headers of a request that streams: ask the database whether the body may
 * come.  Refused, it is read all the same unless its sender waits for a word or
 * it is large (see drains_body).
 */
static enum MHD_Result
on_stream_head(Request *request)
{
	const char *length = request_header(request, "Content-Length");

	if (request->reply.status == 0)
	{
		exchange_start(request->server->exchange, request, on_reply);
		if (request->waiting)
			return put_aside(request);
	}
	request->head_done = true;
	if (request->stream)
		return MHD_YES;
	if (request->reply.close || request_header(request, "Expect") || (length && strtoull(length, NULL, 10) > DRAIN_BYTES))
		return send_reply(request);
	return MHD_YES;
}

/*
 * libmicrohttpd takes a read that fills less than its buffer as all there is until epoll tells of more; of an end that came
 * with those bytes it is told no more, and the connection would rest (0.9.75).  Should the body not be whole then, the time
 * of STAGE_CUT ends it.
 */
static void
look_for_end(Request *request)
{
	char		next;

	if (recv(connection_socket(request->connection), &next, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
		return;
	request->cut = true;
	enter_stage(request, STAGE_CUT);
}

static enum MHD_Result
on_stream_body(Request *request, const char *upload, size_t *upload_length)
{
	if (*upload_length > 0)
	{
		size_t		length = request->stream ? request->stream->sink->take(request->stream, upload, *upload_length) : *upload_length;

		*upload_length -= length;
		request->body_length += length;
		if (!request->stream)
			return request->body_length > DRAIN_BYTES ? MHD_NO : MHD_YES;
		if (request->stream->sink->blocked(request->stream))
			return put_aside(request);
		look_for_end(request);
		return request->stream->sink->spent(request->stream) ? MHD_NO : MHD_YES;
	}
	if (request->stream)
	{
		if (request->stream->sink->blocked(request->stream))
			return put_aside(request);
		return finish_stream(request);
	}
	return send_reply(request);
}

static enum MHD_Result
on_request(void *closure, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
		   const char *upload, size_t *upload_length, void **memory)
{
	Server	   *server = closure;
	Request    *request = *memory;

	(void) connection;
	(void) url;
	if (request->method == NULL)
	{
		request->method = arena_copy(&request->arena, method, strlen(method));
		copy_client(request);
		exchange_identify(request);
		exchange_route(server->exchange, request);
		request->full_http = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
		framing_check(request, guard_broken(connection_socket(connection)), server->exchange->config->max_body);
		enter_stage(request, request->streams ? STAGE_NONE : STAGE_BODY);
		if (request->streams)
			return on_stream_head(request);
		if (request->refusal.code == NULL || drains_body(request))
			return MHD_YES;
	}
	else if (request->streams)
		return request->head_done ? on_stream_body(request, upload, upload_length) : on_stream_head(request);
	else if (*upload_length > 0)
	{
		size_t		length = *upload_length;

		*upload_length = 0;
		return take_body(request, upload, length);
	}
	enter_stage(request, STAGE_NONE);
	if (request->reply.status == 0 && guard_broken(connection_socket(connection)))
		request_refuse_now(request, "malformed_request", 400, "the request is not framed as RFC 9112 has it");
	if (request->reply.status == 0)
	{
		exchange_start(server->exchange, request, on_reply);
		if (request->waiting)
		{
			request->suspended = true;
			MHD_suspend_connection(connection);
			return MHD_YES;
		}
	}
	return send_reply(request);
}

Server *
server_create(Exchange *exchange, int listen_socket)
{
	Server	   *server = calloc(1, sizeof(Server));

	if (server == NULL)
		abort();
	server->exchange = exchange;
	server->deadlines.limit = exchange->config->max_connections;
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_TURBO, 0, NULL, NULL,
									  on_request, server,
									  MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
									  MHD_OPTION_LISTEN_SOCKET, listen_socket,
									  MHD_OPTION_CONNECTION_LIMIT, (unsigned) exchange->config->max_connections,
									  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
									  MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) SILENT_SECONDS,
									  MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
									  MHD_OPTION_STRICT_FOR_CLIENT, 0,
									  MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
									  MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
									  MHD_OPTION_END);
	if (server->daemon == NULL)
	{
		free(server);
		return NULL;
	}
	return server;
}

int
server_epoll(const Server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void
server_run(Server *server)
{
	MHD_run(server->daemon);
}

int
server_timeout(Server *server)
{
	MHD_UNSIGNED_LONG_LONG milliseconds;
	int			late = deadline_expire(&server->deadlines);

	if (MHD_get_timeout(server->daemon, &milliseconds) == MHD_NO)
		return late;
	return late >= 0 && (MHD_UNSIGNED_LONG_LONG) late < milliseconds ? late : milliseconds > 60000 ? 60000 : (int) milliseconds;
}

void
server_quiesce(Server *server)
{
	int			socket = MHD_quiesce_daemon(server->daemon);

	if (socket >= 0)
		close(socket);
}

int
server_active(const Server *server)
{
	return server->active;
}

void
server_free(Server *server)
{
	MHD_stop_daemon(server->daemon);
	while (server->spare_count > 0)
		free_request(server->spare[--server->spare_count]);
	free(server);
}
