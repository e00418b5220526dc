/*
 * keywords.c
 *	  The table of the keywords, and a node made of those that its schema has.
 */
#include "base/compat.h"

#include "miscadmin.h"
#include "schema/applicators.h"
#include "schema/assertions.h"
#include "schema/keywords.h"

#define NODE(member) IN_NODE, offsetof(SchemaNode, member)
#define STRING(member) IN_STRING, offsetof(SchemaStringRules, member), assertion_count
#define BOUND(member) IN_NUMBER, offsetof(SchemaNumberRules, member)
#define ARRAY(member) IN_ARRAY, offsetof(SchemaArrayRules, member)
#define OBJECT(member) IN_OBJECT, offsetof(SchemaObjectRules, member)

static const Keyword keywords[] = {
	{"$ref", VOCABULARY_CORE, NODE(reference), applicator_reference},
	{"$dynamicRef", VOCABULARY_CORE, NODE(dynamic_reference), applicator_reference},
	{"type", VOCABULARY_VALIDATION, NODE(types), assertion_type},
	{"enum", VOCABULARY_VALIDATION, NODE(enumeration), assertion_enum},
	{"const", VOCABULARY_VALIDATION, NODE(constant), assertion_const},
	{"minLength", VOCABULARY_VALIDATION, STRING(minimum)},
	{"maxLength", VOCABULARY_VALIDATION, STRING(maximum)},
	{"pattern", VOCABULARY_VALIDATION, IN_NODE, 0, assertion_pattern},
	{"format", VOCABULARY_FORMAT, IN_NODE, 0, assertion_format},
	{"minimum", VOCABULARY_VALIDATION, BOUND(minimum), assertion_bound},
	{"maximum", VOCABULARY_VALIDATION, BOUND(maximum), assertion_bound},
	{"exclusiveMinimum", VOCABULARY_VALIDATION, BOUND(exclusive_minimum), assertion_bound},
	{"exclusiveMaximum", VOCABULARY_VALIDATION, BOUND(exclusive_maximum), assertion_bound},
	{"multipleOf", VOCABULARY_VALIDATION, BOUND(multiple_of), assertion_multiple},
	{"minItems", VOCABULARY_VALIDATION, ARRAY(minimum), assertion_count},
	{"maxItems", VOCABULARY_VALIDATION, ARRAY(maximum), assertion_count},
	{"uniqueItems", VOCABULARY_VALIDATION, ARRAY(unique), assertion_unique},
	{"prefixItems", VOCABULARY_APPLICATOR, IN_NODE, 0, applicator_prefix},
	{"items", VOCABULARY_APPLICATOR, ARRAY(items), applicator_schema},
	{"contains", VOCABULARY_APPLICATOR, ARRAY(contains), applicator_schema},
	{"minContains", VOCABULARY_VALIDATION, ARRAY(contains_minimum), assertion_count},
	{"maxContains", VOCABULARY_VALIDATION, ARRAY(contains_maximum), assertion_count},
	{"minProperties", VOCABULARY_VALIDATION, OBJECT(minimum), assertion_count},
	{"maxProperties", VOCABULARY_VALIDATION, OBJECT(maximum), assertion_count},
	{"required", VOCABULARY_VALIDATION, IN_NODE, 0, applicator_required},
	{"properties", VOCABULARY_APPLICATOR, IN_NODE, 0, applicator_properties},
	{"patternProperties", VOCABULARY_APPLICATOR, IN_NODE, 0, applicator_patterns},
	{"additionalProperties", VOCABULARY_APPLICATOR, OBJECT(additional), applicator_additional},
	{"propertyNames", VOCABULARY_APPLICATOR, OBJECT(names), applicator_schema},
	{"dependentRequired", VOCABULARY_VALIDATION, IN_NODE, 0, applicator_dependencies},
	{"dependentSchemas", VOCABULARY_APPLICATOR, IN_NODE, 0, applicator_dependencies},
	{"dependencies", VOCABULARY_APPLICATOR, IN_NODE, 0, applicator_dependencies},
	{"allOf", VOCABULARY_APPLICATOR, NODE(all), applicator_branches},
	{"anyOf", VOCABULARY_APPLICATOR, NODE(any), applicator_branches},
	{"oneOf", VOCABULARY_APPLICATOR, NODE(one), applicator_branches},
	{"not", VOCABULARY_APPLICATOR, NODE(negated), applicator_schema},
	{"if", VOCABULARY_APPLICATOR, NODE(condition), applicator_schema},
	{"then", VOCABULARY_APPLICATOR, NODE(consequence), applicator_schema},
	{"else", VOCABULARY_APPLICATOR, NODE(alternative), applicator_schema},
	{"unevaluatedItems", VOCABULARY_UNEVALUATED, NODE(unevaluated_items), applicator_schema},
	{"unevaluatedProperties", VOCABULARY_UNEVALUATED, NODE(unevaluated_properties), applicator_schema},
};

void
keywords_compile(Compiler *compiler, const Work *work, uint32 vocabularies)
{
	Building	building = {.node = compiler->schema->nodes[work->node],.schema = work->value};
	uint32		count = VALUE_COUNT(&work->value);
	ValueWalk	names = value_walk(VALUE_CONTAINER(&work->value), 0);
	ValueWalk	values = value_walk(VALUE_CONTAINER(&work->value), count);
	SchemaNode *node = &building.node;

	CHECK_FOR_INTERRUPTS();
	building.asserts_formats = compiler->assert_formats || (vocabularies & VOCABULARY_FORMAT_ASSERTION);
	for (uint32 i = 0; i < count; i++)
	{
		Value		name;
		Value		value;

		value_next(&names, &name);
		value_next(&values, &value);
		for (int j = 0; j < (int) lengthof(keywords); j++)
		{
			const Keyword *keyword = &keywords[j];

			if (strlen(keyword->name) != name.length || memcmp(keyword->name, name.data, name.length) != 0)
				continue;
			if ((keyword->vocabulary & ~vocabularies) == 0)
				keyword->compile(compiler, &building, keyword, &value, (char *) building_group(&building, keyword->group) + keyword->offset);
			break;
		}
	}
	applicator_finish_properties(compiler, &building);
	if (node->condition == NO_NODE)
		node->consequence = node->alternative = NO_NODE;
	node->in_place = node->all.count + node->any.count + node->one.count > 0 || node->negated != NO_NODE ||
		node->condition != NO_NODE || node->reference != NO_NODE || node->dynamic_reference != NO_NODE;
	compiler->schema->nodes[work->node] = *node;
}
