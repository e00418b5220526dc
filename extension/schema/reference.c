/*
 * reference.c
 *	  What a $ref means: the resource that its URI names, and the schema in it that
 *	  its fragment names, an anchor or a JSON Pointer (RFC 6901).
 */
#include "base/compat.h"

#include "schema/resource.h"
#include "schema/uri.h"

/* Decode one token of a pointer, up to end, into out; gives its length. */
static uint32
decode_token(const char *token, const char *end, char *out)
{
	char	   *start = out;

	for (; token < end; token++)
	{
		if (*token == '~' && token + 1 < end && (token[1] == '0' || token[1] == '1'))
			*out++ = *++token == '0' ? '~' : '/';
		else
			*out++ = *token;
	}
	return out - start;
}

static bool
step(const char *token, uint32 length, Value *value)
{
	uint32		index = 0;

	if (value->type == VALUE_OBJECT)
		return value_member(value, token, length, value);
	if (value->type != VALUE_ARRAY || length == 0 || length > 9)
		return false;
	for (uint32 i = 0; i < length; i++)
	{
		if (token[i] < '0' || token[i] > '9')
			return false;
		index = index * 10 + (uint32) (token[i] - '0');
	}
	return value_item(value, index, value);
}

/* Walk a JSON Pointer from a resource's root; the resource changes where a $id stands. */
static bool
follow_pointer(Resources *resources, const char *pointer, Value *value, int *resource, const Place **location)
{
	char	   *token = palloc(strlen(pointer) + 1);
	const char *rest = pointer; /* behind the last schema that is known */

	while (*pointer == '/')
	{
		const char *end = pointer + 1 + strcspn(pointer + 1, "/");
		const SchemaPlace *place;

		if (!step(token, decode_token(pointer + 1, end, token), value))
			return false;
		pointer = end;
		place = value->type == VALUE_OBJECT ? hash_search(resources->places, &value->data, HASH_FIND, NULL) : NULL;
		if (place)
		{
			*resource = place->resource;
			*location = place->location;
			rest = end;
		}
	}
	if (*rest != '\0')
	{
		MemoryContext old = MemoryContextSwitchTo(resources->context);

		*location = place_verbatim(*location, pstrdup(rest));
		MemoryContextSwitchTo(old);
	}
	pfree(token);
	return *pointer == '\0';
}

/* A resource is there; find the schema that the fragment names. */
static bool
find_fragment(Resources *resources, const char *fragment, Value *target, int *resource, const Place **location)
{
	const SchemaAnchor *anchor;

	*target = resources->items[*resource].root;
	*location = resources->items[*resource].location;
	if (*fragment == '\0' || *fragment == '/')
		return follow_pointer(resources, fragment, target, resource, location);
	anchor = resources_anchor(resources, *resource, fragment);
	if (anchor == NULL)
		return false;
	*target = anchor->target;
	*location = ((const SchemaPlace *) hash_search(resources->places, &anchor->target.data, HASH_FIND, NULL))->location;
	return true;
}

bool
resources_resolve(Resources *resources, int from, const char *reference, const Place *location, const char *keyword,
				  Value *target, int *resource, const Place **target_location)
{
	MemoryContext old = MemoryContextSwitchTo(resources->scratch);
	char	   *uri = uri_resolve(resources->items[from].uri, reference);
	char	   *fragment = uri_cut_fragment(uri);
	bool		found = false;

	if (strlen(uri) <= SCHEMA_MAX_URI)
	{
		*resource = resources_find(resources, uri);
		found = *resource >= 0 && uri_decode(fragment) && find_fragment(resources, fragment, target, resource, target_location);
	}
	if (found && target->type == VALUE_OBJECT && hash_search(resources->places, &target->data, HASH_FIND, NULL) == NULL)
		/* under a keyword that is not known nobody has looked yet */
		resources_explore(resources, target, *resource, *target_location);
	pfree(uri);
	MemoryContextSwitchTo(old);
	if (!found)
		schema_fault(resources->faults, location, keyword, keyword,
					 "\"%s\" names no schema of this document and none that is registered", schema_shown(reference, strlen(reference)));
	return found;
}
