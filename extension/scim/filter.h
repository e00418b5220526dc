/*
 * filter.h
 *	  SCIM filters and sort attributes as SQL with parameters.
 *
 * The row is called x.  userName, displayName of a group, externalId and id compare
 * as their indexes do.
 */
#ifndef QEHS_SCIM_FILTER_H
#define QEHS_SCIM_FILTER_H

#include "record/query.h"
#include "scim/match.h"

typedef struct ScimSql
{
	const ScimResourceType *type;
	ListQuery	query;			/* $1 is the tenant */
	const char *base_url;
	bool		all_types;		/* one part of a search over all types, whose filter may name attributes of others */
	bool		one;			/* the filter lets one row through at most, which has no order */
} ScimSql;

/* Begin a statement about resources of a type; $1 is the tenant. */
extern void filter_begin(ScimSql *sql, const ScimResourceType *type, int32 tenant_id, const char *base_url);

/* Add a text, an integer or an id; gives the number of the argument.  Raises QH400 invalid_filter when there are too many. */
extern int	filter_text(ScimSql *sql, const char *text);
extern int	filter_int(ScimSql *sql, int64 value);
extern int	filter_uuid(ScimSql *sql, const pg_uuid_t *id);

/* Read a filter, which refers to the text; raises QH400 invalid_filter. */
extern const ScimFilter *filter_read(const char *text);

/* Append a filter as a condition; raises QH400 invalid_filter. */
extern void filter_append(ScimSql *sql, const ScimFilter *filter);

/* The user name that a filter of users asks for and nothing else, or NULL. */
extern const char *filter_user_name(const ScimResourceType *type, const ScimFilter *filter);

/* Append a filter over one member (alias m and u, of those that are no user n), for members[…] of a PATCH path. */
extern void filter_append_member(ScimSql *sql, const ScimFilter *filter, int node, const ScimAttribute *members, bool unresolved);

/*
 * SQL of what resources are ordered by: a text in order of its bytes, or with *is_number a numeric.  Raises QH400
 * invalid_path where sort_by names nothing that has an order.
 */
extern const char *filter_sort_key(ScimSql *sql, const char *sort_by, bool *is_number);

/* A plain UUID; false for every other text. */
extern bool filter_is_uuid(const char *text, pg_uuid_t *id);

#endif							/* QEHS_SCIM_FILTER_H */
