/*
 * search.c
 *	  What q searches: the text of a record's searched fields and its display code,
 *	  their words, and the words of the index.
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
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "record/record.h"
#include "record/question.h"
#include "record/words.h"
#include "tsearch/ts_type.h"
#include "tsearch/ts_utils.h"

PG_FUNCTION_INFO_V1(qehs_search_vector);
PG_FUNCTION_INFO_V1(qehs_search_words);

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

char *
record_search_text(const ModuleDef *module, Jsonb *payload, int64 display_no)
{
	StringInfoData text;

	if (!module->has_searchable)
		return NULL;
	initStringInfo(&text);
	appendStringInfo(&text, QEHS_DISPLAY_FORMAT "\n", module->prefix, (int) (display_no / QEHS_DISPLAY_YEAR), (int) (display_no % QEHS_DISPLAY_YEAR));
	for (int i = 0; i < module->field_count && text.len < QEHS_SEARCH_BYTES; i++)
	{
		JsonbValue	value;

		if (module->fields[i].searchable && json_member(&payload->root, module->fields[i].key, module->fields[i].key_length, &value) &&
			value.type == jbvString)
			append_text(&text, module->fields[i].type, value.val.string.val, value.val.string.len);
	}
	return text.data;
}

/* ---- words of a record ---- */

typedef struct Collector
{
	ParsedText	parsed;
	int			bytes;
	int			position;
	char		before[QEHS_WORD_BYTES + 1];	/* the plain word before */
	int			before_length;
	int			before_tail;
	bool		before_has_digit;
} Collector;

static bool
add_lexeme(Collector *collector, const char *text, int length)
{
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
	word->pos.pos = LIMITPOS(collector->position);
	return true;
}

/* Add the joint of a word with the one before, from a byte of that on. */
static bool
add_joint(Collector *collector, int from, const Word *word)
{
	char		joint[QEHS_WORD_BYTES * 2 + 2];
	int			length = collector->before_length - from;

	memcpy(joint, collector->before + from, length);
	joint[length++] = '/';
	memcpy(joint + length, word->text, word->length);
	return add_lexeme(collector, joint, length + word->length);
}

/* Add a word: itself, the second part of "50kg" and "AB12", and its joints with the one before ("v1/2" and "1/2" of V1.2). */
static bool
collect(void *owner, const Word *word)
{
	Collector  *collector = owner;
	bool		goes_on;

	collector->position++;
	goes_on = add_lexeme(collector, word->text, word->length);
	if (word->kind != WORD_PLAIN)
		return goes_on;
	if (goes_on && word->tail > 0)
		goes_on = add_lexeme(collector, word->text + word->tail, word->length - word->tail);
	if (goes_on && word_makes_joint(collector->before_has_digit, word))
		goes_on = add_joint(collector, 0, word) && (collector->before_tail == 0 || add_joint(collector, collector->before_tail, word));
	memcpy(collector->before, word->text, word->length);
	collector->before_length = word->length;
	collector->before_tail = word->tail;
	collector->before_has_digit = word->has_digit;
	return goes_on;
}

/* search_vector(text) */
Datum
qehs_search_vector(PG_FUNCTION_ARGS)
{
	text	   *source = PG_GETARG_TEXT_PP(0);
	Collector	collector;

	memset(&collector, 0, sizeof(collector));
	collector.parsed.lenwords = 64;
	collector.parsed.words = palloc(sizeof(ParsedWord) * collector.parsed.lenwords);
	words_split(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source), collect, &collector);
	PG_RETURN_TSVECTOR(make_tsvector(&collector.parsed));
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
