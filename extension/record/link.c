/*
 * link.c
 *	  The records that a payload refers to, and the locks over those that refer to one.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/locks.h"
#include "miscadmin.h"
#include "record/link.h"
#include "storage/lock.h"

void
link_add(LinkSet *set, const pg_uuid_t *id)
{
	if (set->count == set->room)
	{
		set->room = Max(8, set->room * 2);
		set->items = set->items ? repalloc(set->items, sizeof(pg_uuid_t) * set->room) : palloc(sizeof(pg_uuid_t) * set->room);
	}
	set->items[set->count++] = *id;
}

static void add_object(LinkSet *set, const ModuleFields *fields, const JsonbContainer *object);

void
link_add_value(LinkSet *set, const ModuleField *field, const JsonbValue *value)
{
	pg_uuid_t	id;

	if (module_names_records(field->type) && value->type == jbvString)
	{
		if (id_parse(value->val.string.val, value->val.string.len, QEHS_ID_RECORD, &id))
			link_add(set, &id);
	}
	else if (module_names_records(field->type))
	{
		for (uint32 i = 0; value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) && i < JsonContainerSize(value->val.binary.data); i++)
			link_add_value(set, field, getIthJsonbValueFromContainer(value->val.binary.data, i));
	}
	else if (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data))
		add_object(set, &field->nested, value->val.binary.data);
	else if (value->type == jbvBinary)
		for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
		{
			JsonbValue *row = getIthJsonbValueFromContainer(value->val.binary.data, i);

			CHECK_FOR_INTERRUPTS();
			if (row->type == jbvBinary && JsonContainerIsObject(row->val.binary.data))
				add_object(set, &field->nested, row->val.binary.data);
		}
}

static void
add_object(LinkSet *set, const ModuleFields *fields, const JsonbContainer *object)
{
	JsonbValue	value;

	check_stack_depth();
	for (int i = 0; i < fields->count; i++)
		if (fields->items[i].refers && json_member(object, fields->items[i].key, fields->items[i].key_length, &value))
			link_add_value(set, &fields->items[i], &value);
}

void
link_add_payload(LinkSet *set, const ModuleDef *module, const Jsonb *payload)
{
	if (module->refers)
		add_object(set, &module->all, &payload->root);
}

static int
compare_ids(const void *left, const void *right)
{
	return memcmp(left, right, UUID_LEN);
}

void
link_sort(LinkSet *set)
{
	int			kept = 0;

	if (set->count == 0)
		return;
	qsort(set->items, set->count, sizeof(pg_uuid_t), compare_ids);
	for (int i = 0; i < set->count; i++)
		if (kept == 0 || compare_ids(&set->items[kept - 1], &set->items[i]) != 0)
			set->items[kept++] = set->items[i];
	set->count = kept;
}

bool
link_has(const LinkSet *set, const pg_uuid_t *id)
{
	return set->count > 0 && bsearch(id, set->items, set->count, sizeof(pg_uuid_t), compare_ids) != NULL;
}

int
link_fields(const ModuleDef *module, const Jsonb *payload, const pg_uuid_t *target, const ModuleField **fields)
{
	int			count = 0;

	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		LinkSet		named = {0};
		JsonbValue	value;

		if (!field->refers || !json_member(&payload->root, field->key, field->key_length, &value))
			continue;
		link_add_value(&named, field, &value);
		link_sort(&named);
		if (link_has(&named, target))
			fields[count++] = field;
	}
	return count;
}

/* The last bits of an id are random, whichever its version. */
static int
place_of(const pg_uuid_t *id)
{
	return id->data[UUID_LEN - 1] % QEHS_LINK_PLACES;
}

static void
hold_place(int32 tenant_id, int32 module_id, int place, LOCKMODE mode)
{
	LOCKTAG		tag;

	/* modules of a tenant are numbered from 1 */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant_id, (uint32) module_id * QEHS_LINK_PLACES + place, LOCK_CHILDREN);
	LockAcquire(&tag, mode, false, false);
}

void
link_hold_targets(int32 tenant_id, int32 module_id, const LinkSet *targets)
{
	bool		wanted[QEHS_LINK_PLACES] = {false};

	for (int i = 0; i < targets->count; i++)
		wanted[place_of(&targets->items[i])] = true;
	for (int i = 0; i < QEHS_LINK_PLACES; i++)
		if (wanted[i])
			hold_place(tenant_id, module_id, i, ShareLock);
}

void
link_hold_children(int32 tenant_id, int32 module_id, const pg_uuid_t *target)
{
	hold_place(tenant_id, module_id, place_of(target), ExclusiveLock);
}
