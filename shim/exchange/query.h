/*
 * query.h
 *	  The query string of a request target.
 */
#ifndef QEHS_QUERY_H
#define QEHS_QUERY_H

#include "exchange/request.h"

typedef struct QueryItem
{
	const char *name;
	const char *value;
	bool		used;
} QueryItem;

typedef struct Query
{
	int			count;
	QueryItem  *items;
} Query;

/*
 * Decode percent-escapes; NULL when one is malformed or gives a NUL or text that
 * is not UTF-8 (RFC 3986).  plus_is_space is the rule of query strings.
 */
extern char *query_decode(Arena *arena, const char *text, size_t length, bool plus_is_space);

/* Split the query string; what is malformed is a violation. */
extern void query_read(Request *request, Query *query);

/* Take the value of a name, NULL when there is none; one given twice is a violation. */
extern const char *query_value(Request *request, Query *query, const char *name);

/*
 * Take all filter[…] items as {"field":{"op":"value"}}, and filter=<JSON>, an object, as it is;
 * with both, as one that has both in "and".  NULL when there are none.  There is a spare byte in
 * front of it (see bind_jsonb).
 */
extern const char *query_filter(Request *request, Query *query, size_t *length);

/* Add a violation for each item that was not taken. */
extern void query_refuse_unknown(Request *request, const Query *query);

#endif							/* QEHS_QUERY_H */
