/*
 * upload.c
 *	  A request whose body goes to its stream while it arrives.
 *
 * The database is asked with the headers whether the body may come.  Refused, it is
 * read all the same unless its sender waits for a word or it is large.  A body that is
 * of no use any more (its load has failed) need not end before its answer is sent.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "exchange/problem.h"
#include "http/intake.h"
#include "http/state.h"

enum MHD_Result
upload_head(Request *request)
{
	const char *length = request_header(request, "Content-Length");

	if (request->reply.status == 0)
	{
		exchange_start(request->server->exchange, request, respond_ready);
		if (request->waiting)
			return respond_wait(request);
	}
	request->head_done = true;
	if (request->stream)
		return MHD_YES;
	if (request->reply.close || request_header(request, "Expect") || (length && strtoull(length, NULL, 10) > DRAIN_BYTES))
		return respond_send(request);
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

	if (recv(connection_of(request)->watch.socket, &next, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
		return;
	request->cut = true;
	connection_stage(request, STAGE_CUT);
}

/* Answers a body whose chunked framing is broken: what its sink has taken stays, but the sink is told of no end, and this is the only answer. */
static enum MHD_Result
refuse_framing(Request *request, const HeadFault *fault)
{
	if (request->early)
		return MHD_NO;
	request->stream->close(request->stream);
	request->stream = NULL;
	request->reply = (Reply) {.close = true};
	problem_reply(request, fault->code, fault->status, fault->detail, NULL);
	exchange_finish(request->server->exchange, request);
	return respond_send(request);
}

static enum MHD_Result
take(Request *request, const char *bytes, size_t *length)
{
	Stream	   *stream = request->stream;
	size_t		taken = stream ? stream->sink->take(stream, bytes, *length) : *length;

	*length -= taken;
	request->body_length += taken;
	if (stream == NULL)
		return request->body_length > DRAIN_BYTES ? respond_early(request) : MHD_YES;
	if (stream->sink->blocked(stream))
		return respond_wait(request);
	look_for_end(request);
	return stream->sink->spent(stream) ? respond_early(request) : MHD_YES;
}

enum MHD_Result
upload_body(Request *request, const char *bytes, size_t *length)
{
	const Connection *connection = connection_of(request);
	const HeadFault *fault;

	if (request->given_up)
	{
		*length = 0;
		return respond_early(request);
	}
	if (*length > 0)
		return take(request, bytes, length);
	if (request->stream == NULL)
		return respond_send(request);
	fault = intake_body_fault(connection->watch.socket, connection->requests);
	if (fault)
		return refuse_framing(request, fault);
	if (request->stream->sink->blocked(request->stream))
		return respond_wait(request);
	return respond_finish(request);
}
