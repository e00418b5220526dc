/*
 * patch.c
 *	  PATCH operations on a resource in memory.
 *
 * An operation without path is one for each member of its value; there, as in a whole
 * resource, readOnly and unknown attributes are passed over, where a path that names
 * one is refused.  Members of a group are not in memory: their operations go to
 * their table at once (members.c).
 */
#include "base/compat.h"

#include "scim/patch.h"

#include "base/error.h"
#include "miscadmin.h"
#include "scim/input.h"
#include "scim/members.h"

typedef enum PatchVerb
{
	PATCH_ADD, PATCH_REPLACE, PATCH_REMOVE
} PatchVerb;

/* One operation at one place. */
typedef struct Operation
{
	PatchVerb	verb;
	const ScimValue *value;		/* or NULL */
	ScimPath   *path;
	ScimTarget	target;
	ScimValue  *container;		/* the object that has the attribute */
} Operation;

static void apply_path(ScimPatch *patch, PatchVerb verb, const char *text, const ScimValue *value, bool from_object);

static bool
is_absent(const ScimValue *value)
{
	return value == NULL || value->kind == SCIM_VALUE_NULL;
}

static bool
is_empty(const ScimValue *value)
{
	return is_absent(value) || (value->kind == SCIM_VALUE_LIST && value->count == 0);
}

/* RFC 7644 section 3.5.2.2: a required attribute is not removed. */
static void
require_removable(const ScimAttribute *attribute)
{
	if (attribute->required)
		problem_raise(PROBLEM_MUTABILITY, NULL, "the attribute \"%s\" is required and cannot be removed", attribute->name);
}

/* An immutable attribute that has a value keeps it. */
static void
require_same(const ScimAttribute *attribute, const ScimValue *old, const ScimValue *new)
{
	if (attribute->mutability == SCIM_IMMUTABLE && old && !tree_equal(old, new))
		problem_raise(PROBLEM_MUTABILITY, NULL, "the attribute \"%s\" cannot be changed once it has a value", attribute->name);
}

static bool
is_primary(const ScimValue *element)
{
	const ScimValue *primary = tree_get(element, "primary");

	return primary && primary->kind == SCIM_VALUE_TRUE;
}

/* RFC 7644 section 3.5.2: one that becomes primary ends that of the others. */
static void
keep_one_primary(ScimValue *list, const ScimValue *chosen)
{
	if (!is_primary(chosen))
		return;
	for (int i = 0; i < list->count; i++)
		if (list->items[i] != chosen && is_primary(list->items[i]))
			tree_set(list->items[i], "primary", tree_make(SCIM_VALUE_FALSE));
}

/* Put the members of one object into another. */
static void
merge(const ScimAttribute *attribute, ScimValue *into, const ScimValue *from)
{
	for (int i = 0; i < from->count; i++)
	{
		const ScimAttribute *sub = schema_attribute(attribute->subs, attribute->count, from->names[i], (int) strlen(from->names[i]));

		if (sub)
			require_same(sub, tree_get(into, from->names[i]), from->items[i]);
		tree_set(into, from->names[i], from->items[i]);
	}
}

/* ---- multi-valued attributes ---- */

/* Two elements are the same when their values and types are; without a value when all is. */
static bool
is_same_element(const ScimValue *left, const ScimValue *right)
{
	const ScimValue *value = tree_get(left, "value");

	if (value == NULL)
		return tree_equal(left, right);
	return tree_equal(value, tree_get(right, "value")) && tree_equal(tree_get(left, "type"), tree_get(right, "type"));
}

static void
add_elements(const ScimAttribute *attribute, ScimValue *list, const ScimValue *elements)
{
	for (int i = 0; i < elements->count; i++)
	{
		ScimValue  *element = elements->items[i];
		int			at = 0;

		CHECK_FOR_INTERRUPTS();
		while (at < list->count && !is_same_element(list->items[at], element))
			at++;
		if (at == list->count)
			tree_append(list, element);
		else if (element->kind == SCIM_VALUE_OBJECT)
			merge(attribute, list->items[at], element);
		keep_one_primary(list, list->items[at]);
	}
}

/* Entra's form: remove those that the value lists, by their "value" where they have one. */
static void
remove_elements(ScimValue *list, const ScimValue *elements)
{
	for (int i = 0; i < elements->count; i++)
		for (int at = list->count - 1; at >= 0; at--)
		{
			const ScimValue *value = tree_get(elements->items[i], "value");

			if (value ? tree_equal(value, tree_get(list->items[at], "value")) : tree_equal(elements->items[i], list->items[at]))
				tree_remove_at(list, at);
		}
}

static void
change_list(const Operation *operation)
{
	const ScimAttribute *attribute = operation->target.attribute;
	ScimValue  *list = tree_get(operation->container, attribute->name);
	ScimValue  *elements = is_empty(operation->value) ? NULL : input_value(attribute, operation->value);

	if (operation->verb == PATCH_REPLACE || list == NULL)
	{
		if (operation->verb != PATCH_REMOVE)
			list = elements ? tree_make(SCIM_VALUE_LIST) : operation->verb == PATCH_ADD ? list : NULL;
		if (elements && operation->verb != PATCH_REMOVE)
			add_elements(attribute, list, elements);
	}
	else if (operation->verb == PATCH_ADD)
	{
		if (elements)
			add_elements(attribute, list, elements);
	}
	else if (elements)
		remove_elements(list, elements);
	else if (is_absent(operation->value))
		list = NULL;
	if (is_empty(list))
		require_removable(attribute);
	tree_set(operation->container, attribute->name, is_empty(list) ? NULL : list);
}

/* ---- single-valued attributes ---- */

/* What an attribute or sub-attribute is set to, NULL is nothing; Entra ID's older form of one value is [{"$ref":null,"value":…}]. */
static ScimValue *
new_value(const Operation *operation, const ScimAttribute *attribute)
{
	const ScimValue *value = operation->value;

	if (operation->verb == PATCH_REMOVE || is_empty(value))
		return NULL;
	if (!attribute->multi_valued && value->kind == SCIM_VALUE_LIST && value->count == 1)
	{
		value = value->items[0];
		if (attribute->type != SCIM_COMPLEX && tree_get(value, "value"))
			value = tree_get(value, "value");
	}
	return input_value(attribute, value);
}

static void
change_single(const Operation *operation)
{
	const ScimAttribute *attribute = operation->target.attribute;
	ScimValue  *old = tree_get(operation->container, attribute->name);
	ScimValue  *new = new_value(operation, attribute);

	if (new == NULL && operation->verb == PATCH_ADD)
		return;
	if (new == NULL)
		require_removable(attribute);
	if (new && old && attribute->type == SCIM_COMPLEX)
		merge(attribute, old, new);
	else
		tree_set(operation->container, attribute->name, new);
}

/* Set or remove one sub-attribute of an object. */
static void
change_sub(const Operation *operation, const ScimAttribute *sub, ScimValue *object)
{
	ScimValue  *new = new_value(operation, sub);

	if (new == NULL && operation->verb == PATCH_ADD)
		return;
	if (new == NULL)
		require_removable(sub);
	require_same(sub, tree_get(object, sub->name), new);
	tree_set(object, sub->name, new);
}

/* attribute.sub; of a multi-valued attribute that of each element, or of a new one where there is none. */
static void
change_dotted(const Operation *operation)
{
	const ScimAttribute *attribute = operation->target.attribute;
	ScimValue  *value = tree_get(operation->container, attribute->name);

	if (value == NULL && operation->verb == PATCH_REMOVE)
		return;
	if (value == NULL)
		value = tree_make(attribute->multi_valued ? SCIM_VALUE_LIST : SCIM_VALUE_OBJECT);
	if (!attribute->multi_valued)
		change_sub(operation, operation->target.sub, value);
	else
	{
		if (value->count == 0)
			tree_append(value, tree_make(SCIM_VALUE_OBJECT));
		for (int i = value->count - 1; i >= 0; i--)
		{
			change_sub(operation, operation->target.sub, value->items[i]);
			keep_one_primary(value, value->items[i]);
			if (value->items[i]->count == 0)
				tree_remove_at(value, i);
		}
	}
	tree_set(operation->container, attribute->name, value->count > 0 ? value : NULL);
}

/* ---- attribute[filter] ---- */

/*
 * What the equalities of a filter say, as an element: Entra sets emails[type eq "work"].value where there
 * is no such element, and means to make it.  False where the filter has anything else.
 */
static bool
element_of_filter(const ScimFilter *filter, int at, const ScimAttribute *attribute, ScimValue *element)
{
	const ScimNode *node = &filter->nodes[at];
	const ScimAttribute *sub;
	ScimValue  *value;

	check_stack_depth();
	if (node->kind == SCIM_NODE_ELEMENT)
		return element_of_filter(filter, node->left, attribute, element);
	if (node->kind == SCIM_NODE_AND)
		return element_of_filter(filter, node->left, attribute, element) && element_of_filter(filter, node->right, attribute, element);
	if (node->kind != SCIM_NODE_COMPARE || node->op != SCIM_EQ || node->literal == SCIM_LITERAL_NULL || attribute->type != SCIM_COMPLEX)
		return false;
	sub = match_sub(attribute, node->name);
	if (node->literal == SCIM_LITERAL_TRUE || node->literal == SCIM_LITERAL_FALSE)
		value = tree_make(node->literal == SCIM_LITERAL_TRUE ? SCIM_VALUE_TRUE : SCIM_VALUE_FALSE);
	else
	{
		value = tree_make(node->literal == SCIM_LITERAL_NUMBER ? SCIM_VALUE_NUMBER : SCIM_VALUE_TEXT);
		value->text = node->value;
	}
	tree_set(element, sub->name, input_value(sub, value));
	return true;
}

/* Change one element; an object that becomes empty is removed by the caller. */
static void
change_element(const Operation *operation, ScimValue *list, int at)
{
	const ScimAttribute *attribute = operation->target.attribute;
	ScimValue  *new;

	if (operation->target.sub)
		change_sub(operation, operation->target.sub, list->items[at]);
	else
	{
		if (!is_absent(operation->value) && operation->value->kind == SCIM_VALUE_LIST && operation->value->count > 1)
			problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "an element of \"%s\" has one value, not a list of them", attribute->name);
		new = is_empty(operation->value) ? NULL : input_element(attribute, operation->value->kind == SCIM_VALUE_LIST ?
																operation->value->items[0] : operation->value);
		if (new == NULL)
			problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the operation needs a value for an element of \"%s\"", attribute->name);
		if (operation->verb == PATCH_REPLACE || new->kind != SCIM_VALUE_OBJECT)
			list->items[at] = new;
		else
			merge(attribute, list->items[at], new);
	}
	keep_one_primary(list, list->items[at]);
}

static void
change_filtered(const Operation *operation)
{
	const ScimAttribute *attribute = operation->target.attribute;
	const ScimFilter *filter = &operation->path->filter;
	ScimValue  *list = tree_get(operation->container, attribute->name);
	bool		found = false;

	if (!attribute->multi_valued)
		problem_raise(PROBLEM_INVALID_PATH, NULL, "\"%s\" has one value, which a filter cannot choose from", attribute->name);
	if (list == NULL)
		list = tree_make(SCIM_VALUE_LIST);
	for (int i = list->count - 1; i >= 0; i--)
	{
		if (!match_element(filter, filter->root, attribute, list->items[i]))
			continue;
		found = true;
		if (operation->verb == PATCH_REMOVE && operation->target.sub == NULL)
			tree_remove_at(list, i);
		else
			change_element(operation, list, i);
		if (i < list->count && list->items[i]->kind == SCIM_VALUE_OBJECT && list->items[i]->count == 0)
			tree_remove_at(list, i);
	}
	if (!found && operation->verb != PATCH_REMOVE)
	{
		ScimValue  *element = tree_make(SCIM_VALUE_OBJECT);
		Operation	addition = *operation;

		if (!element_of_filter(filter, filter->root, attribute, element))
			problem_raise(PROBLEM_NO_TARGET, NULL, "no element of \"%s\" matches the filter of the path", attribute->name);
		addition.verb = PATCH_ADD;
		tree_append(list, element);
		change_element(&addition, list, list->count - 1);
	}
	if (list->count == 0)
		require_removable(attribute);
	tree_set(operation->container, attribute->name, list->count > 0 ? list : NULL);
}

/* ---- members of a group ---- */

/* members[value eq "…"] names one member without a look at the others. */
static const char *
one_member(const ScimFilter *filter)
{
	const ScimNode *node = &filter->nodes[filter->nodes[filter->root].left];

	if (node->kind != SCIM_NODE_COMPARE || node->op != SCIM_EQ || node->literal != SCIM_LITERAL_TEXT || node->name.length != 5 ||
		pg_strncasecmp(node->name.text, "value", 5) != 0)
		return NULL;
	return node->value;
}

static bool
remove_members(ScimPatch *patch, const Operation *operation)
{
	const pg_uuid_t *group = &patch->resource->id;
	const ScimFilter *filter = &operation->path->filter;
	const char *one;

	if (!operation->path->has_filter)
		return is_absent(operation->value) ? members_keep(patch->context, group, NULL) :
			members_remove(patch->context, group, input_value(operation->target.attribute, operation->value));
	one = one_member(filter);
	if (one)
	{
		ScimValue  *list = tree_make(SCIM_VALUE_LIST);

		tree_append(list, input_element(operation->target.attribute, tree_text(one)));
		return list->items[0] && members_remove(patch->context, group, list);
	}
	return members_remove_where(patch->type, patch->context, group, filter, filter->nodes[filter->root].left, operation->target.attribute,
								patch->base_url);
}

static void
change_members(ScimPatch *patch, const Operation *operation)
{
	const pg_uuid_t *group = &patch->resource->id;
	ScimValue  *list;
	bool		changed;

	if (operation->target.sub || (operation->path->has_filter && operation->verb != PATCH_REMOVE))
		problem_raise(PROBLEM_MUTABILITY, "Remove the member and add another.", "a member of a group cannot be changed");
	if (operation->verb == PATCH_REMOVE)
	{
		patch->members_changed = remove_members(patch, operation) || patch->members_changed;
		return;
	}
	list = is_empty(operation->value) ? NULL : input_value(operation->target.attribute, operation->value);
	changed = operation->verb == PATCH_REPLACE && members_keep(patch->context, group, list);
	if (list)
		changed = members_add(patch->context, group, list) || changed;
	patch->members_changed = patch->members_changed || changed;
}

/* ---- one operation ---- */

static void
change_attribute(ScimPatch *patch, Operation *operation)
{
	const ScimAttribute *attribute = operation->target.attribute;

	operation->container = patch->resource->content;
	if (operation->target.extension)
	{
		operation->container = tree_get(patch->resource->content, operation->target.extension->urn);
		if (operation->container == NULL)
			operation->container = tree_make(SCIM_VALUE_OBJECT);
	}
	if (patch->type->storage == SCIM_IN_ROLES && strcmp(attribute->name, "members") == 0)
		change_members(patch, operation);
	else if (operation->path->has_filter)
		change_filtered(operation);
	else if (operation->target.sub)
		change_dotted(operation);
	else if (attribute->multi_valued)
		change_list(operation);
	else
		change_single(operation);
	if (operation->target.extension)
		tree_set(patch->resource->content, operation->target.extension->urn, operation->container->count > 0 ? operation->container : NULL);
}

/* An extension as a whole. */
static void
change_extension(ScimPatch *patch, PatchVerb verb, const ScimSchema *extension, const ScimValue *value)
{
	if (verb == PATCH_REMOVE)
	{
		tree_set(patch->resource->content, extension->urn, NULL);
		return;
	}
	if (value == NULL || value->kind != SCIM_VALUE_OBJECT)
		problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the value for \"%s\" must be an object", extension->urn);
	for (int i = 0; i < value->count; i++)
		apply_path(patch, verb, psprintf("%s:%s", extension->urn, value->names[i]), value->items[i], true);
}

/* What the client may not write: true when it is to be passed over. */
static bool
is_passed_over(const ScimTarget *target, bool from_object)
{
	bool		read_only = target->attribute->mutability == SCIM_READ_ONLY || target->attribute == &schema_common[3] ||
		(target->sub && target->sub->mutability == SCIM_READ_ONLY);

	if (read_only && !from_object)
		problem_raise(PROBLEM_MUTABILITY, NULL, "the attribute \"%s\" cannot be written", target->sub ? target->sub->name : target->attribute->name);
	return read_only;
}

static const ScimAttribute *
behind_filter(const ScimAttribute *attribute, ScimName name)
{
	const ScimAttribute *sub = schema_attribute(attribute->subs, attribute->count, name.text, name.length);

	if (sub == NULL)
		problem_raise(PROBLEM_INVALID_PATH, NULL, "\"%s\" has no sub-attribute \"%.*s\"", attribute->name, name.length, name.text);
	return sub;
}

static void
apply_path(ScimPatch *patch, PatchVerb verb, const char *text, const ScimValue *value, bool from_object)
{
	int			length = (int) strlen(text);
	Operation	operation = {.verb = verb,.value = value,.path = palloc(sizeof(ScimPath))};

	check_stack_depth();
	if (!scim_parse_path(text, length, palloc(length + 1), operation.path))
		problem_raise(PROBLEM_INVALID_PATH, NULL, "the path \"%s\" cannot be read at character %d: %s", text, operation.path->filter.fault_at + 1,
					  operation.path->filter.fault);
	if (!schema_find(patch->type, operation.path->name, &operation.target))
	{
		if (from_object)
			return;
		problem_raise(PROBLEM_INVALID_PATH, NULL, "the resource type %s has no attribute \"%.*s\"", patch->type->name, operation.path->name.length,
					  operation.path->name.text);
	}
	if (operation.target.attribute == NULL)
	{
		change_extension(patch, verb, operation.target.extension, value);
		return;
	}
	if (operation.path->sub.length > 0)
		operation.target.sub = behind_filter(operation.target.attribute, operation.path->sub);
	if (!is_passed_over(&operation.target, from_object))
		change_attribute(patch, &operation);
}

static PatchVerb
read_verb(const ScimValue *operation)
{
	const ScimValue *op = tree_get_any_case(operation, "op");

	if (op && op->kind == SCIM_VALUE_TEXT)
	{
		if (pg_strcasecmp(op->text, "add") == 0)
			return PATCH_ADD;
		if (pg_strcasecmp(op->text, "replace") == 0)
			return PATCH_REPLACE;
		if (pg_strcasecmp(op->text, "remove") == 0)
			return PATCH_REMOVE;
	}
	problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the \"op\" of an operation must be add, replace or remove");
}

static void
apply_operation(ScimPatch *patch, const ScimValue *operation)
{
	PatchVerb	verb = read_verb(operation);
	const ScimValue *path = tree_get_any_case(operation, "path");
	const ScimValue *value = tree_get_any_case(operation, "value");
	bool		has_path = path && path->kind == SCIM_VALUE_TEXT && *path->text;

	if (path && path->kind != SCIM_VALUE_TEXT && path->kind != SCIM_VALUE_NULL)
		problem_raise(PROBLEM_INVALID_PATH, NULL, "the path of an operation is a string");
	if (verb != PATCH_REMOVE && value == NULL)
		problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "the operation \"%s\" needs a value", verb == PATCH_ADD ? "add" : "replace");
	if (has_path)
		apply_path(patch, verb, path->text, value, false);
	else if (verb == PATCH_REMOVE)
		problem_raise(PROBLEM_NO_TARGET, NULL, "the operation \"remove\" needs a path");
	else if (value->kind != SCIM_VALUE_OBJECT)
		problem_raise(PROBLEM_VALIDATION_FAILED, NULL, "an operation without a path needs an object as its value");
	else
		for (int i = 0; i < value->count; i++)
			apply_path(patch, verb, value->names[i], value->items[i], true);
}

void
patch_apply(ScimPatch *patch, const ScimValue *message)
{
	const ScimValue *operations = tree_get_any_case(message, "Operations");

	input_require_schema(message, "urn:ietf:params:scim:api:messages:2.0:PatchOp");
	if (operations == NULL || operations->kind != SCIM_VALUE_LIST || operations->count == 0)
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the message has no list \"Operations\"");
	for (int i = 0; i < operations->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (operations->items[i]->kind != SCIM_VALUE_OBJECT)
			problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "an operation is an object");
		apply_operation(patch, operations->items[i]);
	}
}
