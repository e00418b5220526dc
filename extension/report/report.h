/*
 * report.h
 *	  Views for reporting tools: for each tenant that reports, a schema report_<slug>
 *	  with typed views of its modules.
 *
 * The views belong to qehs_owner, are security barriers and ask report_reads() what
 * the login may read: only leakproof comparisons of a reader come in front of the
 * condition on tenant and module, and what is not for him is NULL before his query sees it.  Their
 * expressions raise no error whatever a row holds, since such a comparison may be
 * computed on rows of others.  No security_invoker: a login would need
 * SELECT on qehs.record, whose payload has every field.
 *
 * A view keeps its columns as long as it lives: new ones come at the end, one whose
 * field is gone reads what older records hold.
 */
#ifndef QEHS_REPORT_H
#define QEHS_REPORT_H

#include "module/module.h"
#include "nodes/pg_list.h"

/* The most columns of a view; PostgreSQL allows 1600 in a table. */
#define QEHS_REPORT_COLUMNS 1500

/* A column of a view. */
typedef struct ReportColumn
{
	char		name[NAMEDATALEN];
	char		wanted[NAMEDATALEN];	/* its name where no other column has it */
	const char *type;			/* as format_type gives it */
	const char *sql;
	const char *comment;
	const ModuleField *field;	/* that it is of, or NULL */
	const char *suffix;			/* "_unit": which of the field's columns; of none, its wanted name */
} ReportColumn;

/* ---- columns.c ---- */

/*
 * The columns that fields of a definition become, as ReportColumn: of its own fields, from the row "r" of qehs.record.
 * Indexed ones come from slots where with_slots says so, which holds for live records and the
 * current version alone; columns of an older one read records of up to that version.
 */
extern List *report_columns(const ModuleDef *module, bool is_current, bool with_slots);

/* The columns of rows of a table field, or of elements of a list of references, from "e.row". */
extern List *report_row_columns(const ModuleDef *module, const ModuleField *table);

/* The rows themselves, as SQL of type jsonb; of a definition that is not the current one, those of records of up to its version. */
extern const char *report_rows(const ModuleDef *module, const ModuleField *table, bool is_current);

/* Add a column; its name is made one that the list does not have, and no longer than a name may be. */
extern List *report_add(List *columns, const char *name, const char *type, const char *comment, const char *sql);

/* Writes a name into NAMEDATALEN bytes, cut at a character's end so that suffix has room behind it. */
extern void report_write_name(char *out, const char *name, const char *suffix);

/* The column of the name, or NULL. */
extern ReportColumn *report_find(List *columns, const char *name);

/* ---- keep.c ---- */

/*
 * The columns of a view in the order and by the names that it has, those that it lacks behind them; what each is of is kept in
 * qehs.report_column.  rows is the field whose rows the view has, or NULL.  Inside SPI, as the owner; columns may be renamed.
 */
extern List *report_arrange(const char *schema, const char *view_name, const ModuleDef *module, const ModuleField *rows, List *columns);

/* ---- access.c ---- */

/* Whether each caller may read a field of a definition, in records of whichever version: then no view has to ask. */
extern bool report_is_open(const ModuleDef *module, const ModuleField *field);

/* Who a function of the views was called by. */
typedef struct ReportUser
{
	Oid			user;
	int			security;
	int			path;			/* what search_path_leave takes */
} ReportUser;

/* Go on as qehs_owner, with its search path; and as before.  An error undoes it with its transaction. */
extern void report_become_owner(ReportUser *before);
extern void report_become_again(const ReportUser *before);

/* Whether the user reads reports of the tenant; as the owner. */
extern bool report_is_login(int32 tenant_id, Oid user);

/* ---- planner.c ---- */

/* Have views of records planned with the query that reads them; once, when the library is loaded. */
extern void report_planner_init(void);

/* ---- publish.c ---- */

/* Make the views of a module anew where its tenant reports, that is since report_publish was called for it. */
extern void report_refresh(int32 tenant_id, int32 module_id);

/* Drop the views of a tenant that is removed; inside SPI. */
extern void report_remove(const char *slug);

#endif							/* QEHS_REPORT_H */
