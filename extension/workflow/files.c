/*
 * files.c
 *	  Guards over the attachments of a record: {"min","field","mediaTypes"}.
 *
 * A file counts once it is there: one that was only announced, is infected or is not
 * what was announced does not.  Those that the payload of the transition names for
 * the first time count with those that the record has.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "record/attached.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "workflow/workflow.h"

static KeptPlan select_files = {
	"SELECT id, content_type FROM qehs.attachment WHERE tenant_id = $1 AND (record_id = $2 OR id = ANY ($3)) AND deleted_at IS NULL"
	" AND status IN ('uploaded', 'clean')",
	3, {INT4OID, UUIDOID, UUIDARRAYOID}, NULL
};
/* The columns of select_files. */
enum
{
	COLUMN_ID = 1, COLUMN_CONTENT_TYPE
};

static bool
has_type(const ModuleFiles *guard, const char *type)
{
	for (int i = 0; i < guard->type_count; i++)
		if (attached_type_fits(type, guard->types[i]))
			return true;
	return guard->type_count == 0;
}

static bool
in_field(const ModuleFiles *guard, const AttachedId *named, int count, const pg_uuid_t *id)
{
	for (int i = 0; guard->field && i < count; i++)
		if (strcmp(named[i].field, guard->field) == 0 && memcmp(&named[i].id, id, sizeof(*id)) == 0)
			return true;
	return guard->field == NULL;
}

/* Which guards hold, of as many as the transition has. */
static void
count_files(const Firing *firing, int32 *counts)
{
	const ModuleTransition *transition = firing->transition;
	int			named_count;
	const AttachedId *named = attached_list(firing->module, firing->payload, &named_count);
	Datum	   *ids = palloc(sizeof(Datum) * Max(named_count, 1));
	Datum		values[3] = {Int32GetDatum(firing->context->tenant_id), UUIDPGetDatum(&firing->record->id)};
	uint64		rows;
	bool		isnull;

	for (int i = 0; i < named_count; i++)
		ids[i] = UUIDPGetDatum(&named[i].id);
	values[2] = PointerGetDatum(construct_array(ids, named_count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	rows = plan_execute_latest(&select_files, values, NULL, 0);
	for (uint64 i = 0; i < rows; i++)
	{
		const char *type = plan_text(i, COLUMN_CONTENT_TYPE);

		for (int j = 0; j < transition->file_count; j++)
			counts[j] += has_type(&transition->files[j], type) &&
				in_field(&transition->files[j], named, named_count, DatumGetUUIDP(plan_value(i, COLUMN_ID, &isnull)));
	}
}

static char *
describe(const ModuleFiles *guard)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "needs at least %d attachment%s", guard->min, guard->min > 1 ? "s" : "");
	for (int i = 0; i < guard->type_count; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? " or " : " of type ", guard->types[i]);
	if (guard->field)
		appendStringInfo(&text, " in the field \"%s\"", guard->field);
	return text.data;
}

void
files_check(const Firing *firing, ViolationList *unmet)
{
	const ModuleTransition *transition = firing->transition;
	int32		counts[QEHS_MAX_ATTACHMENT_GUARDS] = {0};

	if (transition->file_count == 0)
		return;
	count_files(firing, counts);
	for (int i = 0; i < transition->file_count; i++)
		if (counts[i] < transition->files[i].min)
			violation_add(unmet, "/transition", "attachments", "%s", describe(&transition->files[i]));
}
