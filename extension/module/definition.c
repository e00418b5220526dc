/*
 * definition.c
 *	  Every fault of a definition document, each with its JSON Pointer.
 *
 * Pure but for expressions, whose parser raises errors: each is compiled inside
 * an internal subtransaction, which is cheap enough for the rare publish.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/expression.h"
#include "module/locale.h"
#include "module/members.h"
#include "module/satisfiable.h"
#include "module/unique_rules.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

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

/* A schema of the field's own, or options, that leave no value of its type; of a field without other faults. */
static void
check_satisfiable(const JsonbContainer *field, FieldType type, const char *path, ViolationList *faults)
{
	static const char *const options[] = {"schema", "pattern", "step", "minLength", "maxLength", "min", "max"};
	const char *option = NULL;
	const JsonbContainer *root = NULL;
	JsonbValue	value;

	/* the first that the field has is told */
	for (int i = 0; i < (int) lengthof(options) && option == NULL; i++)
		if (json_member(field, options[i], strlen(options[i]), &value))
			option = options[i];
	if (option == NULL)
		return;
	if (option == options[0] && value.type == jbvBinary)
	{
		StringInfoData text;

		initStringInfo(&text);
		json_jsonb_value(&text, &value);
		root = strstr(text.data, "\"$id\":") == NULL ? value.val.binary.data : NULL;
	}
	if (!satisfiable_schema(definition_field_schema(field), root))
		violation_add(faults, psprintf("%s/%s", path, option), "unsatisfiable", "leaves no value that a field of type %s could have",
					  module_field_types[type].name);
}

static void check_fields(const JsonbContainer *fields, const char *path, int depth, Names *names, ViolationList *faults);

/* Gives the expression of a computed field. */
static JsonPath *
check_field(const JsonbContainer *field, const char *path, int depth, ViolationList *faults)
{
	JsonPath   *computed;
	bool		has_computed;
	JsonbValue	value;
	FieldType	type = definition_field_type(field);
	const JsonbContainer *nested;
	Names		names = {0};
	int			faults_before = faults->count;

	members_check(field, field_members, path, faults);
	if (type == FIELD_TYPE_COUNT)
	{
		violation_add(faults, psprintf("%s/type", path), "enum", "is not a field type");
		return NULL;
	}
	if (json_member_bool(field, "indexed", false) &&
		((type != FIELD_COMPUTED && module_slot_kind(module_field_types[type].kind) == SLOT_NONE) || depth > 0))
		violation_add(faults, psprintf("%s/indexed", path), "indexed", "cannot be set for this field");
	label_check(field, path, faults);
	check_text(field, "description", path, faults);
	definition_check_options(field, type, depth, path, faults);
	if (type == FIELD_MATRIX_SCORE)
		definition_check_matrix(field, path, faults);
	check_limit_order(field, "min", "max", path, faults);
	check_limit_order(field, "minLength", "maxLength", path, faults);
	check_expression(field, "requiredWhen", path, faults);
	check_expression(field, "visibleWhen", path, faults);
	has_computed = json_member(field, "computed", 8, &value);
	computed = check_expression(field, has_computed ? "computed" : "expression", path, faults);
	if (has_computed && json_member(field, "expression", 10, &value))
		violation_add(faults, psprintf("%s/expression", path), "type", "cannot stand beside \"computed\", which is the same");
	if (type == FIELD_COMPUTED && !has_computed && !json_member(field, "expression", 10, &value))
		violation_add(faults, psprintf("%s/computed", path), "required", "must be an SQL/JSON path");
	nested = check_array(field, "fields", path, faults);
	if (nested && JsonContainerSize(nested) == 0)
		violation_add(faults, psprintf("%s/fields", path), "required", "must list at least one field");
	else if (nested && depth + 1 >= QEHS_FIELD_DEPTH)
		violation_add(faults, psprintf("%s/fields", path), "depth", "must not be nested deeper than %d levels", QEHS_FIELD_DEPTH);
	else if (nested)
		check_fields(nested, psprintf("%s/fields", path), depth + 1, &names, faults);
	else if (type == FIELD_TABLE)
		violation_add(faults, psprintf("%s/fields", path), "required", "must list the table's fields");
	if (faults->count == faults_before)
		check_satisfiable(field, type, path, faults);
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
	names->types = palloc(sizeof(FieldType) * Max(count, 1));
	for (uint32 i = 0; i < count; i++)
	{
		char	   *at = psprintf("%s/%u", path, i);
		JsonbValue	value;
		const JsonbContainer *field = check_element(fields, i, &value);
		char	   *key = field ? json_member_text(field, "key") : NULL;
		JsonPath   *expression;

		if (field == NULL)
		{
			violation_add(faults, at, "type", "must be an object");
			continue;
		}
		if (!check_is_name(key, false))
			violation_add(faults, psprintf("%s/key", at), "pattern",
						  "must be 1 to 63 lower-case letters, digits or underscores, starting with a letter");
		else if (depth == 0 && (strcmp(key, "and") == 0 || strcmp(key, "or") == 0 || strcmp(key, "not") == 0))
			violation_add(faults, psprintf("%s/key", at), "reserved", "cannot be \"%s\": filters combine conditions by that word", key);
		else if (check_has_name(names, key))
			violation_add(faults, psprintf("%s/key", at), "unique", "is used by another field");
		else
		{
			names->types[names->count] = definition_field_type(field);
			names->items[names->count++] = key;
		}
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
		const JsonbContainer *field = check_element(fields, places[circular], &value);

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
		const JsonbContainer *field = check_element(fields, i, &value);

		if (field && json_member(field, "fields", 6, &value) && value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
			count += count_fields(value.val.binary.data, depth + 1);
	}
	return count;
}

static void
check_prefix(const JsonbContainer *root, ViolationList *faults)
{
	const JsonbContainer *code = check_object(root, "displayCode", "", faults);
	char	   *prefix = code ? json_member_text(code, "prefix") : NULL;
	int			length = prefix ? strlen(prefix) : 0;

	if (code)
		members_check(code, display_code_members, "/displayCode", faults);
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
	JsonbValue	value = {.type = jbvNull};

	if (!JB_ROOT_IS_OBJECT(definition))
	{
		violation_add(faults, "", "type", "must be an object");
		return;
	}
	members_check(root, definition_members, "", faults);
	if (!check_is_name(json_member_text(root, "key"), true))
		violation_add(faults, "/key", "pattern", "must be 1 to 63 lower-case letters, digits, underscores or hyphens, starting with a letter");
	if (!json_member(root, "name", 4, &value) || !check_is_line(&value, QEHS_NAME_BYTES))
		violation_add(faults, "/name", value.type == jbvNull ? "required" : "type", "must be a text of 1 to %d bytes without control characters%s",
					  QEHS_NAME_BYTES, check_by_language(&value));
	label_check(root, "", faults);
	check_prefix(root, faults);
	check_flag(root, "requireIfMatch", "", faults);
	check_text(root, "description", "", faults);
	part = check_array(root, "fields", "", faults);
	if (part == NULL || JsonContainerSize(part) == 0)
		violation_add(faults, "/fields", "required", "must list at least one field");
	else if (count_fields(part, 0) > QEHS_MAX_ALL_FIELDS)
		violation_add(faults, "/fields", "maxItems", "must have at most %d fields, those of tables and objects among them", QEHS_MAX_ALL_FIELDS);
	else
		check_fields(part, "/fields", 0, &fields, faults);
	unique_rules_check(root, &fields, faults);
	part = check_object(root, "workflow", "", faults);
	if (part == NULL)
		violation_add(faults, "/workflow", "required", "is required");
	else
		check_workflow(part, &fields, faults);
	check_retention(root, &fields, faults);
	part = check_object(root, "permissions", "", faults);
	if (part)
	{
		check_permissions(root, part, &fields, faults);
		check_locks(root, part, &fields, faults);
		if (faults->count == 0)
			check_due_is_open(root, faults);
	}
}
