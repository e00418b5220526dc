/*
 * check.c
 *	  The shapes that parts of a definition have: names, lines, arrays, flags,
 *	  expressions.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/check.h"
#include "module/expression.h"

bool
check_is_name(const char *text, bool hyphen)
{
	int			length;

	if (text == NULL)
		return false;
	length = strlen(text);
	if (length < 1 || length > 63 || text[0] < 'a' || text[0] > 'z')
		return false;
	return strspn(text, hyphen ? "abcdefghijklmnopqrstuvwxyz0123456789_-" : "abcdefghijklmnopqrstuvwxyz0123456789_") == (size_t) length;
}

bool
check_is_line(const JsonbValue *value, int most)
{
	if (value->type != jbvString || value->val.string.len < 1 || value->val.string.len > most)
		return false;
	for (int i = 0; i < value->val.string.len; i++)
		if ((unsigned char) value->val.string.val[i] < ' ' || value->val.string.val[i] == 0x7f)
			return false;
	return true;
}

bool
check_has_name(const Names *names, const char *name)
{
	for (int i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

bool
check_has_state(const JsonbContainer *definition, const JsonbValue *state)
{
	JsonbValue	workflow;
	JsonbValue	states;

	return json_member(definition, "workflow", 8, &workflow) && workflow.type == jbvBinary &&
		json_member(workflow.val.binary.data, "states", 6, &states) && states.type == jbvBinary && JsonContainerIsArray(states.val.binary.data) &&
		findJsonbValueFromContainer(states.val.binary.data, JB_FARRAY, unconstify(JsonbValue *, state)) != NULL;
}

bool
check_is_user_field(const Names *fields, const char *key)
{
	for (int i = 0; i < fields->count; i++)
		if (strcmp(fields->items[i], key) == 0)
			return fields->types[i] == FIELD_USER;
	return false;
}

bool
check_is_file_field(const Names *fields, const char *key)
{
	for (int i = 0; i < fields->count; i++)
		if (strcmp(fields->items[i], key) == 0)
			return module_takes_attachments(fields->types[i]);
	return false;
}

const JsonbContainer *
check_element(const JsonbContainer *array, uint32 index, JsonbValue *value)
{
	*value = *getIthJsonbValueFromContainer(unconstify(JsonbContainer *, array), index);
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data) ? value->val.binary.data : NULL;
}

const JsonbContainer *
check_array(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value))
		return NULL;
	if (value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
		return value.val.binary.data;
	violation_add(faults, psprintf("%s/%s", path, key), "type", "must be an array");
	return NULL;
}

const JsonbContainer *
check_object(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value))
		return NULL;
	if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		return value.val.binary.data;
	violation_add(faults, psprintf("%s/%s", path, key), "type", "must be an object");
	return NULL;
}

const char *
check_by_language(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data) ?
		", not an object: texts in several languages stand in \"label\"" : "";
}

void
check_text(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (json_member(object, key, strlen(key), &value) && (value.type != jbvString || value.val.string.len > QEHS_DESCRIPTION_BYTES))
		violation_add(faults, psprintf("%s/%s", path, key), "type", "must be a text of at most %d bytes%s", QEHS_DESCRIPTION_BYTES, check_by_language(&value));
}

void
check_flag(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults)
{
	JsonbValue	value;

	if (json_member(object, key, strlen(key), &value) && value.type != jbvBool)
		violation_add(faults, psprintf("%s/%s", path, key), "type", "must be true or false");
}

/* "$a, $b and $c" */
static char *
listed(const char *const *variables)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; variables[i]; i++)
		appendStringInfo(&out, "%s$%s", i == 0 ? "" : variables[i + 1] ? ", " : " and ", variables[i]);
	return out.data;
}

JsonPath *
check_expression_text(const JsonbValue *value, const char *path, const char *const *variables, ViolationList *faults)
{
	JsonPath   *expression;
	ListCell   *cell;

	if (value->type != jbvString)
		violation_add(faults, path, "type", "must be a string with an SQL/JSON path");
	else if (value->val.string.len > QEHS_EXPRESSION_BYTES)
		violation_add(faults, path, "maxLength", "must be at most %d bytes", QEHS_EXPRESSION_BYTES);
	else if ((expression = definition_expression(json_text_copy(value))) == NULL)
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
				violation_add(faults, path, "variable", "must have no variables but %s: $%s", listed(variables),
							  (char *) lfirst(cell));
		}
		return faults->count == faults_before ? expression : NULL;
	}
	return NULL;
}

JsonPath *
check_expression(const JsonbContainer *object, const char *key, const char *path, ViolationList *faults)
{
	static const char *const variables[] = {"state", "user", "roles", "now", "today", NULL};
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value))
		return NULL;
	return check_expression_text(&value, psprintf("%s/%s", path, key), variables, faults);
}
