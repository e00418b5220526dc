/*
 * payload.c
 *	  The compiled JSON Schema of a payload in its three forms: as stored, as a
 *	  new record may send it, and as a merge patch (RFC 7396).
 *
 * As stored it is the schema that the server checks with, but for $schema, which
 * the document says once.  A new record may leave out what has a default; null is no
 * value, so that it may stand for all that may be missing, in rows too.  In a patch
 * nothing is required and null removes what may be missing.
 *
 * Generators of clients make nothing of a list of types whose keywords are for one of
 * them only, nor of a null beside an enum: a choice of schemas says the same.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "openapi/document.h"

static void write_schema(StringInfo out, const JsonbContainer *schema);
/* What a client sends: a whole record or row, or a patch. */
typedef struct Sent
{
	const ModuleFields *fields; /* of the object, or of the rows of the array; NULL where a definition names none */
	bool		whole;
} Sent;

static void write_sent(StringInfo out, const JsonbContainer *schema, const Sent *sent, bool nullable);

static bool
is_key(const JsonbValue *key, const char *name)
{
	return key->val.string.len == (int) strlen(name) && memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

static bool
array_has(const JsonbContainer *array, const JsonbValue *text)
{
	JsonbValue	wanted = *text;

	return array && findJsonbValueFromContainer(unconstify(JsonbContainer *, array), JB_FARRAY, &wanted) != NULL;
}

static const JsonbContainer *
member_container(const JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return json_member(object, name, strlen(name), &value) && value.type == jbvBinary ? value.val.binary.data : NULL;
}

static void
comma(StringInfo out)
{
	if (strchr("{[,", out->data[out->len - 1]) == NULL)
		appendStringInfoChar(out, ',');
}

static void
write_value(StringInfo out, const JsonbValue *value)
{
	if (value->type == jbvBinary)
		write_schema(out, value->val.binary.data);
	else
		json_jsonb_value(out, value);
}

/* Append the members of an object but for those named. */
static void
write_members(StringInfo out, const JsonbContainer *object, const char *const *without)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, object));
	JsonbValue	value;
	JsonbIteratorToken token;
	bool		wanted = false;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			wanted = true;
			for (int i = 0; without[i]; i++)
				wanted = wanted && !is_key(&value, without[i]);
			if (!wanted)
				continue;
			comma(out);
			json_string_n(out, value.val.string.val, value.val.string.len);
			appendStringInfoChar(out, ':');
		}
		else if (token == WJB_VALUE && wanted)
			write_value(out, &value);
	}
}

/* A number or text, as an amount is: a choice of two schemas, each with its own keywords. */
static void
write_number_or_text(StringInfo out, const JsonbContainer *schema)
{
	static const char *const of_numbers[] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", NULL};
	static const char *const of_text[] = {"pattern", "format", "minLength", "maxLength", NULL};
	static const char *const others[] = {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "format",
	"minLength", "maxLength", NULL};
	const char *const *own[] = {of_numbers, of_text};
	static const char *const types[] = {"number", "string"};
	JsonbValue	value;

	json_literal(out, "{\"anyOf\":[");
	for (int i = 0; i < 2; i++)
	{
		appendStringInfo(out, "%s{\"type\":\"%s\"", i > 0 ? "," : "", types[i]);
		for (int j = 0; own[i][j]; j++)
			if (json_member(schema, own[i][j], strlen(own[i][j]), &value))
			{
				appendStringInfo(out, ",\"%s\":", own[i][j]);
				json_jsonb_value(out, &value);
			}
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
	appendStringInfoChar(out, ',');
	write_members(out, schema, others);
	/* without others the comma was for nothing */
	if (out->data[out->len - 1] == ',')
		out->len--;
	appendStringInfoChar(out, '}');
}

static bool
is_number_or_text(const JsonbContainer *schema)
{
	const JsonbContainer *types = JsonContainerIsObject(schema) ? member_container(schema, "type") : NULL;
	JsonbValue	number = {.type = jbvString,.val.string = {6, "number"}};
	JsonbValue	text = {.type = jbvString,.val.string = {6, "string"}};

	return types && JsonContainerIsArray(types) && JsonContainerSize(types) == 2 && array_has(types, &number) && array_has(types, &text);
}

/* A schema, or a part of one, for the document. */
static void
write_schema(StringInfo out, const JsonbContainer *schema)
{
	static const char *const all[] = {NULL};

	check_stack_depth();
	if (is_number_or_text(schema))
		write_number_or_text(out, schema);
	else if (JsonContainerIsObject(schema))
	{
		appendStringInfoChar(out, '{');
		write_members(out, schema, all);
		appendStringInfoChar(out, '}');
	}
	else
	{
		appendStringInfoChar(out, '[');
		for (uint32 i = 0; i < JsonContainerSize(schema); i++)
		{
			comma(out);
			write_value(out, getIthJsonbValueFromContainer(unconstify(JsonbContainer *, schema), i));
		}
		appendStringInfoChar(out, ']');
	}
}

/* A copy of "properties" or "required" without the fields that the caller may not read, or write. */
static void
push_part(JsonbParseState **state, const ApiModule *module, const RequestContext *context, const JsonbContainer *part, bool write)
{
	bool		is_object = JsonContainerIsObject(part);
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, part));
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		wanted = false;

	pushJsonbValue(state, is_object ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY || token == WJB_ELEM)
		{
			const ModuleField *field = module_field(module->module, value.val.string.val, value.val.string.len);

			wanted = field == NULL || (write ? !field->read_only && permission_writes_field(context, module->module, field, &permission_some_record) :
									   permission_reads_field(context, module->module, field, &permission_some_record));
		}
		if (wanted && (token == WJB_KEY || token == WJB_ELEM || token == WJB_VALUE))
			pushJsonbValue(state, token, &value);
	}
	pushJsonbValue(state, is_object ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
}

static Jsonb *
cut_schema(const ApiModule *module, const RequestContext *context, Jsonb *schema, bool write)
{
	JsonbParseState *state = NULL;
	JsonbIterator *iterator = JsonbIteratorInit(&schema->root);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		pushJsonbValue(&state, WJB_KEY, &key);
		if (value.type == jbvBinary && (is_key(&key, "properties") || is_key(&key, "required")))
			push_part(&state, module, context, value.val.binary.data, write);
		else
			pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

void
payload_cut_schemas(ApiModule *module, const RequestContext *context, Jsonb *schema)
{
	bool		whole = permission_reads_all(context, module->module);

	module->schema = whole ? schema : cut_schema(module, context, schema, false);
	/* what the server alone writes is not sent */
	module->input_schema = whole && !module->module->has_kept ? schema : cut_schema(module, context, schema, true);
}

void
payload_write(StringInfo out, const ApiModule *module)
{
	static const char *const without[] = {"$schema", "title", NULL};

	appendStringInfo(out, "{\"title\":\"%sPayload\",", module->name);
	write_members(out, &module->schema->root, without);
	appendStringInfoChar(out, '}');
}

/* Whether a member must be sent: the server fills in what has a default, and a patch keeps what it does not name. */
static bool
must_send(const Sent *sent, const JsonbContainer *required, const JsonbValue *name)
{
	const ModuleField *field = sent->fields ? module_fields_find(sent->fields, name->val.string.val, name->val.string.len) : NULL;

	return array_has(required, name) && !(field && field->default_value);
}

static void
write_properties(StringInfo out, const JsonbContainer *schema, const Sent *sent)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, member_container(schema, "properties")));
	const JsonbContainer *required = member_container(schema, "required");
	JsonbValue	value;
	JsonbIteratorToken token;
	Sent		member = *sent;
	bool		nullable = true;

	json_literal(out, "\"properties\":{");
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			const ModuleField *field = sent->fields ? module_fields_find(sent->fields, value.val.string.val, value.val.string.len) : NULL;

			/* null is no value: in a new record what has a default may lack one, in a patch it may not be removed */
			nullable = sent->whole ? !must_send(sent, required, &value) : !array_has(required, &value);
			member.fields = field && field->nested.count > 0 ? &field->nested : NULL;
			comma(out);
			json_string_n(out, value.val.string.val, value.val.string.len);
			appendStringInfoChar(out, ':');
		}
		else if (token == WJB_VALUE && value.type == jbvBinary)
			write_sent(out, value.val.binary.data, &member, nullable);
		else if (token == WJB_VALUE)
			json_literal(out, "true");
	}
	appendStringInfoChar(out, '}');
}

static void
write_required(StringInfo out, const JsonbContainer *schema, const Sent *sent)
{
	const JsonbContainer *required = member_container(schema, "required");

	json_literal(out, "\"required\":[");
	for (uint32 i = 0; required && i < JsonContainerSize(required); i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, required), i);

		if (!must_send(sent, required, name))
			continue;
		comma(out);
		json_jsonb_value(out, name);
	}
	appendStringInfoChar(out, ']');
}

/* The type, with null beside it; what stands in an enum would have to have null in it. */
static void
write_type(StringInfo out, const JsonbValue *type, bool nullable)
{
	json_literal(out, "\"type\":");
	if (nullable)
		appendStringInfoChar(out, '[');
	json_jsonb_value(out, type);
	if (nullable)
		json_literal(out, ",\"null\"]");
}

/* One schema of what is sent: the objects of a patch lose their required members, and the rows of a table are whole in it too. */
static void
write_sent(StringInfo out, const JsonbContainer *schema, const Sent *sent, bool nullable)
{
	static const char *const without_conditions[] = {"$schema", "title", "properties", "required", "type", "items", "if", "then", "$comment", NULL};
	static const char *const without[] = {"$schema", "title", "properties", "required", "type", "items", NULL};
	static const char *const type_only[] = {"type", "items", NULL};
	bool		is_object = member_container(schema, "properties") != NULL;
	const JsonbContainer *items = sent->fields ? member_container(schema, "items") : NULL;
	JsonbValue	type;
	JsonbValue	value;
	bool		has_type = json_member(schema, "type", 4, &type);
	bool		has_values = json_member(schema, "enum", 4, &value) || json_member(schema, "const", 5, &value);

	check_stack_depth();
	if (nullable && (!has_type || type.type != jbvString || has_values))
	{
		json_literal(out, "{\"anyOf\":[");
		write_sent(out, schema, sent, false);
		json_literal(out, ",{\"type\":\"null\"}]}");
		return;
	}
	if (is_number_or_text(schema))
	{
		write_number_or_text(out, schema);
		return;
	}
	appendStringInfoChar(out, '{');
	if (has_type)
		write_type(out, &type, nullable);
	write_members(out, schema, !is_object ? type_only : sent->whole ? without : without_conditions);
	if (is_object)
	{
		comma(out);
		write_properties(out, schema, sent);
		if (sent->whole && member_container(schema, "required"))
		{
			appendStringInfoChar(out, ',');
			write_required(out, schema, sent);
		}
	}
	if (json_member(schema, "items", 5, &value))
	{
		Sent		row = {sent->fields, true};

		comma(out);
		json_literal(out, "\"items\":");
		if (items && JsonContainerIsObject(items))
			write_sent(out, items, &row, false);
		else
			write_value(out, &value);
	}
	appendStringInfoChar(out, '}');
}

static void
write_input(StringInfo out, const ApiModule *module, const char *suffix, bool whole)
{
	Sent		sent = {&module->module->all, whole};
	StringInfoData schema;

	initStringInfo(&schema);
	write_sent(&schema, &module->input_schema->root, &sent, false);
	appendStringInfo(out, "{\"title\":\"%s%s\",%s", module->name, suffix, schema.data + 1);
}

void
payload_write_new(StringInfo out, const ApiModule *module)
{
	write_input(out, module, "New", true);
}

void
payload_write_patch(StringInfo out, const ApiModule *module)
{
	write_input(out, module, "Patch", false);
}
