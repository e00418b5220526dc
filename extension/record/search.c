/*
 * search.c
 *	  What q searches: the text of a record's searched fields and its display code,
 *	  their words, and the words of the index.
 *
 * An option of a select is kept as one word, "=severity=high", in front of the text.  A question
 * looks for the words of its labels among those of the definition (question.c), so that labels may
 * change, and be in many languages, and no record is written.
 *
 * One index serves all modules of all tenants.  Its entries are words that begin
 * with tenant, module and a bucket of display numbers, "12.3.7a120.ladder".  A question
 * reads bucket after bucket (found.c), so that no word, however common, and no
 * beginning of words, however short, reads more of them than the page needs.
 *
 * PostgreSQL holds at most 1 MB of words in a tsvector.  Text beyond
 * QEHS_SEARCH_BYTES is not searched, nor are words beyond QEHS_SEARCH_WORD_BYTES.
 */
#include "base/compat.h"

#include "base/json.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "record/record.h"
#include "record/question.h"
#include "record/words.h"
#include "tsearch/ts_type.h"
#include "tsearch/ts_utils.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_search_vector);
PG_FUNCTION_INFO_V1(qehs_search_readable);
PG_FUNCTION_INFO_V1(qehs_search_words);

/* Of the word that an option is found by: more than any has. */
#define QEHS_SEARCH_OPTION_BYTES 1000
/* What the words of a tsvector take at most, with 8 bytes beside each. */
#define QEHS_SEARCH_WORD_BYTES 800000

/* ---- text ---- */

/* Append a text, of rich text without its tags and character references. */
static void
append_text(StringInfo out, FieldType type, const char *text, int length)
{
	length = pg_mbcliplen(text, length, QEHS_SEARCH_BYTES - out->len);
	if (type != FIELD_RICH_TEXT)
		appendBinaryStringInfo(out, text, length);
	for (int i = 0; type == FIELD_RICH_TEXT && i < length; i++)
	{
		const char *end = text[i] == '<' ? memchr(text + i, '>', length - i) : text[i] == '&' ? memchr(text + i, ';', Min(length - i, 10)) : NULL;

		if (end)
			i = (int) (end - text);
		appendStringInfoChar(out, end ? ' ' : text[i]);
	}
	appendStringInfoChar(out, '\n');
}

/* Append an option as what it is found by. */
static void
append_option(StringInfo out, const char *path, const char *option, int length)
{
	appendStringInfo(out, "%c%s", QEHS_SEARCH_OPTION, search_option(path, option, length));
}

/* Append the options that a field, with this path from the top, has. */
static void
append_options(StringInfo out, const char *path, const JsonbValue *value)
{
	const JsonbContainer *list = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) ? value->val.binary.data : NULL;

	if (value->type == jbvString)
		append_option(out, path, value->val.string.val, value->val.string.len);
	for (uint32 i = 0; list && i < JsonContainerSize(list); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, list), i);

		if (item->type == jbvString)
			append_option(out, path, item->val.string.val, item->val.string.len);
	}
}

/* Append the texts of a field. */
static void
append_texts(StringInfo out, const ModuleField *field, const JsonbValue *value)
{
	const JsonbContainer *list = value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) ? value->val.binary.data : NULL;

	if (value->type == jbvString)
		append_text(out, field->type, value->val.string.val, value->val.string.len);
	for (uint32 i = 0; list && i < JsonContainerSize(list) && out->len < QEHS_SEARCH_BYTES; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, list), i);

		if (item->type == jbvString)
			append_text(out, field->type, item->val.string.val, item->val.string.len);
	}
}

/* What is appended. */
typedef struct SearchedPart
{
	StringInfo	out;
	bool		options;		/* else texts */
	const List *hidden;			/* keys of fields of the module that are left out */
} SearchedPart;

static bool
is_hidden(const SearchedPart *part, const char *key)
{
	ListCell   *cell;

	foreach(cell, part->hidden)
		if (strcmp(lfirst(cell), key) == 0)
			return true;
	return false;
}

static void append_set(const SearchedPart *part, const ModuleFields *set, const char *above, const JsonbContainer *object);

/* Append what the rows of a table, or an object, hold. */
static void
append_nested(const SearchedPart *part, const ModuleField *field, const char *path, const JsonbContainer *value)
{
	const char *above = psprintf("%s.", path);

	if (JsonContainerIsObject(value))
		append_set(part, &field->nested, above, value);
	for (uint32 i = 0; JsonContainerIsArray(value) && i < JsonContainerSize(value) && part->out->len < QEHS_SEARCH_BYTES; i++)
	{
		const JsonbValue *row = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, value), i);

		CHECK_FOR_INTERRUPTS();
		if (row->type == jbvBinary && JsonContainerIsObject(row->val.binary.data))
			append_set(part, &field->nested, above, row->val.binary.data);
	}
}

/* Append what the searched fields of a set hold; above stands in front of their paths, "" or "witnesses.". */
static void
append_set(const SearchedPart *part, const ModuleFields *set, const char *above, const JsonbContainer *object)
{
	check_stack_depth();
	for (int i = 0; i < set->count && part->out->len < QEHS_SEARCH_BYTES; i++)
	{
		const ModuleField *field = &set->items[i];
		bool		nests = field->nested.count > 0;
		JsonbValue	value;

		if (!field->searchable || (!nests && part->options != search_has_options(field)) || (*above == '\0' && is_hidden(part, field->key)) ||
			!json_member(object, field->key, field->key_length, &value))
			continue;
		if (nests && value.type == jbvBinary)
			append_nested(part, field, psprintf("%s%s", above, field->key), value.val.binary.data);
		else if (!nests && part->options)
			append_options(part->out, psprintf("%s%s", above, field->key), &value);
		else if (!nests)
			append_texts(part->out, field, &value);
	}
}

bool
search_has_options(const ModuleField *field)
{
	return field->type == FIELD_SELECT || field->type == FIELD_MULTI_SELECT;
}

char *
search_option(const char *path, const char *option, int length)
{
	return psprintf("=%s=%.*s", path, length, option);
}

char *
record_search_text(const ModuleDef *module, Jsonb *payload, int64 display_no, const List *hidden)
{
	StringInfoData text;
	SearchedPart part = {&text, true, hidden};

	if (!module->has_searchable)
		return NULL;
	initStringInfo(&text);
	append_set(&part, &module->all, "", &payload->root);
	if (text.len > 0)
		appendStringInfoChar(&text, QEHS_SEARCH_OPTION);
	record_append_display_code(&text, module, display_no);
	appendStringInfoChar(&text, '\n');
	part.options = false;
	append_set(&part, &module->all, "", &payload->root);
	return text.data;
}

/* ---- words of a record ---- */

typedef struct Collector
{
	ParsedText	parsed;
	int			bytes;
} Collector;

static bool
add_lexeme(void *owner, const char *text, int length, int place)
{
	Collector  *collector = owner;
	ParsedText *parsed = &collector->parsed;
	ParsedWord *word;

	collector->bytes += length + 8;
	if (collector->bytes > QEHS_SEARCH_WORD_BYTES)
		return false;
	if (parsed->curwords == parsed->lenwords)
	{
		parsed->lenwords *= 2;
		parsed->words = repalloc(parsed->words, sizeof(ParsedWord) * parsed->lenwords);
	}
	word = &parsed->words[parsed->curwords++];
	memset(word, 0, sizeof(*word));
	word->word = pnstrdup(text, length);
	word->len = length;
	word->pos.pos = LIMITPOS(place);
	return true;
}

/* Add the options at the beginning of a text; returns the bytes that they take. */
static int
add_options(Collector *collector, const char *text, int length)
{
	int			at = 0;

	while (at + 1 < length && text[at] == QEHS_SEARCH_OPTION && text[at + 1] == '=')
	{
		const char *end = memchr(text + at + 1, QEHS_SEARCH_OPTION, length - at - 1);
		int			option = end ? (int) (end - text) - at - 1 : length - at - 1;

		add_lexeme(collector, text + at + 1, pg_mbcliplen(text + at + 1, option, QEHS_SEARCH_OPTION_BYTES), 1);
		at += option + 1;
	}
	return at;
}

/* The words of a text as record_search_text has it. */
static TSVector
vector_of(const char *text, int length)
{
	Collector	collector;
	int			options;

	memset(&collector, 0, sizeof(collector));
	collector.parsed.lenwords = 64;
	collector.parsed.words = palloc(sizeof(ParsedWord) * collector.parsed.lenwords);
	options = add_options(&collector, text, length);
	words_lexemes(text + options, length - options, add_lexeme, &collector);
	return make_tsvector(&collector.parsed);
}

/* search_vector(text) */
Datum
qehs_search_vector(PG_FUNCTION_ARGS)
{
	text	   *source = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TSVECTOR(vector_of(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source)));
}

/* The arguments of qehs.search_readable. */
enum
{
	READABLE_TENANT_ID, READABLE_MODULE_ID, READABLE_VERSION, READABLE_PAYLOAD, READABLE_DISPLAY_NO, READABLE_HIDDEN
};

/* The texts of an array. */
static List *
texts_of(ArrayType *array)
{
	List	   *texts = NIL;
	Datum	   *values;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &count);
	for (int i = 0; i < count; i++)
		texts = lappend(texts, TextDatumGetCString(values[i]));
	return texts;
}

/* search_readable(tenant_id, module_id, definition_version, payload, display_no, hidden) */
Datum
qehs_search_readable(PG_FUNCTION_ARGS)
{
	const ModuleDef *module = module_lookup_version(PG_GETARG_INT32(READABLE_TENANT_ID), PG_GETARG_INT32(READABLE_MODULE_ID), 0);
	Jsonb	   *payload = PG_GETARG_JSONB_P(READABLE_PAYLOAD);
	char	   *text = NULL;

	if (module)
		text = record_search_text(module, module_payload_current(module, payload, PG_GETARG_INT32(READABLE_VERSION)),
								  PG_GETARG_INT64(READABLE_DISPLAY_NO), texts_of(PG_GETARG_ARRAYTYPE_P(READABLE_HIDDEN)));
	if (text == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TSVECTOR(vector_of(text, strlen(text)));
}

/* ---- words of the index ---- */

int
search_prefix(char *prefix, int32 tenant_id, int32 module_id, int64 bucket)
{
	return snprintf(prefix, QEHS_SEARCH_PREFIX, "%d.%d.%llx.", tenant_id, module_id, (unsigned long long) bucket);
}

/* How many words fit into a tsvector under the prefix, and the bytes that they take. */
static int
count_words(TSVector words, int prefix_length, uint32 *bytes)
{
	int			count = 0;

	*bytes = 0;
	while (count < words->size && *bytes + prefix_length + ARRPTR(words)[count].len <= MAXSTRPOS)
		*bytes += prefix_length + ARRPTR(words)[count++].len;
	return count;
}

/* The arguments of qehs.search_words. */
enum
{
	ARGUMENT_TENANT_ID, ARGUMENT_MODULE_ID, ARGUMENT_DISPLAY_NO, ARGUMENT_WORDS
};

/* search_words(tenant_id, module_id, display_no, words): the words with tenant, module and bucket in front, in their order, without positions. */
Datum
qehs_search_words(PG_FUNCTION_ARGS)
{
	TSVector	words = PG_GETARG_TSVECTOR(ARGUMENT_WORDS);
	char		prefix[QEHS_SEARCH_PREFIX];
	int			prefix_length = search_prefix(prefix, PG_GETARG_INT32(ARGUMENT_TENANT_ID), PG_GETARG_INT32(ARGUMENT_MODULE_ID),
											  PG_GETARG_INT64(ARGUMENT_DISPLAY_NO) / QEHS_SEARCH_BUCKET);
	uint32		bytes;
	uint32		offset = 0;
	int			count = count_words(words, prefix_length, &bytes);
	TSVector	result = palloc0(CALCDATASIZE(count, bytes));

	SET_VARSIZE(result, CALCDATASIZE(count, bytes));
	result->size = count;
	for (int i = 0; i < count; i++)
	{
		WordEntry  *word = &ARRPTR(words)[i];
		char	   *target = STRPTR(result) + offset;

		ARRPTR(result)[i].len = prefix_length + word->len;
		ARRPTR(result)[i].pos = offset;
		memcpy(target, prefix, prefix_length);
		memcpy(target + prefix_length, STRPTR(words) + word->pos, word->len);
		offset += prefix_length + word->len;
	}
	PG_RETURN_TSVECTOR(result);
}
