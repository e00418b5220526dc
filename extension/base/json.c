/*
 * json.c
 *	  Writing JSON text and reading members of binary jsonb.
 *
 * Text is copied in runs between the few bytes that need an escape.  A jsonb
 * is written by its iterator, so depth costs no C stack.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

/* Members up to which json_member looks at one key after the other. */
#define SMALL_OBJECT 100

void
json_begin(StringInfo out)
{
	initStringInfo(out);
	out->len = VARHDRSZ;
}

Datum
json_datum(StringInfo out)
{
	SET_VARSIZE(out->data, out->len);
	return PointerGetDatum(out->data);
}

static void
write_escape(StringInfo out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char		escape[6] = {'\\', 'u', '0', '0', 0, 0};

	switch (c)
	{
		case '"':
			json_literal(out, "\\\"");
			return;
		case '\\':
			json_literal(out, "\\\\");
			return;
		case '\n':
			json_literal(out, "\\n");
			return;
		case '\r':
			json_literal(out, "\\r");
			return;
		case '\t':
			json_literal(out, "\\t");
			return;
		default:
			escape[4] = hex[c >> 4];
			escape[5] = hex[c & 15];
			appendBinaryStringInfo(out, escape, sizeof(escape));
	}
}

void
json_string_n(StringInfo out, const char *text, int length)
{
	const char *end = text + length;
	const char *run = text;

	enlargeStringInfo(out, length + 2);
	out->data[out->len++] = '"';
	for (const char *p = text; p < end; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (likely(c >= 0x20 && c != '"' && c != '\\'))
			continue;
		appendBinaryStringInfo(out, run, p - run);
		write_escape(out, c);
		run = p + 1;
	}
	appendBinaryStringInfo(out, run, end - run);
	appendStringInfoCharMacro(out, '"');
}

void
json_string(StringInfo out, const char *text)
{
	if (text)
		json_string_n(out, text, strlen(text));
	else
		json_literal(out, "null");
}

void
json_strings(StringInfo out, const char *const *texts, int count)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		json_string(out, texts[i]);
	}
	appendStringInfoChar(out, ']');
}

void
json_name(StringInfo out, const char *name)
{
	json_string(out, name);
	appendStringInfoCharMacro(out, ':');
}

void
json_int(StringInfo out, int64 value)
{
	char		digits[MAXINT8LEN + 1];
	int			length = pg_lltoa(value, digits);

	appendBinaryStringInfo(out, digits, length);
}

void
json_bool(StringInfo out, bool value)
{
	if (value)
		json_literal(out, "true");
	else
		json_literal(out, "false");
}

void
json_id(StringInfo out, const pg_uuid_t *id, const char *prefix)
{
	enlargeStringInfo(out, QEHS_ID_LENGTH + 3);
	out->data[out->len++] = '"';
	id_format(id, prefix, out->data + out->len);
	out->len += QEHS_ID_LENGTH;
	out->data[out->len++] = '"';
	out->data[out->len] = '\0';
}

static void
write_scalar(StringInfo out, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			json_literal(out, "null");
			break;
		case jbvBool:
			json_bool(out, value->val.boolean);
			break;
		case jbvString:
			json_string_n(out, value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			appendStringInfoString(out,
								   DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
			break;
		default:
			elog(ERROR, "unexpected jsonb scalar type %d", (int) value->type);
	}
}

void
json_container(StringInfo out, const JsonbContainer *container)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, container));
	JsonbValue	value;
	JsonbIteratorToken token;
	bool		comma = false;
	bool		raw_scalar = JsonContainerIsScalar(container);

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (comma && (token == WJB_KEY || token == WJB_ELEM || token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY))
			appendStringInfoCharMacro(out, ',');
		comma = true;
		switch (token)
		{
			case WJB_BEGIN_OBJECT:
				appendStringInfoCharMacro(out, '{');
				comma = false;
				break;
			case WJB_BEGIN_ARRAY:
				if (!raw_scalar)
					appendStringInfoCharMacro(out, '[');
				comma = false;
				break;
			case WJB_END_OBJECT:
				appendStringInfoCharMacro(out, '}');
				break;
			case WJB_END_ARRAY:
				if (!raw_scalar)
					appendStringInfoCharMacro(out, ']');
				break;
			case WJB_KEY:
				json_string_n(out, value.val.string.val, value.val.string.len);
				appendStringInfoCharMacro(out, ':');
				comma = false;
				break;
			default:
				write_scalar(out, &value);
		}
	}
}

void
json_jsonb(StringInfo out, const Jsonb *value)
{
	json_container(out, &value->root);
}

void
json_jsonb_value(StringInfo out, const JsonbValue *value)
{
	if (value->type == jbvBinary)
		json_container(out, value->val.binary.data);
	else
		write_scalar(out, value);
}

/* Reads the child with this number of an object: keys first, then values. */
static void
read_child(const JsonbContainer *object, uint32 number, JsonbValue *value)
{
	JEntry		entry = object->children[number];
	char	   *base = (char *) unconstify(JEntry *, &object->children[JsonContainerSize(object) * 2]);
	uint32		start = getJsonbOffset(object, number);

	if (JBE_ISNULL(entry))
		value->type = jbvNull;
	else if (JBE_ISSTRING(entry))
	{
		value->type = jbvString;
		value->val.string.val = base + start;
		value->val.string.len = getJsonbLength(object, number);
	}
	else if (JBE_ISNUMERIC(entry))
	{
		value->type = jbvNumeric;
		value->val.numeric = (Numeric) (base + INTALIGN(start));
	}
	else if (JBE_ISBOOL(entry))
	{
		value->type = jbvBool;
		value->val.boolean = JBE_ISBOOL_TRUE(entry);
	}
	else
	{
		value->type = jbvBinary;
		value->val.binary.data = (JsonbContainer *) (base + INTALIGN(start));
		value->val.binary.len = getJsonbLength(object, number) - (INTALIGN(start) - start);
	}
}

/* Keys are in the order of their lengths: of a small object, looking at these is faster than halving. */
bool
json_member(const JsonbContainer *object, const char *key, int key_length, JsonbValue *value)
{
	uint32		count = JsonContainerSize(object);
	const char *base = (const char *) &object->children[count * 2];
	uint32		start = 0;

	if (!JsonContainerIsObject(object))
		return false;
	if (count > SMALL_OBJECT)
		return getKeyJsonValueFromContainer(unconstify(JsonbContainer *, object), key, key_length, value) != NULL;
	for (uint32 i = 0; i < count; i++)
	{
		JEntry		entry = object->children[i];
		uint32		end = JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : start + JBE_OFFLENFLD(entry);
		int			length = (int) (end - start);

		if (length > key_length)
			return false;
		if (length == key_length && memcmp(base + start, key, length) == 0)
		{
			read_child(object, count + i, value);
			return true;
		}
		start = end;
	}
	return false;
}

bool
json_text_is(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

char *
json_text_copy(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

char *
json_member_text(const JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value) || value.type != jbvString)
		return NULL;
	return json_text_copy(&value);
}

bool
json_member_bool(const JsonbContainer *object, const char *key, bool otherwise)
{
	JsonbValue	value;

	if (!json_member(object, key, strlen(key), &value) || value.type != jbvBool)
		return otherwise;
	return value.val.boolean;
}

bool
json_is_integer(const JsonbValue *value, int64 least, int64 most)
{
	Datum		low = NumericGetDatum(int64_to_numeric(least));
	Datum		high = NumericGetDatum(int64_to_numeric(most));
	Datum		number;

	if (value->type != jbvNumeric)
		return false;
	number = NumericGetDatum(value->val.numeric);
	return DatumGetBool(DirectFunctionCall2(numeric_ge, number, low)) && DatumGetBool(DirectFunctionCall2(numeric_le, number, high)) &&
		DatumGetBool(DirectFunctionCall2(numeric_eq, number, DirectFunctionCall1(numeric_floor, number)));
}

bool
json_member_int(const JsonbContainer *object, const char *key, int32 *result)
{
	JsonbValue	value;
	bool		failed = false;

	if (!json_member(object, key, strlen(key), &value) || value.type != jbvNumeric)
		return false;
	*result = numeric_int4_opt_error(value.val.numeric, &failed);
	/* that rounds: 1.5 is no integer */
	return !failed && DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(value.val.numeric),
													   NumericGetDatum(int64_to_numeric(*result))));
}

bool
json_values_equal(const JsonbValue *left, const JsonbValue *right)
{
	if (left->type != right->type)
		return false;
	switch (left->type)
	{
		case jbvNull:
			return true;
		case jbvBool:
			return left->val.boolean == right->val.boolean;
		case jbvString:
			return left->val.string.len == right->val.string.len &&
				memcmp(left->val.string.val, right->val.string.val, left->val.string.len) == 0;
		case jbvNumeric:
			return DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(left->val.numeric),
													NumericGetDatum(right->val.numeric)));
		case jbvBinary:
			return compareJsonbContainers(left->val.binary.data, right->val.binary.data) == 0;
		default:
			return false;
	}
}

Jsonb *
json_value_to_jsonb(const JsonbValue *value)
{
	return JsonbValueToJsonb(unconstify(JsonbValue *, value));
}

Jsonb *
json_with_member(Jsonb *object, const char *key, int key_length, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	JsonbIterator *iterator = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue	name = {.type = jbvString, .val.string = {key_length, unconstify(char *, key)}};
	JsonbValue	member;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &member, true)) != WJB_DONE)
		if (token == WJB_KEY || token == WJB_VALUE)
			pushJsonbValue(&state, token, &member);
	/* a later twin wins */
	pushJsonbValue(&state, WJB_KEY, &name);
	pushJsonbValue(&state, WJB_VALUE, value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

void
json_pointer_append(StringInfo pointer, const char *token, int length)
{
	appendStringInfoCharMacro(pointer, '/');
	for (int i = 0; i < length; i++)
	{
		if (token[i] == '~')
			json_literal(pointer, "~0");
		else if (token[i] == '/')
			json_literal(pointer, "~1");
		else
			appendStringInfoCharMacro(pointer, token[i]);
	}
}

char *
json_pointer_to(const char *pointer, const char *token)
{
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfoString(&path, pointer);
	json_pointer_append(&path, token, strlen(token));
	return path.data;
}
