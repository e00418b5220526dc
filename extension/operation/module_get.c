/*
 * module_get.c
 *	  qehs.module_list and qehs.module_get.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/cursor.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "module/locale.h"
#include "module/module.h"
#include "module/publish.h"
#include "permission/permission.h"
#include "record/record.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_module_list);
PG_FUNCTION_INFO_V1(qehs_module_get);

static KeptPlan select_definition = {
	"SELECT v.definition, v.version, v.created_at, v.json_schema FROM qehs.module AS m JOIN qehs.module_version AS v"
	" ON v.tenant_id = $1 AND v.module_id = m.id"
	" WHERE m.tenant_id = $1 AND m.key = $2 AND v.version = CASE $3 WHEN 0 THEN m.version ELSE $3 END",
	3, {INT4OID, TEXTOID, INT4OID}, NULL
};
/* The columns of select_definition. */
enum
{
	COLUMN_DEFINITION = 1, COLUMN_VERSION, COLUMN_CREATED_AT, COLUMN_JSON_SCHEMA
};
static KeptPlan select_modules = {
	"SELECT key, name, description, version FROM qehs.module WHERE tenant_id = $1 AND key > $2 ORDER BY key",
	2, {INT4OID, TEXTOID}, NULL
};
/* The columns of select_modules. */
enum
{
	COLUMN_LISTED_KEY = 1, COLUMN_LISTED_NAME, COLUMN_LISTED_DESCRIPTION, COLUMN_LISTED_VERSION
};
#define COUNT_RECORDS "SELECT pg_catalog.count(*) FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND deleted_at IS NULL"
static KeptPlan count_records = {COUNT_RECORDS, 2, {INT4OID, INT4OID}, NULL};

/* Beyond so many live records a count is estimated: counting takes more than a microsecond each. */
#define COUNTED 10000
static KeptPlan count_some = {
	"SELECT pg_catalog.count(*) FROM (SELECT FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 AND deleted_at IS NULL LIMIT $3) AS counted",
	3, {INT4OID, INT4OID, INT4OID}, NULL
};
/* The last display number of each year, added up: all records that were made, those that are deleted among them. */
static KeptPlan sum_numbers = {
	"WITH RECURSIVE last AS ((SELECT display_no FROM qehs.record WHERE tenant_id = $1 AND module_id = $2 ORDER BY display_no DESC LIMIT 1)"
	" UNION ALL SELECT (SELECT r.display_no FROM qehs.record AS r WHERE r.tenant_id = $1 AND r.module_id = $2"
	" AND r.display_no < l.display_no - l.display_no % $3 ORDER BY r.display_no DESC LIMIT 1) FROM last AS l WHERE l.display_no IS NOT NULL)"
	" SELECT sum(display_no % $3)::int8 FROM last",
	3, {INT4OID, INT4OID, INT8OID}, NULL
};

pg_noreturn static void
not_found(void)
{
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
}

/* Append a definition in the language that accept, or NULL, prefers; gives that language, or NULL for all. */
static const char *
write_definition(StringInfo out, int32 tenant_id, const char *key, int32 version, const char *accept)
{
	Datum		values[3] = {Int32GetDatum(tenant_id), CStringGetTextDatum(key), Int32GetDatum(version)};
	MemoryContext caller = CurrentMemoryContext;
	Jsonb	   *definition;
	Jsonb	   *schema;
	const char *language;
	bool		isnull;

	SPI_connect();
	if (plan_execute(&select_definition, values, NULL, false, 1) == 0)
		not_found();
	definition = DatumGetJsonbP(plan_value(0, COLUMN_DEFINITION, &isnull));
	schema = DatumGetJsonbP(plan_value(0, COLUMN_JSON_SCHEMA, &isnull));
	language = locale_choose(definition, accept);
	if (language)
	{
		language = MemoryContextStrdup(caller, language);
		definition = locale_definition(definition, language);
		schema = locale_schema(schema, definition);
	}
	json_jsonb(out, definition);
	out->len--;					/* the closing brace */
	json_literal(out, ",\"definitionVersion\":");
	json_int(out, DatumGetInt32(plan_value(0, COLUMN_VERSION, &isnull)));
	json_literal(out, ",\"createdAt\":");
	json_time(out, DatumGetTimestampTz(plan_value(0, COLUMN_CREATED_AT, &isnull)));
	json_literal(out, ",\"jsonSchema\":");
	json_jsonb(out, schema);
	appendStringInfoChar(out, '}');
	SPI_finish();
	return language;
}

void
module_write_definition(StringInfo out, int32 tenant_id, const char *key, int32 version)
{
	write_definition(out, tenant_id, key, version, NULL);
}

/* The arguments of qehs.module_get. */
enum
{
	ARGUMENT_GET_MODULE_KEY, ARGUMENT_GET_VERSION, ARGUMENT_GET_ACCEPT_LANGUAGE
};

/* module_get(module_key, version, accept_language) */
Datum
qehs_module_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_MODULES_READ);
	const ModuleDef *module;
	const char *language;
	StringInfoData out;
	char	   *key;
	int32		version = PG_ARGISNULL(ARGUMENT_GET_VERSION) ? 0 : PG_GETARG_INT32(ARGUMENT_GET_VERSION);

	if (PG_ARGISNULL(ARGUMENT_GET_MODULE_KEY))
		not_found();
	if (!PG_ARGISNULL(ARGUMENT_GET_VERSION) && version < 1)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?version", "range", "must be at least 1");
	key = text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_GET_MODULE_KEY));
	module = module_lookup(context->tenant_id, key);
	if (module == NULL)
		not_found();
	if (context->module_count >= 0)
		permission_require(context, module, ACTION_READ, &permission_some_record);
	json_begin(&out);
	language = write_definition(&out, context->tenant_id, key, version,
								argument_text(fcinfo, ARGUMENT_GET_ACCEPT_LANGUAGE));
	context_header(context, "Vary", "Accept-Language");
	version = version ? version : module->version;
	if (language)
	{
		/* another language is another representation: RFC 9110 section 8.8.3 */
		context_header(context, "ETag", "\"%d-%s\"", version, language);
		context_header(context, "Content-Language", "%s", language);
	}
	else
		context_etag(context, version);
	PG_RETURN_DATUM(context_answer(&out));
}

/* How many live records the module has, inside SPI: exact where they are few or exact is wanted. */
static int64
live_records(Datum *values, bool exact, bool *estimated)
{
	int64		count;
	bool		isnull;

	*estimated = false;
	if (!exact)
	{
		values[2] = Int32GetDatum(COUNTED);
		plan_execute(&count_some, values, NULL, true, 0);
		count = DatumGetInt64(plan_value(0, 1, &isnull));
		if (count < COUNTED)
			return count;
		*estimated = true;
		values[2] = Int64GetDatum(QEHS_DISPLAY_YEAR);
		plan_execute(&sum_numbers, values, NULL, true, 0);
		return Max(count, DatumGetInt64(plan_value(0, 1, &isnull)));
	}
	plan_execute(&count_records, values, NULL, true, 0);
	return DatumGetInt64(plan_value(0, 1, &isnull));
}

/* How many records of the module the caller's roles let him read, exact where they depend on the record.  Runs SPI by itself. */
static int64
readable_records(const RequestContext *context, const ModuleDef *module, bool exact, bool *estimated)
{
	const char *readable = permission_predicate(context, module, ACTION_COUNT, "", 3);
	Oid			types[2 + QEHS_PERMISSION_ARGUMENTS] = {INT4OID, INT4OID};
	Datum		values[2 + QEHS_PERMISSION_ARGUMENTS] = {Int32GetDatum(context->tenant_id), Int32GetDatum(module->module_id)};
	int64		count;
	bool		isnull;

	SPI_connect();
	*estimated = false;
	if (readable == NULL)
		count = live_records(values, exact, estimated);
	else
	{
		memcpy(types + 2, permission_argument_types, sizeof(permission_argument_types));
		permission_arguments(context, values + 2);
		SPI_execute_with_args(psprintf(COUNT_RECORDS " AND %s", readable), lengthof(types), types, values, NULL, true, 0);
		count = DatumGetInt64(plan_value(0, 1, &isnull));
	}
	SPI_finish();
	return count;
}

/* Append one item of the list from row; inside SPI. */
static void
write_item(StringInfo out, const RequestContext *context, const char *key, uint64 row, bool exact)
{
	bool		estimated;
	bool		isnull;
	Datum		description;

	json_literal(out, "{\"key\":");
	json_string(out, key);
	json_literal(out, ",\"name\":");
	json_string(out, TextDatumGetCString(plan_value(row, COLUMN_LISTED_NAME, &isnull)));
	json_literal(out, ",\"description\":");
	description = plan_value(row, COLUMN_LISTED_DESCRIPTION, &isnull);
	json_string(out, isnull ? NULL : TextDatumGetCString(description));
	json_literal(out, ",\"definitionVersion\":");
	json_int(out, DatumGetInt32(plan_value(row, COLUMN_LISTED_VERSION, &isnull)));
	json_literal(out, ",\"recordCount\":");
	json_int(out, readable_records(context, module_lookup(context->tenant_id, key), exact, &estimated));
	if (estimated)
		json_literal(out, ",\"recordCountEstimated\":true");
	appendStringInfoChar(out, '}');
}

/* The arguments of qehs.module_list. */
enum
{
	ARGUMENT_LIST_PAGE_SIZE, ARGUMENT_LIST_CURSOR, ARGUMENT_LIST_COUNT
};

/* module_list(page_size, cursor, count) */
Datum
qehs_module_list(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_MODULES_READ);
	ViolationList faults = {0};
	int32		limit = argument_page_size(fcinfo, ARGUMENT_LIST_PAGE_SIZE, &faults);
	char	   *after = pstrdup("");
	char	   *last = after;
	Datum		values[2] = {Int32GetDatum(context->tenant_id)};
	StringInfoData out;
	char	   *next = NULL;
	Datum		answer;
	uint64		rows;
	int			written = 0;
	bool		more = false;
	bool		isnull;
	char	   *wanted = argument_text(fcinfo, ARGUMENT_LIST_COUNT);
	bool		exact = wanted && strcmp(wanted, "exact") == 0;

	if (wanted && !exact && strcmp(wanted, "estimated") != 0)
		violation_add(&faults, "?count", "enum", "must be exact or estimated");
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
	if (!PG_ARGISNULL(ARGUMENT_LIST_CURSOR))
	{
		int			length;
		char	   *position = cursor_open(context->tenant_id, "module_list", "", text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_LIST_CURSOR)), &length);

		after = pnstrdup(position, length);
	}
	values[1] = CStringGetTextDatum(after);
	json_begin(&out);
	json_literal(&out, "{\"items\":[");
	SPI_connect();
	rows = plan_execute(&select_modules, values, NULL, true, 0);
	for (uint64 i = 0; i < rows && !more; i++)
	{
		char	   *key = TextDatumGetCString(plan_value(i, COLUMN_LISTED_KEY, &isnull));

		if (!context_has_module(context, key))
			continue;
		more = written == limit;
		if (more)
			break;
		if (written++ > 0)
			appendStringInfoChar(&out, ',');
		write_item(&out, context, key, i, exact);
		last = key;
	}
	if (more)
		next = cursor_seal(context->tenant_id, "module_list", "", last, strlen(last));
	answer = context_answer_page(&out, context, next);
	SPI_finish();
	PG_RETURN_DATUM(answer);
}
