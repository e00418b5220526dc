/*
 * check.c
 *	  Every fault of a definition document, each with its JSON Pointer.
 *
 * Pure but for expressions, whose parser raises errors: each is compiled inside
 * an internal subtransaction, which is cheap enough for the rare publish.
 */
#include "compat.h"

#include "json.h"
#include "module/definition.h"
#include "module/expression.h"
#include "module/locale.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

typedef struct Names
{
	int			count;
	char	  **items;
} Names;

static const char *const definition_members[] = {"key", "name", "description", "displayCode", "fields", "workflow",
"permissions", "migrate", "standards", "searchable", "requireIfMatch", NULL};
static const char *const field_members[] = {"key", "label", "labels", "type", "required", "requiredWhen", "visibleWhen",
	"default", "options", "min", "max", "step", "minLength", "maxLength", "pattern", "unique", "indexed", "searchable",
	"unit", "units", "references", "deprecated", "description", "schema", "fields", "computed", "expression", "personalData",
"size", "bands", NULL};
static const char *const workflow_members[] = {"states", "initial", "transitions", NULL};
static const char *const transition_members[] = {"from", "to", "label", "requires", "roles", "when", "approvers",
"effects", "commentRequired", "signature", "description", NULL};
static const char *const permission_members[] = {"roles", "fields", NULL};

FieldType
definition_field_type(const JsonbContainer *field)
{
	char	   *name = json_member_text(field, "type");

	for (int i = 0; name && i < FIELD_TYPE_COUNT; i++)
		if (strcmp(module_field_types[i].name, name) == 0)
			return (FieldType) i;
	return FIELD_TYPE_COUNT;
}

bool
definition_is_unique(const JsonbContainer *field)
{
	return definition_field_type(field) == FIELD_IDENTIFIER || json_member_bool(field, "unique", false);
}

/* ^[a-z][a-z0-9_-]{0,62}$; hyphens only where allowed. */
static bool
is_name(const char *text, bool hyphen)
{
	int			length;

	if (text == NULL)
		return false;
	length = strlen(text);
	if (length < 1 || length > 63 || text[0] < 'a' || text[0] > 'z')
		return false;
	return strspn(text, hyphen ? "abcdefghijklmnopqrstuvwxyz0123456789_-" : "abcdefghijklmnopqrstuvwxyz0123456789_") == (size_t) length;
}

/* A text of 1 to most bytes that stands on one line. */
static bool
is_line(const JsonbValue *value, int most)
{
	if (value->type != jbvString || value->val.string.len < 1 || value->val.string.len > most)
		return false;
	for (int i = 0; i < value->val.string.len; i++)
		if ((unsigned char) value->val.string.val[i] < ' ' || value->val.string.val[i] == 0x7f)
			return false;
	return true;
}

static bool
has_name(const Names *names, const char *name)
{
	for (int i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static const JsonbContainer *
element(const JsonbContainer *array, uint32 index, JsonbValue *value)
{
	*value = *getIthJsonbValueFromContainer(unconstify(JsonbContainer *, array), index);
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data) ? value->val.binary.data : NULL;
}

/* A member that is an array; NULL (with a fault when it is something else). */
static const JsonbContainer *
member_array(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value))
		return NULL;
	if (value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
		return value.val.binary.data;
	violation_add(faults, psprintf("%s/%s", path, key), "type", "must be an array");
	return NULL;
}

static const JsonbContainer *
member_object(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value))
		return NULL;
	if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		return value.val.binary.data;
	violation_add(faults, psprintf("%s/%s", path, key), "type", "must be an object");
	return NULL;
}

static void
check_members(const JsonbContainer *object, const char *const *known, const char *path, ViolationList *faults)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, object));
	JsonbValue	key;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;
		int			i;

		if (token != WJB_KEY)
			continue;
		name = json_text_copy(&key);
		for (i = 0; known[i] && strcmp(known[i], name) != 0; i++)
			;
		if (known[i] == NULL)
			violation_add(faults, json_pointer_to(path, name), "unknown_member", "is not a known member");
	}
}

/* An SQL/JSON path that compiles and reads no variables but those of CONTRACT 4; NULL when it is absent or has a fault. */
static JsonPath *
check_expression(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults)
{
	static const char *const variables[] = {"state", "user", "roles", "now", "today", NULL};
	JsonPath   *expression;
	JsonbValue	value;
	ListCell   *cell;

	if (!json_member(object, key, strlen(key), &value))
		return NULL;
	path = psprintf("%s/%s", path, key);
	if (value.type != jbvString)
		violation_add(faults, path, "type", "must be a string with an SQL/JSON path");
	else if (value.val.string.len > QEHS_EXPRESSION_BYTES)
		violation_add(faults, path, "maxLength", "must be at most %d bytes", QEHS_EXPRESSION_BYTES);
	else if ((expression = definition_expression(json_text_copy(&value))) == NULL)
		violation_add(faults, path, "expression", "is not a valid SQL/JSON path");
	else
	{
		int			faults_before = faults->count;

		if (expression_reads(expression)->descents > 1)
			violation_add(faults, path, "expression", "must not have .** more than once: its time would have no bound");
		foreach(cell, expression_reads(expression)->templates)
			if (!expression_template_holds(lfirst(cell)))
				violation_add(faults, path, "expression", "must have a template of to_timestamp in .datetime(\"%s\")", (char *) lfirst(cell));
		foreach(cell, expression_reads(expression)->variables)
		{
			int			i;

			for (i = 0; variables[i] && strcmp(variables[i], lfirst(cell)) != 0; i++)
				;
			if (variables[i] == NULL)
				violation_add(faults, path, "variable", "must have no variables but $state, $user, $roles, $now and $today: $%s",
							  (char *) lfirst(cell));
		}
		return faults->count == faults_before ? expression : NULL;
	}
	return NULL;
}

static void
check_limit_order(const JsonbContainer *field, const char *low, const char *high, const char *path, ViolationList *faults)
{
	JsonbValue	left;
	JsonbValue	right;

	if (!json_member(field, low, strlen(low), &left) || !json_member(field, high, strlen(high), &right))
		return;
	if (left.type == jbvNumeric && right.type == jbvNumeric &&
		DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(left.val.numeric), NumericGetDatum(right.val.numeric))))
		violation_add(faults, psprintf("%s/%s", path, low), "range", "must not be greater than \"%s\"", high);
}

static void check_fields(const JsonbContainer *fields, const char *path, int depth, Names *names, ViolationList *faults);

/* Gives the expression of a computed field. */
static JsonPath *
check_field(const JsonbContainer *field, const char *path, int depth, ViolationList *faults)
{
	JsonPath   *computed;
	FieldType	type = definition_field_type(field);
	const JsonbContainer *nested;
	Names		names = {0};

	check_members(field, field_members, path, faults);
	if (type == FIELD_TYPE_COUNT)
	{
		violation_add(faults, psprintf("%s/type", path), "enum", "is not a field type");
		return NULL;
	}
	if (json_member_bool(field, "indexed", false) && (module_field_types[type].kind == SLOT_NONE || depth > 0))
		violation_add(faults, psprintf("%s/indexed", path), "indexed", "cannot be set for this field");
	label_check(field, path, faults);
	definition_check_options(field, type, depth, path, faults);
	if (type == FIELD_MATRIX_SCORE)
		definition_check_matrix(field, path, faults);
	check_limit_order(field, "min", "max", path, faults);
	check_limit_order(field, "minLength", "maxLength", path, faults);
	check_expression(field, "requiredWhen", path, faults);
	check_expression(field, "visibleWhen", path, faults);
	computed = check_expression(field, type == FIELD_COMPUTED && json_member_text(field, "computed") ? "computed" : "expression",
								path, faults);
	if (type == FIELD_COMPUTED && !json_member_text(field, "computed") && !json_member_text(field, "expression"))
		violation_add(faults, psprintf("%s/computed", path), "required", "must be an SQL/JSON path");
	nested = member_array(field, "fields", path, faults);
	if (nested && JsonContainerSize(nested) == 0)
		violation_add(faults, psprintf("%s/fields", path), "required", "must list at least one field");
	else if (nested && depth + 1 >= QEHS_FIELD_DEPTH)
		violation_add(faults, psprintf("%s/fields", path), "depth", "must not be nested deeper than %d levels", QEHS_FIELD_DEPTH);
	else if (nested)
		check_fields(nested, psprintf("%s/fields", path), depth + 1, &names, faults);
	else if (type == FIELD_TABLE)
		violation_add(faults, psprintf("%s/fields", path), "required", "must list the table's fields");
	return type == FIELD_COMPUTED ? computed : NULL;
}

static void
check_fields(const JsonbContainer *fields, const char *path, int depth, Names *names, ViolationList *faults)
{
	uint32		count = JsonContainerSize(fields);
	ComputedExpression *computed = palloc(sizeof(ComputedExpression) * Max(count, 1));
	uint32	   *places = palloc(sizeof(uint32) * Max(count, 1));
	int			computed_count = 0;
	int			circular;

	if (count > QEHS_MAX_FIELDS)
	{
		violation_add(faults, path, "maxItems", "must have at most %d fields", QEHS_MAX_FIELDS);
		return;
	}
	names->items = palloc(sizeof(char *) * Max(count, 1));
	for (uint32 i = 0; i < count; i++)
	{
		char	   *at = psprintf("%s/%u", path, i);
		JsonbValue	value;
		const JsonbContainer *field = element(fields, i, &value);
		char	   *key = field ? json_member_text(field, "key") : NULL;
		JsonPath   *expression;

		if (field == NULL)
		{
			violation_add(faults, at, "type", "must be an object");
			continue;
		}
		if (!is_name(key, false))
			violation_add(faults, psprintf("%s/key", at), "pattern",
						  "must be 1 to 63 lower-case letters, digits or underscores, starting with a letter");
		else if (has_name(names, key))
			violation_add(faults, psprintf("%s/key", at), "unique", "is used by another field");
		else
			names->items[names->count++] = key;
		expression = check_field(field, at, depth, faults);
		if (expression && key)
		{
			places[computed_count] = i;
			computed[computed_count++] = (ComputedExpression) {key, expression_reads(expression), 0};
		}
	}
	circular = expression_order(computed, computed_count);
	if (circular >= 0)
	{
		JsonbValue	value;
		const JsonbContainer *field = element(fields, places[circular], &value);

		violation_add(faults, psprintf("%s/%u/%s", path, places[circular], json_member_text(field, "computed") ? "computed" : "expression"),
					  "circular", "reads its own field, or one that follows from it");
	}
}

/* Fields and those below them, whatever shape they have. */
static int
count_fields(const JsonbContainer *fields, int depth)
{
	int			count = JsonContainerSize(fields);

	for (uint32 i = 0; i < JsonContainerSize(fields) && depth < QEHS_FIELD_DEPTH; i++)
	{
		JsonbValue	value;
		const JsonbContainer *field = element(fields, i, &value);

		if (field && json_member(field, "fields", 6, &value) && value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
			count += count_fields(value.val.binary.data, depth + 1);
	}
	return count;
}

static void
read_states(const JsonbContainer *workflow, Names *states, ViolationList *faults)
{
	const JsonbContainer *array = member_array(workflow, "states", "/workflow", faults);
	uint32		count = array ? JsonContainerSize(array) : 0;

	if (count == 0 || count > QEHS_MAX_STATES)
	{
		violation_add(faults, "/workflow/states", "required", "must list 1 to %d states", QEHS_MAX_STATES);
		return;
	}
	states->items = palloc(sizeof(char *) * count);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue	value;
		char	   *name;

		element(array, i, &value);
		name = value.type == jbvString ? json_text_copy(&value) : NULL;
		if (!is_name(name, true))
			violation_add(faults, psprintf("/workflow/states/%u", i), "pattern",
						  "must be 1 to 63 lower-case letters, digits, underscores or hyphens");
		else if (has_name(states, name))
			violation_add(faults, psprintf("/workflow/states/%u", i), "unique", "is listed twice");
		else
			states->items[states->count++] = name;
	}
}

/* A member that is a name or an array of names, each checked against the known ones. */
static void
check_names(const JsonbContainer *object, const char *key, const char *path, const Names *known,
			const char *what, ViolationList *faults)
{
	JsonbValue	value;
	uint32		count;

	if (!json_member(object, key, strlen(key), &value))
		return;
	if (value.type == jbvString)
	{
		char	   *name = json_text_copy(&value);

		if (strcmp(name, "*") != 0 && !has_name(known, name))
			violation_add(faults, psprintf("%s/%s", path, key), "undefined", "is not a %s: \"%s\"", what, name);
		return;
	}
	if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
	{
		violation_add(faults, psprintf("%s/%s", path, key), "type", "must be a string or an array of strings");
		return;
	}
	count = JsonContainerSize(value.val.binary.data);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue	item;

		element(value.val.binary.data, i, &item);
		if (item.type != jbvString)
			violation_add(faults, psprintf("%s/%s/%u", path, key, i), "type", "must be a string");
		else if (!has_name(known, json_text_copy(&item)))
			violation_add(faults, psprintf("%s/%s/%u", path, key, i), "undefined", "is not a %s: \"%s\"", what,
						  json_text_copy(&item));
	}
}

static void
check_transition(const JsonbContainer *transition, const char *path, const Names *states, const Names *fields,
				 ViolationList *faults)
{
	JsonbValue	value;

	check_members(transition, transition_members, path, faults);
	label_check(transition, path, faults);
	for (int i = 0; i < 2; i++)
		if (!json_member(transition, i ? "to" : "from", i ? 2 : 4, &value))
			violation_add(faults, psprintf("%s/%s", path, i ? "to" : "from"), "required", "is required");
	check_names(transition, "from", path, states, "state", faults);
	if (json_member(transition, "to", 2, &value) && value.type != jbvString)
		violation_add(faults, psprintf("%s/to", path), "type", "must be a string");
	else
		check_names(transition, "to", path, states, "state", faults);
	check_names(transition, "requires", path, fields, "field", faults);
	check_expression(transition, "when", path, faults);
}

/* Mark what can be reached from the initial state, to a fixed point. */
static void
check_reachable(const JsonbContainer *transitions, const Names *states, const char *initial, ViolationList *faults)
{
	bool	   *reached = palloc0(sizeof(bool) * Max(states->count, 1));
	bool		changed = true;

	for (int i = 0; i < states->count; i++)
		reached[i] = strcmp(states->items[i], initial) == 0;
	while (changed)
	{
		JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, transitions));
		JsonbValue	value;
		JsonbIteratorToken token;

		changed = false;
		while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		{
			char	   *to;
			JsonbValue	from;
			bool		fires = false;

			if (token != WJB_VALUE || value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
				continue;
			to = json_member_text(value.val.binary.data, "to");
			if (to == NULL || !json_member(value.val.binary.data, "from", 4, &from))
				continue;
			for (int i = 0; i < states->count && !fires; i++)
			{
				JsonbValue	name = {.type = jbvString, .val.string = {strlen(states->items[i]), states->items[i]}};

				if (reached[i])
					fires = from.type == jbvString ?
						(from.val.string.len == 1 && from.val.string.val[0] == '*') || json_values_equal(&from, &name) :
						from.type == jbvBinary && findJsonbValueFromContainer(from.val.binary.data, JB_FARRAY, &name) != NULL;
			}
			for (int i = 0; i < states->count && fires; i++)
			{
				if (!reached[i] && strcmp(states->items[i], to) == 0)
					reached[i] = changed = true;
			}
		}
	}
	for (int i = 0; i < states->count; i++)
		if (!reached[i])
			violation_add(faults, psprintf("/workflow/states/%d", i), "unreachable",
						  "cannot be reached from \"%s\"", initial);
}

static void
check_workflow(const JsonbContainer *workflow, const Names *fields, ViolationList *faults)
{
	Names		states = {0};
	char	   *initial = json_member_text(workflow, "initial");
	const JsonbContainer *transitions;
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *path = NULL;
	int			count_before;

	check_members(workflow, workflow_members, "/workflow", faults);
	read_states(workflow, &states, faults);
	if (initial == NULL || !has_name(&states, initial))
		violation_add(faults, "/workflow/initial", "undefined", "must be one of the states");
	transitions = member_object(workflow, "transitions", "/workflow", faults);
	if (transitions == NULL)
		return;
	if (JsonContainerSize(transitions) > QEHS_MAX_TRANSITIONS)
	{
		violation_add(faults, "/workflow/transitions", "maxProperties", "must have at most %d transitions", QEHS_MAX_TRANSITIONS);
		return;
	}
	count_before = faults->count;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, transitions));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			char	   *name = json_text_copy(&value);

			path = json_pointer_to("/workflow/transitions", name);
			if (!is_name(name, true))
				violation_add(faults, path, "pattern", "must be a name of lower-case letters, digits, underscores or hyphens");
		}
		else if (token == WJB_VALUE && value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
			check_transition(value.val.binary.data, path, &states, fields, faults);
		else if (token == WJB_VALUE)
			violation_add(faults, path, "type", "must be an object");
	}
	if (faults->count == count_before && initial && has_name(&states, initial))
		check_reachable(transitions, &states, initial, faults);
}

/* {"read":[role],"write":[role]} of one field. */
static void
check_field_rule(const JsonbContainer *rule, const char *path, ViolationList *faults)
{
	static const char *const known[] = {"read", "write", NULL};

	check_members(rule, known, path, faults);
	for (int i = 0; known[i]; i++)
	{
		const JsonbContainer *roles = member_array(rule, known[i], path, faults);

		for (uint32 j = 0; roles && j < JsonContainerSize(roles); j++)
		{
			JsonbValue	role;

			element(roles, j, &role);
			if (!is_line(&role, QEHS_ROLE_BYTES))
				violation_add(faults, psprintf("%s/%s/%u", path, known[i], j), "type", "must be the name of a role");
		}
	}
}

static void
check_field_rules(const JsonbContainer *permissions, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *rules = member_object(permissions, "fields", "/permissions", faults);
	JsonbIterator *iterator = rules ? JsonbIteratorInit(unconstify(JsonbContainer *, rules)) : NULL;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *name = NULL;

	while (rules && (token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *path;

		if (token == WJB_KEY)
			name = json_text_copy(&value);
		if (token != WJB_VALUE)
			continue;
		path = json_pointer_to("/permissions/fields", name);
		if (!has_name(fields, name))
			violation_add(faults, path, "undefined", "is not a field: \"%s\"", name);
		if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
			violation_add(faults, path, "type", "must be an object with \"read\" and \"write\"");
		else
			check_field_rule(value.val.binary.data, path, faults);
	}
}

static void
check_permissions(const JsonbContainer *permissions, const Names *fields, ViolationList *faults)
{
	const JsonbContainer *roles = member_object(permissions, "roles", "/permissions", faults);
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *path = NULL;

	check_members(permissions, permission_members, "/permissions", faults);
	check_field_rules(permissions, fields, faults);
	if (roles == NULL)
		return;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, roles));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			path = json_pointer_to("/permissions/roles", json_text_copy(&value));
			if (!is_line(&value, QEHS_ROLE_BYTES))
				violation_add(faults, path, "pattern", "must be the name of a role: 1 to %d bytes without control characters", QEHS_ROLE_BYTES);
		}
		else if (token == WJB_VALUE && (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data)))
			violation_add(faults, path, "type", "must be an array of actions");
		else if (token == WJB_VALUE)
		{
			uint32		count = JsonContainerSize(value.val.binary.data);

			for (uint32 i = 0; i < count; i++)
			{
				JsonbValue	action;

				element(value.val.binary.data, i, &action);
				if (action.type != jbvString || permission_action_parse(json_text_copy(&action)) == 0)
					violation_add(faults, psprintf("%s/%u", path, i), "enum",
								  "must be one of read, create, update, delete, transition, export, comment, bulk.state");
			}
		}
	}
}

static void
check_prefix(const JsonbContainer *root, ViolationList *faults)
{
	const JsonbContainer *code = member_object(root, "displayCode", "", faults);
	char	   *prefix = code ? json_member_text(code, "prefix") : NULL;
	int			length = prefix ? strlen(prefix) : 0;

	if (length < 1 || length > 10 || prefix[0] < 'A' || prefix[0] > 'Z' ||
		strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != (size_t) length)
		violation_add(faults, "/displayCode/prefix", "pattern",
					  "must be 1 to 10 upper-case letters or digits, starting with a letter");
}

void
definition_check(Jsonb *definition, ViolationList *faults)
{
	const JsonbContainer *root = &definition->root;
	const JsonbContainer *part;
	Names		fields = {0};
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(definition))
	{
		violation_add(faults, "", "type", "must be an object");
		return;
	}
	check_members(root, definition_members, "", faults);
	if (!is_name(json_member_text(root, "key"), true))
		violation_add(faults, "/key", "pattern", "must be 1 to 63 lower-case letters, digits, underscores or hyphens, starting with a letter");
	if (!json_member(root, "name", 4, &value) || !is_line(&value, QEHS_NAME_BYTES))
		violation_add(faults, "/name", "required", "must be a text of 1 to %d bytes without control characters", QEHS_NAME_BYTES);
	check_prefix(root, faults);
	if (json_member(root, "requireIfMatch", 14, &value) && value.type != jbvBool)
		violation_add(faults, "/requireIfMatch", "type", "must be true or false");
	part = member_array(root, "fields", "", faults);
	if (part == NULL || JsonContainerSize(part) == 0)
		violation_add(faults, "/fields", "required", "must list at least one field");
	else if (count_fields(part, 0) > QEHS_MAX_ALL_FIELDS)
		violation_add(faults, "/fields", "maxItems", "must have at most %d fields, those of tables and objects among them", QEHS_MAX_ALL_FIELDS);
	else
		check_fields(part, "/fields", 0, &fields, faults);
	part = member_object(root, "workflow", "", faults);
	if (part == NULL)
		violation_add(faults, "/workflow", "required", "is required");
	else
		check_workflow(part, &fields, faults);
	part = member_object(root, "permissions", "", faults);
	if (part)
		check_permissions(part, &fields, faults);
}
