/*
 * intake.c
 *	  The link wraps recv, by which libmicrohttpd reads; that it does, of a static
 *	  library, is all that is to be known of its insides (the Makefile checks it).
 *
 * Most heads arrive whole and stay in the library's buffer.  What is not whole, a
 * head, the line of a chunk's size, the fields behind the last chunk, moves to a
 * buffer of the intake and is given when the rest has come:
 *
 *	 held: | given | to be given (ready) | not whole yet |
 *
 * The library takes a read that fills less than its buffer as all there is until
 * epoll tells of more.  So the buffer is filled as far as there are bytes, and the
 * socket is read again only after a read that was full.
 *
 * What follows a fault is read and dropped, so that the answer is not lost to the
 * reset of a connection that is closed with bytes unread.
 */
#include "http/intake.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/hex.h"
#include "http/guard.h"
#include "http/interest.h"

#define MAX_SOCKETS (1 << 20)
#define HELD_FIRST 2048
#define READ_BYTES 4096
#define DROPS_A_TURN 64
/* of the line of a chunk's size, and of the fields behind the last chunk */
#define LINE_MOST 512
#define TRAILER_MOST 4096

#define SOUND_HEAD "GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n"

typedef struct Intake
{
	Guard		guard;
	bool		open;
	GuardState	start;			/* where what is not whole began */
	unsigned	heads;			/* that were given */
	const HeadFault *fault;		/* of the last of them */
	char	   *held;
	size_t		given;
	size_t		ready;
	size_t		length;
	size_t		capacity;
	void		(*began) (void *closure);
	void	   *closure;
} Intake;

extern ssize_t __real_recv(int socket, void *buffer, size_t size, int flags);
extern ssize_t __wrap_recv(int socket, void *buffer, size_t size, int flags);

static pthread_once_t allocated = PTHREAD_ONCE_INIT;
static Intake *intakes;			/* by socket; what is not used is not resident */
static int	socket_count;

static void
allocate(void)
{
	long		most = sysconf(_SC_OPEN_MAX);

	socket_count = most < 0 || most > MAX_SOCKETS ? MAX_SOCKETS : (int) most;
	intakes = calloc((size_t) socket_count, sizeof(Intake));
	if (intakes == NULL)
		abort();
}

static Intake *
find(int socket)
{
	return intakes && socket >= 0 && socket < socket_count && intakes[socket].open ? &intakes[socket] : NULL;
}

void
intake_open(int socket, void (*began) (void *closure), void *closure)
{
	pthread_once(&allocated, allocate);
	if (socket >= socket_count)
		abort();
	free(intakes[socket].held);
	intakes[socket] = (Intake) {.guard = {.state = GUARD_START},.open = true,.began = began,.closure = closure};
}

void
intake_close(int socket)
{
	Intake	   *intake = find(socket);

	if (intake == NULL)
		return;
	free(intake->held);
	*intake = (Intake) {0};
}

const HeadFault *
intake_head_fault(int socket, unsigned number)
{
	const Intake *intake = find(socket);

	return intake && number == intake->heads && intake->start == GUARD_START ? intake->fault : NULL;
}

const HeadFault *
intake_body_fault(int socket, unsigned number)
{
	const Intake *intake = find(socket);

	return intake && number == intake->heads && intake->start != GUARD_START ? intake->fault : NULL;
}

static void
hold(Intake *intake, const char *bytes, size_t length)
{
	size_t		needed = intake->length + length;

	if (length == 0)
		return;
	if (needed > intake->capacity)
	{
		size_t		capacity = intake->capacity * 2 > needed ? intake->capacity * 2 : needed > HELD_FIRST ? needed : HELD_FIRST;

		intake->held = realloc(intake->held, capacity);
		if (intake->held == NULL)
			abort();
		intake->capacity = capacity;
	}
	memcpy(intake->held + intake->length, bytes, length);
	intake->length = needed;
}

/* How much of what is not whole there may be; NULL: it may go on. */
static const HeadFault *
too_large(const Intake *intake, const char *unit, size_t length)
{
	switch (intake->start)
	{
		case GUARD_START:
			return head_too_large(unit, length);
		case GUARD_FIELD_START:
			return length > TRAILER_MOST ? &head_broken : NULL;
		default:
			return length > LINE_MOST ? &head_broken : NULL;
	}
}

/* What the library is given in place of what broke, which is not whole: a head, or the end of the body. */
static const char *
substitute(Intake *intake)
{
	switch (intake->start)
	{
		case GUARD_CHUNK_END:
			return "\r\n0\r\n\r\n";
		case GUARD_CHUNK_SIZE:
			return "0\r\n\r\n";
		case GUARD_FIELD_START:	/* of the fields behind the last chunk */
			return "\r\n";
		default:
			intake->heads++;
			return SOUND_HEAD;
	}
}

/* Take the extension out of the line of a chunk's size from unit to at; returns where the line ends then. */
static size_t
cut_extension(char *bytes, size_t unit, size_t at, size_t *length)
{
	size_t		size = bytes[unit] == '\r' ? unit + 2 : unit;
	size_t		cut;

	while (hex_value(bytes[size]) >= 0)
		size++;
	cut = at - 2 - size;
	if (cut == 0)
		return at;
	memmove(bytes + size, bytes + at - 2, *length - (at - 2));
	*length -= cut;
	return at - cut;
}

/*
 * Follow the bytes from an index on; those from unit on are not whole before.
 * Returns how many are whole then, and at *length all that there are, which may be
 * less than before, as empty lines in front of a head and extensions of chunks are taken out.
 */
static size_t
follow(Intake *intake, char *bytes, size_t at, size_t unit, size_t *length)
{
	Guard	   *guard = &intake->guard;

	while (intake->fault == NULL && at < *length)
	{
		GuardEvent	event;
		Head		head;

		if (at == unit)
			intake->start = guard->state;
		at += guard_next(guard, bytes + at, *length - at, &event);
		switch (event)
		{
			case GUARD_SKIP:
				memmove(bytes + unit, bytes + at, *length - at);
				*length -= at - unit;
				at = unit;
				continue;
			case GUARD_HEAD:
				head = head_read(bytes + unit, at - unit);
				intake->fault = head.fault;
				if (head.fault && !head.fault->readable)
					continue;
				intake->heads++;
				guard_body(guard, head.length, head.chunked);
				break;
			case GUARD_LINE:
				if (guard->remaining >= GUARD_LARGEST)
				{
					intake->fault = &head_large_body;
					continue;
				}
				at = cut_extension(bytes, unit, at, length);
				break;
			case GUARD_BREAK:
				intake->fault = &head_broken;
				continue;
			case GUARD_MORE:
				intake->fault = too_large(intake, bytes + unit, at - unit);
				continue;
			default:
				break;
		}
		unit = at;
	}
	if (intake->fault)
	{
		/* a head that can be read goes on, and nothing behind it */
		const char *text = unit == at && guard->state != GUARD_BROKEN ? "" : substitute(intake);

		if (bytes == intake->held)
			intake->length = unit;
		hold(intake, text, strlen(text));
	}
	return unit;
}

/* Give of what is ready. */
static size_t
give(Intake *intake, char *buffer, size_t room)
{
	size_t		part = intake->ready - intake->given < room ? intake->ready - intake->given : room;

	if (part == 0)
		return 0;
	memcpy(buffer, intake->held + intake->given, part);
	intake->given += part;
	if (intake->given < intake->ready)
		return part;
	intake->length -= intake->ready;
	memmove(intake->held, intake->held + intake->ready, intake->length);
	intake->given = intake->ready = 0;
	if (intake->length == 0)
	{
		free(intake->held);
		intake->held = NULL;
		intake->capacity = 0;
	}
	return part;
}

/* Without a system call where it is known that there is nothing. */
static ssize_t
receive(int socket, void *buffer, size_t size, int flags)
{
	ssize_t		length;

	if (interest_is_drained(socket))
	{
		errno = EAGAIN;
		return -1;
	}
	length = __real_recv(socket, buffer, size, flags);
	if (length < 0 ? errno == EAGAIN : length > 0 && (size_t) length < size)
		interest_drained(socket);
	return length;
}

/* Nothing more of it is a request. */
static ssize_t
drop_all(int socket)
{
	char		dropped[16 * 1024];
	ssize_t		length = 1;

	for (int i = 0; i < DROPS_A_TURN && length > 0; i++)
		length = receive(socket, dropped, sizeof(dropped), MSG_DONTWAIT);
	if (length <= 0)
		return length;
	errno = EAGAIN;
	return -1;
}

/* Read into the library's buffer, where nothing is held. */
static size_t
take_direct(Intake *intake, char *buffer, size_t length)
{
	size_t		whole = follow(intake, buffer, 0, 0, &length);

	if (intake->fault)
		intake->ready = intake->length;
	else if (whole < length)
		hold(intake, buffer + whole, length - whole);
	return whole;
}

static void
take_held(Intake *intake, const char *bytes, size_t length)
{
	size_t		before = intake->length;

	hold(intake, bytes, length);
	length = intake->length;
	intake->ready = follow(intake, intake->held, before, 0, &length);
	if (intake->fault)
		intake->ready = intake->length;
	else
		intake->length = length;
}

/* Is a head held that is not whole? */
static bool
in_head(const Intake *intake)
{
	return intake->fault == NULL && intake->length > intake->ready && intake->start == GUARD_START;
}

/* The client has closed its side within a head: it is answered all the same. */
static bool
is_cut(Intake *intake)
{
	if (!in_head(intake))
		return false;
	intake->fault = &head_cut;
	intake->length = 0;
	intake->heads++;
	hold(intake, SOUND_HEAD, strlen(SOUND_HEAD));
	intake->ready = intake->length;
	return true;
}

ssize_t
__wrap_recv(int socket, void *buffer, size_t size, int flags)
{
	Intake	   *intake = flags & MSG_PEEK ? NULL : find(socket);
	char		bytes[READ_BYTES];
	size_t		out = 0;
	ssize_t		length;
	size_t		asked;

	if (intake == NULL)
		return __real_recv(socket, buffer, size, flags);
	for (bool more = true; out < size;)
	{
		out += give(intake, (char *) buffer + out, size - out);
		if (out == size || !more || (intake->fault && out > 0))
			break;
		if (intake->fault)
			return drop_all(socket);
		asked = intake->length == 0 ? size - out : sizeof(bytes);
		length = receive(socket, intake->length == 0 ? (char *) buffer + out : bytes, asked, flags);
		if (length == 0 && is_cut(intake))
			continue;
		if (length <= 0)
			return out > 0 ? (ssize_t) out : length;
		more = (size_t) length == asked;
		if (intake->length == 0)
			out += take_direct(intake, (char *) buffer + out, (size_t) length);
		else
			take_held(intake, bytes, (size_t) length);
		if (intake->began && in_head(intake))
			intake->began(intake->closure);
	}
	if (out > 0)
		return (ssize_t) out;
	errno = EAGAIN;
	return -1;
}
