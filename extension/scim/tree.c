/*
 * tree.c
 *	  JSON values that can be changed.
 */
#include "base/compat.h"

#include "scim/tree.h"

#include "base/json.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

ScimValue *
tree_make(ScimValueKind kind)
{
	ScimValue  *value = palloc0(sizeof(ScimValue));

	value->kind = kind;
	return value;
}

ScimValue *
tree_text(const char *text)
{
	ScimValue  *value = tree_make(SCIM_VALUE_TEXT);

	value->text = text;
	return value;
}

static void
make_room(ScimValue *value)
{
	if (value->count < value->room)
		return;
	value->room = value->room ? value->room * 2 : 4;
	value->items = value->items ? repalloc(value->items, sizeof(ScimValue *) * value->room) : palloc(sizeof(ScimValue *) * value->room);
	if (value->kind == SCIM_VALUE_OBJECT)
		value->names = value->names ? repalloc(value->names, sizeof(char *) * value->room) : palloc(sizeof(char *) * value->room);
}

void
tree_append(ScimValue *list, ScimValue *item)
{
	make_room(list);
	list->items[list->count++] = item;
}

static void
add_member(ScimValue *object, const char *name, ScimValue *value)
{
	make_room(object);
	object->names[object->count] = name;
	object->items[object->count++] = value;
}

static ScimValue *
of_container(const JsonbContainer *container)
{
	ScimValue  *value = tree_make(JsonContainerIsObject(container) ? SCIM_VALUE_OBJECT : SCIM_VALUE_LIST);
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, container));
	JsonbValue	item;
	JsonbIteratorToken token;
	const char *name = NULL;

	check_stack_depth();
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = json_text_copy(&item);
		else if (token == WJB_VALUE)
			add_member(value, name, tree_of_jsonb_value(&item));
		else if (token == WJB_ELEM)
			tree_append(value, tree_of_jsonb_value(&item));
	}
	return value;
}

ScimValue *
tree_of_jsonb_value(const JsonbValue *source)
{
	ScimValue  *value;

	switch (source->type)
	{
		case jbvString:
			return tree_text(json_text_copy(source));
		case jbvNumeric:
			value = tree_make(SCIM_VALUE_NUMBER);
			value->text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(source->val.numeric)));
			return value;
		case jbvBool:
			return tree_make(source->val.boolean ? SCIM_VALUE_TRUE : SCIM_VALUE_FALSE);
		case jbvBinary:
			return of_container(source->val.binary.data);
		default:
			return tree_make(SCIM_VALUE_NULL);
	}
}

ScimValue *
tree_of_jsonb(Jsonb *jsonb)
{
	ScimValue  *list = of_container(&jsonb->root);

	return JB_ROOT_IS_SCALAR(jsonb) ? list->items[0] : list;
}

void
tree_write(StringInfo out, const ScimValue *value)
{
	check_stack_depth();
	switch (value->kind)
	{
		case SCIM_VALUE_NULL:
			json_literal(out, "null");
			break;
		case SCIM_VALUE_TEXT:
			json_string(out, value->text);
			break;
		case SCIM_VALUE_NUMBER:
			appendStringInfoString(out, value->text);
			break;
		case SCIM_VALUE_TRUE:
		case SCIM_VALUE_FALSE:
			json_bool(out, value->kind == SCIM_VALUE_TRUE);
			break;
		case SCIM_VALUE_LIST:
		case SCIM_VALUE_OBJECT:
			appendStringInfoChar(out, value->kind == SCIM_VALUE_LIST ? '[' : '{');
			for (int i = 0; i < value->count; i++)
			{
				if (i > 0)
					appendStringInfoChar(out, ',');
				if (value->kind == SCIM_VALUE_OBJECT)
					json_name(out, value->names[i]);
				tree_write(out, value->items[i]);
			}
			appendStringInfoChar(out, value->kind == SCIM_VALUE_LIST ? ']' : '}');
			break;
	}
}

Jsonb *
tree_to_jsonb(const ScimValue *value)
{
	StringInfoData text;

	initStringInfo(&text);
	tree_write(&text, value);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}

static int
find_member(const ScimValue *object, const char *name, bool any_case)
{
	if (object == NULL || object->kind != SCIM_VALUE_OBJECT)
		return -1;
	for (int i = 0; i < object->count; i++)
		if (any_case ? pg_strcasecmp(object->names[i], name) == 0 : strcmp(object->names[i], name) == 0)
			return i;
	return -1;
}

ScimValue *
tree_get(const ScimValue *object, const char *name)
{
	int			at = find_member(object, name, false);

	return at < 0 ? NULL : object->items[at];
}

ScimValue *
tree_get_any_case(const ScimValue *object, const char *name)
{
	int			at = find_member(object, name, true);

	return at < 0 ? NULL : object->items[at];
}

void
tree_set(ScimValue *object, const char *name, ScimValue *value)
{
	int			at = find_member(object, name, false);

	if (at >= 0 && value)
		object->items[at] = value;
	else if (at >= 0)
		tree_remove_at(object, at);
	else if (value)
		add_member(object, name, value);
}

void
tree_remove_at(ScimValue *value, int at)
{
	value->count--;
	memmove(value->items + at, value->items + at + 1, sizeof(ScimValue *) * (value->count - at));
	if (value->kind == SCIM_VALUE_OBJECT)
		memmove(value->names + at, value->names + at + 1, sizeof(char *) * (value->count - at));
}

bool
tree_equal(const ScimValue *left, const ScimValue *right)
{
	check_stack_depth();
	if (left == NULL || right == NULL)
		return left == right;
	if (left->kind != right->kind || left->count != right->count)
		return false;
	if (left->text && strcmp(left->text, right->text) != 0)
		return false;
	for (int i = 0; i < left->count; i++)
		if (!tree_equal(left->items[i], left->kind == SCIM_VALUE_OBJECT ? tree_get(right, left->names[i]) : right->items[i]))
			return false;
	return true;
}

ScimValue *
tree_copy(const ScimValue *value)
{
	ScimValue  *copy = tree_make(value->kind);

	check_stack_depth();
	copy->text = value->text;
	for (int i = 0; i < value->count; i++)
		if (value->kind == SCIM_VALUE_OBJECT)
			add_member(copy, value->names[i], tree_copy(value->items[i]));
		else
			tree_append(copy, tree_copy(value->items[i]));
	return copy;
}
