/*
 * options.c
 *	  What a load is asked to do, and whether the caller may.
 */
#include "base/compat.h"

#include "base/json.h"
#include "bulk/bulk.h"

static bool is_running = false;	/* also of a load without a place, where there is no limit */

bool
bulk_is_running(void)
{
	return is_running;
}

void
bulk_set_running(bool running)
{
	is_running = running;
}

const ModuleDef *
bulk_find_module(const RequestContext *context, const char *key)
{
	const ModuleDef *module = key ? module_lookup(context->tenant_id, key) : NULL;

	if (module == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no such module");
	return module;
}

void
bulk_require_actions(const RequestContext *context, const ModuleDef *module, const BulkOptions *options)
{
	permission_require(context, module, ACTION_CREATE, NULL);
	if (!options->upsert)
		return;
	permission_require(context, module, ACTION_UPDATE, &permission_some_record);
	/* which records there are of a value tells the value */
	for (int i = 0; i < options->external->field_count; i++)
		if (!permission_reads_field(context, module, options->external->fields[i], NULL))
			problem_raise_at(PROBLEM_FORBIDDEN, "?externalId", QEHS_FORBIDDEN, "is a field that the caller may not read");
	if (module->require_if_match)
		problem_raise(PROBLEM_PRECONDITION_REQUIRED, "Change records of the module one by one.",
					  "records of module \"%s\" are changed with If-Match only", module->key);
}

bool
bulk_is_word(const char *value, const char *parameter, const char *word)
{
	if (value == NULL)
		return false;
	if (strcmp(value, word) != 0)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, parameter, "enum", "must be \"%s\"", word);
	return true;
}

/* The character between cells. */
static char
read_delimiter(const char *delimiter)
{
	if (delimiter == NULL)
		return ',';
	if (strlen(delimiter) != 1 || strchr(",;\t|", *delimiter) == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?delimiter", "enum", "must be a comma, a semicolon, a tab or |");
	return *delimiter;
}

static void
check_columns(const Jsonb *columns)
{
	ViolationList faults = {0};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(columns))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?columns", "type", "must be an object such as {\"Header\":\"field\",\"Other\":null}");
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &columns->root));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (value.type != jbvNull && (value.type != jbvString || value.val.string.len == 0))
			violation_add(&faults, json_pointer_to("?columns", json_text_copy(&key)), "type", "must be the key of a field, or null");
	}
	violation_raise_as(PROBLEM_INVALID_PARAMETER, &faults);
}

void
bulk_read_csv_options(const char *content_type, const char *delimiter, const Jsonb *columns, const char *unknown_columns,
					  BulkOptions *options)
{
	const char *given = delimiter ? "?delimiter" : columns ? "?columns" : unknown_columns ? "?unknownColumns" : NULL;

	options->is_csv = content_type && strcmp(content_type, "text/csv") == 0;
	if (!options->is_csv && given)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, given, "dependency", "is for bodies of type text/csv");
	options->csv = (CsvOptions) {.delimiter = read_delimiter(delimiter),.columns = columns,
		.ignore_unknown = bulk_is_word(unknown_columns, "?unknownColumns", "ignore")};
	if (columns)
		check_columns(columns);
}

void
bulk_read_options(const ModuleDef *module, const char *on_conflict, const char *external_id, const char *on_error,
				  BulkOptions *options)
{
	options->upsert = bulk_is_word(on_conflict, "?onConflict", "update");
	options->stop = bulk_is_word(on_error, "?onError", "stop");
	options->external = external_id ? module_unique(module, external_id) : NULL;
	if (options->upsert && external_id == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?externalId", "required",
						 "must name a unique field, or fields, with onConflict=update");
	if (!options->upsert && external_id)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?externalId", "dependency", "needs onConflict=update");
	if (external_id && options->external == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?externalId", "unique", "names no unique field of module \"%s\"",
						 module->key);
}
