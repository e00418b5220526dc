/*
 * export.h
 *	  Records as rows of a file: which columns it has, and their values.
 *
 * An export is described by the arguments of its job, a jsonb object with the
 * members of the request (operation/export_create.c).  A worker outside makes the
 * file: it opens the export and fetches its rows in one transaction, which shows
 * one state of the database and acts as the caller that asked.
 */
#ifndef QEHS_EXPORT_H
#define QEHS_EXPORT_H

#include "record/list.h"
#include "record/record.h"

/* Columns of a file at most. */
#define QEHS_EXPORT_COLUMNS 256

/* What a column shows that is no field of the module. */
typedef enum ExportMember
{
	MEMBER_NONE, MEMBER_ID, MEMBER_CODE, MEMBER_STATE, MEMBER_VERSION, MEMBER_DEFINITION_VERSION, MEMBER_CREATED_AT,
	MEMBER_CREATED_BY, MEMBER_UPDATED_AT, MEMBER_UPDATED_BY, MEMBER_DUE_AT, MEMBER_DELETED_AT, MEMBER_SIGNATURES
} ExportMember;

typedef struct ExportColumn
{
	const char *name;			/* on the wire, without "payload." */
	const char *label;
	ExportMember member;
	const ModuleField *field;	/* NULL for a member */
} ExportColumn;

typedef struct ExportColumns
{
	int			count;
	ExportColumn items[QEHS_EXPORT_COLUMNS];
} ExportColumns;

/* ---- export.c ---- */

/* What is to be exported, read from the arguments of a job or a request. */
typedef struct ExportPlan
{
	const ModuleDef *module;	/* the current definition; NULL: all that the caller may export */
	int			module_count;	/* of these, by their keys; 0 where there is a module */
	const char **module_keys;
	const char *format;			/* csv, xlsx, pdf, ndjson or json */
	const char *language;		/* an Accept-Language field value, or NULL */
	bool		has_heads;		/* json: a line about the module comes before its records */
	bool		as_objects;		/* json, ndjson: a record is an object */
	bool		all_members;	/* of these without columns: whole records */
	bool		has_attachments;	/* their files, too */
	bool		has_record;		/* a report of one record */
	bool		has_pictures;	/* with its photos, for who may read files */
	pg_uuid_t	record_id;
	bool		deleted_too;
	const char *from;			/* created at or after, and before; NULL: whenever */
	const char *to;
	ExportColumns columns;		/* of the module */
	ListWalk	walk;			/* of the module */
} ExportPlan;

/*
 * Read the arguments of an export of the caller; faults are added by their place in the request.  Raises
 * QH403 where he may not export what is asked for, QH404 when there is no such module.  Inside SPI.
 */
extern void export_plan(const RequestContext *context, const JsonbContainer *arguments, ExportPlan *plan, ViolationList *faults);

/*
 * Begin the walk over the records of a module of a plan without one; NULL when the caller may not export it any more.
 * faults live as long as the walk, here and above.
 */
extern const ModuleDef *export_walk(const RequestContext *context, const ExportPlan *plan, const char *key, ListWalk *walk,
									ViolationList *faults);

/* ---- files.c ---- */

/*
 * Append a line {"id",…,"recordId","displayCode","field"} for each attachment of the records of ids that the caller may read and
 * whose file is given out by the store that storage describes.  Inside SPI.
 */
extern void files_write(StringInfo out, const RequestContext *context, const pg_uuid_t *ids, int count, const Jsonb *storage);

/* ---- columns.c ---- */

/*
 * Read the names of columns, an array of texts ("displayCode", "title" or "payload.title"), or take those
 * that are without: code, state, all fields in the order of the definition that are not deprecated and that the
 * caller may read of some record, who made and changed it when, and, of a module some of whose transitions are
 * signed, the signatures.  Faults are at /columns/i.
 */
extern void columns_read(const RequestContext *context, const ModuleDef *module, const JsonbContainer *names, bool deleted_too,
						 ExportColumns *columns, ViolationList *faults);

/* Give the columns the labels of the language that accept (an Accept-Language field value, or NULL) prefers. */
extern void columns_label(const ModuleDef *module, const char *accept, ExportColumns *columns);

/* Append [{"key","label","type"},…], a table with "fields": how the values of each column are written. */
extern void columns_write(StringInfo out, const ExportColumns *columns);

/* ---- cells.c ---- */

/* Append the value of a field as a cell; NULL and values that are not there are null. */
extern void cell_write(StringInfo out, const RequestContext *context, const ModuleField *field, const JsonbValue *value);

/* Append a record as one line, a JSON array of cells in the order of the columns, with what the caller may read of it. */
extern void cells_write_record(StringInfo out, const RequestContext *context, const ModuleDef *module, const ExportColumns *columns,
							   const Record *record);

/* Append the display name of a user or API key as a JSON text. */
extern void cell_write_actor(StringInfo out, const RequestContext *context, const pg_uuid_t *id);

#endif							/* QEHS_EXPORT_H */
