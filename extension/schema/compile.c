/*
 * compile.c
 *	  A schema document to a tree of nodes.
 *
 * Holds what module definitions compile to: type, enum, const, properties,
 * required, additionalProperties: false, items, uniqueItems, the limits,
 * pattern, format, allOf, anyOf, and if:true/then.  Annotations are passed
 * over.  PCRE2 allocates in the schema's own memory context.
 */
#include "compat.h"

#include "json.h"
#include "schema/node.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

typedef struct Compiler
{
	Schema	   *schema;
	SchemaErrors *faults;
} Compiler;

static SchemaNode *compile_value(Compiler *compiler, const JsonbValue *value, const char *path, int depth);

void
schema_errors_init(SchemaErrors *errors)
{
	memset(errors, 0, sizeof(*errors));
	errors->limit = QEHS_SCHEMA_ERROR_LIMIT;
	errors->context = CurrentMemoryContext;
}

void
schema_add(SchemaErrors *errors, const char *instance, const char *keyword_location, const char *keyword,
		   const char *format,...)
{
	MemoryContext previous;
	StringInfoData message;
	SchemaViolation *item;

	if (errors->count >= errors->limit)
	{
		errors->truncated = true;
		return;
	}
	previous = MemoryContextSwitchTo(errors->context);
	if (errors->items == NULL)
		errors->items = palloc(sizeof(SchemaViolation) * errors->limit);
	initStringInfo(&message);
	for (;;)
	{
		va_list		arguments;
		int			needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	item = &errors->items[errors->count++];
	item->instance_location = pstrdup(instance);
	item->keyword_location = pstrdup(keyword_location);
	item->keyword = keyword;
	item->message = message.data;
	MemoryContextSwitchTo(previous);
}

static void *
pcre_allocate(PCRE2_SIZE size, void *context)
{
	return MemoryContextAlloc(context, size);
}

static void
pcre_free(void *pointer, void *context)
{
	if (pointer)
		pfree(pointer);
}

static uint32
type_bit(const JsonbValue *name)
{
	static const char *const names[] = {"null", "boolean", "string", "number", "integer", "array", "object"};

	for (int i = 0; name->type == jbvString && i < (int) lengthof(names); i++)
		if ((int) strlen(names[i]) == name->val.string.len && memcmp(names[i], name->val.string.val, name->val.string.len) == 0)
			return 1u << i;
	return 0;
}

static void
compile_types(Compiler *compiler, SchemaNode *node, const JsonbValue *value, const char *path)
{
	if (value->type == jbvString)
		node->types = type_bit(value);
	else if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
		for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			node->types |= type_bit(getIthJsonbValueFromContainer(value->val.binary.data, i));
	if (node->types == 0)
		schema_add(compiler->faults, psprintf("%s/type", path), path, "type", "must name a type");
}

static void
compile_pattern(Compiler *compiler, SchemaNode *node, const JsonbValue *value, const char *path)
{
	pcre2_compile_context *options = pcre2_compile_context_create(compiler->schema->pcre);
	int			code = 0;
	PCRE2_SIZE	at = 0;

	if (value->type == jbvString)
	{
		node->pattern_text = json_text_copy(value);
		node->pattern = pcre2_compile((PCRE2_SPTR) value->val.string.val, value->val.string.len,
									  PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &code, &at, options);
	}
	if (node->pattern == NULL)
		schema_add(compiler->faults, psprintf("%s/pattern", path), path, "pattern",
				   "is not a valid regular expression (at character %d)", (int) at);
}

static void
compile_properties(Compiler *compiler, SchemaNode *node, const JsonbContainer *properties, const char *path, int depth)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, properties));
	JsonbValue	value;
	JsonbIteratorToken token;

	node->properties = palloc0(sizeof(SchemaProperty) * Max(JsonContainerSize(properties), 1));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		SchemaProperty *property = &node->properties[node->property_count];

		if (token == WJB_KEY)
		{
			property->name = json_text_copy(&value);
			property->length = value.val.string.len;
		}
		else if (token == WJB_VALUE)
		{
			property->node = compile_value(compiler, &value, psprintf("%s/properties/%s", path, property->name), depth + 1);
			node->property_count++;
		}
	}
}

static SchemaNode **
compile_list(Compiler *compiler, const JsonbValue *value, const char *path, int depth, int *count)
{
	SchemaNode **nodes;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return NULL;
	nodes = palloc(sizeof(SchemaNode *) * (JsonContainerSize(value->val.binary.data) + 1));
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
		nodes[(*count)++] = compile_value(compiler, getIthJsonbValueFromContainer(value->val.binary.data, i),
										  psprintf("%s/%u", path, i), depth + 1);
	return nodes;
}

static int64
count_keyword(const JsonbContainer *object, const char *name)
{
	int32		value;

	return json_member_int(object, name, &value) && value >= 0 ? value : -1;
}

static Numeric
number_keyword(const JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	if (!json_member(object, name, strlen(name), &value) || value.type != jbvNumeric)
		return NULL;
	return DatumGetNumericCopy(NumericGetDatum(value.val.numeric));
}

static void
compile_enumeration(SchemaNode *node, const JsonbValue *value)
{
	StringInfoData text;

	node->enumeration = json_value_to_jsonb(value);
	initStringInfo(&text);
	for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(value->val.binary.data, i);

		if (i > 0)
			json_literal(&text, ", ");
		if (item->type == jbvString)
			appendBinaryStringInfo(&text, item->val.string.val, item->val.string.len);
		else
			json_jsonb_value(&text, item);
	}
	node->enumeration_text = text.data;
}

/* The keywords that hold other schemas. */
static void
compile_applicators(Compiler *compiler, SchemaNode *node, const JsonbContainer *object, const char *path, int depth)
{
	JsonbValue	value;

	if (json_member(object, "properties", 10, &value) && value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		compile_properties(compiler, node, value.val.binary.data, path, depth);
	node->closed = json_member(object, "additionalProperties", 20, &value) && value.type == jbvBool && !value.val.boolean;
	if (json_member(object, "items", 5, &value))
		node->items = compile_value(compiler, &value, psprintf("%s/items", path), depth + 1);
	if (json_member(object, "allOf", 5, &value))
		node->all = compile_list(compiler, &value, psprintf("%s/allOf", path), depth, &node->all_count);
	if (json_member(object, "anyOf", 5, &value))
		node->any = compile_list(compiler, &value, psprintf("%s/anyOf", path), depth, &node->any_count);
	if (json_member(object, "then", 4, &value) && node->all_count == 0)
	{
		node->all = palloc(sizeof(SchemaNode *));
		node->all[node->all_count++] = compile_value(compiler, &value, psprintf("%s/then", path), depth + 1);
	}
}

static SchemaNode *
compile_object(Compiler *compiler, const JsonbContainer *object, const char *path, int depth)
{
	SchemaNode *node = palloc0(sizeof(SchemaNode));
	JsonbValue	value;

	if (json_member(object, "type", 4, &value))
		compile_types(compiler, node, &value, path);
	if (json_member(object, "required", 8, &value) && value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
	{
		node->required = palloc(sizeof(char *) * (JsonContainerSize(value.val.binary.data) + 1));
		for (uint32 i = 0; i < JsonContainerSize(value.val.binary.data); i++)
			node->required[node->required_count++] = json_text_copy(getIthJsonbValueFromContainer(value.val.binary.data, i));
	}
	if (json_member(object, "enum", 4, &value) && value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
		compile_enumeration(node, &value);
	if (json_member(object, "pattern", 7, &value))
		compile_pattern(compiler, node, &value, path);
	node->format = json_member_text(object, "format");
	node->unique_items = json_member_bool(object, "uniqueItems", false);
	node->min_length = count_keyword(object, "minLength");
	node->max_length = count_keyword(object, "maxLength");
	node->min_items = count_keyword(object, "minItems");
	node->max_items = count_keyword(object, "maxItems");
	node->minimum = number_keyword(object, "minimum");
	node->maximum = number_keyword(object, "maximum");
	node->exclusive_minimum = number_keyword(object, "exclusiveMinimum");
	node->exclusive_maximum = number_keyword(object, "exclusiveMaximum");
	node->multiple_of = number_keyword(object, "multipleOf");
	compile_applicators(compiler, node, object, path, depth);
	return node;
}

static SchemaNode *
compile_value(Compiler *compiler, const JsonbValue *value, const char *path, int depth)
{
	SchemaNode *node;

	if (depth > SCHEMA_DEPTH)
		schema_add(compiler->faults, path, path, "depth", "is nested deeper than %d levels", SCHEMA_DEPTH);
	else if (value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data))
		return compile_object(compiler, value->val.binary.data, path, depth);
	else if (value->type != jbvBool)
		schema_add(compiler->faults, path, path, "type", "must be an object or a boolean");
	node = palloc0(sizeof(SchemaNode));
	node->never = value->type == jbvBool && !value->val.boolean;
	node->min_length = node->max_length = node->min_items = node->max_items = -1;
	return node;
}

Schema *
schema_compile(Jsonb *document, const SchemaOptions *options, MemoryContext parent, SchemaErrors *faults)
{
	MemoryContext memory = AllocSetContextCreate(parent, "qehs JSON Schema", ALLOCSET_SMALL_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(memory);
	Schema	   *schema = palloc0(sizeof(Schema));
	Compiler	compiler = {schema, faults};
	JsonbValue	root;

	schema->context = memory;
	schema->assert_formats = options->assert_formats;
	schema->pcre = pcre2_general_context_create(pcre_allocate, pcre_free, memory);
	schema->match = pcre2_match_context_create(schema->pcre);
	pcre2_set_match_limit(schema->match, 100000);
	pcre2_set_depth_limit(schema->match, 1000);
	schema->match_data = pcre2_match_data_create(1, schema->pcre);
	JsonbToJsonbValue(document, &root);
	if (JB_ROOT_IS_SCALAR(document))
		JsonbExtractScalar(&document->root, &root);
	schema->root = compile_value(&compiler, &root, "", 0);
	MemoryContextSwitchTo(previous);
	if (faults->count == 0)
		return schema;
	MemoryContextDelete(memory);
	return NULL;
}

void
schema_free(Schema *schema)
{
	MemoryContextDelete(schema->context);
}
