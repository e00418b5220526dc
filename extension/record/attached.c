/*
 * attached.c
 *	  Finding the attachments that a payload names, and looking them up.
 *
 * An attachment belongs to one field of one record for good, so that whoever may
 * read the field, and nobody else, gets it.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "record/attached.h"
#include "utils/builtins.h"

/* Of one field; more the schema refuses. */
#define QEHS_MAX_FILES 20

static KeptPlan select_attachment = {
	"SELECT record_id, field, status, content_type, COALESCE(size_bytes, announced_size), created_by FROM qehs.attachment"
	" WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL", 2, {INT4OID, UUIDOID}, NULL
};
/* The columns of select_attachment. */
enum
{
	COLUMN_RECORD_ID = 1, COLUMN_FIELD, COLUMN_STATUS, COLUMN_CONTENT_TYPE, COLUMN_SIZE_BYTES, COLUMN_CREATED_BY
};

typedef struct Collected
{
	int			count;
	int			room;
	AttachedId *items;
} Collected;

/* ---- what a value names ---- */

/* The number of ids in a field's value, and one of them. */
static int
id_count(const JsonbValue *value)
{
	if (value->type == jbvString)
		return 1;
	if (value->type != jbvBinary)
		return 0;
	return JsonContainerIsArray(value->val.binary.data) ? (int) JsonContainerSize(value->val.binary.data) : 1;
}

static bool
get_id(const JsonbValue *value, int number, pg_uuid_t *id)
{
	JsonbValue	text = *value;

	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
		text = *getIthJsonbValueFromContainer(value->val.binary.data, number);
	else if (value->type == jbvBinary && !json_member(value->val.binary.data, "image", 5, &text))
		return false;
	return text.type == jbvString && id_parse(text.val.string.val, text.val.string.len, QEHS_ID_ATTACHMENT, id);
}

static bool
has_id(const JsonbValue *value, const pg_uuid_t *wanted)
{
	int			count = id_count(value);

	for (int i = 0; i < count; i++)
	{
		pg_uuid_t	id;

		if (get_id(value, i, &id) && memcmp(&id, wanted, sizeof(id)) == 0)
			return true;
	}
	return false;
}

/* ---- what a payload names ---- */

static void
collect_value(Collected *found, const ModuleField *field, const JsonbValue *value, const char *name)
{
	int			count = id_count(value);

	for (int i = 0; i < count; i++)
	{
		pg_uuid_t	id;

		if (!get_id(value, i, &id))
			continue;
		if (found->count == found->room)
		{
			found->room = Max(8, 2 * found->room);
			found->items = found->items ? repalloc(found->items, sizeof(AttachedId) * found->room) : palloc(sizeof(AttachedId) * found->room);
		}
		found->items[found->count++] = (AttachedId) {id, name};
	}
}

static void
collect(Collected *found, const ModuleFields *fields, const JsonbContainer *object, const char *prefix)
{
	check_stack_depth();
	for (int i = 0; i < fields->count; i++)
	{
		const ModuleField *field = &fields->items[i];
		const char *name = *prefix ? psprintf("%s.%s", prefix, field->key) : field->key;
		JsonbValue	value;

		if (!field->attaches || !json_member(object, field->key, field->key_length, &value))
			continue;
		if (module_takes_attachments(field->type))
			collect_value(found, field, &value, name);
		else if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
			collect(found, &field->nested, value.val.binary.data, name);
		else if (value.type == jbvBinary)
			for (uint32 row = 0; row < JsonContainerSize(value.val.binary.data); row++)
			{
				JsonbValue *item = getIthJsonbValueFromContainer(value.val.binary.data, row);

				CHECK_FOR_INTERRUPTS();
				if (item->type == jbvBinary && JsonContainerIsObject(item->val.binary.data))
					collect(found, &field->nested, item->val.binary.data, name);
			}
	}
}

AttachedId *
attached_list(const ModuleDef *module, const Jsonb *payload, int *count)
{
	Collected	found = {0};

	if (module->has_attachments)
		collect(&found, &module->all, &payload->root, "");
	*count = found.count;
	return found.items;
}

bool
attached_names(const ModuleDef *module, const Jsonb *payload, const pg_uuid_t *id)
{
	int			count;
	const AttachedId *items = attached_list(module, payload, &count);

	for (int i = 0; i < count; i++)
		if (memcmp(&items[i].id, id, sizeof(*id)) == 0)
			return true;
	return false;
}

const ModuleField *
attached_field(const ModuleDef *module, const char *name)
{
	const ModuleFields *fields = &module->all;

	for (;;)
	{
		int			length = strcspn(name, ".");
		const ModuleField *field = module_fields_find(fields, name, length);

		if (field == NULL)
			return NULL;
		if (name[length] == '\0')
			return module_takes_attachments(field->type) ? field : NULL;
		fields = &field->nested;
		name += length + 1;
	}
}

/* ---- checks ---- */

bool
attached_type_fits(const char *type, const char *pattern)
{
	size_t		length = strcspn(type, "; ");
	size_t		wanted = strlen(pattern);

	if (wanted > 2 && strcmp(pattern + wanted - 2, "/*") == 0)
		return length >= wanted - 1 && pg_strncasecmp(type, pattern, wanted - 1) == 0;
	return length == wanted && pg_strncasecmp(type, pattern, wanted) == 0;
}

void
attached_check_media(const ModuleField *field, const char *content_type, int64 size, const char *type_path, const char *size_path,
					 ViolationList *faults)
{
	bool		fits = field->media_type_count == 0;
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < field->media_type_count; i++)
	{
		fits = fits || attached_type_fits(content_type, field->media_types[i]);
		appendStringInfo(&names, "%s%s", i == 0 ? "" : i == field->media_type_count - 1 ? " or " : ", ", field->media_types[i]);
	}
	if (!fits)
		violation_add(faults, type_path, "media_type", "must be %s", names.data);
	if (field->max_size > 0 && size > field->max_size)
		violation_add(faults, size_path, "maximum", "must be at most %lld bytes", (long long) field->max_size);
}

/* The field's name of a path: /payload/rows/0/photo is rows.photo. */
static char *
name_of(const char *path)
{
	StringInfoData name;

	initStringInfo(&name);
	path += strlen("/payload");
	while (*path == '/')
	{
		size_t		length = strcspn(path + 1, "/");

		/* keys of fields begin with a letter */
		if (path[1] < '0' || path[1] > '9')
			appendStringInfo(&name, "%s%.*s", name.len > 0 ? "." : "", (int) length, path + 1);
		path += 1 + length;
	}
	return name.data;
}

/* Does the row belong to the record that is checked, or can it still? */
static bool
is_reachable(const PayloadCheck *check)
{
	bool		isnull;
	Datum		record = plan_value(0, COLUMN_RECORD_ID, &isnull);

	if (!isnull)
		return check->record_id && memcmp(DatumGetUUIDP(record), check->record_id, sizeof(pg_uuid_t)) == 0;
	return memcmp(DatumGetUUIDP(plan_value(0, COLUMN_CREATED_BY, &isnull)), &check->context->actor_id, sizeof(pg_uuid_t)) == 0;
}

static void
check_row(const PayloadCheck *check, const ModuleField *field, const char *path)
{
	const char *owner = plan_text(0, COLUMN_FIELD);
	const char *status = plan_text(0, COLUMN_STATUS);
	bool		isnull;
	Datum		size = plan_value(0, COLUMN_SIZE_BYTES, &isnull);

	if (owner && strcmp(owner, name_of(path)) != 0)
		violation_add(check->violations, path, "references", "names an attachment of another field");
	else if (strcmp(status, "infected") == 0 || strcmp(status, "failed") == 0)
		violation_add(check->violations, path, "status", "names an attachment that is %s", status);
	else
		attached_check_media(field, plan_text(0, COLUMN_CONTENT_TYPE), isnull ? -1 : DatumGetInt64(size), path, path, check->violations);
}

static void
check_id(const PayloadCheck *check, const ModuleField *field, const pg_uuid_t *id, const char *path)
{
	Datum		values[2] = {Int32GetDatum(check->context->tenant_id), UUIDPGetDatum(id)};
	MemoryContext caller = CurrentMemoryContext;
	uint64		found;

	SPI_connect();
	found = plan_execute(&select_attachment, values, NULL, false, 1);
	/* violations outlive SPI's memory */
	MemoryContextSwitchTo(caller);
	if (found == 0 || !is_reachable(check))
		violation_add(check->violations, path, "not_found", "names no attachment of the record, and none that the caller has announced");
	else
		check_row(check, field, path);
	SPI_finish();
}

static bool
held_before(const ModuleField *field, List *before, const pg_uuid_t *id)
{
	ListCell   *cell;

	foreach(cell, before)
	{
		JsonbValue	old;

		if (json_member(lfirst(cell), field->key, field->key_length, &old) && has_id(&old, id))
			return true;
	}
	return false;
}

void
attached_check(const PayloadCheck *check, const ModuleField *field, const JsonbValue *value, List *before, const char *path)
{
	int			count = id_count(value);
	bool		list = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);

	for (int i = 0; i < Min(count, QEHS_MAX_FILES); i++)
	{
		pg_uuid_t	id;

		if (!get_id(value, i, &id) || held_before(field, before, &id))
			continue;			/* the schema has refused what is no id */
		check_id(check, field, &id, list ? psprintf("%s/%d", path, i) : value->type == jbvBinary ? psprintf("%s/image", path) : path);
	}
}
