/*
 * diff.c
 *	  What changed between two definitions of one module.
 *
 * Options that tighten are compared in the compiled schemas, where what a
 * definition leaves out has its default.  A keyword that this file does not know
 * counts as narrowing when it is added or changed: rather one question too many
 * at publishing than records that cannot move.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "module/diff.h"
#include "module/load.h"
#include "module/migrate.h"
#include "module/unique_rules.h"
#include "utils/fmgrprotos.h"

/* One comparison under way. */
typedef struct Diff
{
	List	   *changes;
	const Jsonb *rules;			/* the new definition, when its rules tell of renamed fields, or NULL */
	const char *subject;		/* the top-level field that is being compared */
} Diff;

/* One field, or a list of fields, in its definition and in the compiled schema. */
typedef struct Side
{
	const JsonbContainer *definition;
	const JsonbContainer *schema;	/* or NULL */
	const char *path;
} Side;

/* How a growing value of a limit counts. */
typedef enum LimitKind
{
	LIMIT_LOW, LIMIT_HIGH, LIMIT_OTHER
} LimitKind;

static const struct
{
	const char *option;
	const char *keyword;
	LimitKind	kind;
}			limits[] = {
	{"min", "minimum", LIMIT_LOW},
	{"max", "maximum", LIMIT_HIGH},
	{"minLength", "minLength", LIMIT_LOW},
	{"maxLength", "maxLength", LIMIT_HIGH},
	{"step", "multipleOf", LIMIT_OTHER},
	{"pattern", "pattern", LIMIT_OTHER},
};

/* Members of a field that have a comparison of their own; the others never narrow. */
static const char *const compared_members[] = {"key", "type", "required", "requiredWhen", "visibleWhen", "options", "min",
"max", "step", "minLength", "maxLength", "pattern", "unique", "references", "schema", "fields", "unit", "units", NULL};

/* Keywords of a field's schema that are compared through its members, or say nothing about validity. */
static const char *const compared_keywords[] = {"title", "description", "deprecated", "readOnly", "writeOnly", "default",
	"examples", "$comment", "x-unit", "minItems", "type", "enum", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern", "if", "then",
NULL};
/* Those that say what the fields of a table or object, or the options of a multi-select, say too. */
static const char *const nested_keywords[] = {"items", "properties", "required", "additionalProperties", NULL};

static bool
listed(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void
add_change(Diff *diff, const char *path, bool in_old, const char *kind, bool compatible, const char *message)
{
	DefinitionChange *change = palloc0(sizeof(DefinitionChange));

	change->path = path;
	change->in_old = in_old;
	change->kind = kind;
	change->subject = diff->subject;
	change->compatible = compatible;
	change->message = message;
	diff->changes = lappend(diff->changes, change);
}

static bool
member_of(const JsonbContainer *object, const char *key, JsonbValue *value)
{
	return object && json_member(object, key, strlen(key), value);
}

static const JsonbContainer *
container_of(const JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	return member_of(object, key, &value) && value.type == jbvBinary ? value.val.binary.data : NULL;
}

static bool
same_member(const JsonbContainer *left, const JsonbContainer *right, const char *key)
{
	JsonbValue	a;
	JsonbValue	b;
	bool		has_left = member_of(left, key, &a);

	return has_left == member_of(right, key, &b) && (!has_left || json_values_equal(&a, &b));
}

static const JsonbContainer *
item(const JsonbContainer *array, uint32 index)
{
	return getIthJsonbValueFromContainer(unconstify(JsonbContainer *, array), index)->val.binary.data;
}

/* Place of the field with this key, or -1. */
static int
find_field(const JsonbContainer *fields, const char *key)
{
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
		if (strcmp(json_member_text(item(fields, i), "key"), key) == 0)
			return i;
	return -1;
}

/* Pointer to a member where the new definition has it, else to what should have it. */
static const char *
member_path(const Side *side, const char *key)
{
	JsonbValue	value;

	return member_of(side->definition, key, &value) ? psprintf("%s/%s", side->path, key) : side->path;
}

/* ---- one field ---- */

/* Where the limits stand: of a currency or quantity in the schema of its number. */
static const JsonbContainer *
limited_schema(const Side *side)
{
	FieldType	type = definition_field_type(side->definition);

	if (side->schema && (type == FIELD_CURRENCY || type == FIELD_QUANTITY))
		return container_of(container_of(side->schema, "properties"), module_compared_member(type));
	return side->schema;
}

static bool
limit_tightens(LimitKind kind, const JsonbValue *before, const JsonbValue *after)
{
	int			order;

	if (kind == LIMIT_OTHER || before->type != jbvNumeric || after->type != jbvNumeric)
		return true;
	order = DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(after->val.numeric),
											  NumericGetDatum(before->val.numeric)));
	return kind == LIMIT_LOW ? order > 0 : order < 0;
}

static void
compare_limits(Diff *diff, const Side *before, const Side *after)
{
	for (int i = 0; i < (int) lengthof(limits); i++)
	{
		JsonbValue	old_value;
		JsonbValue	new_value;
		bool		had;
		bool		has;
		bool		tightens;

		/* one that neither names is the type's own, or follows from another member */
		if (same_member(before->definition, after->definition, limits[i].option))
			continue;
		had = member_of(limited_schema(before), limits[i].keyword, &old_value);
		has = member_of(limited_schema(after), limits[i].keyword, &new_value);
		if (!had && !has)
			continue;
		if (had && has && json_values_equal(&old_value, &new_value))
			continue;
		tightens = has && (!had || limit_tightens(limits[i].kind, &old_value, &new_value));
		add_change(diff, member_path(after, limits[i].option), false, tightens ? "limit_tightened" : "limit_loosened", !tightens,
				   psprintf("\"%s\" %s", limits[i].option, tightens ? "is tighter" : "is looser"));
	}
}

static char *
option_value(const JsonbContainer *options, uint32 index)
{
	JsonbValue *option = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, options), index);

	return option->type == jbvString ? json_text_copy(option) : json_member_text(option->val.binary.data, "value");
}

static bool
has_option(const JsonbContainer *options, const char *wanted)
{
	for (uint32 i = 0; options && i < JsonContainerSize(options); i++)
	{
		char	   *value = option_value(options, i);

		if (value && strcmp(value, wanted) == 0)
			return true;
	}
	return false;
}

/* Options (list "options") or units (list "units") of one side that the other lacks. */
static void
compare_options(Diff *diff, const Side *side, const Side *other, const char *list, bool removed)
{
	const JsonbContainer *options = container_of(side->definition, list);
	const char *what = strcmp(list, "units") == 0 ? "unit" : "option";

	for (uint32 i = 0; options && i < JsonContainerSize(options); i++)
	{
		char	   *value = option_value(options, i);

		if (value && !has_option(container_of(other->definition, list), value))
			add_change(diff, psprintf("%s/%s/%u", side->path, list, i), removed,
					   psprintf("%s_%s", what, removed ? "removed" : "added"), !removed,
					   psprintf("%s \"%s\" is %s", what, value, removed ? "gone" : "new"));
	}
}

/*
 * The units of a quantity: a list against a list, else by what "unit" and "units" allow.  A number in another unit
 * would mean something else without having changed.
 */
static void
compare_units(Diff *diff, const Side *before, const Side *after)
{
	char	   *old_unit = json_member_text(before->definition, "unit");
	char	   *new_unit = json_member_text(after->definition, "unit");
	const JsonbContainer *old_units = container_of(before->definition, "units");
	const JsonbContainer *new_units = container_of(after->definition, "units");
	bool		is_quantity = definition_field_type(after->definition) == FIELD_QUANTITY;
	bool		wider = is_quantity ? (new_unit == NULL && new_units == NULL) || (old_unit && has_option(new_units, old_unit)) ||
		(old_units && new_unit && JsonContainerSize(old_units) == 1 && has_option(old_units, new_unit)) :
		old_unit == NULL || new_unit == NULL;

	if (old_units && new_units)
	{
		compare_options(diff, before, after, "units", true);
		compare_options(diff, after, before, "units", false);
	}
	else if (!same_member(before->definition, after->definition, "unit") || old_units != new_units)
		add_change(diff, member_path(after, new_units ? "units" : "unit"), false, "units_changed", wider,
				   wider ? "\"unit\" changed" : is_quantity ? "is counted in other units" :
				   "is counted in another unit: values would mean something else");
}

static void
compare_required(Diff *diff, const Side *before, const Side *after)
{
	bool		was = json_member_bool(before->definition, "required", false);
	bool		is = json_member_bool(after->definition, "required", false);
	JsonbValue	value;

	if (is && !was)
		add_change(diff, psprintf("%s/required", after->path), false, "required_added",
				   member_of(after->definition, "default", &value), "is required by now");
	else if (was && !is)
		add_change(diff, member_path(after, "required"), false, "required_removed", true, "is not required any more");
	if (!same_member(before->definition, after->definition, "requiredWhen"))
		add_change(diff, member_path(after, "requiredWhen"), false, "condition_changed",
				   !member_of(after->definition, "requiredWhen", &value), "is required under another condition");
	if (!same_member(before->definition, after->definition, "visibleWhen"))
		add_change(diff, member_path(after, "visibleWhen"), false, "condition_changed",
				   !member_of(before->definition, "visibleWhen", &value), "is visible under another condition");
}

/* Keywords of the compiled schema that nothing above looks at. */
static void
compare_keywords(Diff *diff, const Side *before, const Side *after)
{
	FieldType	type = definition_field_type(after->definition);
	bool		nested = type == FIELD_TABLE || type == FIELD_OBJECT || type == FIELD_MULTI_SELECT || type == FIELD_TAGS || type == FIELD_RECORD_REFERENCES ||
		type == FIELD_CURRENCY || type == FIELD_QUANTITY;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (after->schema == NULL)
		return;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, after->schema));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *keyword;

		if (token != WJB_KEY)
			continue;
		keyword = json_text_copy(&key);
		if (listed(compared_keywords, keyword) || (nested && listed(nested_keywords, keyword)) || same_member(before->schema, after->schema, keyword))
			continue;
		add_change(diff, after->path, false, "constraint_changed", false, psprintf("\"%s\" of its schema changed", keyword));
	}
}

/* Members that never narrow: labels, descriptions, indexed, default, … */
static void
compare_others(Diff *diff, const Side *before, const Side *after, const char *const *compared)
{
	for (int pass = 0; pass < 2; pass++)
	{
		const Side *side = pass == 0 ? after : before;
		JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, side->definition));
		JsonbIteratorToken token;
		JsonbValue	key;
		JsonbValue	value;

		while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
		{
			char	   *name;

			if (token != WJB_KEY)
				continue;
			name = json_text_copy(&key);
			if (listed(compared, name) || same_member(before->definition, after->definition, name))
				continue;
			/* what both have was reported by the first pass */
			if (pass == 1 && member_of(after->definition, name, &value))
				continue;
			add_change(diff, psprintf("%s/%s", side->path, name), pass == 1, "changed", true,
					   psprintf("\"%s\" %s", name, pass == 1 ? "is gone" : "changed"));
		}
	}
}

/* Whether a reference may name the records of all modules that it could before. */
static bool
refers_wider(const JsonbContainer *before, const JsonbContainer *after)
{
	int			old_count;
	int			count;
	const char **old_keys = load_names(before, "references", &old_count);
	const char **keys = load_names(after, "references", &count);

	for (int i = 0; i < old_count && count > 0; i++)
	{
		int			j = 0;

		while (j < count && strcmp(keys[j], old_keys[i]) != 0)
			j++;
		if (j == count)
			return false;
	}
	return count == 0 || old_count > 0;
}

static void compare_fields(Diff *diff, const Side *before, const Side *after, bool top);

/* The fields of a table or object. */
static void
compare_nested(Diff *diff, const Side *before, const Side *after)
{
	const JsonbContainer *old_schema = before->schema;
	const JsonbContainer *new_schema = after->schema;
	Side		old_fields = {container_of(before->definition, "fields"), NULL, psprintf("%s/fields", before->path)};
	Side		new_fields = {container_of(after->definition, "fields"), NULL, psprintf("%s/fields", after->path)};

	if (old_fields.definition == NULL || new_fields.definition == NULL)
	{
		if (old_fields.definition != new_fields.definition)
			add_change(diff, member_path(after, "fields"), false, "fields_changed", new_fields.definition == NULL,
					   new_fields.definition ? "takes no other members any more" : "takes any members");
		return;
	}
	if (container_of(old_schema, "items"))
		old_schema = container_of(old_schema, "items");
	if (container_of(new_schema, "items"))
		new_schema = container_of(new_schema, "items");
	old_fields.schema = container_of(old_schema, "properties");
	new_fields.schema = container_of(new_schema, "properties");
	compare_fields(diff, &old_fields, &new_fields, false);
}

static void
compare_field(Diff *diff, const Side *before, const Side *after)
{
	FieldType	old_type = definition_field_type(before->definition);
	FieldType	new_type = definition_field_type(after->definition);
	bool		wider = old_type == FIELD_INTEGER && new_type == FIELD_NUMBER;
	JsonbValue	value;

	if (old_type != new_type)
		add_change(diff, psprintf("%s/type", after->path), false, "type_changed", wider,
				   psprintf("is %s, was %s", module_field_types[new_type].name, module_field_types[old_type].name));
	compare_required(diff, before, after);
	if (old_type != new_type && !wider)
		return;
	compare_options(diff, before, after, "options", true);
	compare_options(diff, after, before, "options", false);
	compare_units(diff, before, after);
	compare_limits(diff, before, after);
	if (definition_is_unique(after->definition) != definition_is_unique(before->definition))
		add_change(diff, member_path(after, "unique"), false, definition_is_unique(after->definition) ? "unique_added" : "unique_removed",
				   !definition_is_unique(after->definition), definition_is_unique(after->definition) ? "is unique by now: records may share a value" :
				   "is not unique any more");
	if (!same_member(before->definition, after->definition, "references"))
		add_change(diff, member_path(after, "references"), false, "references_changed",
				   refers_wider(before->definition, after->definition), "names records of other modules");
	if (!same_member(before->definition, after->definition, "schema"))
		add_change(diff, member_path(after, "schema"), false, "schema_changed",
				   !member_of(after->definition, "schema", &value), "has another schema of its own");
	compare_nested(diff, before, after);
	if (!wider)
		compare_keywords(diff, before, after);
	compare_others(diff, before, after, compared_members);
}

/* ---- lists of fields ---- */

/* A field as a side of its own. */
static Side
side_of(const Side *fields, int index)
{
	Side		side = {item(fields->definition, index), NULL, psprintf("%s/%d", fields->path, index)};

	side.schema = container_of(fields->schema, json_member_text(side.definition, "key"));
	return side;
}

/* A field that the old definition lacks. */
static void
add_field(Diff *diff, const Side *field, const char *key)
{
	JsonbValue	value;

	add_change(diff, field->path, false, "field_added", true, psprintf("field \"%s\" is new", key));
	if (json_member_bool(field->definition, "required", false))
		add_change(diff, psprintf("%s/required", field->path), false, "required_added",
				   member_of(field->definition, "default", &value), "is required: records lack the field");
	if (member_of(field->definition, "requiredWhen", &value))
		add_change(diff, psprintf("%s/requiredWhen", field->path), false, "condition_changed",
				   member_of(field->definition, "default", &value), "may be required: records lack the field");
}

static void
compare_fields(Diff *diff, const Side *before, const Side *after, bool top)
{
	check_stack_depth();
	for (uint32 i = 0; i < JsonContainerSize(before->definition); i++)
	{
		char	   *key = json_member_text(item(before->definition, i), "key");
		char	   *new_key = top && diff->rules ? migrate_renamed(diff->rules, key) : NULL;
		bool		kept = new_key == NULL && find_field(after->definition, key) >= 0;

		if (top)
			diff->subject = key;
		if (new_key && strcmp(new_key, key) != 0)
			add_change(diff, psprintf("%s/%u", before->path, i), true, "field_renamed", true,
					   psprintf("field \"%s\" is \"%s\" by now", key, new_key));
		else if (new_key == NULL && !kept)
			add_change(diff, psprintf("%s/%u", before->path, i), true, "field_removed", false,
					   psprintf("field \"%s\" is gone", key));
	}
	for (uint32 i = 0; i < JsonContainerSize(after->definition); i++)
	{
		char	   *key = json_member_text(item(after->definition, i), "key");
		char	   *old_key = top && diff->rules ? migrate_source(diff->rules, key) : NULL;
		/* one whose old namesake was renamed is new */
		bool		moved_away = top && diff->rules && old_key == NULL && migrate_renamed(diff->rules, key);
		int			index = moved_away ? -1 : find_field(before->definition, old_key ? old_key : key);
		Side		field = side_of(after, i);

		CHECK_FOR_INTERRUPTS();
		if (top)
			diff->subject = key;
		if (index < 0)
			add_field(diff, &field, key);
		else
		{
			Side		old_field = side_of(before, index);

			compare_field(diff, &old_field, &field);
		}
	}
	if (top)
		diff->subject = NULL;
}

/* ---- the rest of a definition ---- */

/* States of one side that the other lacks. */
static void
compare_states(Diff *diff, const JsonbContainer *states, const JsonbContainer *others, bool removed)
{
	for (uint32 i = 0; i < JsonContainerSize(states); i++)
	{
		JsonbValue *state = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, states), i);

		if (findJsonbValueFromContainer(unconstify(JsonbContainer *, others), JB_FARRAY, state))
			continue;
		diff->subject = json_text_copy(state);
		add_change(diff, psprintf("/workflow/states/%u", i), removed, removed ? "state_removed" : "state_added", !removed,
				   psprintf("state \"%s\" is %s", diff->subject, removed ? "gone" : "new"));
		diff->subject = NULL;
	}
}

static void
compare_workflows(Diff *diff, const JsonbContainer *before, const JsonbContainer *after)
{
	static const char *const states[] = {"states", "transitions", NULL};
	static const char *const none[] = {NULL};
	Side		old_workflow = {before, NULL, "/workflow"};
	Side		new_workflow = {after, NULL, "/workflow"};
	Side		old_transitions = {container_of(before, "transitions"), NULL, "/workflow/transitions"};
	Side		new_transitions = {container_of(after, "transitions"), NULL, "/workflow/transitions"};

	compare_states(diff, container_of(before, "states"), container_of(after, "states"), true);
	compare_states(diff, container_of(after, "states"), container_of(before, "states"), false);
	compare_others(diff, &old_workflow, &new_workflow, states);
	if (old_transitions.definition && new_transitions.definition)
		compare_others(diff, &old_transitions, &new_transitions, none);
	else if (old_transitions.definition != new_transitions.definition)
		add_change(diff, "/workflow/transitions", new_transitions.definition == NULL, "changed", true, "\"transitions\" changed");
}

/* The field of a set that stands for it: one that the rules of migration speak of, else the first. */
static const char *
subject_of(const Diff *diff, const UniqueRule *rule)
{
	ListCell   *cell;

	foreach(cell, rule->keys)
		if (diff->rules && migrate_names(diff->rules, lfirst(cell)))
			return lfirst(cell);
	return linitial(rule->keys);
}

/* Fields that one side has unique together and the other has not; removed: one side is the old one. */
static void
compare_sets(Diff *diff, Jsonb *other, Jsonb *side, bool removed)
{
	List	   *others = unique_rules_read(other);
	ListCell   *cell;

	foreach(cell, unique_rules_read(side))
	{
		const UniqueRule *rule = lfirst(cell);

		if (rule->set < 0 || unique_rules_find(others, rule->name))
			continue;
		diff->subject = subject_of(diff, rule);
		add_change(diff, psprintf("/unique/%d", rule->set), removed, removed ? "unique_removed" : "unique_added", removed,
				   psprintf("%s are %s", rule->name, removed ? "not unique together any more" :
							"unique together by now: records may share values"));
		diff->subject = NULL;
	}
}

List *
definition_diff(Jsonb *before, Jsonb *after, bool adjacent)
{
	static const char *const compared[] = {"fields", "workflow", "unique", NULL};
	Diff		diff = {NIL, adjacent ? after : NULL, NULL};
	Side		old_root = {&before->root, NULL, ""};
	Side		new_root = {&after->root, NULL, ""};
	Side		old_fields = {container_of(&before->root, "fields"), container_of(&definition_json_schema(before)->root, "properties"), "/fields"};
	Side		new_fields = {container_of(&after->root, "fields"), container_of(&definition_json_schema(after)->root, "properties"), "/fields"};

	/* definitions without faults have fields */
	if (old_fields.definition && new_fields.definition)
		compare_fields(&diff, &old_fields, &new_fields, true);
	compare_workflows(&diff, container_of(&before->root, "workflow"), container_of(&after->root, "workflow"));
	compare_sets(&diff, before, after, false);
	compare_sets(&diff, after, before, true);
	compare_others(&diff, &old_root, &new_root, compared);
	return diff.changes;
}

bool
definition_says_how(const Jsonb *after, const DefinitionChange *change)
{
	JsonbValue	value;

	if (change->subject == NULL)
		return false;
	if (strcmp(change->kind, "state_removed") == 0)
		return migrate_state(after, change->subject) != NULL;
	if (strcmp(change->kind, "required_added") == 0)
		return migrate_default(after, change->subject, &value) || migrate_source(after, change->subject) != NULL;
	return migrate_names(after, change->subject);
}
