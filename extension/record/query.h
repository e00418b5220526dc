/*
 * query.h
 *	  Building the SQL of a list: text of a shape and its typed values.
 *
 * Values never enter the text; field keys do, and are checked by the module's
 * definition to be plain names.
 */
#ifndef QEHS_QUERY_H
#define QEHS_QUERY_H

#include "record/record.h"

#define QEHS_QUERY_ARGUMENTS 64
#define QEHS_FILTER_DEPTH 8

typedef struct ListQuery
{
	const RequestContext *context;
	const ModuleDef *module;
	ViolationList *faults;		/* of the parameters; with any the query is not run, and may be incomplete */
	StringInfoData sql;
	bool		keyset_only;	/* no condition but tenant, module and position */
	int			count;
	Oid			types[QEHS_QUERY_ARGUMENTS];
	Datum		values[QEHS_QUERY_ARGUMENTS];
} ListQuery;

/* A field of records: where it stands in SQL and how it compares. */
typedef struct QueryField
{
	const ModuleField *field;	/* NULL for a system field */
	const char *expression;
	const char *missing;		/* SQL of the value that stands for "absent", or NULL */
	SlotKind	kind;			/* SLOT_NONE: only exists and contains */
	bool		is_uuid;
	bool		is_display_code;
} QueryField;

/* Add a value; gives its number ($n).  Too many are a fault. */
extern int	query_argument(ListQuery *query, Oid type, Datum value);

/* SQL for a field's member of a payload of any version as text, NULL where it has none. */
extern const char *query_payload_text(const ModuleField *field);

/* Find a field by its wire name; false when the module has none. */
extern bool query_field(const ModuleDef *module, const char *name, QueryField *found);

/* Raise QH403 when the caller may not read the field, at path (?sort): to order or to filter by it would tell. */
extern void query_require_readable(const ListQuery *query, const QueryField *field, const char *path);

/* Append " AND (…)" of a filter; faults carry their place (?filter[severity][in]). */
extern void query_filter(ListQuery *query, const RequestContext *context, Jsonb *filter);

#endif							/* QEHS_QUERY_H */
