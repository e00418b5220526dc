/*
 * connection.c
 *	  What is known of a request's connection.
 */
#include "http/state.h"

Connection *
connection_of(const Request *request)
{
	return MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void
connection_stage(const Request *request, Stage stage)
{
	deadline_move(&request->server->deadlines, &connection_of(request)->watch, stage);
}
