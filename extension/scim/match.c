/*
 * match.c
 *	  Filters over values in memory; filter.c says the same in SQL.
 */
#include "base/compat.h"

#include "scim/match.h"

#include "base/error.h"
#include "base/json.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/numeric.h"

const ScimAttribute *
match_sub(const ScimAttribute *attribute, ScimName name)
{
	const ScimAttribute *sub = schema_attribute(attribute->subs, attribute->count, name.text, name.length);

	if (attribute->type != SCIM_COMPLEX && name.length == 5 && pg_strncasecmp(name.text, "value", 5) == 0)
		return attribute;
	if (sub == NULL)
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "\"%s\" has no sub-attribute \"%.*s\"", attribute->name, name.length, name.text);
	return sub;
}

bool
match_truth(const ScimNode *node, bool *truth)
{
	*truth = node->literal == SCIM_LITERAL_TRUE || (node->literal == SCIM_LITERAL_TEXT && pg_strcasecmp(node->value, "true") == 0);
	return *truth || node->literal == SCIM_LITERAL_FALSE || (node->literal == SCIM_LITERAL_TEXT && pg_strcasecmp(node->value, "false") == 0);
}

static bool
literal_fits(const ScimAttribute *attribute, const ScimNode *node)
{
	bool		truth;

	switch (attribute->type)
	{
		case SCIM_BOOLEAN:
			return match_truth(node, &truth);
		case SCIM_INTEGER:
		case SCIM_DECIMAL:
			return node->literal == SCIM_LITERAL_NUMBER;
		default:
			return node->literal == SCIM_LITERAL_TEXT;
	}
}

void
match_check(const ScimAttribute *attribute, const ScimNode *node)
{
	bool		equality = node->op == SCIM_EQ || node->op == SCIM_NE;
	bool		part = node->op == SCIM_CO || node->op == SCIM_SW || node->op == SCIM_EW;
	TimestampTz time;

	if (node->op == SCIM_PR || (equality && node->literal == SCIM_LITERAL_NULL))
		return;
	/* RFC 7644 section 3.4.2.2: order and parts of a boolean or binary value are invalidFilter */
	if (!equality && (attribute->type == SCIM_BOOLEAN || attribute->type == SCIM_COMPLEX || (attribute->type == SCIM_BINARY && !part)))
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "the attribute \"%s\" is %s, which the operator does not compare", attribute->name,
					  schema_type_name(attribute->type));
	if (part && (attribute->type == SCIM_INTEGER || attribute->type == SCIM_DECIMAL || attribute->type == SCIM_DATETIME))
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "co, sw and ew compare strings, and the attribute \"%s\" is %s", attribute->name,
					  schema_type_name(attribute->type));
	if (attribute->type == SCIM_COMPLEX || !literal_fits(attribute, node))
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "the value is not of the type of the attribute \"%s\", %s", attribute->name,
					  schema_type_name(attribute->type));
	if (attribute->type == SCIM_DATETIME && !json_time_parse(node->value, (int) strlen(node->value), &time))
		problem_raise(PROBLEM_INVALID_FILTER, NULL, "the attribute \"%s\" is compared with an RFC 3339 date-time", attribute->name);
}

static bool
compares(ScimOperator op, int order)
{
	switch (op)
	{
		case SCIM_EQ:
			return order == 0;
		case SCIM_NE:
			return order != 0;
		case SCIM_GT:
			return order > 0;
		case SCIM_GE:
			return order >= 0;
		case SCIM_LT:
			return order < 0;
		default:
			return order <= 0;
	}
}

static Datum
number(const char *text)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static char *
folded(const ScimAttribute *attribute, const char *text)
{
	return attribute->case_exact ? pstrdup(text) : str_tolower(text, strlen(text), DEFAULT_COLLATION_OID);
}

static bool
match_text(const ScimAttribute *attribute, const ScimNode *node, const char *text)
{
	char	   *left = folded(attribute, text);
	char	   *right = folded(attribute, node->value);
	size_t		length = strlen(left);
	size_t		part = strlen(right);

	switch (node->op)
	{
		case SCIM_CO:
			return strstr(left, right) != NULL;
		case SCIM_SW:
			return strncmp(left, right, part) == 0;
		case SCIM_EW:
			return length >= part && strcmp(left + length - part, right) == 0;
		default:
			return compares(node->op, strcmp(left, right));
	}
}

static bool
match_time(const ScimNode *node, const char *text)
{
	TimestampTz left;
	TimestampTz right;

	return json_time_parse(text, (int) strlen(text), &left) && json_time_parse(node->value, (int) strlen(node->value), &right) &&
		compares(node->op, left < right ? -1 : left > right);
}

static bool
match_value(const ScimAttribute *attribute, const ScimNode *node, const ScimValue *value)
{
	bool		present = value && value->kind != SCIM_VALUE_NULL && !(value->kind == SCIM_VALUE_LIST && value->count == 0);
	bool		truth;

	match_check(attribute, node);
	if (node->op == SCIM_PR)
		return present;
	if (node->literal == SCIM_LITERAL_NULL)
		return present == (node->op == SCIM_NE);
	if (!present)
		return false;
	switch (attribute->type)
	{
		case SCIM_BOOLEAN:
			match_truth(node, &truth);
			return (value->kind == SCIM_VALUE_TRUE) == (truth == (node->op == SCIM_EQ));
		case SCIM_INTEGER:
		case SCIM_DECIMAL:
			return value->kind == SCIM_VALUE_NUMBER &&
				compares(node->op, DatumGetInt32(DirectFunctionCall2(numeric_cmp, number(value->text), number(node->value))));
		case SCIM_DATETIME:
			return value->kind == SCIM_VALUE_TEXT && match_time(node, value->text);
		default:
			return value->kind == SCIM_VALUE_TEXT && match_text(attribute, node, value->text);
	}
}

bool
match_element(const ScimFilter *filter, int at, const ScimAttribute *attribute, const ScimValue *element)
{
	const ScimNode *node = &filter->nodes[at];
	const ScimAttribute *sub;
	bool		left;

	check_stack_depth();
	switch (node->kind)
	{
		case SCIM_NODE_AND:
			left = match_element(filter, node->left, attribute, element);
			return match_element(filter, node->right, attribute, element) && left;
		case SCIM_NODE_OR:
			left = match_element(filter, node->left, attribute, element);
			return match_element(filter, node->right, attribute, element) || left;
		case SCIM_NODE_NOT:
			return !match_element(filter, node->left, attribute, element);
		case SCIM_NODE_ELEMENT:
			/* the node of the path itself */
			return match_element(filter, node->left, attribute, element);
		default:
			sub = match_sub(attribute, node->name);
			return match_value(sub, node, sub == attribute ? element : tree_get(element, sub->name));
	}
}
