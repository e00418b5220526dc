/*
 * clamd.c
 *	  clamd's INSTREAM: zINSTREAM and a NUL, chunks each with its length in four bytes
 *	  of network order, a chunk of length 0; then the answer, which ends with a NUL:
 *	  "stream: OK", "stream: <name> FOUND" or "… ERROR", as of a file longer than its
 *	  StreamMaxLength.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "storage/sniff.h"

#define CHUNK_BYTES 65536
#define SECONDS 20

static int
connect_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t		length = strlen(path);
	int			opened;

	if (length >= sizeof(address.sun_path))
	{
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, length);
	opened = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (opened >= 0 && connect(opened, (struct sockaddr *) &address, sizeof(address)) != 0)
	{
		close(opened);
		return -1;
	}
	return opened;
}

static int
connect_host(const char *text)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char		host[256];
	const char *colon = strrchr(text, ':');
	int			opened = -1;

	if (colon == NULL || (size_t) (colon - text) >= sizeof(host))
	{
		errno = EINVAL;
		return -1;
	}
	snprintf(host, sizeof(host), "%.*s", (int) (colon - text), text);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
	{
		errno = EHOSTUNREACH;
		return -1;
	}
	for (const struct addrinfo *one = found; one && opened < 0; one = one->ai_next)
	{
		opened = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
		if (opened >= 0 && connect(opened, one->ai_addr, one->ai_addrlen) != 0)
		{
			close(opened);
			opened = -1;
		}
	}
	freeaddrinfo(found);
	return opened;
}

static bool
send_all(int to, const char *bytes, size_t length)
{
	while (length > 0)
	{
		ssize_t		sent = send(to, bytes, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		length -= (size_t) sent;
	}
	return true;
}

static bool
send_file(int to, int file)
{
	static __thread char chunk[4 + CHUNK_BYTES];
	off_t		at = 0;

	if (!send_all(to, "zINSTREAM", sizeof("zINSTREAM")))
		return false;
	for (;;)
	{
		ssize_t		length = pread(file, chunk + 4, CHUNK_BYTES, at);
		uint32_t	size = htonl((uint32_t) length);

		if (length < 0)
			return false;
		memcpy(chunk, &size, 4);
		if (!send_all(to, chunk, 4 + (size_t) length))
			return false;
		if (length == 0)
			return true;
		at += length;
	}
}

/* Reads the answer up to its NUL, or to the end of the connection; returns false if nothing came. */
static bool
read_answer(int from, char *answer, size_t size)
{
	size_t		length = 0;

	while (length < size - 1)
	{
		ssize_t		got = recv(from, answer + length, size - 1 - length, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t) got;
		if (memchr(answer, '\0', length))
			return true;
	}
	answer[length] = '\0';
	return length > 0;
}

static ScanOutcome
judge(const char *answer, char *text, size_t size)
{
	const char *name = strncmp(answer, "stream: ", 8) == 0 ? answer + 8 : answer;
	size_t		length = strcspn(name, "\n");

	if (length == 2 && memcmp(name, "OK", 2) == 0)
	{
		snprintf(text, size, "clean");
		return SCAN_CLEAN;
	}
	if (length > 6 && memcmp(name + length - 6, " FOUND", 6) == 0)
	{
		snprintf(text, size, "infected: %.*s", (int) (length - 6), name);
		return SCAN_INFECTED;
	}
	if (strncmp(answer, "INSTREAM size limit exceeded", 28) == 0)
	{
		snprintf(text, size, "failed: is longer than the scanner takes");
		return SCAN_REFUSED;
	}
	snprintf(text, size, "clamd answers: %.*s", (int) length, name);
	return SCAN_FAILED;
}

ScanOutcome
clamd_scan(const char *address, int file, char *text, size_t size)
{
	struct timeval limit = {.tv_sec = SECONDS};
	char		answer[512];
	int			to = *address == '/' ? connect_path(address) : connect_host(address);
	bool		sent;
	bool		answered;

	if (to < 0)
	{
		snprintf(text, size, "could not connect to clamd: %s", strerror(errno));
		return SCAN_FAILED;
	}
	setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(to, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	/* one that has heard enough answers and closes: its answer says why */
	sent = send_file(to, file);
	answered = read_answer(to, answer, sizeof(answer));
	close(to);
	if (answered)
		return judge(answer, text, size);
	snprintf(text, size, "clamd has %s", sent ? "given no answer" : "not taken the file");
	return SCAN_FAILED;
}
