/*
 * arguments.h
 *	  From the path, query, headers and body of a request to the arguments of its
 *	  endpoint's function.
 */
#ifndef QEHS_ARGUMENTS_H
#define QEHS_ARGUMENTS_H

#include "request.h"

/*
 * Decode percent-escapes; NULL when one is malformed or gives a NUL or text that
 * is not UTF-8 (RFC 3986).  plus_is_space is the rule of query strings.
 */
extern char *arguments_decode(Arena *arena, const char *text, size_t length, bool plus_is_space);

/*
 * Fill the statement with the endpoint's arguments.  What is wrong goes to the
 * request's violations and refusal, all of it, not just the first.
 */
extern void arguments_read(Request *request, PgStatement *statement);

#endif							/* QEHS_ARGUMENTS_H */
