/*
 * component.c
 *	  A schema of the document: making room for one, and referring to others.
 */
#include "base/compat.h"

#include "base/json.h"
#include "openapi/component.h"

StringInfo
component_add(Components *all, const char *name)
{
	Component  *item;

	if (all->count == all->capacity)
	{
		all->capacity *= 2;
		all->items = repalloc(all->items, sizeof(Component) * all->capacity);
	}
	item = &all->items[all->count++];
	item->name = name;
	item->used = false;
	initStringInfo(&item->text);
	return &item->text;
}

void
component_reference(StringInfo out, const char *name, const char *suffix)
{
	appendStringInfo(out, "{\"$ref\":\"" COMPONENT_REFERENCE "%s%s\"}", name, suffix);
}

void
component_names(StringInfo out, const char *const *names, int count)
{
	json_literal(out, "\"enum\":");
	json_strings(out, names, count);
}

bool
component_choice(StringInfo out, const ApiDocument *document, const char *suffix, uint32 actions, bool told_apart)
{
	int			count = 0;
	int			total = 0;

	for (int i = 0; i < document->module_count; i++)
		total += (document->modules[i].actions & actions) != 0;
	if (total > 1)
		appendStringInfoString(out, told_apart ? "{\"oneOf\":[" : "{\"anyOf\":[");
	for (int i = 0; i < document->module_count; i++)
		if (document->modules[i].actions & actions)
		{
			if (count++ > 0)
				appendStringInfoChar(out, ',');
			component_reference(out, document->modules[i].name, suffix);
		}
	/* of one there is no choice */
	if (total < 2)
		return total > 0;
	appendStringInfoChar(out, ']');
	if (told_apart)
	{
		json_literal(out, ",\"discriminator\":{\"propertyName\":\"moduleKey\",\"mapping\":{");
		for (int i = 0, written = 0; i < document->module_count; i++)
			if (document->modules[i].actions & actions)
				appendStringInfo(out, "%s\"%s\":\"" COMPONENT_REFERENCE "%s%s\"", written++ > 0 ? "," : "",
								 document->modules[i].module->key, document->modules[i].name, suffix);
		json_literal(out, "}}");
	}
	appendStringInfoChar(out, '}');
	return true;
}
