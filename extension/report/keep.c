/*
 * keep.c
 *	  Columns of a view that stay: in their places, by their names, of their fields.
 *
 * qehs.report_column says what each column of a view is of: a field, by the key that a version has for it, and which of the
 * field's columns.  A column goes on with its field, whatever that is called now; a new field whose column would have the
 * name of another's gets one apart (kind_label_2).  What the definition gives no more is read from older records.
 * Who makes the views at the same time waits at the rows of qehs.report_column, then at the view.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "report/report.h"
#include "utils/array.h"
#include "utils/builtins.h"

static KeptPlan select_columns = {
	"SELECT a.attname::pg_catalog.text, pg_catalog.format_type(a.atttypid, a.atttypmod), COALESCE(c.collname = 'C', false), o.field, o.suffix, o.version"
	" FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS v ON v.oid = a.attrelid"
	" JOIN pg_catalog.pg_namespace AS n ON n.oid = v.relnamespace LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = a.attcollation"
	" LEFT JOIN qehs.report_column AS o ON o.tenant_id = $3 AND o.view_name = $2 AND o.name = a.attname::pg_catalog.text"
	" WHERE n.nspname = $1 AND v.relname = $2 AND v.relkind = 'v' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
	3, {TEXTOID, TEXTOID, INT4OID}, NULL
};
/* The columns of select_columns. */
enum
{
	COLUMN_NAME = 1, COLUMN_TYPE, COLUMN_IS_C_COLLATED, COLUMN_FIELD, COLUMN_SUFFIX, COLUMN_VERSION
};
static KeptPlan delete_owners = {"DELETE FROM qehs.report_column WHERE tenant_id = $1 AND view_name = $2", 2, {INT4OID, TEXTOID}, NULL};
static KeptPlan insert_owner = {
	"INSERT INTO qehs.report_column (tenant_id, view_name, name, field, suffix, version) VALUES ($1, $2, $3, $4, $5, $6)"
	" ON CONFLICT (tenant_id, view_name, name) DO UPDATE SET field = EXCLUDED.field, suffix = EXCLUDED.suffix, version = EXCLUDED.version",
	6, {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID}, NULL
};

/* A column that the view has. */
typedef struct Held
{
	char	   *name;
	char	   *type;
	bool		is_c;
	char	   *key;			/* of its field in version; empty: of none; NULL: not known */
	char	   *suffix;
	int32		version;
} Held;

/* A view that is arranged. */
typedef struct View
{
	const char *name;
	const ModuleDef *module;
	const ModuleField *rows;
	List	   *held;			/* of Held */
	List	   *columns;		/* of ReportColumn, as the definition gives them */
} View;

static List *
read_held(const char *schema, const View *view)
{
	Datum		values[3] = {CStringGetTextDatum(schema), CStringGetTextDatum(view->name), Int32GetDatum(view->module->tenant_id)};
	uint64		count = plan_execute(&select_columns, values, NULL, false, 0);
	List	   *result = NIL;
	bool		isnull;

	for (uint64 i = 0; i < count; i++)
	{
		Held	   *held = palloc0(sizeof(Held));
		Datum		key = plan_value(i, COLUMN_FIELD, &isnull);

		if (!isnull)
		{
			held->key = TextDatumGetCString(key);
			held->suffix = TextDatumGetCString(plan_value(i, COLUMN_SUFFIX, &isnull));
			held->version = DatumGetInt32(plan_value(i, COLUMN_VERSION, &isnull));
		}
		held->name = TextDatumGetCString(plan_value(i, COLUMN_NAME, &isnull));
		held->type = TextDatumGetCString(plan_value(i, COLUMN_TYPE, &isnull));
		held->is_c = DatumGetBool(plan_value(i, COLUMN_IS_C_COLLATED, &isnull));
		result = lappend(result, held);
	}
	return result;
}

static const Held *
find_held(const View *view, const char *name)
{
	ListCell   *cell;

	foreach(cell, view->held)
	{
		const Held *held = lfirst(cell);

		if (strcmp(held->name, name) == 0)
			return held;
	}
	return NULL;
}

/* The field that a column is of as it is now; NULL when it is gone. */
static const ModuleField *
field_now(const View *view, const Held *held)
{
	if (view->rows && view->rows->type == FIELD_TABLE)
		return module_fields_find(&view->rows->nested, held->key, strlen(held->key));
	return module_field_of(view->module, held->version, held->key, strlen(held->key));
}

/* Whether both are the same column of the same field; one that is gone comes back under its key, unless that is another's now that lived beside it. */
static bool
is_of(const View *view, const Held *held, const ReportColumn *column)
{
	const ModuleField *now;

	if (held->key == NULL)
		return strcmp(held->name, column->name) == 0;
	if (strcmp(held->suffix, column->suffix) != 0 || (*held->key == '\0') != (column->field == NULL))
		return false;
	if (column->field == NULL)
		return true;
	now = field_now(view, held);
	return now ? now == column->field : strcmp(held->key, column->field->key) == 0 && module_field_key(column->field, held->version) == NULL;
}

/* Whether the view can go on with the column where it has the other. */
static bool
goes_on(const View *view, const Held *held, const ReportColumn *column)
{
	return strcmp(held->type, column->type) == 0 && is_of(view, held, column);
}

/* ---- names ---- */

/* The type as a part of a name: text[] becomes texts. */
static const char *
type_word(const char *type)
{
	return strcmp(type, "timestamp with time zone") == 0 ? "timestamptz" : strcmp(type, "text[]") == 0 ? "texts" : strcmp(type, "uuid[]") == 0 ? "uuids" : type;
}

/* Name a column apart from the one that has its name: by its type where that is of the same field, or by a number. */
static void
tell_apart(const View *view, const Held *other, ReportColumn *column)
{
	char		name[NAMEDATALEN];

	if (is_of(view, other, column))
		report_write_name(name, column->wanted, psprintf("_%s", type_word(column->type)));
	else
		report_write_name(name, column->wanted, "_2");
	for (int i = 3; find_held(view, name) || report_find(view->columns, name); i++)
		report_write_name(name, column->wanted, psprintf("_%d", i));
	strlcpy(column->name, name, NAMEDATALEN);
}

/* The last column that the view has of a column; NULL when there is none. */
static const Held *
last_held(const View *view, const ReportColumn *column)
{
	const Held *found = NULL;
	ListCell   *cell;

	foreach(cell, view->held)
		if (goes_on(view, lfirst(cell), column))
			found = lfirst(cell);
	return found;
}

/* Give each column the name that it has in the view; one that the view lacks, a name that it does not have. */
static void
name_columns(const View *view)
{
	ListCell   *cell;

	foreach(cell, view->columns)
	{
		ReportColumn *column = lfirst(cell);
		const Held *held = find_held(view, column->wanted);

		if (held && goes_on(view, held, column))
			strlcpy(column->name, held->name, NAMEDATALEN);
	}
	foreach(cell, view->columns)
	{
		ReportColumn *column = lfirst(cell);
		const Held *other = find_held(view, column->name);
		const Held *own;

		if (other == NULL || goes_on(view, other, column))
			continue;
		own = last_held(view, column);
		if (own)
			strlcpy(column->name, own->name, NAMEDATALEN);
		else
			tell_apart(view, other, column);
		if (column->field)
			column->comment = psprintf("%s (field \"%s\")", column->comment, column->field->key);
	}
}

/* ---- columns ---- */

/* The columns that an older version gives the view. */
static List *
older_columns(const View *view, const ModuleDef *older)
{
	const char *key = view->rows ? module_field_key(view->rows, older->version) : NULL;
	const ModuleField *field = key ? module_field(older, key, strlen(key)) : NULL;

	if (view->rows == NULL)
		return report_columns(older, false, false);
	return field && field->type == view->rows->type ? report_row_columns(older, field) : NIL;
}

/* Whether a column of an older version is the one that the view has. */
static bool
was(const Held *held, const ReportColumn *column)
{
	if (strcmp(held->type, column->type) != 0)
		return false;
	if (held->key == NULL)
		return strcmp(held->name, column->name) == 0;
	return strcmp(held->suffix, column->suffix) == 0 && strcmp(held->key, column->field ? column->field->key : "") == 0;
}

/* A column that the current definition gives no more, as the newest version that had it reads older records. */
static ReportColumn *
retained(const View *view, const Held *held)
{
	int32		newest = view->module->version - 1;
	ReportColumn *column;

	if (held->key)
		newest = Min(newest, held->version);
	for (int32 version = newest; version >= 1; version--)
	{
		const ModuleDef *older = module_lookup_version(view->module->tenant_id, view->module->module_id, version);
		ListCell   *cell;

		foreach(cell, older ? older_columns(view, older) : NIL)
		{
			column = lfirst(cell);
			if (was(held, column))
			{
				strlcpy(column->name, held->name, NAMEDATALEN);
				column->comment = psprintf("%s (in versions up to %d)", column->comment, version);
				return column;
			}
		}
	}
	column = palloc0(sizeof(ReportColumn));
	strlcpy(column->name, held->name, NAMEDATALEN);
	column->type = held->type;
	column->sql = psprintf("NULL::%s%s", held->type, held->is_c ? " COLLATE \"C\"" : "");
	column->comment = "No longer in use";
	return column;
}

/* The column of the current definition that goes on in the place of one that the view has, by its name there; NULL when there is none. */
static ReportColumn *
current(const View *view, const Held *held)
{
	ReportColumn *column = report_find(view->columns, held->name);
	ListCell   *cell;

	if (column && goes_on(view, held, column))
		return column;
	foreach(cell, view->columns)
	{
		if (goes_on(view, held, lfirst(cell)))
		{
			column = palloc(sizeof(ReportColumn));
			*column = *(const ReportColumn *) lfirst(cell);
			column->comment = psprintf("%s (called \"%s\" now)", column->comment, column->name);
			strlcpy(column->name, held->name, NAMEDATALEN);
			return column;
		}
	}
	return NULL;
}

static void
keep_owner(const View *view, const char *name, const char *key, const char *suffix, int32 version)
{
	Datum		values[6] = {
		Int32GetDatum(view->module->tenant_id), CStringGetTextDatum(view->name), CStringGetTextDatum(name), CStringGetTextDatum(key),
		CStringGetTextDatum(suffix), Int32GetDatum(version)
	};

	plan_execute(&insert_owner, values, NULL, false, 0);
}

/* Keep what a column of the current definition is of. */
static ReportColumn *
keep(const View *view, ReportColumn *column)
{
	keep_owner(view, column->name, column->field ? column->field->key : "", column->suffix, view->module->version);
	return column;
}

/* What the view shows in the place of a column that it has. */
static ReportColumn *
shown_for(const View *view, const Held *held)
{
	ReportColumn *column = current(view, held);

	if (column)
		return keep(view, column);
	if (held->key)
		keep_owner(view, held->name, held->key, held->suffix, held->version);
	return retained(view, held);
}

List *
report_arrange(const char *schema, const char *view_name, const ModuleDef *module, const ModuleField *rows, List *columns)
{
	View		view = {.name = view_name, .module = module, .rows = rows, .columns = columns};
	Datum		of_view[2] = {Int32GetDatum(module->tenant_id), CStringGetTextDatum(view_name)};
	List	   *result = NIL;
	ListCell   *cell;

	view.held = read_held(schema, &view);
	name_columns(&view);
	plan_execute(&delete_owners, of_view, NULL, false, 0);
	foreach(cell, view.held)
		result = lappend(result, shown_for(&view, lfirst(cell)));
	foreach(cell, columns)
	{
		if (!list_member_ptr(result, lfirst(cell)) && list_length(result) < QEHS_REPORT_COLUMNS)
			result = lappend(result, keep(&view, lfirst(cell)));
	}
	return result;
}
