/*
 * attach.c
 *	  Attachments that changed records name from now on become theirs.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "record/attached.h"
#include "utils/builtins.h"

/* One of the record stays where it is; waits for another transaction that takes the same one. */
static KeptPlan bind_attachment = {
	"UPDATE qehs.attachment SET record_id = $3, field = COALESCE(field, $4), field_version = COALESCE(field_version, $5)"
	" WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL AND (record_id IS NULL OR record_id = $3) AND (field IS NULL OR field = $4)",
	5, {INT4OID, UUIDOID, UUIDOID, TEXTOID, INT4OID}, NULL
};

static bool
names(const AttachedId *items, int count, const pg_uuid_t *id)
{
	for (int i = 0; i < count; i++)
		if (memcmp(&items[i].id, id, sizeof(*id)) == 0)
			return true;
	return false;
}

static void
bind_one(const RequestContext *context, const Change *change)
{
	const Record *before = change->event.before;
	const Record *after = change->after;
	const ModuleDef *module = record_module(context, after);
	const AttachedId *items;
	const AttachedId *old = NULL;
	int			count;
	int			old_count = 0;

	if (!module->has_attachments || after->deleted)
		return;
	items = attached_list(module, after->payload, &count);
	if (before && count > 0)
		old = attached_list(record_module(context, before), before->payload, &old_count);
	for (int i = 0; i < count; i++)
	{
		Datum		values[5] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&items[i].id), UUIDPGetDatum(&after->id),
		CStringGetTextDatum(items[i].field), Int32GetDatum(module->version)};

		if (!names(old, old_count, &items[i].id) && plan_execute(&bind_attachment, values, NULL, false, 0) != 1)
			problem_raise_at(PROBLEM_CONFLICT, psprintf("/payload/%.*s", (int) strcspn(items[i].field, "."), items[i].field), "references",
							 "names an attachment that another record has taken");
	}
}

void
change_bind_attachments(const RequestContext *context, const Change *changes, int count)
{
	for (int i = 0; i < count; i++)
		if (changes[i].outcome == CHANGE_APPLIED)
			bind_one(context, &changes[i]);
}
