/*
 * head.h
 *	  Is the head of a request one that every HTTP/1.1 server reads alike (RFC 9112,
 *	  RFC 9110)?  Pure: no memory, no sockets.
 */
#ifndef QEHS_HEAD_H
#define QEHS_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The HTTP library has to hold a head, an entry for each field and the head of the answer in CONNECTION_MEMORY (server.c). */
#define HEAD_MOST_BYTES (12 * 1024)
#define HEAD_MOST_TARGET (11 * 1024)
#define HEAD_MOST_FIELDS 100

/* What is wrong, as a problem. */
typedef struct HeadFault
{
	int			status;
	const char *code;
	const char *detail;
	bool		readable;		/* the head says who sends it all the same; what frames its body is overwritten */
} HeadFault;

typedef struct Head
{
	const HeadFault *fault;		/* NULL: none, and the rest is there */
	uint64_t	length;			/* Content-Length; 0 without one */
	bool		chunked;
} Head;

/*
 * Read a head from its request line to its empty line, as guard_next has found it.
 * What only its server needs not see is overwritten in place: the question mark by
 * HEAD_QUERY_MARK, so that the HTTP library makes no entry for each parameter, and the
 * name of Cookie fields, which nobody here reads, for the same reason.
 */
extern Head head_read(char *bytes, size_t length);

#define HEAD_QUERY_MARK '\001'

/* What is wrong with a head of which so many bytes have come and none of its end; NULL: it may go on. */
extern const HeadFault *head_too_large(const char *bytes, size_t length);

/* Faults of what is no head, is cut off, or announces more than can be counted. */
extern const HeadFault head_broken;
extern const HeadFault head_cut;
extern const HeadFault head_large_body;

#endif							/* QEHS_HEAD_H */
