/*
 * options.c
 *	  What a load is asked to do, and whether the caller may.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "bulk/bulk.h"
#include "miscadmin.h"

/* The arguments of qehs.bulk_begin, which others have first too. */
enum
{
	ARGUMENT_MODULE_KEY, ARGUMENT_MODE, ARGUMENT_DRY_RUN, ARGUMENT_ON_CONFLICT, ARGUMENT_EXTERNAL_ID, ARGUMENT_ON_ERROR,
	ARGUMENT_ACCEPT_LANGUAGE, ARGUMENT_CONTENT_TYPE, ARGUMENT_DELIMITER, ARGUMENT_COLUMNS, ARGUMENT_UNKNOWN_COLUMNS
};

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
	permission_require(context, module, ACTION_CREATE, &permission_some_record);
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

void
bulk_check_batch_key(const char *batch_key)
{
	if (batch_key && (*batch_key == '\0' || strlen(batch_key) > QEHS_BULK_KEY_BYTES))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "@Idempotency-Key", "length", "must have 1 to 255 characters");
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

bool
bulk_is_atomic(const BulkRequest *request)
{
	return request->mode != NULL;
}

const ModuleDef *
bulk_read_request(FunctionCallInfo fcinfo, const RequestContext *context, BulkRequest *request, BulkOptions *options)
{
	const ModuleDef *module;

	*request = (BulkRequest) {
		.module_key = argument_text(fcinfo, ARGUMENT_MODULE_KEY),
		.mode = argument_text(fcinfo, ARGUMENT_MODE),
		.dry_run = !PG_ARGISNULL(ARGUMENT_DRY_RUN) && PG_GETARG_BOOL(ARGUMENT_DRY_RUN),
		.on_conflict = argument_text(fcinfo, ARGUMENT_ON_CONFLICT),
		.external_id = argument_text(fcinfo, ARGUMENT_EXTERNAL_ID),
		.on_error = argument_text(fcinfo, ARGUMENT_ON_ERROR),
		.accept_language = argument_text(fcinfo, ARGUMENT_ACCEPT_LANGUAGE),
		.content_type = argument_text(fcinfo, ARGUMENT_CONTENT_TYPE),
		.delimiter = argument_text(fcinfo, ARGUMENT_DELIMITER),
		.columns = PG_ARGISNULL(ARGUMENT_COLUMNS) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_COLUMNS),
		.unknown_columns = argument_text(fcinfo, ARGUMENT_UNKNOWN_COLUMNS),
	};
	module = bulk_find_module(context, request->module_key);
	bulk_is_word(request->mode, "?mode", "atomic");
	options->dry_run = request->dry_run;
	if (!options->dry_run)
		PreventCommandDuringRecovery("a bulk load");
	bulk_read_options(module, request->on_conflict, request->external_id, request->on_error, options);
	bulk_read_csv_options(request->content_type, request->delimiter, request->columns, request->unknown_columns, options);
	bulk_require_actions(context, module, options);
	return module;
}

char *
bulk_describe(const BulkRequest *request, const BulkOptions *options)
{
	/* of an upsert the last line for a record wins, though its chunk may have to run again */
	bool		in_turns = options->stop || options->upsert;
	char		delimiter[2] = {options->csv.delimiter, '\0'};

	return psprintf("{\"transaction\":%s,\"inTurns\":%s,\"stopOnFailure\":%s,%s"
					"\"statuses\":{\"created\":\"undone\"%s%s,\"replayed\":\"told\",\"failed\":\"told\"}}",
					bulk_is_atomic(request) ? "true" : "false", in_turns ? "true" : "false", options->stop ? "true" : "false",
					options->is_csv ? psprintf("\"delimiter\":\"%s\",", *delimiter == '\t' ? "\\t" : delimiter) : "",
					options->upsert ? ",\"updated\":\"undone\"" : "", options->dry_run ? ",\"valid\":\"counted\"" : "");
}
