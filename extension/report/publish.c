/*
 * publish.c
 *	  qehs.report_publish: the schema report_<slug> of a tenant and its views.
 *
 * A tenant that nobody reports on has no schema and pays nothing.  From the first
 * report_publish on, publishing a definition and the end of a refill make the
 * module's views anew in their own transaction: a view names slots, and must never
 * read one that another field has got.  It waits for queries that read the view,
 * which is why reporting logins have a statement timeout.
 *
 * Names: a module's view is called as its key, a table field's <module>__<field>, that of deleted
 * records <module>_deleted.  One that another view might have, or that is too
 * long, has $ and the module's number behind it, which no key can have.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/argument.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "module/locale.h"
#include "report/report.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(qehs_report_publish);

static KeptPlan select_tenant = {"SELECT id FROM qehs.tenant WHERE slug = $1", 1, {TEXTOID}, NULL};
static KeptPlan select_slug = {"SELECT slug FROM qehs.tenant WHERE id = $1", 1, {INT4OID}, NULL};
static KeptPlan select_modules = {"SELECT id FROM qehs.module WHERE tenant_id = $1 ORDER BY id", 1, {INT4OID}, NULL};
static KeptPlan select_views = {
	"SELECT v.relname::pg_catalog.text FROM pg_catalog.pg_class AS v JOIN pg_catalog.pg_namespace AS n ON n.oid = v.relnamespace"
	" WHERE n.nspname = $1 AND v.relkind = 'v' AND v.relowner = 'qehs_owner'::pg_catalog.regrole",
	1, {TEXTOID}, NULL
};
static KeptPlan forget_columns = {"DELETE FROM qehs.report_column WHERE tenant_id = $1", 1, {INT4OID}, NULL};
static KeptPlan is_standard = {"SELECT 1 FROM qehs.report_view WHERE name = $1", 1, {TEXTOID}, NULL};
static KeptPlan call_standard = {"SELECT qehs.report_standard($1, $2)", 2, {INT4OID, TEXTOID}, NULL};

/* A schema that is being filled. */
typedef struct Target
{
	int32		tenant_id;
	const char *schema;
} Target;

static void
run(const char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "\"%s\" is no utility statement", sql);
}

/* The schema of a tenant, as an identifier without quotes. */
static const char *
schema_of(const char *slug)
{
	return psprintf("report_%s", slug);
}

/* Whether the schema is there; raises QH409 when it is somebody else's. */
static bool
schema_exists(const char *schema)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACENAME, CStringGetDatum(schema));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return false;
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	if (owner != get_role_oid("qehs_owner", false))
		problem_raise(PROBLEM_CONFLICT, "Rename or drop it.", "schema \"%s\" exists already, and does not belong to qehs_owner", schema);
	return true;
}

/* ---- names ---- */

/* The name of a view of a module: that of its records, or with below behind it. */
static const char *
view_name(const ModuleDef *module, const char *below)
{
	Datum		value = CStringGetTextDatum(module->key);
	int			length = strlen(module->key);
	int			room;
	char	   *number = psprintf("$%d", module->module_id);
	bool		ambiguous = strstr(module->key, "__") != NULL || (length > 8 && strcmp(module->key + length - 8, "_deleted") == 0) ||
		plan_execute(&is_standard, &value, NULL, true, 1) > 0;

	if (!ambiguous && length + strlen(below) < NAMEDATALEN)
		return psprintf("%s%s", module->key, below);
	if (strlen(below) > NAMEDATALEN / 2)
		below = psprintf("%.*s$", pg_mbcliplen(below, strlen(below), NAMEDATALEN / 2 - 1), below);
	room = NAMEDATALEN - 1 - strlen(number) - strlen(below);
	return psprintf("%.*s%s%s", Min(length, room), module->key, number, below);
}

/* ---- views ---- */

static void
comment_on(const Target *target, const char *view, const char *column, const char *comment)
{
	const char *name = quote_qualified_identifier(target->schema, view);

	run(psprintf("COMMENT ON %s %s%s%s IS %s", column ? "COLUMN" : "VIEW", name, column ? "." : "", column ? quote_identifier(column) : "",
				 quote_literal_cstr(comment)));
}

/* A view of records of a module, or of the rows of a field of it. */
static void
make_view(const Target *target, const char *view, const ModuleDef *module, const ModuleField *rows, List *columns, const char *from, const char *comment)
{
	const char *name = quote_qualified_identifier(target->schema, view);
	StringInfoData sql;
	ListCell   *cell;

	columns = report_arrange(target->schema, view, module, rows, columns);
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE OR REPLACE VIEW %s WITH (security_barrier) AS SELECT ", name);
	foreach(cell, columns)
	{
		const ReportColumn *column = lfirst(cell);

		appendStringInfo(&sql, "%s%s AS %s", cell == list_head(columns) ? "" : ", ", column->sql, quote_identifier(column->name));
	}
	appendStringInfoString(&sql, from);
	run(sql.data);
	comment_on(target, view, NULL, comment);
	foreach(cell, columns)
	{
		const ReportColumn *column = lfirst(cell);

		comment_on(target, view, column->name, column->comment);
	}
	run(psprintf("GRANT SELECT ON %s TO qehs_reporter", name));
}

/* Whether fields have views of their rows. */
static bool
has_rows(const ModuleField *field)
{
	return field->type == FIELD_TABLE || field->type == FIELD_RECORD_REFERENCES;
}

/* The WHERE of views of live records. */
static const char *
live_records(const ModuleDef *module)
{
	return psprintf("r.tenant_id = %d AND r.module_id = %d AND r.deleted_at IS NULL AND (SELECT qehs.report_reads(%d, %d))",
					module->tenant_id, module->module_id, module->tenant_id, module->module_id);
}

/* A view of the rows of a field, as a definition has it. */
static void
make_rows(const Target *target, const char *view, const ModuleDef *module, const ModuleField *field, bool is_current, const char *comment)
{
	make_view(target, view, module, field, report_row_columns(module, field),
			  psprintf(" FROM qehs.record AS r CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(%s) WITH ORDINALITY AS e (row, n) WHERE %s",
					   report_rows(module, field, is_current), live_records(module)), comment);
}

/*
 * Views of rows that the schema has and the current definition gives no more: a renamed field's by its old name, or what older records
 * hold.  They are made anew since rules of fields may have changed.  made are the names of those that are.
 */
static void
retain_rows(const Target *target, const ModuleDef *module, List *made)
{
	for (int32 version = module->version - 1; version >= 1; version--)
	{
		const ModuleDef *older = module_lookup_version(module->tenant_id, module->module_id, version);

		for (int i = 0; older && i < older->field_count; i++)
		{
			const ModuleField *field = &older->fields[i];
			const char *view = has_rows(field) ? view_name(module, psprintf("__%s", field->key)) : NULL;
			const ModuleField *now = view ? module_field_of(module, version, field->key, field->key_length) : NULL;
			const char *label = field->label ? field->label : field->key;

			if (view == NULL || list_member(made, makeString(pstrdup(view))) || !OidIsValid(get_relname_relid(view, get_namespace_oid(target->schema, false))))
				continue;
			made = lappend(made, makeString(pstrdup(view)));
			if (now && now->type == field->type)
				make_rows(target, view, module, now, true, psprintf("%s (called \"%s\" now)", label, now->key));
			else
				make_rows(target, view, older, field, false, psprintf("%s (in versions up to %d)", label, version));
		}
	}
}

static void
make_module(const Target *target, const ModuleDef *module)
{
	const char *label = label_default(&module->definition->root);
	List	   *columns = report_columns(module, true, false);
	List	   *made = NIL;

	label = label ? label : module->name;
	make_view(target, view_name(module, ""), module, NULL, report_columns(module, true, true),
			  psprintf(" FROM qehs.record AS r WHERE %s", live_records(module)), label);
	columns = report_add(columns, "deleted_at", "timestamp with time zone", "When it was deleted", "r.deleted_at");
	make_view(target, view_name(module, "_deleted"), module, NULL, columns,
			  psprintf(" FROM qehs.record AS r WHERE r.tenant_id = %d AND r.module_id = %d AND r.deleted_at IS NOT NULL"
					   " AND %d = ANY ((SELECT qehs.report_modules(%d, 'audit'))::pg_catalog.int4[])", target->tenant_id, module->module_id,
					   module->module_id, target->tenant_id), psprintf("%s: deleted records, for auditors", label));
	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		const char *view = has_rows(field) ? view_name(module, psprintf("__%s", field->key)) : NULL;

		if (view == NULL)
			continue;
		make_rows(target, view, module, field, true, psprintf("%s: %s", label, field->label ? field->label : field->key));
		made = lappend(made, makeString(pstrdup(view)));
	}
	retain_rows(target, module, made);
}

/* The live definitions of all modules, or of one. */
static void
make_modules(const Target *target, int32 only)
{
	Datum		tenant = Int32GetDatum(target->tenant_id);
	uint64		count = plan_execute(&select_modules, &tenant, NULL, false, 0);
	int32	   *ids = palloc(sizeof(int32) * Max(count, 1));
	bool		isnull;

	for (uint64 i = 0; i < count; i++)
		ids[i] = DatumGetInt32(plan_value(i, 1, &isnull));
	for (uint64 i = 0; i < count; i++)
		if (only == 0 || ids[i] == only)
			make_module(target, module_lookup_version(target->tenant_id, ids[i], 0));
}

/* Views that are made of those of modules. */
static void
make_standard(const Target *target)
{
	Datum		values[2] = {Int32GetDatum(target->tenant_id), CStringGetTextDatum(target->schema)};

	plan_execute(&call_standard, values, NULL, false, 0);
}

/* Drop all views of the schema; raises an error when a view elsewhere reads one. */
static void
drop_views(const Target *target)
{
	Datum		value = CStringGetTextDatum(target->schema);
	Datum		tenant = Int32GetDatum(target->tenant_id);
	uint64		count = plan_execute(&select_views, &value, NULL, false, 0);
	StringInfoData sql;
	bool		isnull;

	initStringInfo(&sql);
	for (uint64 i = 0; i < count; i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "DROP VIEW ",
						 quote_qualified_identifier(target->schema, TextDatumGetCString(plan_value(i, 1, &isnull))));
	if (count > 0)
		run(sql.data);
	plan_execute(&forget_columns, &tenant, NULL, false, 0);
}

/* The background worker's user and search path are others than those of the SQL functions. */
void
report_refresh(int32 tenant_id, int32 module_id)
{
	Datum		value = Int32GetDatum(tenant_id);
	Target		target = {.tenant_id = tenant_id};
	ReportUser	before;
	bool		isnull;

	report_become_owner(&before);
	CommandCounterIncrement();
	SPI_connect();
	if (plan_execute(&select_slug, &value, NULL, false, 1) > 0)
		target.schema = schema_of(TextDatumGetCString(plan_value(0, 1, &isnull)));
	if (target.schema && schema_exists(target.schema))
	{
		make_modules(&target, module_id);
		make_standard(&target);
	}
	SPI_finish();
	report_become_again(&before);
}

void
report_remove(const char *slug)
{
	const char *schema = schema_of(slug);

	if (schema_exists(schema))
		run(psprintf("DROP SCHEMA %s CASCADE", quote_identifier(schema)));
}

/* The arguments of qehs.report_publish. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_DROP_DEPRECATED
};

/* report_publish(tenant, drop_deprecated) */
Datum
qehs_report_publish(PG_FUNCTION_ARGS)
{
	char	   *slug = argument_text(fcinfo, ARGUMENT_TENANT);
	Datum		value;
	Target		target;
	bool		isnull;

	if (slug == NULL)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/tenant", "required", "is required");
	SPI_connect();
	value = CStringGetTextDatum(slug);
	if (plan_execute(&select_tenant, &value, NULL, false, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no tenant \"%s\"", slug);
	target.tenant_id = DatumGetInt32(plan_value(0, 1, &isnull));
	target.schema = schema_of(slug);
	if (!schema_exists(target.schema))
	{
		run(psprintf("CREATE SCHEMA %s", quote_identifier(target.schema)));
		run(psprintf("COMMENT ON SCHEMA %s IS %s", quote_identifier(target.schema),
					 quote_literal_cstr(psprintf("Reporting views of the tenant %s, made by qehs.report_publish.", slug))));
	}
	else if (!PG_ARGISNULL(ARGUMENT_DROP_DEPRECATED) && PG_GETARG_BOOL(ARGUMENT_DROP_DEPRECATED))
		drop_views(&target);
	make_modules(&target, 0);
	make_standard(&target);
	SPI_finish();
	PG_RETURN_VOID();
}
