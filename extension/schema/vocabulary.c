/*
 * vocabulary.c
 *	  Which keywords count: the vocabularies of the dialect that "$schema" names
 *	  (2020-12 core 8.1).
 */
#include "base/compat.h"

#include "schema/resource.h"
#include "schema/uri.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"
#define DEFAULT_VOCABULARIES (VOCABULARY_APPLICATOR | VOCABULARY_UNEVALUATED | VOCABULARY_VALIDATION | VOCABULARY_FORMAT)

/* What "$vocabulary" of a metaschema switches on. */
static uint32
read_vocabularies(Resources *resources, const Value *metaschema, const Place *location)
{
	static const struct
	{
		const char *name;
		uint32		bits;
	}			known[] = {
		{"core", 0}, {"applicator", VOCABULARY_APPLICATOR}, {"unevaluated", VOCABULARY_UNEVALUATED},
		{"validation", VOCABULARY_VALIDATION}, {"meta-data", 0}, {"content", 0}, {"format-annotation", VOCABULARY_FORMAT},
		{"format-assertion", VOCABULARY_FORMAT | VOCABULARY_FORMAT_ASSERTION},
	};
	static const char prefix[] = "https://json-schema.org/draft/2020-12/vocab/";
	Value		list;
	ValueWalk	names;
	ValueWalk	values;
	uint32		result = 0;

	if (metaschema->type != VALUE_OBJECT || !value_member(metaschema, "$vocabulary", 11, &list) || list.type != VALUE_OBJECT)
		return DEFAULT_VOCABULARIES;
	names = value_walk(VALUE_CONTAINER(&list), 0);
	values = value_walk(VALUE_CONTAINER(&list), VALUE_COUNT(&list));
	for (uint32 i = 0; i < VALUE_COUNT(&list); i++)
	{
		Value		name;
		Value		needed;
		bool		found = false;

		value_next(&names, &name);
		value_next(&values, &needed);
		for (int j = 0; j < (int) lengthof(known) && !found; j++)
			if (name.length == sizeof(prefix) - 1 + strlen(known[j].name) && memcmp(name.data, prefix, sizeof(prefix) - 1) == 0 &&
				memcmp(name.data + sizeof(prefix) - 1, known[j].name, strlen(known[j].name)) == 0)
			{
				result |= known[j].bits;
				found = true;
			}
		if (!found && needed.type == VALUE_BOOLEAN && needed.truth)
			schema_fault(resources->faults, location, "$schema", "$schema", "its vocabulary %s is not known",
						 schema_shown(name.data, name.length));
	}
	return result;
}

uint32
resources_vocabularies(Resources *resources, int resource)
{
	SchemaResource *item = &resources->items[resource];
	char	   *dialect;

	if (item->has_dialect)
		return item->vocabularies;
	item->has_dialect = true;
	dialect = item->root.type == VALUE_OBJECT ? resources_string(resources, &item->root, "$schema", item->location) : NULL;
	if (dialect)
		uri_cut_fragment(dialect);
	if (dialect == NULL)
		item->vocabularies = item->parent >= 0 ? resources_vocabularies(resources, item->parent) : DEFAULT_VOCABULARIES;
	else if (strcmp(dialect, DIALECT) == 0)
		item->vocabularies = DEFAULT_VOCABULARIES;
	else
	{
		int			metaschema = resources_find(resources, dialect);

		if (metaschema < 0)
			schema_fault(resources->faults, item->location, "$schema", "$schema",
						 "the dialect %s is not known; it can be registered, or left out for %s",
						 schema_shown(dialect, strlen(dialect)), DIALECT);
		item->vocabularies = metaschema < 0 ? DEFAULT_VOCABULARIES :
			read_vocabularies(resources, &resources->items[metaschema].root, item->location);
	}
	return item->vocabularies;
}
