/*
 * options.c
 *	  What a load is asked to do, and whether the caller may.
 */
#include "base/compat.h"

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
	if (!permission_reads_field(context, module, options->external, NULL))
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
bulk_read_options(const ModuleDef *module, const char *on_conflict, const char *external_id, const char *on_error,
				  BulkOptions *options)
{
	options->upsert = bulk_is_word(on_conflict, "?onConflict", "update");
	options->stop = bulk_is_word(on_error, "?onError", "stop");
	options->external = external_id ? module_field(module, external_id, strlen(external_id)) : NULL;
	if (options->upsert && external_id == NULL)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?externalId", "required",
						 "must name a unique field with onConflict=update");
	if (!options->upsert && external_id)
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?externalId", "dependency", "needs onConflict=update");
	if (external_id && (options->external == NULL || !options->external->unique))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?externalId", "unique", "names no unique field of module \"%s\"",
						 module->key);
}
