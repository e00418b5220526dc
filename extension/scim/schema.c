/*
 * schema.c
 *	  The catalogue of resource types, schemas and attributes.
 *
 * One memory context holds it; it is built anew beside the old one and takes its
 * place whole, so that an error while reading leaves the old one, which goes when the
 * transaction ends.
 */
#include "base/compat.h"

#include "scim/schema.h"

#include "base/plan.h"
#include "base/watch.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static const char *const type_names[] = {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"};
static const char *const mutability_names[] = {"readWrite", "readOnly", "immutable", "writeOnly"};
static const char *const returned_names[] = {"default", "always", "never", "request"};
static const char *const storage_names[] = {"user", "role", "resource"};

static ScimAttribute meta_subs[] = {
	{.name = "resourceType",.description = "The name of the resource type.",.mutability = SCIM_READ_ONLY,.uniqueness = "none",.case_exact = true},
	{.name = "created",.description = "When it was made.",.type = SCIM_DATETIME,.mutability = SCIM_READ_ONLY,.uniqueness = "none"},
	{.name = "lastModified",.description = "When it was last changed.",.type = SCIM_DATETIME,.mutability = SCIM_READ_ONLY,.uniqueness = "none"},
	{.name = "location",.description = "Its URI.",.type = SCIM_REFERENCE,.mutability = SCIM_READ_ONLY,.uniqueness = "none",.case_exact = true},
	{.name = "version",.description = "Its ETag.",.mutability = SCIM_READ_ONLY,.uniqueness = "none",.case_exact = true},
};

const ScimAttribute schema_common[SCIM_COMMON_COUNT] = {
	{.name = "id",.description = "The id that the server gave it.",.mutability = SCIM_READ_ONLY,.returned = SCIM_ALWAYS,.uniqueness = "server",
	.case_exact = true},
	{.name = "externalId",.description = "The id that the client has for it.",.uniqueness = "none",.case_exact = true},
	{.name = "meta",.description = "What the server knows of it.",.type = SCIM_COMPLEX,.mutability = SCIM_READ_ONLY,.uniqueness = "none",
	.count = lengthof(meta_subs),.subs = meta_subs},
	{.name = "schemas",.description = "The URNs of its schemas.",.type = SCIM_REFERENCE,.returned = SCIM_ALWAYS,.uniqueness = "none",
	.multi_valued = true,.case_exact = true},
};

static KeptPlan select_schemas = {"SELECT urn, name, description FROM qehs.scim_schema ORDER BY position, urn", 0, {0}, NULL};
/* The columns of select_schemas. */
enum
{
	COLUMN_SCHEMA_URN = 1, COLUMN_SCHEMA_NAME, COLUMN_SCHEMA_DESCRIPTION
};
/* A sub-attribute comes behind its parent, whatever its position. */
static KeptPlan select_attributes = {
	"SELECT pg_catalog.split_part(path, '.', 1), pg_catalog.split_part(path, '.', 2), description, type, mutability, returned, uniqueness,"
	" multi_valued, required, case_exact, canonical_values, reference_types FROM qehs.scim_attribute WHERE schema_urn = $1"
	" ORDER BY pg_catalog.strpos(path, '.') > 0, position, path",
	1, {TEXTOID}, NULL
};
/* The columns of select_attributes. */
enum
{
	COLUMN_ATTRIBUTE_NAME = 1, COLUMN_ATTRIBUTE_SUB_NAME, COLUMN_ATTRIBUTE_DESCRIPTION, COLUMN_ATTRIBUTE_TYPE, COLUMN_ATTRIBUTE_MUTABILITY,
	COLUMN_ATTRIBUTE_RETURNED, COLUMN_ATTRIBUTE_UNIQUENESS, COLUMN_ATTRIBUTE_MULTI_VALUED, COLUMN_ATTRIBUTE_REQUIRED,
	COLUMN_ATTRIBUTE_CASE_EXACT, COLUMN_ATTRIBUTE_CANONICAL_VALUES, COLUMN_ATTRIBUTE_REFERENCE_TYPES
};
static KeptPlan select_types = {
	"SELECT name, endpoint, description, storage, schema_urn, extensions FROM qehs.scim_resource_type ORDER BY position, name", 0, {0}, NULL
};
/* The columns of select_types. */
enum
{
	COLUMN_TYPE_NAME = 1, COLUMN_TYPE_ENDPOINT, COLUMN_TYPE_DESCRIPTION, COLUMN_TYPE_STORAGE, COLUMN_TYPE_SCHEMA_URN,
	COLUMN_TYPE_EXTENSIONS
};

static MemoryContext catalogue_context = NULL;
static ScimCatalogue *catalogue = NULL;
static uint64 generation = 0;

const char *
schema_type_name(ScimType type)
{
	return type_names[type];
}

const char *
schema_mutability_name(ScimMutability mutability)
{
	return mutability_names[mutability];
}

const char *
schema_returned_name(ScimReturned returned)
{
	return returned_names[returned];
}

/* Run a statement; what is read of its rows is for the catalogue's memory, not for that of SPI. */
static uint64
run(KeptPlan *plan, Datum *values)
{
	MemoryContext current = CurrentMemoryContext;
	uint64		rows = plan_execute_latest(plan, values, NULL, 0);

	MemoryContextSwitchTo(current);
	return rows;
}

/* Which word a column has; the tables' checks let no others in. */
static int
read_word(uint64 row, int column, const char *const *names, int count)
{
	bool		isnull;
	char	   *word = TextDatumGetCString(plan_value(row, column, &isnull));

	for (int i = 0; i < count; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	elog(ERROR, "\"%s\" is no word of the SCIM tables", word);
}

static const char *
read_text(uint64 row, int column)
{
	bool		isnull;
	Datum		value = plan_value(row, column, &isnull);

	return isnull ? "" : TextDatumGetCString(value);
}

static bool
read_flag(uint64 row, int column)
{
	bool		isnull;

	return DatumGetBool(plan_value(row, column, &isnull));
}

static const char **
read_names(uint64 row, int column, int *count)
{
	bool		isnull;
	Datum		value = plan_value(row, column, &isnull);

	*count = 0;
	return isnull ? NULL : auth_names(value, count);
}

static void
read_attribute(ScimAttribute *attribute, uint64 row, const char *name)
{
	attribute->name = name;
	attribute->description = read_text(row, COLUMN_ATTRIBUTE_DESCRIPTION);
	attribute->type = (ScimType) read_word(row, COLUMN_ATTRIBUTE_TYPE, type_names, lengthof(type_names));
	attribute->mutability = (ScimMutability) read_word(row, COLUMN_ATTRIBUTE_MUTABILITY, mutability_names, lengthof(mutability_names));
	attribute->returned = (ScimReturned) read_word(row, COLUMN_ATTRIBUTE_RETURNED, returned_names, lengthof(returned_names));
	attribute->uniqueness = read_text(row, COLUMN_ATTRIBUTE_UNIQUENESS);
	attribute->multi_valued = read_flag(row, COLUMN_ATTRIBUTE_MULTI_VALUED);
	attribute->required = read_flag(row, COLUMN_ATTRIBUTE_REQUIRED);
	attribute->case_exact = read_flag(row, COLUMN_ATTRIBUTE_CASE_EXACT);
	attribute->canonical = read_names(row, COLUMN_ATTRIBUTE_CANONICAL_VALUES, &attribute->canonical_count);
	attribute->references = read_names(row, COLUMN_ATTRIBUTE_REFERENCE_TYPES, &attribute->reference_count);
}

/* The attributes of a schema, sub-attributes below theirs. */
static void
read_attributes(ScimSchema *schema)
{
	Datum		urn = CStringGetTextDatum(schema->urn);
	uint64		rows = run(&select_attributes, &urn);

	schema->attributes = palloc0(sizeof(ScimAttribute) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
	{
		const char *name = read_text(i, COLUMN_ATTRIBUTE_NAME);
		const char *sub = read_text(i, COLUMN_ATTRIBUTE_SUB_NAME);
		ScimAttribute *parent;

		if (*sub == '\0')
		{
			read_attribute(&schema->attributes[schema->count++], i, name);
			continue;
		}
		parent = unconstify(ScimAttribute *, schema_attribute(schema->attributes, schema->count, name, (int) strlen(name)));
		if (parent == NULL || parent->type != SCIM_COMPLEX)
			continue;
		if (parent->subs == NULL)
			parent->subs = palloc0(sizeof(ScimAttribute) * rows);
		read_attribute(&parent->subs[parent->count++], i, sub);
	}
}

static const ScimSchema *
find_schema(const ScimCatalogue *all, const char *urn)
{
	for (int i = 0; i < all->schema_count; i++)
		if (pg_strcasecmp(all->schemas[i].urn, urn) == 0)
			return &all->schemas[i];
	ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION), errmsg("there is no SCIM schema \"%s\"", urn),
			errhint("Add it to qehs.scim_schema."));
}

static void
read_types(ScimCatalogue *all)
{
	uint64		rows = run(&select_types, NULL);

	all->types = palloc0(sizeof(ScimResourceType) * Max(rows, 1));
	all->type_count = (int) rows;
	for (uint64 i = 0; i < rows; i++)
	{
		ScimResourceType *type = &all->types[i];
		const char **urns;

		type->name = read_text(i, COLUMN_TYPE_NAME);
		type->endpoint = read_text(i, COLUMN_TYPE_ENDPOINT);
		type->description = read_text(i, COLUMN_TYPE_DESCRIPTION);
		type->storage = (ScimStorage) read_word(i, COLUMN_TYPE_STORAGE, storage_names, lengthof(storage_names));
		type->schema = find_schema(all, read_text(i, COLUMN_TYPE_SCHEMA_URN));
		urns = read_names(i, COLUMN_TYPE_EXTENSIONS, &type->extension_count);
		type->extensions = palloc0(sizeof(ScimSchema *) * Max(type->extension_count, 1));
		for (int j = 0; j < type->extension_count; j++)
			type->extensions[j] = find_schema(all, urns[j]);
	}
}

/* Read all tables into the current memory context. */
static ScimCatalogue *
read_catalogue(void)
{
	ScimCatalogue *all = palloc0(sizeof(ScimCatalogue));
	uint64		rows = run(&select_schemas, NULL);

	all->schemas = palloc0(sizeof(ScimSchema) * Max(rows, 1));
	all->schema_count = (int) rows;
	for (uint64 i = 0; i < rows; i++)
	{
		all->schemas[i].urn = read_text(i, COLUMN_SCHEMA_URN);
		all->schemas[i].name = read_text(i, COLUMN_SCHEMA_NAME);
		all->schemas[i].description = read_text(i, COLUMN_SCHEMA_DESCRIPTION);
	}
	for (int i = 0; i < all->schema_count; i++)
		read_attributes(&all->schemas[i]);
	read_types(all);
	return all;
}

const ScimCatalogue *
schema_catalogue(void)
{
	uint64		now = watch_generation(WATCH_ENDPOINT, 0);
	MemoryContext new_context;
	MemoryContext previous;
	ScimCatalogue *all;

	if (catalogue && generation == now)
		return catalogue;
	new_context = AllocSetContextCreate(CurrentMemoryContext, "qehs SCIM catalogue", ALLOCSET_SMALL_SIZES);
	SPI_connect();
	previous = MemoryContextSwitchTo(new_context);
	all = read_catalogue();
	MemoryContextSwitchTo(previous);
	SPI_finish();
	MemoryContextSetParent(new_context, TopMemoryContext);
	/* who has a pointer into the old one may use it until the transaction ends */
	if (catalogue_context)
		MemoryContextSetParent(catalogue_context, TopTransactionContext);
	catalogue_context = new_context;
	catalogue = all;
	generation = now;
	return catalogue;
}

const ScimResourceType *
schema_type(const char *endpoint)
{
	const ScimCatalogue *all = schema_catalogue();

	for (int i = 0; i < all->type_count; i++)
		if (pg_strcasecmp(all->types[i].endpoint + 1, endpoint) == 0)
			return &all->types[i];
	return NULL;
}

const ScimAttribute *
schema_attribute(const ScimAttribute *attributes, int count, const char *name, int length)
{
	for (int i = 0; i < count; i++)
		if ((int) strlen(attributes[i].name) == length && pg_strncasecmp(attributes[i].name, name, length) == 0)
			return &attributes[i];
	return NULL;
}

const ScimAttribute *
schema_value_of(const ScimAttribute *attribute)
{
	return schema_attribute(attribute->subs, attribute->count, "value", 5);
}

/* attribute or attribute.sub among a list. */
static bool
find_dotted(const ScimAttribute *attributes, int count, ScimName name, ScimTarget *target)
{
	const char *dot = memchr(name.text, '.', name.length);
	int			length = dot ? (int) (dot - name.text) : name.length;

	target->attribute = schema_attribute(attributes, count, name.text, length);
	target->sub = NULL;
	if (target->attribute && dot)
	{
		target->sub = schema_attribute(target->attribute->subs, target->attribute->count, dot + 1, name.length - length - 1);
		if (target->sub == NULL)
			target->attribute = NULL;
	}
	return target->attribute != NULL;
}

/* Behind a schema's URN: nothing, or a colon and a path. */
static bool
find_below(const ScimSchema *schema, bool core, ScimName name, ScimTarget *target)
{
	int			length = (int) strlen(schema->urn);

	if (name.length < length || pg_strncasecmp(name.text, schema->urn, length) != 0)
		return false;
	target->extension = core ? NULL : schema;
	if (name.length == length)
	{
		target->attribute = target->sub = NULL;
		return !core;
	}
	if (name.text[length] != ':')
		return false;
	name.text += length + 1;
	name.length -= length + 1;
	return find_dotted(schema->attributes, schema->count, name, target) ||
		(core && find_dotted(schema_common, SCIM_COMMON_COUNT, name, target));
}

bool
schema_find(const ScimResourceType *type, ScimName name, ScimTarget *target)
{
	target->extension = NULL;
	if (memchr(name.text, ':', name.length))
	{
		for (int i = 0; i < type->extension_count; i++)
			if (find_below(type->extensions[i], false, name, target))
				return true;
		return find_below(type->schema, true, name, target);
	}
	if (find_dotted(type->schema->attributes, type->schema->count, name, target) ||
		find_dotted(schema_common, SCIM_COMMON_COUNT, name, target))
		return true;
	for (int i = 0; i < type->extension_count; i++)
	{
		target->extension = type->extensions[i];
		if (find_dotted(type->extensions[i]->attributes, type->extensions[i]->count, name, target))
			return true;
	}
	return false;
}
