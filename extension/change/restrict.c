/*
 * restrict.c
 *	  References with "onDelete":"restrict": what live records name by them is not deleted.
 *
 * Who deletes holds the record's place alone (record/link.h) for each module that has
 * such a field, in the order of their numbers, before it locks the row and looks; who
 * names the record holds the place shared before he looks whether it lives (record/named.c).
 * Whoever is second waits, and sees what the first has done.
 *
 * A field counts by the current definition, whichever version the record that refers is of.
 * A record that names itself is not kept by that.
 */
#include "base/compat.h"

#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "miscadmin.h"
#include "record/link.h"

#define BATCH_ROWS 200
#define TOLD_CODES 5			/* display codes in the message */
#define MAX_COUNTED 1000		/* as many records are looked at, once one keeps the record */

static KeptPlan select_modules = {"SELECT id FROM qehs.module WHERE tenant_id = $1 ORDER BY id", 1, {INT4OID}, NULL};
static KeptPlan select_referrers = {
	"SELECT " QEHS_RECORD_COLUMNS " FROM qehs.record_link AS l JOIN qehs.record AS r ON r.tenant_id = $1 AND r.id = l.source_id"
	" WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.source_id > $3 AND l.source_id <> $2 AND r.deleted_at IS NULL"
	" ORDER BY l.source_id LIMIT 200",
	3, {INT4OID, UUIDOID, UUIDOID}, NULL
};

/* Whether records of a module may keep one of the other module from being deleted. */
static bool
may_restrict(const ModuleDef *referrer, const char *key)
{
	for (int i = 0; referrer->restricts && i < referrer->field_count; i++)
		if (referrer->fields[i].restricts && module_field_refers_to(&referrer->fields[i], key))
			return true;
	return false;
}

void
change_hold_referrers(const RequestContext *context, const pg_uuid_t *id)
{
	Datum		values[1] = {Int32GetDatum(context->tenant_id)};
	int32		version;
	int32		module_id = record_hold_module(context, id, &version);
	const char *key = pstrdup(module_lookup_version(context->tenant_id, module_id, 0)->key);
	uint64		count = plan_execute_latest(&select_modules, values, NULL, 0);
	bool		isnull;

	for (uint64 i = 0; i < count; i++)
	{
		int32		referrer = DatumGetInt32(plan_value(i, 1, &isnull));

		if (may_restrict(module_lookup_version(context->tenant_id, referrer, 0), key))
			link_hold_children(context->tenant_id, referrer, id);
	}
}

/* Whether the other record keeps the record; tells whether the caller may read that. */
static bool
keeps(const RequestContext *context, const Record *other, const pg_uuid_t *id, bool *is_readable)
{
	const ModuleDef *current = module_lookup_version(context->tenant_id, other->module_id, 0);
	const ModuleDef *module = record_module(context, other);
	PermissionSubject subject = record_subject(other);
	const ModuleField **fields;
	bool		is_kept = false;
	int			count;

	*is_readable = false;
	if (!current->restricts)
		return false;
	fields = palloc(sizeof(ModuleField *) * Max(module->field_count, 1));
	count = link_fields(module, other->payload, id, fields);
	for (int i = 0; i < count && !*is_readable; i++)
	{
		const ModuleField *field = module_field_of(current, module->version, fields[i]->key, fields[i]->key_length);

		if (field == NULL || !field->restricts)
			continue;
		is_kept = true;
		*is_readable = permission_may(context, module, ACTION_READ, &subject, NULL) &&
			permission_reads_key(context, module, &subject, module->version, fields[i]->key, fields[i]->key_length);
	}
	pfree(fields);
	return is_kept;
}

/* What keeps a record. */
typedef struct Referrers
{
	int			looked;			/* live records that refer to it, by whichever field */
	bool		is_kept;
	int			readable;		/* of those that keep it, so many may be read */
	StringInfoData codes;		/* of the first of them */
} Referrers;

static void
look_at(Referrers *found, const RequestContext *context, const Record *other, const pg_uuid_t *id)
{
	bool		is_readable;

	found->looked++;
	if (!keeps(context, other, id, &is_readable))
		return;
	found->is_kept = true;
	if (!is_readable || found->readable++ >= TOLD_CODES)
		return;
	if (found->codes.len > 0)
		appendStringInfoString(&found->codes, ", ");
	record_write_display_code(&found->codes, record_module(context, other), other->display_no);
}

static void
find_referrers(Referrers *found, const RequestContext *context, const pg_uuid_t *id)
{
	pg_uuid_t	last = {{0}};
	uint64		rows = BATCH_ROWS;

	while (rows == BATCH_ROWS && !(found->is_kept && found->looked >= MAX_COUNTED))
	{
		Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(id), UUIDPGetDatum(&last)};

		rows = plan_execute_latest(&select_referrers, values, NULL, BATCH_ROWS);
		for (uint64 i = 0; i < rows; i++)
		{
			Record		other;

			CHECK_FOR_INTERRUPTS();
			record_read_row(i, &other);
			last = other.id;
			look_at(found, context, &other, id);
		}
		SPI_freetuptable(SPI_tuptable);
	}
}

bool
change_is_referred(const RequestContext *context, const Record *record)
{
	Referrers	found = {0};

	initStringInfo(&found.codes);
	find_referrers(&found, context, &record->id);
	return found.is_kept;
}

void
change_require_unreferred(const RequestContext *context, const Record *record)
{
	static const char *const hint = "Delete those records first, or let them refer to another one.";
	Referrers	found = {0};

	initStringInfo(&found.codes);
	find_referrers(&found, context, &record->id);
	if (!found.is_kept)
		return;
	if (found.readable == 0)
		problem_raise(PROBLEM_CONFLICT, hint, "the record cannot be deleted: other records refer to it");
	problem_raise(PROBLEM_CONFLICT, hint, "the record cannot be deleted: %s%d record%s to it%s%s", found.looked >= MAX_COUNTED ? "at least " : "",
				  found.readable, found.readable == 1 ? " refers" : "s refer", found.readable > TOLD_CODES ? ", such as " : ": ", found.codes.data);
}
