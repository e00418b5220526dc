/*
 * module_install.c
 *	  qehs.module_install: modules of the catalogue in a tenant, and their newer
 *	  definitions.
 *
 * qehs.module.installed keeps what the catalogue had when it was installed.  With it
 * a newer definition is merged into the tenant's (module/merge.c), and the result
 * published; nobody publishes meanwhile.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "module/index.h"
#include "module/load.h"
#include "module/merge.h"
#include "module/publish.h"
#include "operation/module_publish.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_module_install);
PG_FUNCTION_INFO_V1(qehs_module_merge);

static KeptPlan select_catalogue = {
	"SELECT definition FROM qehs.module_catalogue WHERE key = $1", 1, {TEXTOID}, NULL
};
static KeptPlan select_tenant = {"SELECT id FROM qehs.tenant WHERE slug = $1", 1, {TEXTOID}, NULL};
static KeptPlan select_installed = {
	"SELECT m.installed, v.definition FROM qehs.module AS m JOIN qehs.module_version AS v"
	" ON v.tenant_id = $1 AND v.module_id = m.id AND v.version = m.version WHERE m.tenant_id = $1 AND m.key = $2",
	2, {INT4OID, TEXTOID}, NULL
};
/* The columns of select_installed. */
enum
{
	COLUMN_INSTALLED = 1, COLUMN_DEFINITION
};
static KeptPlan update_installed = {
	"UPDATE qehs.module SET installed = $3 WHERE tenant_id = $1 AND key = $2", 3, {INT4OID, TEXTOID, JSONBOID}, NULL
};

/* What the tenant has of a module: the catalogue's definition that it came from, and its own; NULL, NULL when it has none. */
typedef struct Installed
{
	Jsonb	   *base;
	Jsonb	   *ours;
} Installed;

static Installed
read_installed(int32 tenant_id, const char *key)
{
	Datum		values[2] = {Int32GetDatum(tenant_id), CStringGetTextDatum(key)};
	Installed	installed = {NULL, NULL};
	Datum		base;
	bool		isnull;

	if (plan_execute(&select_installed, values, NULL, false, 1) == 0)
		return installed;
	installed.ours = DatumGetJsonbPCopy(plan_value(0, COLUMN_DEFINITION, &isnull));
	base = plan_value(0, COLUMN_INSTALLED, &isnull);
	if (isnull)
		problem_raise(PROBLEM_CONFLICT, "Give yours another key, or publish what you want of the catalogue's with qehs.module_publish.",
					  "the tenant has a module \"%s\" of its own", key);
	installed.base = DatumGetJsonbPCopy(base);
	return installed;
}

static int32 install(int32 tenant_id, const char *key, List **conflicts);

/* Install the modules of the catalogue that fields of a definition refer to and the tenant lacks. */
static void
install_references(int32 tenant_id, const char *key, Jsonb *definition)
{
	const JsonbContainer *fields = index_fields(definition);

	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
	{
		int			count;
		const char **others = load_names(index_field(fields, i), "references", &count);

		for (int j = 0; j < count; j++)
		{
			Datum		values[2] = {Int32GetDatum(tenant_id), CStringGetTextDatum(others[j])};
			List	   *none;

			if (strcmp(others[j], key) != 0 && plan_execute(&select_installed, values, NULL, false, 1) == 0)
				install(tenant_id, others[j], &none);
		}
	}
}

/*
 * Publish a module of the catalogue, merged into what the tenant has made of it, and what it refers to first.
 * Gives its version, and what both have changed; raises QH404 for one that is not there.  Inside SPI.
 */
static int32
install(int32 tenant_id, const char *key, List **conflicts)
{
	static const pg_uuid_t system = {{0}};
	Datum		values[3] = {CStringGetTextDatum(key)};
	Installed	installed;
	Jsonb	   *theirs;
	int32		version;
	bool		isnull;

	check_stack_depth();
	*conflicts = NIL;
	if (plan_execute(&select_catalogue, values, NULL, true, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "the catalogue has no module \"%s\"", key);
	theirs = DatumGetJsonbPCopy(plan_value(0, 1, &isnull));
	install_references(tenant_id, key, theirs);
	module_publish_lock(tenant_id);
	installed = read_installed(tenant_id, key);
	module_publish_apply(&(PublishRequest) {tenant_id, &system, NULL, NULL, "", false},
						 installed.ours ? merge_definitions(installed.base, installed.ours, theirs, conflicts) : theirs, &version);
	values[0] = Int32GetDatum(tenant_id);
	values[1] = CStringGetTextDatum(key);
	values[2] = JsonbPGetDatum(theirs);
	plan_execute(&update_installed, values, NULL, false, 0);
	return version;
}

static void
write_side(StringInfo out, const char *name, const JsonbValue *value)
{
	json_name(out, name);
	if (value)
		json_jsonb_value(out, value);
	else
		json_literal(out, "null");
}

/* [{"path","base","tenant","catalogue"}]; null: it is not there. */
static void
write_conflicts(StringInfo out, const List *conflicts)
{
	ListCell   *cell;

	json_literal(out, "[");
	foreach(cell, conflicts)
	{
		const MergeConflict *conflict = lfirst(cell);

		if (cell != list_head(conflicts))
			json_literal(out, ",");
		json_literal(out, "{");
		json_name(out, "path");
		json_string(out, conflict->path);
		json_literal(out, ",");
		write_side(out, "base", conflict->base);
		json_literal(out, ",");
		write_side(out, "tenant", conflict->ours);
		json_literal(out, ",");
		write_side(out, "catalogue", conflict->theirs);
		json_literal(out, "}");
	}
	json_literal(out, "]");
}

/* The tenant of the slug; raises QH404.  Inside SPI. */
static int32
tenant_of(text *slug)
{
	Datum		value = PointerGetDatum(slug);
	bool		isnull;

	if (plan_execute(&select_tenant, &value, NULL, true, 1) == 0)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no tenant \"%s\"", text_to_cstring(slug));
	return DatumGetInt32(plan_value(0, 1, &isnull));
}

/* Install a module and give its definition, with the conflicts as one member more. */
static Datum
installed_definition(int32 tenant_id, const char *key)
{
	StringInfoData out;
	List	   *conflicts;
	int32		version = install(tenant_id, key, &conflicts);

	json_begin(&out);
	module_write_definition(&out, tenant_id, key, version);
	out.len--;
	json_literal(&out, ",\"conflicts\":");
	write_conflicts(&out, conflicts);
	json_literal(&out, "}");
	return json_datum(&out);
}

/* The arguments of qehs.module_install. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_MODULE_KEYS
};

/* module_install(tenant, VARIADIC module_keys): the DBA's way to modules of the catalogue. */
Datum
qehs_module_install(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum	   *keys = NULL;
	bool	   *nulls = NULL;
	int			count = 0;
	int32		tenant_id;

	if (PG_ARGISNULL(ARGUMENT_TENANT))
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/tenant", "required", "is required");
	if (!PG_ARGISNULL(ARGUMENT_MODULE_KEYS))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARGUMENT_MODULE_KEYS), TEXTOID, -1, false, TYPALIGN_INT, &keys, &nulls, &count);
	if (count == 0)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/moduleKeys", "required", "is required");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	SPI_connect();
	tenant_id = tenant_of(PG_GETARG_TEXT_PP(ARGUMENT_TENANT));
	for (int i = 0; i < count; i++)
	{
		Datum		definition;
		bool		isnull = false;

		if (nulls[i])
			problem_raise_at(PROBLEM_VALIDATION_FAILED, psprintf("/moduleKeys/%d", i), "required", "is required");
		definition = installed_definition(tenant_id, TextDatumGetCString(keys[i]));
		tuplestore_putvalues(result->setResult, result->setDesc, &definition, &isnull);
	}
	SPI_finish();
	return (Datum) 0;
}

/* module_merge(base, tenant, catalogue) */
Datum
qehs_module_merge(PG_FUNCTION_ARGS)
{
	Jsonb	   *sides[3];
	Jsonb	   *merged;
	List	   *conflicts;
	StringInfoData out;

	for (int i = 0; i < 3; i++)
	{
		static const char *const names[] = {"/base", "/tenant", "/catalogue"};

		sides[i] = PG_GETARG_JSONB_P(i);
		if (!JB_ROOT_IS_OBJECT(sides[i]))
			problem_raise_at(PROBLEM_VALIDATION_FAILED, names[i], "type", "must be a definition object");
	}
	merged = merge_definitions(sides[0], sides[1], sides[2], &conflicts);
	json_begin(&out);
	json_literal(&out, "{\"definition\":");
	json_jsonb(&out, merged);
	json_literal(&out, ",\"conflicts\":");
	write_conflicts(&out, conflicts);
	json_literal(&out, "}");
	PG_RETURN_DATUM(json_datum(&out));
}
