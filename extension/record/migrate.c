/*
 * migrate.c
 *	  Moving a record to a newer definition: qehs.record_migrate.
 *
 * The rules of each version after the record's apply in turn (module/migrate.h);
 * only the outcome is checked.  A value that does not hold there gives way to
 * the default that the newest rules name for its field.
 */
#include "compat.h"

#include "argument.h"
#include "audit/audit.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "json.h"
#include "miscadmin.h"
#include "module/migrate.h"
#include "record/record.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_record_migrate);

/* The default that the newest rules up to target name for a field. */
static bool
newest_default(const RequestContext *context, const Record *record, int32 target, const char *key, JsonbValue *value)
{
	for (int32 version = target; version > record->definition_version; version--)
		if (migrate_default(record_module_version(context, record, version)->definition, key, value))
			return true;
	return false;
}

/* The field of a path below /payload; NULL for another path.  Keys need no escapes. */
static char *
field_of(const char *path)
{
	const char *key = path + strlen("/payload/");

	if (strncmp(path, "/payload/", strlen("/payload/")) != 0)
		return NULL;
	return pnstrdup(key, strcspn(key, "/"));
}

/* Put defaults where values do not hold; false when there is none to put. */
static bool
put_defaults(const RequestContext *context, const Record *before, int32 target, Record *after, const ViolationList *found)
{
	bool		put = false;

	for (int i = 0; i < found->count; i++)
	{
		char	   *key = field_of(found->items[i].path);
		JsonbValue	value;

		if (key == NULL || !newest_default(context, before, target, key, &value))
			continue;
		after->payload = json_with_member(after->payload, key, strlen(key), &value);
		put = true;
	}
	return put;
}

const ModuleDef *
record_move(const RequestContext *context, const Record *before, int32 target, Record *after, ViolationList *violations)
{
	const ModuleDef *module = record_module_version(context, before, target);
	ViolationList found = {0};
	Jsonb	   *checked;

	*after = *before;
	after->definition_version = target;
	for (int32 version = before->definition_version + 1; version <= target; version++)
	{
		Jsonb	   *definition = record_module_version(context, before, version)->definition;
		char	   *state = migrate_state(definition, after->workflow_state);

		CHECK_FOR_INTERRUPTS();
		after->payload = migrate_payload(definition, after->payload);
		if (state)
			after->workflow_state = state;
	}
	checked = record_check_patch(context, module, after->payload, NULL, after->workflow_state, &found);
	if (found.count > 0 && put_defaults(context, before, target, after, &found))
	{
		found.count = 0;
		checked = record_check_patch(context, module, after->payload, NULL, after->workflow_state, &found);
	}
	after->payload = checked;
	for (int i = 0; i < found.count; i++)
		violation_add(violations, found.items[i].path, found.items[i].code, "%s", found.items[i].message);
	if (!module_has_state(module, after->workflow_state))
		violation_add(violations, "/workflowState", "undefined", "is no state of version %d: \"%s\"", target,
					  after->workflow_state);
	return module;
}

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

/* record_migrate(id, definition_version, if_match) */
Datum
qehs_record_migrate(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_RECORDS_WRITE);
	ViolationList violations = {0};
	const ModuleDef *module;
	Record		before;
	Record		after;
	int32		target;
	AuditEvent	event = {AUDIT_MIGRATE, &before, &after, NULL, NULL, NULL};
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	module = record_open(context, argument_text(fcinfo, 0), ACTION_UPDATE, argument_text(fcinfo, 2), &before);
	target = target_version(context, &before, !PG_ARGISNULL(1), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1));
	after = before;
	/* one that is there already stays as it is */
	if (target != before.definition_version)
	{
		module = record_move(context, &before, target, &after, &violations);
		violation_raise(&violations);
		record_store(context, module, &before, &after);
		audit_append(context, module, &event);
	}
	PG_RETURN_DATUM(record_close(&out, context, module, &after));
}
