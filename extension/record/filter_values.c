/*
 * filter_values.c
 *	  What values a field lists (filter.h): options, units, comparators, bands.  Pure.
 */
#include "base/compat.h"

#include "base/json.h"
#include "record/filter.h"

/* Whether a text is among the values of a list of texts, or of objects with a member "value". */
static bool
is_listed(const JsonbContainer *list, const char *text)
{
	for (uint32 i = 0; i < JsonContainerSize(list); i++)
	{
		JsonbValue *entry = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, list), i);
		JsonbValue	value = *entry;

		if ((entry->type != jbvBinary || json_member(entry->val.binary.data, "value", 5, &value)) && value.type == jbvString &&
			strcmp(json_text_copy(&value), text) == 0)
			return true;
	}
	return false;
}

/* Whether a quantity may have a unit: one of units, the unit, or any. */
static bool
is_unit(const ModuleField *quantity, const char *text)
{
	const char *unit = json_member_text(quantity->definition, "unit");
	JsonbValue	units;

	if (json_member(quantity->definition, "units", 5, &units) && units.type == jbvBinary)
		return is_listed(units.val.binary.data, text);
	return unit == NULL || strcmp(unit, text) == 0;
}

static bool
is_band(const ModuleField *score, const char *text)
{
	for (int i = 0; i < score->band_count; i++)
		if (strcmp(score->bands[i].name, text) == 0)
			return true;
	return score->band_count == 0;
}

bool
filter_may_have(const FilterField *field, const char *text)
{
	static const char *const comparators[] = {"<", "<=", ">", ">="};
	bool		is_comparator = false;

	for (int i = 0; field->field && i < field->field->option_count; i++)
		if (strcmp(field->field->options[i], text) == 0)
			return true;
	if (field->field || field->top == NULL)
		return field->field == NULL || field->field->option_count == 0;
	for (int i = 0; i < (int) lengthof(comparators); i++)
		is_comparator |= strcmp(comparators[i], text) == 0;
	if (field->top->type == FIELD_QUANTITY && strcmp(field->below, ".comparator") == 0)
		return is_comparator;
	if (field->top->type == FIELD_QUANTITY && strcmp(field->below, ".unit") == 0)
		return is_unit(field->top, text);
	return field->top->type != FIELD_MATRIX_SCORE || strcmp(field->below, ".band") != 0 || is_band(field->top, text);
}
