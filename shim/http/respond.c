/*
 * respond.c
 *	  Replies on their way out: whole ones and those of streams, through the library
 *	  or, while the body still arrives, beside it (early.h).
 */
#include <string.h>

#include "http/early.h"
#include "http/leave.h"
#include "http/state.h"

#define STREAM_BLOCK 8192

/* The memory of a body is the request's. */
static void
keep_body(void *body)
{
	(void) body;
}

static void
resume(Request *request)
{
	/* a reply that came at once finds the connection not yet suspended */
	if (request->suspended)
	{
		request->suspended = false;
		leave_forget(request);
		MHD_resume_connection(request->connection);
	}
}

enum MHD_Result
respond_wait(Request *request)
{
	if (!request->suspended)
	{
		request->suspended = true;
		if (request->stream == NULL)
			leave_watch(request);
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
			if (connection_of(request)->watch.stage != STAGE_ANSWER)
				connection_stage(request, STAGE_ANSWER);
			return (ssize_t) length;
		case STREAM_WAIT:
			connection_stage(request, STAGE_NONE);
			respond_wait(request);
			return 0;
		case STREAM_END:
			return MHD_CONTENT_READER_END_OF_STREAM;
		default:
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
}

enum MHD_Result
respond_send(Request *request)
{
	Reply	   *reply = &request->reply;
	bool		streams = request->stream && request->stream->source;
	bool		last = reply->close || request->server->exchange->stopping;
	struct MHD_Response *response = streams ?
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, request, NULL) :
		reply->file > 0 && reply->body == NULL ? MHD_create_response_from_fd_at_offset64(reply->length, reply->file, (uint64_t) reply->offset) :
		MHD_create_response_from_buffer_with_free_callback(reply->length, (void *) reply->body, keep_body);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	/* the response closes it */
	if (reply->body == NULL)
		reply->file = 0;
	for (int i = 0; i < reply->header_count; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	if (last)
		MHD_add_response_header(response, "Connection", "close");
	/* to HEAD the library would send the last chunk, though there is no body: no chunks then, and the connection ends */
	if (streams && strcmp(request->method, "HEAD") == 0)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	connection_of(request)->linger = reply->close;
	connection_stage(request, STAGE_ANSWER);
	result = MHD_queue_response(request->connection, (unsigned) reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* Write what there is of an early answer.  While its body arrives a client that does not read may be busy sending. */
static EarlyState
write_early(Request *request)
{
	EarlyState	state = early_write(request->early);
	Stage		stage = STAGE_NONE;

	if (request->cut && !request->body_done)
		stage = STAGE_CUT;
	else if ((request->body_done || request->given_up) && state == EARLY_FULL)
		stage = STAGE_ANSWER;
	if (stage != connection_of(request)->watch.stage)
		connection_stage(request, stage);
	return state;
}

/* The connection ends when all is written. */
static enum MHD_Result
go_on_early(Request *request)
{
	EarlyState	state = write_early(request);

	connection_of(request)->linger = !request->body_done;
	if (state == EARLY_DONE || state == EARLY_FAILED || request->server->exchange->ended)
		return MHD_NO;
	return respond_wait(request);
}

/* There is room for more. */
static void
on_written(Request *request)
{
	EarlyState	state = write_early(request);

	if (state == EARLY_DONE || state == EARLY_FAILED)
		resume(request);
}

static void
start_early(Request *request)
{
	request->early = early_start(request, connection_of(request)->watch.socket, request->server->exchange->epoll, on_written);
}

enum MHD_Result
respond_early(Request *request)
{
	request->given_up = true;
	if (request->early == NULL)
		start_early(request);
	return go_on_early(request);
}

static bool
is_urgent(const Stream *stream)
{
	return stream && stream->sink && stream->source && stream->source->urgent && stream->source->urgent(stream);
}

void
respond_ready(Request *request)
{
	if (request->early == NULL && !request->body_done && is_urgent(request->stream) &&
		early_possible(request, request->server->exchange->config->early_answers))
		start_early(request);
	if (request->early)
		write_early(request);
	resume(request);
}

enum MHD_Result
respond_finish(Request *request)
{
	if (!request->body_done)
	{
		request->body_done = true;
		if (request->cut)
			connection_stage(request, STAGE_NONE);
		request->stream->sink->finish(request->stream);
	}
	if (request->waiting)
		return respond_wait(request);
	return request->early ? go_on_early(request) : respond_send(request);
}
