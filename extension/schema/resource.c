/*
 * resource.c
 *	  Finding the documents of a schema, and $id, $anchor and $dynamicAnchor in them.
 *
 * Documents are walked once with a list, not by recursion, and only where
 * schemas stand: a $id inside an enum is data.  Names are found by hash, so that
 * time and memory grow with the documents and not faster.
 */
#include "base/compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "schema/resource.h"
#include "schema/uri.h"
#include "utils/builtins.h"

typedef struct Found
{
	Value		value;
	int			resource;
	int			depth;
	const Place *location;
} Found;

typedef struct FoundList
{
	int			count;
	int			capacity;
	Found	   *items;
} FoundList;

SchemaHolds
schema_keyword_holds(const Value *name)
{
	static const struct
	{
		const char *name;
		SchemaHolds holds;
	}			known[] = {
		{"additionalProperties", HOLDS_SCHEMA}, {"propertyNames", HOLDS_SCHEMA}, {"items", HOLDS_SCHEMA}, {"contains", HOLDS_SCHEMA},
		{"not", HOLDS_SCHEMA}, {"if", HOLDS_SCHEMA}, {"then", HOLDS_SCHEMA}, {"else", HOLDS_SCHEMA},
		{"unevaluatedItems", HOLDS_SCHEMA}, {"unevaluatedProperties", HOLDS_SCHEMA}, {"contentSchema", HOLDS_SCHEMA},
		{"prefixItems", HOLDS_ARRAY}, {"allOf", HOLDS_ARRAY}, {"anyOf", HOLDS_ARRAY}, {"oneOf", HOLDS_ARRAY},
		{"properties", HOLDS_MAP}, {"patternProperties", HOLDS_MAP}, {"$defs", HOLDS_MAP}, {"definitions", HOLDS_MAP},
		{"dependentSchemas", HOLDS_MAP}, {"dependencies", HOLDS_MAP},
	};

	for (int i = 0; i < (int) lengthof(known); i++)
		if (strlen(known[i].name) == name->length && memcmp(known[i].name, name->data, name->length) == 0)
			return known[i].holds;
	return HOLDS_NOTHING;
}

static Place *
new_place(const Place *parent, const char *key, uint32 length, uint32 index)
{
	Place	   *place = palloc(sizeof(Place));

	*place = (Place) {parent, key, length, index};
	return place;
}

const Place *
place_key(const Place *parent, const char *key, uint32 length)
{
	return new_place(parent, key, length, 0);
}

const Place *
place_index(const Place *parent, uint32 index)
{
	return new_place(parent, NULL, 0, index);
}

const Place *
place_verbatim(const Place *parent, const char *text)
{
	return new_place(parent, text, strlen(text), PLACE_VERBATIM);
}

static uint32
hash_name(const void *key, Size size)
{
	const SchemaName *name = key;

	return hash_bytes((const unsigned char *) name->text, strlen(name->text)) + (uint32) name->resource;
}

static int
match_names(const void *left, const void *right, Size size)
{
	const SchemaName *a = left;
	const SchemaName *b = right;

	return a->resource == b->resource ? strcmp(a->text, b->text) : 1;
}

/* A table of entries that begin with a SchemaName. */
static HTAB *
create_names(Size entry_size)
{
	HASHCTL		control = {.keysize = sizeof(SchemaName),.entrysize = entry_size,.hash = hash_name,.match = match_names,
	.hcxt = CurrentMemoryContext};

	return hash_create("qehs schema names", 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

Resources *
resources_create(MemoryContext context, const SchemaOptions *options, SchemaErrors *faults)
{
	Resources  *resources = palloc0(sizeof(Resources));
	HASHCTL		control = {.keysize = sizeof(char *),.entrysize = sizeof(SchemaPlace),.hcxt = CurrentMemoryContext};

	resources->context = context;
	resources->scratch = CurrentMemoryContext;
	resources->options = options;
	resources->faults = faults;
	resources->places = hash_create("qehs schema places", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	resources->anchors = create_names(sizeof(SchemaAnchor));
	resources->dynamic_names = create_names(sizeof(SchemaDynamicName));
	resources->aliases = create_names(sizeof(SchemaAlias));
	return resources;
}

static void
push(FoundList *list, const Value *value, int resource, int depth, const Place *location)
{
	if (value->type != VALUE_OBJECT)
		return;
	if (list->count == list->capacity)
	{
		list->capacity = list->capacity ? list->capacity * 2 : 64;
		list->items = list->items ? repalloc_huge(list->items, sizeof(Found) * list->capacity) : palloc(sizeof(Found) * list->capacity);
	}
	list->items[list->count++] = (Found) {*value, resource, depth, location};
}

char *
resources_string(Resources *resources, const Value *object, const char *name, const Place *location)
{
	Value		value;

	if (!value_member(object, name, strlen(name), &value))
		return NULL;
	if (value.type == VALUE_STRING)
		return pnstrdup(value.data, value.length);
	schema_fault(resources->faults, location, name, name, "must be a string");
	return NULL;
}

/* The first to have a name keeps it. */
static void
add_alias(Resources *resources, const char *uri, int resource)
{
	SchemaName	name = {-1, uri};
	bool		found;
	SchemaAlias *alias = hash_search(resources->aliases, &name, HASH_ENTER, &found);

	if (!found)
		alias->resource = resource;
}

static int
add_resource(Resources *resources, const char *uri, int parent, const Value *root, const Place *location)
{
	if (resources->count == SCHEMA_MAX_RESOURCES)
	{
		schema_fault(resources->faults, location, "$id", "$id", "there are more than %d schema resources", SCHEMA_MAX_RESOURCES);
		return -1;
	}
	resources->items[resources->count] = (SchemaResource) {.uri = uri,.parent = parent,.root = *root,.location = location};
	add_alias(resources, uri, resources->count);
	return resources->count++;
}

static SchemaDynamicName *
dynamic_name(Resources *resources, const char *text)
{
	SchemaName	name = {-1, text};
	bool		found;
	SchemaDynamicName *entry = hash_search(resources->dynamic_names, &name, HASH_ENTER, &found);

	if (!found)
	{
		entry->number = -1;
		entry->anchors = NIL;
		entry->requested = 0;
	}
	return entry;
}

static void
add_anchor(Resources *resources, int resource, const char *text, bool dynamic, const Value *target)
{
	SchemaName	name = {resource, text};
	bool		found;
	SchemaAnchor *anchor = hash_search(resources->anchors, &name, HASH_ENTER, &found);
	SchemaDynamicName *shared;

	if (found)
		return;
	anchor->dynamic = dynamic;
	anchor->target = *target;
	if (!dynamic)
		return;
	shared = dynamic_name(resources, text);
	shared->anchors = lappend(shared->anchors, anchor);
	if (shared->number >= 0)
		resources->pending = lappend(resources->pending, shared);
	resources->items[resource].anchors = lappend(resources->items[resource].anchors, anchor);
}

const SchemaAnchor *
resources_anchor(const Resources *resources, int resource, const char *text)
{
	SchemaName	name = {resource, text};

	return hash_search(resources->anchors, &name, HASH_FIND, NULL);
}

int
resources_use_dynamic_name(Resources *resources, const char *name)
{
	SchemaDynamicName *entry = dynamic_name(resources, name);

	if (entry->number < 0)
	{
		entry->number = resources->dynamic_count++;
		resources->pending = lappend(resources->pending, entry);
	}
	return entry->number;
}

const SchemaDynamicName *
resources_dynamic_name(const Resources *resources, const char *text)
{
	SchemaName	name = {-1, text};
	const SchemaDynamicName *entry = hash_search(resources->dynamic_names, &name, HASH_FIND, NULL);

	return entry && entry->number >= 0 ? entry : NULL;
}

/* The resource that a $id begins; -1 with a fault when it may not. */
static int
begin_resource(Resources *resources, const Found *found, const char *id)
{
	char	   *uri = uri_resolve(resources->items[found->resource].uri, id);

	if (*uri_cut_fragment(uri) != '\0')
		schema_fault(resources->faults, found->location, "$id", "$id", "must not have a fragment");
	else if (strlen(uri) > SCHEMA_MAX_URI)
		schema_fault(resources->faults, found->location, "$id", "$id", "is longer than %d bytes", SCHEMA_MAX_URI);
	else
		return add_resource(resources, uri, found->resource, &found->value, found->location);
	return -1;
}

/* The schemas under a keyword that holds an array or an object of them. */
static void
push_all(Resources *resources, FoundList *list, const Found *found, SchemaHolds holds, const Value *value, const Place *location)
{
	uint32		count = VALUE_COUNT(value);
	ValueWalk	keys = value_walk(VALUE_CONTAINER(value), 0);
	ValueWalk	items = value_walk(VALUE_CONTAINER(value), holds == HOLDS_ARRAY ? 0 : count);

	for (uint32 i = 0; i < count; i++)
	{
		Value		key = {.data = NULL};
		Value		item;

		if (holds == HOLDS_MAP)
			value_next(&keys, &key);
		value_next(&items, &item);
		if (item.type == VALUE_OBJECT)
			push(list, &item, found->resource, found->depth + 1,
				 holds == HOLDS_MAP ? place_key(location, key.data, key.length) : place_index(location, i));
	}
}

static void
push_subschemas(Resources *resources, FoundList *list, const Found *found)
{
	uint32		count = VALUE_COUNT(&found->value);
	ValueWalk	names = value_walk(VALUE_CONTAINER(&found->value), 0);
	ValueWalk	values = value_walk(VALUE_CONTAINER(&found->value), count);
	MemoryContext old = MemoryContextSwitchTo(resources->context);

	for (uint32 i = 0; i < count; i++)
	{
		Value		name;
		Value		value;
		SchemaHolds holds;

		value_next(&names, &name);
		value_next(&values, &value);
		holds = schema_keyword_holds(&name);
		if (holds == HOLDS_SCHEMA && value.type == VALUE_OBJECT)
			push(list, &value, found->resource, found->depth + 1, place_key(found->location, name.data, name.length));
		else if ((holds == HOLDS_ARRAY && value.type == VALUE_ARRAY) || (holds == HOLDS_MAP && value.type == VALUE_OBJECT))
			push_all(resources, list, found, holds, &value, place_key(found->location, name.data, name.length));
	}
	MemoryContextSwitchTo(old);
}

/* A schema object: its resource, its anchors, its subschemas. */
static void
examine(Resources *resources, FoundList *list, Found found)
{
	SchemaPlace *place;
	bool		seen;
	char	   *id;
	char	   *anchor;

	place = hash_search(resources->places, &found.value.data, HASH_ENTER, &seen);
	if (seen)
		return;
	place->node = NO_NODE;
	place->location = found.location;
	place->resource = found.resource;
	if (found.depth > SCHEMA_MAX_DEPTH)
	{
		schema_fault(resources->faults, NULL, NULL, "limit", "is nested deeper than %d subschemas", SCHEMA_MAX_DEPTH);
		return;
	}
	/* the root of a document has its resource already */
	id = resources->items[found.resource].root.data == found.value.data ? NULL :
		resources_string(resources, &found.value, "$id", found.location);
	if (id)
	{
		found.resource = begin_resource(resources, &found, id);
		if (found.resource < 0)
			return;
		place->resource = found.resource;
	}
	anchor = resources_string(resources, &found.value, "$anchor", found.location);
	if (anchor)
		add_anchor(resources, found.resource, anchor, false, &found.value);
	anchor = resources_string(resources, &found.value, "$dynamicAnchor", found.location);
	if (anchor)
		add_anchor(resources, found.resource, anchor, true, &found.value);
	push_subschemas(resources, list, &found);
}

void
resources_explore(Resources *resources, const Value *value, int resource, const Place *location)
{
	FoundList	list = {0};
	MemoryContext old = MemoryContextSwitchTo(resources->scratch);

	push(&list, value, resource, 1, location);
	while (list.count > 0 && !resources->faults->truncated)
	{
		CHECK_FOR_INTERRUPTS();
		if (hash_get_num_entries(resources->places) >= SCHEMA_MAX_NODES)
		{
			schema_fault(resources->faults, NULL, NULL, "limit", "has more than %d subschemas", SCHEMA_MAX_NODES);
			break;
		}
		examine(resources, &list, list.items[--list.count]);
	}
	if (list.items)
		pfree(list.items);
	MemoryContextSwitchTo(old);
}

int
resources_add_document(Resources *resources, const Jsonb *document, const char *uri)
{
	Jsonb	   *copy = MemoryContextAllocHuge(resources->context, VARSIZE(document));
	MemoryContext old = MemoryContextSwitchTo(resources->scratch);
	Value		root;
	const Place *location = NULL;
	const char *own = uri;
	char	   *id;
	int			resource;

	memcpy(copy, document, VARSIZE(document));
	root = value_of(copy);
	id = root.type == VALUE_OBJECT ? resources_string(resources, &root, "$id", NULL) : NULL;
	if (id)
	{
		id = uri_resolve(uri, id);
		if (*uri_cut_fragment(id) != '\0')
			schema_fault(resources->faults, NULL, "$id", "$id", "must not have a fragment");
		if (strlen(id) > SCHEMA_MAX_URI)
			schema_fault(resources->faults, NULL, "$id", "$id", "is longer than %d bytes", SCHEMA_MAX_URI);
		own = id;
	}
	/* of the root document places are JSON Pointers, of others URIs */
	if (resources->count > 0)
	{
		MemoryContextSwitchTo(resources->context);
		location = place_verbatim(NULL, psprintf("%s#", uri));
		MemoryContextSwitchTo(resources->scratch);
	}
	resource = add_resource(resources, pstrdup(own), -1, &root, location);
	if (resource >= 0)
	{
		resources->items[resource].document = copy;
		add_alias(resources, pstrdup(uri), resource);
		resources_explore(resources, &root, resource, location);
	}
	MemoryContextSwitchTo(old);
	return resource;
}

int
resources_find(Resources *resources, const char *uri)
{
	SchemaName	name = {-1, uri};
	const SchemaAlias *alias = hash_search(resources->aliases, &name, HASH_FIND, NULL);
	const char *text;
	Jsonb	   *document = NULL;

	if (alias)
		return alias->resource;
	text = metaschema_text(uri);
	if (text)
		document = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	else if (resources->options && resources->options->lookup)
	{
		document = resources->options->lookup(resources->options->lookup_arg, uri);
		resources->uses_registered |= document != NULL;
	}
	return document ? resources_add_document(resources, document, uri) : -1;
}
