/*
 * search.h
 *	  Lists of resources (RFC 7644 section 3.4.2), by index or by cursor (RFC 9865).
 */
#ifndef QEHS_SCIM_SEARCH_H
#define QEHS_SCIM_SEARCH_H

#include "scim/store.h"

#define SCIM_MAX_RESULTS 200
#define SCIM_DEFAULT_RESULTS 100

/* What is asked for; texts are NULL where they are not given. */
typedef struct ScimSearch
{
	const ScimResourceType *type;	/* NULL: all types, one after another */
	const char *filter;
	const char *sort_by;
	const char *sort_order;
	const char *cursor;			/* "" asks for the first page */
	bool		has_start;
	int32		start;
	bool		has_count;
	int32		count;
	const char *attributes;
	const char *excluded;
} ScimSearch;

/*
 * Append the ListResponse.  Raises QH400 invalid_filter, invalid_path (sortBy), invalid_cursor and
 * invalid_parameter.
 */
extern void search_write(StringInfo out, const RequestContext *context, const char *base_url, const ScimSearch *search);

/* Read the body of .search (section 3.4.3); raises QH400 invalid_syntax and validation_failed. */
extern void search_read(const ScimValue *message, ScimSearch *search);

#endif							/* QEHS_SCIM_SEARCH_H */
