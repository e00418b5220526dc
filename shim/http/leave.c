/*
 * leave.c
 *	  A list of the requests that wait, looked through twice a second.
 */
#include "http/leave.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"

#define LOOK_NS (CLOCK_SECOND / 2)

void
leave_watch(Request *request)
{
	Server	   *server = request->server;

	if (server->waiting)
		server->waiting->wait_link = &request->wait_next;
	request->wait_next = server->waiting;
	request->wait_link = &server->waiting;
	server->waiting = request;
}

void
leave_forget(Request *request)
{
	if (request->wait_link == NULL)
		return;
	*request->wait_link = request->wait_next;
	if (request->wait_next)
		request->wait_next->wait_link = request->wait_link;
	request->wait_next = NULL;
	request->wait_link = NULL;
}

static bool
has_left(const Request *request)
{
	char		byte;
	ssize_t		length = recv(connection_of(request)->watch.socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR);
}

int
leave_look(Server *server)
{
	uint64_t	now = clock_coarse();
	Request    *request = server->waiting;

	if (request == NULL)
		return -1;
	if (now < server->look_at)
		return (int) ((server->look_at - now) / 1000000 + 1);
	server->look_at = now + LOOK_NS;
	while (request)
		if (!request->left && now > request->started + LOOK_NS && has_left(request))
		{
			request->left = true;
			exchange_abandon(server->exchange, request);
			/* it may have gone from the list, and others with it */
			request = server->waiting;
		}
		else
			request = request->wait_next;
	return (int) (LOOK_NS / 1000000);
}
