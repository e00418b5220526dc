/*
 * memory.c
 *	  Requests keep their memory for the next ones, unless it is much.
 */
#include <stdlib.h>

#include "http/leave.h"
#include "http/state.h"

#define SPARE_BODY_BYTES (16 * 1024)

static void
free_request(Request *request)
{
	arena_free(&request->arena);
	free(request->buffer);
	free(request);
}

Request *
memory_request(Server *server)
{
	Request    *request;

	if (server->spare_count > 0)
		return server->spare[--server->spare_count];
	request = calloc(1, sizeof(Request));
	if (request == NULL)
		abort();
	return request;
}

void
memory_put_away(Server *server, Request *request)
{
	Request		empty = {.arena = request->arena,.buffer = request->buffer,.body_capacity = request->body_capacity};

	leave_forget(request);
	if (server->spare_count == SPARE_REQUESTS || request->body_capacity > SPARE_BODY_BYTES)
	{
		free_request(request);
		return;
	}
	arena_reset(&empty.arena);
	*request = empty;
	server->spare[server->spare_count++] = request;
}

void
memory_free(Server *server)
{
	while (server->spare_count > 0)
		free_request(server->spare[--server->spare_count]);
}
