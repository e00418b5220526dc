/*
 * index.c
 *	  What is indexed of a module's next version, and what of it has to be filled
 *	  from the records that are there.
 *
 * A field that is indexed anew, has another slot than before, compares by another type
 * or has another value in older records by the rules of migration is unfilled until a
 * job has passed all records (operation/module_refill.c): writers fill its slot from
 * the first, lists do not look at it yet.
 */
#include "base/compat.h"

#include "base/json.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "module/index.h"
#include "module/migrate.h"
#include "module/module.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

const JsonbContainer *
index_field(const JsonbContainer *fields, uint32 number)
{
	return getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), number)->val.binary.data;
}

const JsonbContainer *
index_fields(Jsonb *definition)
{
	JsonbValue	fields;

	json_member(&definition->root, "fields", 6, &fields);
	return fields.val.binary.data;
}

const JsonbContainer *
index_find_field(const JsonbContainer *fields, const char *key)
{
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
		if (strcmp(json_member_text(index_field(fields, i), "key"), key) == 0)
			return index_field(fields, i);
	return NULL;
}

bool
index_names_searched(const JsonbContainer *fields)
{
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
		if (json_member_bool(index_field(fields, i), "searchable", false))
			return true;
	return false;
}

/* Whether q searches one of the fields of a table or object that it searches. */
static bool
searches_below(const JsonbContainer *field)
{
	JsonbValue	fields;

	check_stack_depth();
	if (!json_member(field, "fields", 6, &fields))
		return false;
	for (uint32 i = 0; i < JsonContainerSize(fields.val.binary.data); i++)
		if (index_searches(index_field(fields.val.binary.data, i), false))
			return true;
	return false;
}

bool
index_searches(const JsonbContainer *field, bool named)
{
	if (named)
		return json_member_bool(field, "searchable", false);
	if (!json_member_bool(field, "searchable", true))
		return false;
	switch (definition_field_type(field))
	{
		case FIELD_TEXT:
		case FIELD_RICH_TEXT:
		case FIELD_EMAIL:
		case FIELD_PHONE:
		case FIELD_URL:
		case FIELD_IDENTIFIER:
		case FIELD_LOOKUP:
		case FIELD_LOCATION:
		case FIELD_SELECT:
		case FIELD_MULTI_SELECT:
		case FIELD_TAGS:
			return true;
		case FIELD_TABLE:
		case FIELD_OBJECT:
			return searches_below(field);
		default:
			return false;
	}
}

/* First slot number of a kind and how many there are. */
static int
slot_range(SlotKind kind, int *count)
{
	switch (kind)
	{
		case SLOT_TEXT:
			*count = QEHS_TEXT_SLOTS;
			return 0;
		case SLOT_NUMBER:
			*count = QEHS_NUMBER_SLOTS;
			return QEHS_TEXT_SLOTS;
		default:
			*count = QEHS_TIME_SLOTS;
			return QEHS_TEXT_SLOTS + QEHS_NUMBER_SLOTS;
	}
}

/* The slot that a field had in the published version, or -1. */
static int
kept_slot(const ModuleIndex *before, const char *key, int first, int count)
{
	int32		slot;

	if (before == NULL || !json_member_int(&before->slots->root, key, &slot))
		return -1;
	return slot >= first && slot < first + count ? slot : -1;
}

static int
free_slot(const bool *taken, int first, int count)
{
	for (int slot = first; slot < first + count; slot++)
		if (!taken[slot])
			return slot;
	return -1;
}

/* Give each indexed field a slot: the one it had, else a free one of its kind. */
static Jsonb *
assign_slots(Jsonb *definition, const ModuleIndex *before, ViolationList *faults)
{
	const JsonbContainer *fields = index_fields(definition);
	bool		taken[QEHS_SLOTS] = {false};
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	/* those that keep theirs come first, so that nobody else gets it */
	for (int pass = 0; pass < 2; pass++)
	{
		for (uint32 i = 0; i < JsonContainerSize(fields); i++)
		{
			char	   *key = json_member_text(index_field(fields, i), "key");
			int			count;
			SlotKind	kind;
			int			first;
			int			slot;

			if (!json_member_bool(index_field(fields, i), "indexed", false))
				continue;
			kind = module_slot_kind(module_field_types[definition_value_type(fields, index_field(fields, i))].kind);
			if (kind == SLOT_NONE && pass == 0)
				violation_add(faults, psprintf("/fields/%u/indexed", i), "indexed", "cannot be set for what this field yields");
			if (kind == SLOT_NONE)
				continue;
			first = slot_range(kind, &count);
			slot = kept_slot(before, key, first, count);
			if ((slot >= 0) != (pass == 0))
				continue;
			if (slot < 0)
				slot = free_slot(taken, first, count);
			if (slot < 0)
			{
				violation_add(faults, psprintf("/fields/%u/indexed", i), "slots",
							  "is one too many: a module has %d indexed fields of this kind", count);
				continue;
			}
			taken[slot] = true;
			if (out.len > 1)
				appendStringInfoChar(&out, ',');
			json_name(&out, key);
			json_int(&out, slot);
		}
	}
	appendStringInfoChar(&out, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* Append the keys of the fields that q searches, those of tables and objects with what it searches of them. */
static void
append_searched(StringInfo keys, const JsonbContainer *fields, bool named)
{
	check_stack_depth();
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
	{
		const JsonbContainer *field = index_field(fields, i);
		JsonbValue	below;

		if (!index_searches(field, named))
			continue;
		appendStringInfo(keys, "%s\n", json_member_text(field, "key"));
		if (!json_member(field, "fields", 6, &below))
			continue;
		appendStringInfoString(keys, "(\n");
		append_searched(keys, below.val.binary.data, false);
		appendStringInfoString(keys, ")\n");
	}
}

/* What q searches, as a text to compare. */
static const char *
searched_fields(Jsonb *definition)
{
	const JsonbContainer *fields = index_fields(definition);
	StringInfoData keys;

	initStringInfo(&keys);
	append_searched(&keys, fields, index_names_searched(fields));
	return keys.data;
}

static bool
is_unfilled(const ModuleIndex *index, const char *key)
{
	for (int i = 0; i < index->unfilled_count; i++)
		if (strcmp(index->unfilled[i], key) == 0)
			return true;
	return false;
}

/* Whether the field takes its value from another, or begins without that of its namesake. */
static bool
is_other(Jsonb *definition, const char *key)
{
	return migrate_source(definition, key) || migrate_renamed(definition, key) || migrate_drops(definition, key);
}

/* Whether a field's slot holds what it is to hold already, also of older records. */
static bool
is_filled(const ModuleIndex *before, const ModuleIndex *after, const JsonbContainer *field, const char *key)
{
	const JsonbContainer *old_fields = index_fields(before->definition);
	const JsonbContainer *old = index_find_field(old_fields, key);
	int32		old_slot;
	int32		slot;

	return !is_other(after->definition, key) && old && !is_unfilled(before, key) &&
		definition_value_type(old_fields, old) == definition_value_type(index_fields(after->definition), field) &&
		json_member_int(&before->slots->root, key, &old_slot) && json_member_int(&after->slots->root, key, &slot) && old_slot == slot;
}

/* Whether q searches a field under a key that was another's. */
static bool
searches_others(Jsonb *definition)
{
	const JsonbContainer *fields = index_fields(definition);
	bool		named = index_names_searched(fields);

	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
		if (index_searches(index_field(fields, i), named) &&
			is_other(definition, json_member_text(index_field(fields, i), "key")))
			return true;
	return false;
}

bool
index_next(const ModuleIndex *before, Jsonb *definition, ModuleIndex *after, ViolationList *faults)
{
	const JsonbContainer *fields = index_fields(definition);
	bool		changes;

	memset(after, 0, sizeof(*after));
	after->definition = definition;
	after->slots = assign_slots(definition, before, faults);
	if (before == NULL)
		return false;
	after->unfilled = palloc(sizeof(char *) * Max(JsonContainerSize(fields), 1));
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
	{
		char	   *key = json_member_text(index_field(fields, i), "key");
		int32		slot;

		if (json_member_int(&after->slots->root, key, &slot) && !is_filled(before, after, index_field(fields, i), key))
			after->unfilled[after->unfilled_count++] = key;
	}
	changes = searches_others(definition) || strcmp(searched_fields(before->definition), searched_fields(definition)) != 0;
	after->search_unfilled = before->search_unfilled || changes;
	/* those that are unfilled still have a job, unless there are more or other ones */
	for (int i = 0; i < after->unfilled_count; i++)
		changes |= !is_unfilled(before, after->unfilled[i]);
	return changes || compareJsonbContainers(&before->slots->root, &after->slots->root) != 0;
}

Datum
index_unfilled(const ModuleIndex *index)
{
	Datum	   *keys = palloc(sizeof(Datum) * Max(index->unfilled_count, 1));

	for (int i = 0; i < index->unfilled_count; i++)
		keys[i] = CStringGetTextDatum(index->unfilled[i]);
	return PointerGetDatum(construct_array(keys, index->unfilled_count, TEXTOID, -1, false, TYPALIGN_INT));
}
