/*
 * server.c
 *	  libmicrohttpd: connections, requests, and which file goes on with them.
 *
 * The library calls on_request first with the headers, then with parts of the
 * body, then with nothing more to come; a request that waits for the database is
 * suspended and called once again when its reply is there.  Everything runs in
 * the thread of one event loop.
 *
 * What is no HTTP/1.1 never comes to the library: see intake.h.
 */
#include "http/server.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "exchange/log.h"
#include "exchange/metrics.h"
#include "exchange/problem.h"
#include "exchange/trace.h"
#include "http/client.h"
#include "http/early.h"
#include "http/intake.h"
#include "http/interest.h"
#include "http/leave.h"
#include "http/state.h"

#define SILENT_SECONDS 120
/* A head, an entry of some 64 bytes for each of its fields, the head of the answer. */
#define CONNECTION_MEMORY (HEAD_MOST_BYTES + HEAD_MOST_FIELDS * 80 + 4096)

/* Part of a head has come: the rest has a time, on a connection that was idle too. */
static void
on_head_begun(void *closure)
{
	Connection *connection = closure;

	if (connection->watch.stage == STAGE_IDLE)
		deadline_move(&connection->server->deadlines, &connection->watch, STAGE_HEAD);
}

static const struct sockaddr *
peer_of(struct MHD_Connection *library)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(library, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info ? info->client_addr : NULL;
}

static void
on_connection(void *closure, struct MHD_Connection *library, void **memory, enum MHD_ConnectionNotificationCode code)
{
	Server	   *server = closure;
	Connection *connection = *memory;

	metrics_connection(code == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1);
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
	{
		int			socket = MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

		*memory = connection = calloc(1, sizeof(Connection));
		if (connection == NULL)
			abort();
		connection->server = server;
		client_address(peer_of(library), NULL, NULL, connection->address, sizeof(connection->address));
		intake_open(socket, on_head_begun, connection);
		interest_open(socket, server_epoll(server));
		deadline_open(&server->deadlines, &connection->watch, socket);
		return;
	}
	intake_close(connection->watch.socket);
	interest_close(connection->watch.socket);
	deadline_close(&server->deadlines, &connection->watch);
	if (connection->linger)
		linger_start(&server->lingers, connection->watch.socket);
	free(connection);
}

/* A new request: its head has been read.  The query has its mark back (head.h). */
static void *
on_target(void *closure, const char *target, struct MHD_Connection *connection)
{
	Server	   *server = closure;
	Request    *request = memory_request(server);
	char	   *copy = arena_copy(&request->arena, target, strlen(target));
	char	   *mark = strchr(copy, HEAD_QUERY_MARK);

	if (mark)
		*mark = '?';
	request->server = server;
	request->for_metrics = server->for_metrics;
	request->connection = connection;
	request->started = clock_now();
	request->target = request->sent_target = copy;
	server->active++;
	connection_of(request)->requests++;
	connection_stage(request, STAGE_HEAD);
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
	connection_stage(request, STAGE_IDLE);
	duration = clock_now() - request->started;
	if (request->method && request->reply.status > 0)
	{
		metrics_count(request, duration);
		log_request(request, duration);
	}
	early_free(request->early);
	if (request->stream)
		request->stream->close(request->stream);
	if (request->reply.file > 0)
		close(request->reply.file);
	job_free(&request->job);
	router_release(request->router);
	memory_put_away(server, request);
	*memory = NULL;
	server->active--;
}

static void
copy_client(Request *request)
{
	const char *forwarded = fields_list(request, "Forwarded");
	const char *x_forwarded_for = fields_list(request, "X-Forwarded-For");
	const Connection *connection = connection_of(request);

	if (forwarded || x_forwarded_for)
		client_address(peer_of(request->connection), forwarded, x_forwarded_for, request->client, sizeof(request->client));
	else
		memcpy(request->client, connection->address, sizeof(connection->address));
}

/* What came was no request: its answer needs no database. */
static enum MHD_Result
answer_fault(Request *request, const HeadFault *fault)
{
	request->method = request->target = request->query = "";
	trace_new(request);
	request->path = NULL;
	request->reply.close = true;
	problem_reply(request, fault->code, fault->status, fault->detail, NULL);
	exchange_finish(request->server->exchange, request);
	return respond_send(request);
}

/* All that is to be read has come. */
static enum MHD_Result
finish_request(Request *request)
{
	const Connection *connection = connection_of(request);
	const HeadFault *fault = intake_body_fault(connection->watch.socket, connection->requests);

	connection_stage(request, STAGE_NONE);
	if (request->reply.status == 0 && fault)
		request_refuse_now(request, fault->code, fault->status, fault->detail);
	if (request->reply.status == 0)
	{
		exchange_start(request->server->exchange, request, respond_ready);
		if (request->waiting)
			return respond_wait(request);
	}
	return respond_send(request);
}

/* Its head is there. */
static enum MHD_Result
begin_request(Request *request, const char *method, const char *version)
{
	Server	   *server = request->server;
	const Connection *connection = connection_of(request);
	const HeadFault *fault = intake_head_fault(connection->watch.socket, connection->requests);

	request->method = arena_copy(&request->arena, method, strlen(method));
	request->full_http = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
	copy_client(request);
	if (fault && !fault->readable)
		return answer_fault(request, fault);
	exchange_identify(request);
	exchange_route(server->exchange, request);
	if (fault)
	{
		request->streams = false;
		request_refuse_now(request, fault->code, fault->status, fault->detail);
		return finish_request(request);
	}
	body_check_length(request);
	connection_stage(request, request->streams ? STAGE_NONE : STAGE_BODY);
	if (request->streams)
		return upload_head(request);
	if (request->refusal.code == NULL || request->refusal.status == 0 || body_is_drained(request))
		return MHD_YES;
	return finish_request(request);
}

static enum MHD_Result
on_request(void *closure, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
		   const char *upload, size_t *upload_length, void **memory)
{
	Request    *request = *memory;
	size_t		length = *upload_length;

	(void) closure;
	(void) connection;
	(void) url;
	if (request->method == NULL)
		return begin_request(request, method, version);
	if (request->streams)
		return request->head_done ? upload_body(request, upload, upload_length) : upload_head(request);
	*upload_length = 0;
	if (request->given_up)
		return respond_early(request);
	return length > 0 ? body_take(request, upload, length) : finish_request(request);
}

Server *
server_create(Exchange *exchange, int listen_socket, bool for_metrics)
{
	Server	   *server = calloc(1, sizeof(Server));

	if (server == NULL)
		abort();
	server->exchange = exchange;
	server->for_metrics = for_metrics;
	server->deadlines.limit = exchange->config->max_connections;
	server->lingers.epoll = exchange->epoll;
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL,
									  on_request, server,
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
server_run(Server *server, bool ready)
{
	interest_expect(ready);
	MHD_run(server->daemon);
	interest_expect(true);
}

int
server_timeout(Server *server)
{
	MHD_UNSIGNED_LONG_LONG milliseconds;
	int			late = deadline_expire(&server->deadlines);
	int			lingering = linger_expire(&server->lingers);
	int			leaving = leave_look(server);

	if (lingering < 0 || (leaving >= 0 && leaving < lingering))
		lingering = leaving;
	if (late < 0 || (lingering >= 0 && lingering < late))
		late = lingering;
	if (interest_is_late())
		return 0;
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
	linger_end(&server->lingers);
	memory_free(server);
	free(server);
}
