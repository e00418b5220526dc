/*
 * filter_parse.c
 *	  Reading a filter document into conditions.
 *
 * Pure: no SPI, no errors.  Each value is read by the field's type, so what
 * comes out can be compared; an operator that a type has no meaning for is a
 * fault that names those which it has.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "catalog/pg_type.h"
#include "record/filter.h"
#include "record/record.h"
#include "record/value.h"
#include "utils/builtins.h"

#define BIT(operator) (1u << FILTER_##operator)
#define EQUALITY (BIT(EQ) | BIT(NE) | BIT(IN) | BIT(NIN) | BIT(EXISTS))
#define ORDER (BIT(LT) | BIT(LTE) | BIT(GT) | BIT(GTE))
#define PARTS (BIT(CONTAINS) | BIT(STARTS_WITH))

static const char *const operator_names[FILTER_OPERATOR_COUNT] = {
	"eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "contains", "startsWith", "exists"
};

static const uint32 kind_operators[VALUE_KIND_COUNT] = {
	[VALUE_NONE] = BIT(EXISTS),
	[VALUE_TEXT] = EQUALITY | ORDER | PARTS,
	[VALUE_ID] = EQUALITY | ORDER,
	[VALUE_BOOLEAN] = EQUALITY | ORDER,
	[VALUE_OPTION] = EQUALITY | ORDER | PARTS,
	[VALUE_NUMBER] = EQUALITY | ORDER,
	[VALUE_TIME] = EQUALITY | ORDER,
	[VALUE_DURATION] = EQUALITY | ORDER,
	[VALUE_TIME_OF_DAY] = EQUALITY | ORDER,
	[VALUE_LIST] = EQUALITY | BIT(CONTAINS),
};

static const struct
{
	const char *name;
	FieldType	type;
	ValueKind	kind;
	Oid			oid;
}			built_ins[BUILT_IN_COUNT] = {
	[BUILT_IN_STATE] = {"workflowState", FIELD_TEXT, VALUE_TEXT, TEXTOID},
	[BUILT_IN_CREATED_AT] = {"createdAt", FIELD_DATETIME, VALUE_TIME, TIMESTAMPTZOID},
	[BUILT_IN_UPDATED_AT] = {"updatedAt", FIELD_DATETIME, VALUE_TIME, TIMESTAMPTZOID},
	[BUILT_IN_CREATED_BY] = {"createdBy", FIELD_USER, VALUE_ID, UUIDOID},
	[BUILT_IN_DISPLAY_CODE] = {"displayCode", FIELD_INTEGER, VALUE_NUMBER, INT8OID},
	[BUILT_IN_ID] = {"id", FIELD_RECORD_REFERENCE, VALUE_ID, UUIDOID},
	[BUILT_IN_VERSION] = {"version", FIELD_INTEGER, VALUE_NUMBER, NUMERICOID},
	[BUILT_IN_DUE_AT] = {"dueAt", FIELD_DATETIME, VALUE_TIME, TIMESTAMPTZOID},
};

const char *
filter_built_in_name(BuiltIn built_in)
{
	return built_ins[built_in].name;
}

const char *
filter_operator_name(FilterOperator operator)
{
	return operator_names[operator];
}

uint32
filter_operators(ValueKind kind, bool ordered)
{
	return ordered ? kind_operators[kind] : kind_operators[kind] & ~ORDER;
}

Oid
filter_oid(const FilterField *field)
{
	return field->built_in ? built_ins[field->built_in].oid : value_oid(field->kind);
}

/* ---- fields ---- */

/* A field, or a member of an object, keys with dots between them; *member is the type of a member of another value. */
static const ModuleField *
find_member(const ModuleDef *module, const char *name, const ModuleField **top, FieldType *member)
{
	const ModuleFields *fields = &module->all;
	const ModuleField *field = NULL;
	const char *compared;

	*top = NULL;
	*member = FIELD_TYPE_COUNT;
	do
	{
		int			length = strcspn(name, ".");

		field = module_fields_find(fields, name, length);
		if (field == NULL)
			return NULL;
		if (*top == NULL)
			*top = field;
		if (name[length] == '\0')
			return field;
		fields = field->type == FIELD_OBJECT ? &field->nested : NULL;
		name += length + 1;
	} while (fields);
	/* what a value compares by is read as the value is: an amount may be a text */
	compared = module_compared_member(field->value_type);
	*member = compared && strcmp(compared, name) == 0 ? field->value_type : module_member_type(field->value_type, name, strlen(name));
	return NULL;
}

bool
filter_field(const ModuleDef *module, const char *name, FilterField *found)
{
	FieldType	member;

	memset(found, 0, sizeof(*found));
	found->name = name;
	found->slot = -1;
	found->field = find_member(module, name, &found->top, &member);
	if (member != FIELD_TYPE_COUNT)
	{
		found->type = member;
		found->kind = module_field_types[member].kind;
		found->ordered = true;
		found->below = strchr(name, '.');
		return true;
	}
	found->top = found->field ? found->top : NULL;
	if (found->field)
	{
		found->type = found->field->value_type;
		found->kind = found->field->kind;
		found->ordered = found->field->ordered;
		found->slot = found->field == found->top ? found->field->slot : -1;
		found->below = strchr(name, '.') ? strchr(name, '.') : "";
		return true;
	}
	if (strcmp(name, "status") == 0)
		name = built_ins[BUILT_IN_STATE].name;
	for (int i = BUILT_IN_NONE + 1; i < BUILT_IN_COUNT; i++)
	{
		if (strcmp(built_ins[i].name, name) != 0)
			continue;
		found->built_in = (BuiltIn) i;
		found->type = built_ins[i].type;
		found->kind = built_ins[i].kind;
		found->ordered = true;
		return true;
	}
	return false;
}

static uint32
field_operators(const FilterField *field)
{
	uint32		operators = filter_operators(field->kind, field->ordered);

	return field->built_in == BUILT_IN_DISPLAY_CODE ? operators & ~PARTS : operators;
}

/* "eq, ne or exists" */
static char *
operator_list(uint32 operators)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < FILTER_OPERATOR_COUNT; i++)
		if (operators & (1u << i))
			appendStringInfo(&list, "%s%s", list.len == 0 ? "" : operators >> (i + 1) ? ", " : " or ", operator_names[i]);
	return list.data;
}

/* ---- values ---- */

/* A member's place in the request: "?filter[a]" of "?filter", "/filter/a" of "/filter". */
static char *
path_to(const char *path, const char *name)
{
	return *path == '?' ? psprintf("%s[%s]", path, name) : json_pointer_to(path, name);
}

static bool
parse_uuid(const FilterField *field, const char *text, Datum *value, const char **wanted)
{
	pg_uuid_t  *id = palloc0(sizeof(pg_uuid_t));
	int			length = strlen(text);

	*value = UUIDPGetDatum(id);
	if (field->built_in == BUILT_IN_ID)
	{
		*wanted = "the id of a record";
		return id_parse(text, length, QEHS_ID_RECORD, id);
	}
	*wanted = "the id of a user or a key";
	return id_parse(text, length, QEHS_ID_USER, id) || id_parse(text, length, QEHS_ID_KEY, id);
}

/* A fault for a state or an option that no version of the module has; by order only what this one has counts. */
static void
check_known(const FilterScope *scope, const FilterField *field, FilterOperator operator, const char *text, const char *path)
{
	bool		is_state = field->built_in == BUILT_IN_STATE;

	if (operator == FILTER_STARTS_WITH || (operator == FILTER_CONTAINS && field->kind != VALUE_LIST))
		return;
	/* members of values are ordered as texts, and so are states */
	if ((ORDER & (1u << operator)) && field->field == NULL)
		return;
	if (is_state ? module_has_state(scope->module, text) : filter_may_have(field, text))
		return;
	if (scope->knew && !(ORDER & (1u << operator)) && scope->knew(scope->module, field, text))
		return;
	if (is_state)
		violation_add_first(scope->faults, path, "enum", "must be a state of the module, not \"%s\"", text);
	else
		violation_add_first(scope->faults, path, "enum", "must be a%s of the field, not \"%s\"%s",
							field->field ? "n option" : psprintf(" %s", strrchr(field->name, '.') + 1), text, operator == FILTER_IN || operator == FILTER_NIN ?
							"; quote one that holds a comma" : "");
}

/* Read one value by the field's type. */
static Datum
read_value(const FilterScope *scope, const FilterField *field, FilterOperator operator, const char *text, const char *path)
{
	const char *wanted = "a text";
	Datum		value = (Datum) 0;
	int64		number = 0;
	int			prefix_length;
	bool		good;

	if (field->built_in == BUILT_IN_DISPLAY_CODE)
	{
		wanted = psprintf("a display code such as %s-2026-0001", scope->module->prefix);
		good = value_parse_display_code(text, strlen(text), &prefix_length, &number) && prefix_length == (int) strlen(scope->module->prefix) &&
			memcmp(text, scope->module->prefix, prefix_length) == 0;
		value = Int64GetDatum(number);
	}
	else if (filter_oid(field) == UUIDOID)
		good = parse_uuid(field, text, &value, &wanted);
	else
	{
		const char *complete = field->field && field->field->type == FIELD_DATETIME ?
			value_complete_time(scope->module->tenant_id, field->field, text, strlen(text)) : NULL;

		text = complete ? complete : text;
		if (field->field && module_names_records(field->type))
			text = scope->id_of_code(scope, field->field, text, path);
		if (text == NULL)
			return value;
		good = value_parse(field->type, text, strlen(text), &value, &wanted);
		check_known(scope, field, operator, text, path);
	}
	if (!good)
		violation_add_first(scope->faults, path, "type", "must be %s", wanted);
	return value;
}

/* Scalar as text; NULL with a fault for another value. */
static char *
scalar_text(const FilterScope *scope, const JsonbValue *value, const char *path)
{
	StringInfoData text;

	if (value->type == jbvString)
		return json_text_copy(value);
	if (value->type == jbvBinary || value->type == jbvNull)
	{
		violation_add_first(scope->faults, path, "type", "must be a string, number or boolean");
		return NULL;
	}
	initStringInfo(&text);
	json_jsonb_value(&text, value);
	return text.data;
}

static void
add_value(const FilterScope *scope, FilterNode *node, const char *text, const char *path)
{
	if (node->count >= QEHS_FILTER_VALUES)
		violation_add_first(scope->faults, path, "maxItems", "must have at most %d values", QEHS_FILTER_VALUES);
	else if (text)
		node->values[node->count++] = read_value(scope, &node->field, node->operator, text, path);
}

/* The next item of a text with commas between items, without the blanks around it; quoted, "" is a quote.  False for a bad quote. */
static bool
next_item(char **rest, char **item)
{
	char	   *at = *rest + text_blank_length(*rest, strlen(*rest));
	char	   *end;

	*item = at;
	if (*at == '"')
	{
		*item = end = ++at;
		while (*at && (*at != '"' || at[1] == '"'))
		{
			at += *at == '"';
			*end++ = *at++;
		}
		if (*at++ != '"')
			return false;
		at += text_blank_length(at, strlen(at));
		if (*at != '\0' && *at != ',')
			return false;
		*rest = *at ? at + 1 : NULL;
		*end = '\0';
		return true;
	}
	end = strchr(at, ',');
	*rest = end ? end + 1 : NULL;
	if (end == NULL)
		end = at + strlen(at);
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return true;
}

/* Values of in and nin. */
static void
read_list(const FilterScope *scope, FilterNode *node, const JsonbValue *value, const char *path)
{
	char	   *rest;
	char	   *item;

	node->values = palloc(sizeof(Datum) * QEHS_FILTER_VALUES);
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		uint32		size = JsonContainerSize(value->val.binary.data);

		for (uint32 i = 0; i < Min(size, QEHS_FILTER_VALUES + 1); i++)
			add_value(scope, node, scalar_text(scope, getIthJsonbValueFromContainer(value->val.binary.data, i), path), path);
		if (size == 0)
			violation_add_first(scope->faults, path, "minItems", "must have at least 1 value");
		return;
	}
	rest = scalar_text(scope, value, path);
	while (rest)
	{
		if (next_item(&rest, &item))
			add_value(scope, node, item, path);
		else
		{
			violation_add_first(scope->faults, path, "format", "must have a closing quote at the end of a quoted value");
			return;
		}
	}
}

static void
read_exists(const FilterScope *scope, FilterNode *node, const JsonbValue *value, const char *path)
{
	char	   *text = scalar_text(scope, value, path);

	node->present = text && strcmp(text, "true") == 0;
	if (text && !node->present && strcmp(text, "false") != 0)
		violation_add_first(scope->faults, path, "type", "must be true or false");
}

/* ---- conditions ---- */

static FilterOperator
find_operator(const char *name)
{
	for (int i = 0; i < FILTER_OPERATOR_COUNT; i++)
		if (strcmp(operator_names[i], name) == 0)
			return (FilterOperator) i;
	return FILTER_OPERATOR_COUNT;
}

static FilterNode *
make_node(FilterNodeKind kind, int most)
{
	FilterNode *node = palloc0(sizeof(FilterNode));

	node->kind = kind;
	node->items = palloc0(sizeof(FilterNode *) * Max(most, 1));
	return node;
}

static FilterNode *
read_condition(const FilterScope *scope, const FilterField *field, const char *name, const JsonbValue *value, const char *path)
{
	FilterNode *node = make_node(FILTER_CONDITION, 0);
	uint32		operators = field_operators(field);

	node->field = *field;
	node->operator = find_operator(name);
	if (node->operator == FILTER_OPERATOR_COUNT)
		violation_add_first(scope->faults, path, "operator", "is not an operator: use %s", operator_list(operators));
	else if (!(operators & (1u << node->operator)))
		violation_add_first(scope->faults, path, "operator", "cannot be used with this field: use %s", operator_list(operators));
	else if (node->operator == FILTER_EXISTS)
		read_exists(scope, node, value, path);
	else if (node->operator == FILTER_IN || node->operator == FILTER_NIN)
		read_list(scope, node, value, path);
	else
	{
		node->values = palloc(sizeof(Datum));
		add_value(scope, node, scalar_text(scope, value, path), path);
	}
	return node;
}

/* All conditions on one field. */
static FilterNode *
read_field(const FilterScope *scope, const char *name, const JsonbValue *value, const char *path)
{
	FilterField field;
	FilterNode *node;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	char	   *op = pstrdup("");

	if (!filter_field(scope->module, name, &field))
	{
		violation_add_first(scope->faults, path, "unknown_field", "is not a field of module \"%s\"", scope->module->key);
		return make_node(FILTER_AND, 0);
	}
	if (scope->without_slots)
		field.slot = -1;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return read_condition(scope, &field, "eq", value, path);
	node = make_node(FILTER_AND, JsonContainerSize(value->val.binary.data));
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			op = json_text_copy(&item);
		else if (token == WJB_VALUE)
			node->items[node->count++] = read_condition(scope, &field, op, &item, path_to(path, op));
	}
	if (node->count == 0)
		violation_add_first(scope->faults, path, "required", "must name an operator");
	return node;
}

static FilterNode *read_object(const FilterScope *scope, const JsonbContainer *object, const char *path, int depth);

/* The members of and / or: an array of filters. */
static FilterNode *
read_branches(const FilterScope *scope, FilterNodeKind kind, const JsonbValue *value, const char *path, int depth)
{
	FilterNode *node;
	uint32		size;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) || JsonContainerSize(value->val.binary.data) == 0)
	{
		violation_add_first(scope->faults, path, "type", "must be an array of filters");
		return make_node(FILTER_AND, 0);
	}
	size = JsonContainerSize(value->val.binary.data);
	node = make_node(kind, size);
	for (uint32 i = 0; i < size; i++)
	{
		JsonbValue *branch = getIthJsonbValueFromContainer(value->val.binary.data, i);

		if (branch->type != jbvBinary || !JsonContainerIsObject(branch->val.binary.data))
			violation_add_first(scope->faults, path, "type", "must be an array of filters");
		else
			node->items[node->count++] = read_object(scope, branch->val.binary.data, path_to(path, psprintf("%u", i)), depth + 1);
	}
	return node;
}

static FilterNode *
read_negation(const FilterScope *scope, const JsonbValue *value, const char *path, int depth)
{
	FilterNode *node = make_node(FILTER_NOT, 1);

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
	{
		violation_add_first(scope->faults, path, "type", "must be a filter");
		return make_node(FILTER_AND, 0);
	}
	node->items[node->count++] = read_object(scope, value->val.binary.data, path, depth + 1);
	return node;
}

static FilterNode *
read_object(const FilterScope *scope, const JsonbContainer *object, const char *path, int depth)
{
	FilterNode *node = make_node(FILTER_AND, JsonContainerSize(object));
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, object));
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *name = pstrdup("");

	if (depth > QEHS_FILTER_DEPTH)
	{
		violation_add_first(scope->faults, scope->path, "depth", "must not be nested deeper than %d levels", QEHS_FILTER_DEPTH);
		return node;
	}
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *at;

		if (token == WJB_KEY)
			name = json_text_copy(&value);
		if (token != WJB_VALUE)
			continue;
		at = path_to(path, name);
		node->items[node->count++] =
			strcmp(name, "and") == 0 ? read_branches(scope, FILTER_AND, &value, at, depth) :
			strcmp(name, "or") == 0 ? read_branches(scope, FILTER_OR, &value, at, depth) :
			strcmp(name, "not") == 0 ? read_negation(scope, &value, at, depth) :
			read_field(scope, name, &value, at);
	}
	return node;
}

FilterNode *
filter_parse(const FilterScope *scope, const JsonbContainer *document)
{
	if (JsonContainerIsObject(document))
		return read_object(scope, document, scope->path, 0);
	violation_add_first(scope->faults, scope->path, "type", "must be an object");
	return make_node(FILTER_AND, 0);
}

void
filter_each(const FilterNode *node, void (*visit) (const FilterField *field, void *argument), void *argument)
{
	if (node->kind == FILTER_CONDITION)
		visit(&node->field, argument);
	else
		for (int i = 0; i < node->count; i++)
			filter_each(node->items[i], visit, argument);
}

bool
filter_requires(const FilterNode *node, const char *name)
{
	if (node->kind == FILTER_CONDITION)
		return strcmp(node->field.name, name) == 0 && node->operator != FILTER_NE && node->operator != FILTER_NIN &&
			(node->operator != FILTER_EXISTS || node->present);
	for (int i = 0; i < node->count && node->kind == FILTER_AND; i++)
		if (filter_requires(node->items[i], name))
			return true;
	return false;
}
