/*
 * guard.h
 *	  Strict framing in front of a library that is lenient: bytes that two HTTP
 *	  parsers may read differently are the means of request smuggling.
 */
#ifndef QEHS_GUARD_H
#define QEHS_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum GuardState
{
	GUARD_START,				/* before a request line: empty lines are skipped */
	GUARD_REQUEST_LINE,
	GUARD_FIELD_START,
	GUARD_FIELD_NAME,
	GUARD_FIELD_VALUE,
	GUARD_BODY,
	GUARD_CHUNK_SIZE,
	GUARD_CHUNK_EXTENSION,
	GUARD_CHUNK_DATA,
	GUARD_CHUNK_END,			/* the CRLF after its data is due */
	GUARD_BROKEN
} GuardState;

#define GUARD_NAME_BYTES 18		/* of transfer-encoding, and one more */

typedef struct Guard
{
	GuardState	state;
	bool		trailer;
	bool		chunked;
	bool		carriage_return;	/* was the last byte; LF is due */
	int			name_length;
	char		name[GUARD_NAME_BYTES];
	uint64_t	remaining;		/* bytes of the body or chunk */
} Guard;

/*
 * Follow the bytes of a connection: request lines, fields, bodies by
 * Content-Length and in chunks (RFC 9112 sections 2 to 7).  Gives the index of the
 * first byte that breaks their form, or length.  Refused are: CR and LF apart,
 * control characters, folded and nameless fields, spaces side by side in a
 * request line, what is no chunk.
 */
extern size_t guard_follow(Guard *guard, const char *bytes, size_t length);

/* Guard what is received from a socket from now on. */
extern void guard_open(int socket);

/* Has the socket's stream broken its form?  Then no request of it is to run. */
extern bool guard_broken(int socket);

#endif							/* QEHS_GUARD_H */
