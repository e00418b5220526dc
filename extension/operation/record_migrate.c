/*
 * record_migrate.c
 *	  qehs.record_migrate: one record moves to a newer definition (record/move.c).
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/json.h"
#include "change/change.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "module/locale.h"

PG_FUNCTION_INFO_V1(qehs_record_migrate);

/* The version asked for, or the current one; raises QH400 for one that there is not or that is older. */
static int32
target_version(const RequestContext *context, const Record *record, bool given, int32 wanted)
{
	int32		current = record_module_version(context, record, 0)->version;

	if (!given)
		return current;
	if (wanted < 1 || wanted > current)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/definitionVersion", "range", "must be from 1 to %d", current);
	if (wanted < record->definition_version)
		problem_raise_at(PROBLEM_VALIDATION_FAILED, "/definitionVersion", "range",
						 "must not be before the record's own version %d", record->definition_version);
	return wanted;
}

/* The arguments of qehs.record_migrate. */
enum
{
	ARGUMENT_ID, ARGUMENT_DEFINITION_VERSION, ARGUMENT_IF_MATCH, ARGUMENT_ACCEPT_LANGUAGE
};

/* record_migrate(id, definition_version, if_match, accept_language) */
Datum
qehs_record_migrate(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList violations = {0};
	const ModuleDef *module;
	Record		before;
	Record		after;
	int32		target;
	Change		change = change_make(AUDIT_MIGRATE, &before, &after);
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	module = record_open(context, argument_text(fcinfo, ARGUMENT_ID), ACTION_UPDATE, argument_text(fcinfo, ARGUMENT_IF_MATCH), &before);
	target = target_version(context, &before, !PG_ARGISNULL(ARGUMENT_DEFINITION_VERSION),
							PG_ARGISNULL(ARGUMENT_DEFINITION_VERSION) ? 0 : PG_GETARG_INT32(ARGUMENT_DEFINITION_VERSION));
	after = before;
	/* one that is there already stays as it is */
	if (target != before.definition_version)
	{
		module = record_move(context, &before, target, &after, &violations);
		locale_name_fields(module->definition, argument_text(fcinfo, ARGUMENT_ACCEPT_LANGUAGE), &violations);
		violation_raise(&violations);
		record_apply_one(context, &change);
	}
	PG_RETURN_DATUM(record_close(&out, context, module, &after));
}
