/*
 * taken.c
 *	  What is told to who wants a value that another record has.
 *
 * The other record is named to a caller who may read it and what is unique of it;
 * one of the same load that is not stored, or not yet, is "another record".
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"

/* With a snapshot of its own: the holder may have been committed while this caller waited for it. */
static KeptPlan select_holder = {
	"SELECT " QEHS_RECORD_COLUMNS " FROM qehs.record WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL", 2, {INT4OID, UUIDOID}, NULL
};

static bool
may_be_told(const RequestContext *context, const ModuleUnique *unique, const Record *holder)
{
	const ModuleDef *module = record_module(context, holder);
	const ModuleDef *current = module_lookup_version(context->tenant_id, holder->module_id, 0);
	PermissionSubject subject = record_subject(holder);
	bool		may = permission_may(context, module, ACTION_READ, &subject, NULL);

	for (int i = 0; i < unique->field_count && may; i++)
		may = permission_reads_field(context, current, unique->fields[i], &subject);
	return may;
}

/* ", INC-2026-0001" of the holder, or "". */
static const char *
code_of(const RequestContext *context, const ModuleUnique *unique, const pg_uuid_t *holder)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(holder)};
	StringInfoData code;
	Record		record;

	initStringInfo(&code);
	if (plan_execute(&select_holder, values, NULL, false, 1) == 1)
	{
		record_read_row(0, &record);
		if (may_be_told(context, unique, &record))
		{
			appendStringInfoString(&code, ", ");
			record_append_display_code(&code, record_module(context, &record), record.display_no);
		}
	}
	SPI_freetuptable(SPI_tuptable);
	return code.data;
}

/* The other fields of what is unique that the caller may know of: " together with /payload/b and /payload/c", or "". */
static const char *
others_of(const RequestContext *context, const ModuleUnique *unique, const ModuleDef *current, int32 version)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 1; i < unique->field_count; i++)
		if (permission_reads_field(context, current, unique->fields[i], NULL))
			appendStringInfo(&out, "%s/payload/%s", out.len > 0 ? " and " : " together with ", module_field_key(unique->fields[i], version));
	return out.data;
}

void
taken_tell(const RequestContext *context, const ModuleUnique *unique, const ModuleDef *module, int32 version, const pg_uuid_t *holder,
		   ViolationList *violations)
{
	const char *code = holder ? code_of(context, unique, holder) : "";

	violation_add(violations, psprintf("/payload/%s", module_field_key(unique->fields[0], version)), "unique", "is used%s by another record%s",
				  others_of(context, unique, module, version), code);
}

void
taken_tell_change(const RequestContext *context, const Change *change, ViolationList *violations)
{
	taken_tell(context, change->taken, module_lookup_version(context->tenant_id, change->after->module_id, 0), change->after->definition_version,
			   &change->holder, violations);
}
