/*
 * load.c
 *	  Building a ModuleDef from a stored version.
 *
 * A stored definition has passed definition_check, so its shape is known; what
 * is absent gets its default here and nowhere else.
 */
#include "base/compat.h"

#include "base/json.h"
#include "caller/auth.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "module/index.h"
#include "module/expression.h"
#include "module/load.h"
#include "module/locale.h"
#include "module/unique_rules.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* Copy of a jsonb in the current context. */
static Jsonb *
copy_jsonb(const Jsonb *source)
{
	Jsonb	   *copy = palloc(VARSIZE(source));

	memcpy(copy, source, VARSIZE(source));
	return copy;
}

static void load_set(ModuleFields *set, const JsonbContainer *fields, const JsonbContainer *slots);

/* What the checks after the schema look at; a field stands for what is nested in it. */
static void
mark_field(ModuleField *field)
{
	field->fills = field->default_value || field->computed || field->type == FIELD_DATETIME || field->type == FIELD_MATRIX_SCORE || module_id_prefix(field->type);
	field->checked = field->required_when || field->visible_when || field->kind == VALUE_NUMBER ||
		(field->required && field->kind == VALUE_TEXT) || field->type == FIELD_DATE_RANGE ||
		field->type == FIELD_USER || module_names_records(field->type) || field->type == FIELD_LOCATION || field->type == FIELD_CURRENCY ||
		module_takes_attachments(field->type);
	field->attaches = module_takes_attachments(field->type);
	field->reads_state = expression_reads_variable(field->required_when, "state") ||
		expression_reads_variable(field->visible_when, "state") || expression_reads_variable(field->computed, "state");
	field->refers = module_names_records(field->type);
	for (int i = 0; i < field->nested.count; i++)
	{
		field->fills |= field->nested.items[i].fills;
		field->checked |= field->nested.items[i].checked;
		field->attaches |= field->nested.items[i].attaches;
		field->reads_state |= field->nested.items[i].reads_state;
		field->refers |= field->nested.items[i].refers;
	}
}

/* The values of a choice, in their order. */
static void
load_options(ModuleField *field, const JsonbContainer *source)
{
	JsonbValue	options;

	field->ordered = module_slot_kind(field->kind) != SLOT_NONE && json_member_bool(source, "ordered", true);
	if (!json_member(source, "options", 7, &options) || options.type != jbvBinary)
		return;
	field->options = palloc(sizeof(char *) * Max(JsonContainerSize(options.val.binary.data), 1));
	for (uint32 i = 0; i < JsonContainerSize(options.val.binary.data); i++)
	{
		JsonbValue *option = getIthJsonbValueFromContainer(options.val.binary.data, i);

		field->options[field->option_count++] = option->type == jbvBinary ?
			json_member_text(option->val.binary.data, "value") : json_text_copy(option);
	}
}

/* Which files a field takes: an image is an image. */
static void
load_media(ModuleField *field, const JsonbContainer *source)
{
	static const char *const images[] = {"image/*"};
	JsonbValue	value;

	field->media_types = load_names(source, "mediaTypes", &field->media_type_count);
	if (field->media_type_count == 0 && field->type != FIELD_FILE)
	{
		field->media_types = (const char **) images;
		field->media_type_count = lengthof(images);
	}
	if (json_member(source, "maxSizeBytes", 12, &value) && value.type == jbvNumeric)
		field->max_size = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric)));
}

/* One of fields; slots is NULL for a nested field, which has none. */
static void
load_field(ModuleField *field, const JsonbContainer *source, const JsonbContainer *fields, const JsonbContainer *slots)
{
	JsonbValue	value;
	int32		slot;

	field->definition = source;
	field->key = json_member_text(source, "key");
	field->key_length = strlen(field->key);
	field->label = label_default(source);
	if (field->label == NULL)
		field->label = field->key;
	field->type = definition_field_type(source);
	field->value_type = definition_value_type(fields, source);
	field->kind = module_field_types[field->value_type].kind;
	load_options(field, source);
	field->slot = slots && json_member_int(slots, field->key, &slot) ? slot : -1;
	field->readers.count = field->writers.count = -1;
	field->required = json_member_bool(source, "required", false);
	field->unique = definition_is_unique(source);
	field->references = load_names(source, "references", &field->reference_count);
	field->acyclic = json_member_bool(source, "acyclic", false);
	field->restricts = json_member(source, "onDelete", 8, &value);
	field->personal = json_member_bool(source, "personalData", false);
	field->required_when = load_expression(source, "requiredWhen");
	field->visible_when = load_expression(source, "visibleWhen");
	if (field->type == FIELD_COMPUTED)
		field->computed = load_expression(source, json_member_text(source, "computed") ? "computed" : "expression");
	if (module_takes_attachments(field->type))
		load_media(field, source);
	if (field->type == FIELD_MATRIX_SCORE)
		field->bands = definition_bands(source, &field->matrix_size, &field->band_count);
	if (json_member(source, "default", 7, &value))
		field->default_value = json_value_to_jsonb(&value);
	field->has_comparators = json_member(source, "comparators", 11, &value);
	field->time_zone = json_member_text(source, "timeZone");
	field->default_variable = definition_default_variable(source);
	field->read_only = json_member_bool(source, "readOnly", false);
	field->write_once = json_member_bool(source, "writeOnce", false);
	if ((field->type == FIELD_TABLE || field->type == FIELD_OBJECT) && json_member(source, "fields", 6, &value))
		load_set(&field->nested, value.val.binary.data, NULL);
	mark_field(field);
}

static int
compare_fields(const void *left, const void *right)
{
	const ModuleField *a = left;
	const ModuleField *b = right;

	if (a->key_length != b->key_length)
		return a->key_length < b->key_length ? -1 : 1;
	return memcmp(a->key, b->key, a->key_length);
}

static int
compare_stages(const void *left, const void *right)
{
	const ModuleField *a = *(ModuleField *const *) left;
	const ModuleField *b = *(ModuleField *const *) right;

	return a->stage != b->stage ? a->stage - b->stage : compare_fields(a, b);
}

/* Bring the computed fields, as the definition orders them, to the order in which they follow from each other. */
static void
order_computed(ModuleFields *set)
{
	ComputedExpression *items = palloc(sizeof(ComputedExpression) * Max(set->computed_count, 1));

	for (int i = 0; i < set->computed_count; i++)
		items[i] = (ComputedExpression) {set->computed[i]->key, expression_reads(set->computed[i]->computed), 0};
	expression_order(items, set->computed_count);
	for (int i = 0; i < set->computed_count; i++)
	{
		set->computed[i]->stage = items[i].stage;
		set->computed[i]->reads = items[i].reads;
	}
	qsort(set->computed, set->computed_count, sizeof(ModuleField *), compare_stages);
}

static void
load_set(ModuleFields *set, const JsonbContainer *fields, const JsonbContainer *slots)
{
	check_stack_depth();
	set->count = JsonContainerSize(fields);
	set->items = palloc0(sizeof(ModuleField) * Max(set->count, 1));
	for (int i = 0; i < set->count; i++)
		load_field(&set->items[i], getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), i)->val.binary.data,
				   fields, slots);
	qsort(set->items, set->count, sizeof(ModuleField), compare_fields);
	set->computed = palloc(sizeof(ModuleField *) * Max(set->count, 1));
	for (int i = 0; i < set->count; i++)
	{
		char	   *key = json_member_text(getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), i)->val.binary.data,
										   "key");
		ModuleField *field = unconstify(ModuleField *, module_fields_find(set, key, strlen(key)));

		if (field->computed)
			set->computed[set->computed_count++] = field;
	}
	order_computed(set);
}

/* Say of the fields of a set whether q searches them, of tables and objects with their own. */
static void
mark_searched(ModuleFields *set, bool named)
{
	check_stack_depth();
	for (int i = 0; i < set->count; i++)
	{
		ModuleField *field = &set->items[i];

		field->searchable = index_searches(field->definition, named);
		if (field->searchable)
			mark_searched(&field->nested, false);
	}
}

static void
load_fields(ModuleDef *module, const JsonbContainer *slots)
{
	JsonbValue	fields;
	bool		named;

	json_member(&module->definition->root, "fields", 6, &fields);
	named = index_names_searched(fields.val.binary.data);
	load_set(&module->all, fields.val.binary.data, slots);
	mark_searched(&module->all, named);
	module->field_count = module->all.count;
	module->fields = module->all.items;
	for (int i = 0; i < QEHS_SLOTS; i++)
		module->slot_field[i] = -1;
	for (int i = 0; i < module->field_count; i++)
	{
		ModuleField *field = &module->fields[i];

		if (field->slot >= 0)
			module->slot_field[field->slot] = i;
		module->has_references |= field->type == FIELD_USER || module_names_records(field->type);
		module->refers |= field->refers;
		module->restricts |= field->restricts;
		module->has_searchable |= field->searchable;
		module->has_kept |= field->read_only || field->write_once;
		module->has_attachments |= field->attaches;
		module->reads_state |= field->reads_state;
	}
}

static void
load_uniques(ModuleDef *module)
{
	List	   *rules = unique_rules_read(module->definition);
	ListCell   *cell;
	ListCell   *key;

	module->uniques = palloc0(sizeof(ModuleUnique) * Max(list_length(rules), 1));
	foreach(cell, rules)
	{
		const UniqueRule *rule = lfirst(cell);
		ModuleUnique *unique = &module->uniques[module->unique_count++];

		unique->name = rule->name;
		unique->name_length = strlen(rule->name);
		unique->fields = palloc(sizeof(ModuleField *) * list_length(rule->keys));
		foreach(key, rule->keys)
		{
			const char *name = lfirst(key);

			unique->fields[unique->field_count++] = module_field(module, name, strlen(name));
		}
	}
}

static bool
names_record_role(const ModuleRoles *roles)
{
	for (int i = 0; i < roles->count; i++)
		if (roles->names[i][0] == '@')
			return true;
	return false;
}

static void
load_field_rules(ModuleDef *module)
{
	JsonbValue	rules;
	JsonbValue	value;

	if (!json_member(&module->definition->root, "permissions", 11, &rules) ||
		!json_member(rules.val.binary.data, "fields", 6, &rules))
		return;
	for (int i = 0; i < module->field_count; i++)
	{
		ModuleField *field = &module->fields[i];
		const JsonbContainer *rule;

		if (!json_member(rules.val.binary.data, field->key, field->key_length, &value))
			continue;
		rule = value.val.binary.data;
		if (json_member(rule, "read", 4, &value))
			field->readers.names = load_names(rule, "read", &field->readers.count);
		field->writers = field->readers;
		if (json_member(rule, "write", 5, &value))
			field->writers.names = load_names(rule, "write", &field->writers.count);
		module->has_field_rules = true;
		module->has_record_roles |= names_record_role(&field->readers) || names_record_role(&field->writers);
	}
}

/* The actions of a role: words, and {"actions":[word],"scope":"own"} for own records alone, or "location" for those in a location of his. */
static void
load_actions(const JsonbContainer *source, ModuleRole *role)
{
	for (uint32 i = 0; i < JsonContainerSize(source); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, source), i);
		JsonbValue	actions;
		const char *scope;
		uint32	   *scoped;

		if (item->type == jbvString)
			role->actions |= module_action_parse(json_text_copy(item));
		if (item->type != jbvBinary || !json_member(item->val.binary.data, "actions", 7, &actions) ||
			!(scope = json_member_text(item->val.binary.data, "scope")))
			continue;
		scoped = strcmp(scope, "location") == 0 ? &role->location_actions : &role->own_actions;
		for (uint32 j = 0; j < JsonContainerSize(actions.val.binary.data); j++)
			*scoped |= module_action_parse(json_text_copy(getIthJsonbValueFromContainer(actions.val.binary.data, j)));
	}
}

static void
load_roles(ModuleDef *module)
{
	JsonbValue	value;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	const char *name = "";		/* a key comes before each value */
	char	   *location;

	if (!json_member(&module->definition->root, "permissions", 11, &value))
		return;
	location = json_member_text(value.val.binary.data, "location");
	module->location = location ? module_field(module, location, strlen(location)) : NULL;
	if (!json_member(value.val.binary.data, "roles", 5, &value))
		return;
	module->roles = palloc0(sizeof(ModuleRole) * Max(JsonContainerSize(value.val.binary.data), 1));
	iterator = JsonbIteratorInit(value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = json_text_copy(&value);
		else if (token == WJB_VALUE)
		{
			ModuleRole *role = &module->roles[module->role_count++];

			role->name = name;
			load_actions(value.val.binary.data, role);
			module->has_record_roles |= name[0] == '@' || role->own_actions != 0 || role->location_actions != 0;
		}
	}
}

ModuleDef *
module_load(int32 tenant_id, int32 module_id, int32 version, const char *prefix,
			Jsonb *definition, Jsonb *json_schema, Jsonb *slots, MemoryContext memory)
{
	MemoryContext previous = MemoryContextSwitchTo(memory);
	ModuleDef  *module = palloc0(sizeof(ModuleDef));
	SchemaOptions options = {.assert_formats = true};
	SchemaErrors faults;

	module->context = memory;
	module->tenant_id = tenant_id;
	module->module_id = module_id;
	module->version = version;
	module->prefix = pstrdup(prefix);
	module->definition = copy_jsonb(definition);
	module->key = json_member_text(&module->definition->root, "key");
	module->name = json_member_text(&module->definition->root, "name");
	module->require_if_match = json_member_bool(&module->definition->root, "requireIfMatch", false);
	load_fields(module, &slots->root);
	load_uniques(module);
	load_workflow(module);
	load_roles(module);
	load_field_rules(module);
	load_locks(module);
	load_retention(module);
	schema_errors_init(&faults);
	module->schema = schema_compile(json_schema, &options, memory, &faults);
	MemoryContextSwitchTo(previous);
	if (module->schema == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored JSON Schema of module \"%s\" version %d does not compile", module->key, version),
				 faults.count > 0 ? errdetail("At \"%s\": %s.", faults.items[0].instance_location, faults.items[0].message) : 0));
	return module;
}

void
module_mark_unfilled(ModuleDef *module, Datum keys, bool search)
{
	int			count;
	const char **names = auth_names(keys, &count);

	module->search_unfilled = search;
	for (int i = 0; i < count; i++)
	{
		/* in an older version the field may be missing */
		ModuleField *field = unconstify(ModuleField *, module_field(module, names[i], strlen(names[i])));

		if (field)
			field->slot = -1;
	}
}
