/*
 * guard.h
 *	  The form of HTTP/1.1 on a connection, byte by byte: where heads, bodies and
 *	  chunks begin and end, and where they are none (RFC 9112 sections 2 to 7).
 *
 * Bytes that two HTTP parsers may read differently are the means of request smuggling:
 * refused are CR and LF apart, control characters, folded and nameless fields, spaces
 * side by side in a request line, and what is no chunk.  Pure: no memory, no sockets.
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

#define GUARD_LARGEST (UINT64_MAX / 32)

typedef struct Guard
{
	GuardState	state;
	bool		trailer;		/* the fields behind the last chunk */
	bool		carriage_return;	/* was the last byte; LF is due */
	bool		seen;			/* of a request line: the last byte was a space; of a chunk's size: there was a digit */
	uint64_t	remaining;		/* bytes of the body or chunk */
} Guard;

typedef enum GuardEvent
{
	GUARD_MORE,					/* all bytes are followed, and what they are part of goes on */
	GUARD_SKIP,					/* an empty line before a request line */
	GUARD_HEAD,					/* a head is complete: guard_body is to say what follows it */
	GUARD_LINE,					/* the line of a chunk's size is complete: remaining is it, GUARD_LARGEST or more what is larger */
	GUARD_DATA,					/* bytes of a body or chunk */
	GUARD_TRAILER,				/* the last chunk's fields are complete */
	GUARD_BREAK					/* the byte breaks the form; nothing behind it can be read */
} GuardEvent;

/* Follow bytes up to the next event; returns how many, without the byte that breaks the form. */
extern size_t guard_next(Guard *guard, const char *bytes, size_t length, GuardEvent *event);

/* After GUARD_HEAD: a body of so many bytes follows, or chunks. */
extern void guard_body(Guard *guard, uint64_t length, bool chunked);

#endif							/* QEHS_GUARD_H */
