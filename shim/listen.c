/*
 * listen.c
 *	  Each event loop has a socket of its own on the same address: the kernel spreads
 *	  connections.  Of one socket from systemd all loops accept.
 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PASSED 3			/* SD_LISTEN_FDS_START */

static void
fail(const char *message, const char *what)
{
	fprintf(stderr, "qehs-shim: %s \"%s\": %s\n", message, what, strerror(errno));
	exit(1);
}

static struct addrinfo *
find_address(const char *flag, const char *where)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char		host[256];
	const char *colon = strrchr(where, ':');
	size_t		length = colon ? (size_t) (colon - where) : 0;
	char	   *end;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	int			code;

	if (colon == NULL || length >= sizeof(host) || colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > 65535)
	{
		fprintf(stderr, "qehs-shim: --%s must be host:port with a port up to 65535, not \"%s\"\n", flag, where);
		exit(2);
	}
	memcpy(host, where, length);
	host[length] = '\0';
	if (length > 2 && host[0] == '[' && host[length - 1] == ']')
	{
		host[length - 1] = '\0';
		memmove(host, host + 1, length - 1);
	}
	code = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
	if (code != 0)
	{
		fprintf(stderr, "qehs-shim: could not resolve --%s \"%s\": %s\n", flag, where, gai_strerror(code));
		exit(2);
	}
	return found;
}

static int
open_socket(const struct sockaddr *address, socklen_t length, bool shared, const char *where)
{
	int			on = 1;
	int			opened = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (opened < 0)
		fail("could not open a socket for", where);
	setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (shared)
		setsockopt(opened, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(opened, address, length) != 0)
		fail("could not listen on", where);
	return opened;
}

/* How many sockets systemd has passed to this process. */
static int
passed_count(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long) getpid())
		return 0;
	return (int) strtol(count, NULL, 10);
}

static void
take_passed(int passed, int count, int *sockets)
{
	for (int i = 0; i < count; i++)
	{
		sockets[i] = i < passed ? FIRST_PASSED + i : fcntl(FIRST_PASSED + i % passed, F_DUPFD_CLOEXEC, 0);
		if (sockets[i] < 0 || fcntl(sockets[i], F_SETFD, FD_CLOEXEC) != 0 || fcntl(sockets[i], F_SETFL, O_NONBLOCK) != 0)
			fail("could not take the socket of", "LISTEN_FDS");
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

/* The first address of a socket; the others are bound to it, too, so that they share its port. */
static socklen_t
bound_address(int socket, struct sockaddr_storage *bound, const char *where)
{
	socklen_t	length = sizeof(*bound);

	if (getsockname(socket, (struct sockaddr *) bound, &length) != 0)
		fail("could not tell the address of", where);
	return length;
}

static void
open_sockets(const char *flag, const char *where, int count, int *sockets)
{
	struct addrinfo *address = find_address(flag, where);
	struct sockaddr_storage bound = {0};
	socklen_t	length;

	sockets[0] = open_socket(address->ai_addr, address->ai_addrlen, count > 1, where);
	freeaddrinfo(address);
	length = bound_address(sockets[0], &bound, where);
	for (int i = 1; i < count; i++)
		sockets[i] = open_socket((struct sockaddr *) &bound, length, true, where);
}

int
listen_open_alone(const char *flag, const char *where)
{
	int			opened;

	open_sockets(flag, where, 1, &opened);
	return opened;
}

void
listen_open(const char *where, int count, int *sockets, char *address, size_t size)
{
	struct sockaddr_storage bound = {0};
	char		host[INET6_ADDRSTRLEN + 16];
	char		port[8];
	int			passed = passed_count();
	socklen_t	length;

	if (passed > 0)
		take_passed(passed, count, sockets);
	else
		open_sockets("listen", where, count, sockets);
	snprintf(address, size, "%s", where);
	/* as it was given, unless that does not tell */
	if (passed == 0 && strtol(strrchr(where, ':') + 1, NULL, 10) != 0)
		return;
	length = bound_address(sockets[0], &bound, where);
	if (getnameinfo((struct sockaddr *) &bound, length, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		fail("could not tell the address of", where);
	snprintf(address, size, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
