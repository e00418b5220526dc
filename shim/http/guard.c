/*
 * guard.c
 *	  A state machine over the bytes of each connection, in front of the library.
 *
 * The link wraps recv, by which libmicrohttpd reads.  The first byte that breaks
 * the form becomes a control character, and all after it empty lines: so the
 * library sees its head end there and asks what to do, and server.c refuses it;
 * nothing that was sent later is ever read as a request.
 *
 * A socket belongs to one event loop; its guard is touched by that thread only.
 */
#include "http/guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define MAX_SOCKETS (1 << 20)
#define BROKEN_BYTE '\001'
#define LINE_ENDS "\r\n\r\n"
#define LARGEST (UINT64_MAX / 32)

extern ssize_t __real_recv(int socket, void *buffer, size_t size, int flags);
extern ssize_t __wrap_recv(int socket, void *buffer, size_t size, int flags);

static pthread_once_t allocated = PTHREAD_ONCE_INIT;
static Guard *guards;			/* by socket; what is not used is not resident */
static int	socket_count;

static void
allocate(void)
{
	long		most = sysconf(_SC_OPEN_MAX);

	socket_count = most < 0 || most > MAX_SOCKETS ? MAX_SOCKETS : (int) most;
	guards = calloc((size_t) socket_count, sizeof(Guard));
	if (guards == NULL)
		abort();
}

static bool
is_control(unsigned char byte)
{
	return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

static bool
has_name(const Guard *guard, const char *name)
{
	return !guard->trailer && guard->name_length == (int) strlen(name) &&
		strncasecmp(guard->name, name, (size_t) guard->name_length) == 0;
}

/* A line of the head is complete. */
static void
end_line(Guard *guard)
{
	switch (guard->state)
	{
		case GUARD_REQUEST_LINE:
			guard->remaining = 0;
			guard->chunked = guard->trailer = false;
			guard->state = GUARD_FIELD_START;
			break;
		case GUARD_FIELD_NAME:
		case GUARD_FIELD_VALUE:
			guard->state = GUARD_FIELD_START;
			break;
		case GUARD_CHUNK_SIZE:
		case GUARD_CHUNK_EXTENSION:
			guard->trailer = guard->remaining == 0;
			guard->state = guard->trailer ? GUARD_FIELD_START : GUARD_CHUNK_DATA;
			break;
		case GUARD_CHUNK_END:
			guard->state = GUARD_CHUNK_SIZE;
			guard->remaining = 0;
			guard->name_length = 0;
			break;
		default:				/* the empty line after the fields */
			guard->state = guard->trailer ? GUARD_START : guard->chunked ? GUARD_CHUNK_SIZE :
				guard->remaining > 0 ? GUARD_BODY : GUARD_START;
			if (guard->chunked)
				guard->remaining = 0;
			guard->name_length = 0;
	}
}

static void
take_name(Guard *guard, char byte)
{
	if (byte == ':')
	{
		guard->state = GUARD_FIELD_VALUE;
		guard->chunked = guard->chunked || has_name(guard, "Transfer-Encoding");
	}
	else if (guard->name_length < GUARD_NAME_BYTES)
		guard->name[guard->name_length++] = byte;
}

/* A hexadecimal digit of a chunk's size; name_length counts them. */
static bool
take_size(Guard *guard, char byte)
{
	const char *digits = "0123456789abcdef";
	const char *digit = byte ? strchr(digits, byte >= 'A' && byte <= 'F' ? byte + 32 : byte) : NULL;

	if (digit == NULL)
	{
		guard->state = GUARD_CHUNK_EXTENSION;
		return guard->name_length > 0 && (byte == ';' || byte == ' ' || byte == '\t');
	}
	guard->name_length = 1;
	if (guard->remaining < LARGEST)
		guard->remaining = guard->remaining * 16 + (uint64_t) (digit - digits);
	return true;
}

/* A byte of a line, not of its end; false when it cannot stand there. */
static bool
take_byte(Guard *guard, char byte)
{
	if (is_control((unsigned char) byte))
		return false;
	switch (guard->state)
	{
		case GUARD_START:
			guard->state = GUARD_REQUEST_LINE;
			guard->name_length = 0;
			return byte != ' ' && byte != '\t';
		case GUARD_REQUEST_LINE:
			/* one space between its parts; name_length tells that the last byte was one */
			if (byte == ' ' && guard->name_length > 0)
				return false;
			guard->name_length = byte == ' ';
			return true;
		case GUARD_FIELD_START:
			/* a folded line, or a name of no bytes */
			if (byte == ' ' || byte == '\t' || byte == ':')
				return false;
			guard->state = GUARD_FIELD_NAME;
			guard->name_length = 0;
			take_name(guard, byte);
			return true;
		case GUARD_FIELD_NAME:
			take_name(guard, byte);
			return true;
		case GUARD_FIELD_VALUE:
			if (byte >= '0' && byte <= '9' && guard->remaining < LARGEST && has_name(guard, "Content-Length"))
				guard->remaining = guard->remaining * 10 + (uint64_t) (byte - '0');
			return true;
		case GUARD_CHUNK_SIZE:
			return take_size(guard, byte);
		case GUARD_CHUNK_END:
			return false;
		default:
			return true;
	}
}

/* May a line end here? */
static bool
may_end(const Guard *guard)
{
	return guard->state != GUARD_CHUNK_SIZE || guard->name_length > 0;
}

size_t
guard_follow(Guard *guard, const char *bytes, size_t length)
{
	size_t		at = 0;

	while (at < length && guard->state != GUARD_BROKEN)
	{
		if (guard->state == GUARD_BODY || guard->state == GUARD_CHUNK_DATA)
		{
			size_t		part = guard->remaining < length - at ? (size_t) guard->remaining : length - at;

			at += part;
			guard->remaining -= part;
			if (guard->remaining == 0)
				guard->state = guard->state == GUARD_BODY ? GUARD_START : GUARD_CHUNK_END;
			continue;
		}
		if (guard->carriage_return != (bytes[at] == '\n') || (bytes[at] == '\r' && !may_end(guard)) ||
			(bytes[at] != '\r' && bytes[at] != '\n' && !take_byte(guard, bytes[at])))
		{
			guard->state = GUARD_BROKEN;
			return at;
		}
		guard->carriage_return = bytes[at] == '\r';
		if (bytes[at] == '\n' && guard->state != GUARD_START)
			end_line(guard);
		at++;
	}
	return guard->state == GUARD_BROKEN ? 0 : length;
}

void
guard_open(int socket)
{
	pthread_once(&allocated, allocate);
	if (socket < socket_count)
		guards[socket] = (Guard) {.state = GUARD_START};
}

bool
guard_broken(int socket)
{
	return socket >= socket_count || guards[socket].state == GUARD_BROKEN;
}

/* Let the library see the end of a head in place of what breaks the form, from an index on. */
static size_t
cover(char *bytes, size_t from, size_t length, size_t size)
{
	size_t		end = from + sizeof(LINE_ENDS) < length ? length : from + sizeof(LINE_ENDS);

	for (size_t i = from; i < end && i < size; i++)
		bytes[i] = i == from ? BROKEN_BYTE : LINE_ENDS[(i - from - 1) % 2];
	return end < size ? end : size;
}

ssize_t
__wrap_recv(int socket, void *buffer, size_t size, int flags)
{
	ssize_t		length = __real_recv(socket, buffer, size, flags);
	size_t		broken;

	if (length <= 0 || (flags & MSG_PEEK) || guards == NULL || socket >= socket_count)
		return length;
	broken = guard_follow(&guards[socket], buffer, (size_t) length);
	return broken == (size_t) length ? length : (ssize_t) cover(buffer, broken, (size_t) length, size);
}
