/*
 * question.c
 *	  Reading q (question.h).
 *
 * A question is a tree: parts, of which either will do, of items, which all must hold or must
 * not, of needs, which all must be met, of ways, any of which meets the need: words in a row or
 * an option.  From it the text of a tsquery is written; the words of the index have a prefix
 * each (search.c).
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/text.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "module/locale.h"
#include "record/question.h"
#include "record/record.h"
#include "record/words.h"
#include "tsearch/ts_utils.h"
#include "utils/fmgrprotos.h"

/* Steps through an index's entries that cost as much as a look at one record. */
#define ENTRIES_A_RECORD 40
/* Where more options than these begin like a word, it finds those that have it whole. */
#define FEW_OPTIONS 100
/* In a question of so many words at most two in a row find the one that they make. */
#define FEW_WORDS 3

typedef struct Lexeme
{
	const char *text;
	bool		beginning;		/* whatever begins with it does */
} Lexeme;

/* What meets a need: lexemes in a row. */
typedef struct Way
{
	List	   *lexemes;
} Way;

typedef struct Need
{
	List	   *ways;
	List	   *options;		/* OptionFound, until the ways are whole */
	bool		asked;			/* the index is asked for it */
	double		share;			/* of the records that meet it */
} Need;

typedef struct Item
{
	List	   *words;			/* Word, with texts of their own */
	List	   *needs;
	bool		phrase;
	bool		excluded;
} Item;

typedef struct Part
{
	List	   *items;			/* none without words */
} Part;

/* ---- items ---- */

static bool
keep_word(void *owner, const Word *word)
{
	Item	   *item = owner;
	Word	   *copy = palloc(sizeof(Word));

	*copy = *word;
	copy->text = pnstrdup(word->text, word->length);
	item->words = lappend(item->words, copy);
	return true;
}

static bool
is_blank(const char *at)
{
	return text_blank_length(at, strlen(at)) > 0;
}

/* The next item at *at, which moves behind it; NULL at the end. */
static Item *
next_item(const char **at)
{
	Item	   *item = palloc0(sizeof(Item));
	const char *end;

	*at += text_blank_length(*at, strlen(*at));
	if (**at == '\0')
		return NULL;
	if (**at == '-' && (*at)[1] != '\0' && !is_blank(*at + 1))
	{
		item->excluded = true;
		(*at)++;
	}
	if (**at == '"')
	{
		item->phrase = true;
		(*at)++;
		end = *at + strcspn(*at, "\"");
	}
	else
		for (end = *at; *end && !is_blank(end); end += pg_mblen(end))
			;
	words_split(*at, (int) (end - *at), keep_word, item);
	*at = end + (item->phrase && *end == '"');
	return item;
}

/* "or" as it stands between two items. */
static bool
skip_or(const char **at)
{
	const char *next = *at + text_blank_length(*at, strlen(*at));

	if (pg_strncasecmp(next, "or", 2) != 0 || !is_blank(next + 2))
		return false;
	next += 2;
	if (next[text_blank_length(next, strlen(next))] == '\0')
		return false;
	*at = next;
	return true;
}

/* ---- needs of an item ---- */

static void
add_lexeme(Way *way, const char *text, bool beginning)
{
	Lexeme	   *lexeme = palloc(sizeof(Lexeme));

	lexeme->text = text;
	lexeme->beginning = beginning;
	way->lexemes = lappend(way->lexemes, lexeme);
}

static void
add_way(Need *need, const char *text, bool beginning)
{
	Way		   *way = palloc0(sizeof(Way));

	add_lexeme(way, text, beginning);
	need->ways = lappend(need->ways, way);
}

/* A phrase: its words in a row. */
static void
read_phrase(Item *item)
{
	Need	   *need = palloc0(sizeof(Need));
	Way		   *way = palloc0(sizeof(Way));
	ListCell   *cell;

	foreach(cell, item->words)
	{
		const Word *word = lfirst(cell);

		if (word->kind != WORD_END || word->alone)
			add_lexeme(way, word->text, word->kind == WORD_END);
	}
	need->ways = list_make1(way);
	item->needs = list_make1(need);
}

/* Is there a joint between two words in a row that is kept as one? */
static bool
makes_joint(const Word *left, const Word *right)
{
	return left && right && word_makes_joint(left->has_digit, right);
}

/* Do two words in a row make one: of one item with a hyphen between, or, where near, of two. */
static bool
makes_compound(const Word *left, const Word *right, bool near)
{
	if (left == NULL || right == NULL || left->kind != WORD_PLAIN || right->kind != WORD_PLAIN || left->has_digit || right->has_digit)
		return false;
	return near || right->hyphened;
}

/* The bytes of the digits, or of the letters, that a word of both begins with; 0 of others. */
static int
head_length(const Word *word)
{
	int			length = 0;

	while (length < word->length && isdigit((unsigned char) word->text[length]) == isdigit((unsigned char) word->text[0]))
		length++;
	return length < word->length ? length : 0;
}

/* A word or the joint that ends with it; before and next stand beside it, in this item or, where near, in another. */
static void
read_word(Item *item, const Word *before, const Word *word, const Word *next, bool near_before, bool near_next)
{
	Need	   *need = palloc0(sizeof(Need));
	bool		beginning = word->kind == WORD_END || (word->kind == WORD_PLAIN && word->characters > 1);

	item->needs = lappend(item->needs, need);
	if (!near_before && makes_joint(before, word))
	{
		add_way(need, psprintf("%s/%s", before->text, word->text), near_next || !makes_joint(word, next));
		if (word->hyphened)
			add_way(need, psprintf("%s%s", before->text, word->text), true);
		return;
	}
	add_way(need, word->text, beginning);
	if (word->kind == WORD_PLAIN && word->has_digit && head_length(word) > 0)
		add_way(need, psprintf("%.*s/%s", head_length(word), word->text, word->text + head_length(word)), true);
	if (makes_compound(before, word, near_before))
		add_way(need, psprintf("%s%s", before->text, word->text), true);
	if (makes_compound(word, next, near_next))
		add_way(need, psprintf("%s%s", word->text, next->text), true);
}

/* The word of an item that stands beside another item, if both are words to be found in a question of few. */
static const Word *
beside(const Item *item, const Item *other, bool few, bool last)
{
	if (!few || other == NULL || other->phrase || other->excluded || other->words == NIL || item->excluded)
		return NULL;
	return last ? llast(other->words) : linitial(other->words);
}

/* The words of an item, between those of the items beside it. */
static void
read_words(Item *item, const Word *before_item, const Word *behind_item)
{
	int			last = list_length(item->words) - 1;

	for (int i = 0; i <= last; i++)
	{
		const Word *before = i > 0 ? list_nth(item->words, i - 1) : before_item;
		const Word *word = list_nth(item->words, i);
		const Word *next = i < last ? list_nth(item->words, i + 1) : behind_item;

		CHECK_FOR_INTERRUPTS();
		/* it is in the joint that follows, or in the pair before */
		if ((i < last && !(i > 0 && makes_joint(before, word)) && makes_joint(word, next)) || (word->kind == WORD_END && !word->alone))
			continue;
		read_word(item, before, word, next, i == 0, i == last);
	}
}

/* ---- options ---- */

typedef struct OptionFound
{
	const ModuleField *field;
	const char *lexeme;
	bool		whole;			/* one of its words is the whole one asked for */
} OptionFound;

/* An option whose words are looked at. */
typedef struct OptionWalk
{
	List	   *parts;
	const ModuleField *field;
	const char *lexeme;
	List	   *words;			/* of a label, in its order: for phrases */
} OptionWalk;

/* Call back for each need of a question, with its item. */
static void
each_need(List *parts, void (*visit) (Item *item, Need *need, void *owner), void *owner)
{
	ListCell   *part;
	ListCell   *item;
	ListCell   *need;

	foreach(part, parts)
	{
		foreach(item, ((Part *) lfirst(part))->items)
		{
			foreach(need, ((Item *) lfirst(item))->needs)
			{
				visit(lfirst(item), lfirst(need), owner);
			}
		}
	}
}

static void
add_option(Need *need, const OptionWalk *walk, bool whole)
{
	OptionFound *found = need->options ? llast(need->options) : NULL;

	/* options come one after the other */
	if (found == NULL || found->lexeme != walk->lexeme)
	{
		found = palloc0(sizeof(OptionFound));
		found->field = walk->field;
		found->lexeme = walk->lexeme;
		need->options = lappend(need->options, found);
	}
	found->whole |= whole;
}

typedef struct LabelWord
{
	const OptionWalk *walk;
	const char *text;
	int			length;
} LabelWord;

static void
compare_word(Item *item, Need *need, void *owner)
{
	const LabelWord *word = owner;
	ListCell   *cell;

	foreach(cell, item->phrase ? NIL : need->ways)
	{
		const Lexeme *lexeme = linitial(((Way *) lfirst(cell))->lexemes);
		int			length = strlen(lexeme->text);

		if (length <= word->length && memcmp(lexeme->text, word->text, length) == 0 && (lexeme->beginning || length == word->length))
			add_option(need, word->walk, length == word->length);
	}
}

static bool
take_label_word(void *owner, const char *lexeme, int length, int place)
{
	OptionWalk *walk = owner;
	LabelWord	word = {walk, lexeme, length};

	each_need(walk->parts, compare_word, &word);
	return true;
}

static bool
keep_label_word(void *owner, const Word *word)
{
	OptionWalk *walk = owner;

	if (word->kind != WORD_END || word->alone)
		walk->words = lappend(walk->words, pnstrdup(word->text, word->length));
	return true;
}

static void
compare_phrase(Item *item, Need *need, void *owner)
{
	const OptionWalk *walk = owner;
	const List *lexemes = item->phrase ? ((Way *) linitial(need->ways))->lexemes : NIL;
	int			count = list_length(lexemes);

	for (int from = 0; count > 0 && from + count <= list_length(walk->words); from++)
	{
		int			same = 0;

		while (same < count && strcmp(list_nth(walk->words, from + same), ((Lexeme *) list_nth(lexemes, same))->text) == 0)
			same++;
		if (same == count)
			add_option(need, walk, true);
	}
}

/* Look at one text of an option: its value or a label. */
static void
take_label(void *owner, const char *text, int length)
{
	OptionWalk *walk = owner;

	walk->words = NIL;
	words_lexemes(text, length, take_label_word, walk);
	words_split(text, length, keep_label_word, walk);
	each_need(walk->parts, compare_phrase, walk);
}

static void
take_option(OptionWalk *walk, const JsonbValue *option)
{
	JsonbValue	value = *option;
	const JsonbContainer *object = option->type == jbvBinary ? option->val.binary.data : NULL;

	if ((object && !json_member(object, "value", 5, &value)) || value.type != jbvString)
		return;
	walk->lexeme = search_option(walk->field->key, value.val.string.val, value.val.string.len);
	take_label(walk, value.val.string.val, value.val.string.len);
	if (object)
		label_each(object, take_label, walk);
}

/* The options that a need has found become ways to meet it; all those of a field are one. */
static void
add_option_ways(Item *item, Need *need, void *owner)
{
	bool		many = list_length(need->options) > FEW_OPTIONS;
	int			count = list_length(need->options);

	for (int i = 0; i < count; i++)
	{
		const OptionFound *found = list_nth(need->options, i);
		const OptionFound *last = list_nth(need->options, Min(i + found->field->option_count, count) - 1);

		CHECK_FOR_INTERRUPTS();
		if (found->field->option_count > 1 && i + found->field->option_count <= count && last->field == found->field)
		{
			add_way(need, search_option(found->field->key, "", 0), true);
			i += found->field->option_count - 1;
		}
		else if (!many || found->whole)
			add_way(need, found->lexeme, false);
	}
}

/* Let the words of a question find records by the labels of their options. */
static void
read_options(List *parts, const ModuleDef *module)
{
	OptionWalk	walk = {.parts = parts};

	for (int i = 0; i < module->field_count; i++)
	{
		const ModuleField *field = &module->fields[i];
		JsonbValue	options;

		if (!field->searchable || !search_has_options(field) || !json_member(field->definition, "options", 7, &options) || options.type != jbvBinary)
			continue;
		CHECK_FOR_INTERRUPTS();
		walk.field = field;
		for (uint32 place = 0; place < JsonContainerSize(options.val.binary.data); place++)
			take_option(&walk, getIthJsonbValueFromContainer(options.val.binary.data, place));
	}
	each_need(parts, add_option_ways, NULL);
}

/* ---- the question ---- */

/* Items up to "or", which all must hold; at moves behind it. */
static Part *
read_part(const char **at)
{
	Part	   *part = palloc0(sizeof(Part));
	Item	   *item;
	int			words = 0;

	while ((item = next_item(at)) != NULL)
	{
		words += list_length(item->words);
		if (item->words != NIL)
			part->items = lappend(part->items, item);
		if (skip_or(at))
			break;
	}
	for (int i = 0; i < list_length(part->items); i++)
	{
		Item	   *before = i > 0 ? list_nth(part->items, i - 1) : NULL;
		Item	   *next = i + 1 < list_length(part->items) ? list_nth(part->items, i + 1) : NULL;

		item = list_nth(part->items, i);
		if (item->phrase)
			read_phrase(item);
		else
			read_words(item, beside(item, before, words <= FEW_WORDS, true), beside(item, next, words <= FEW_WORDS, false));
	}
	return part;
}

Question *
question_read(const char *q, const ModuleDef *module)
{
	Question   *question = palloc0(sizeof(Question));

	question->narrows = true;
	while (*(q += text_blank_length(q, strlen(q))) != '\0')
	{
		Part	   *part = read_part(&q);
		bool		needs = false;
		ListCell   *cell;

		foreach(cell, part->items)
			needs |= !((Item *) lfirst(cell))->excluded;
		if (part->items == NIL)
			continue;
		question->parts = lappend(question->parts, part);
		question->narrows &= needs;
	}
	question->has_words = question->parts != NIL;
	if (question->has_words)
		read_options(question->parts, module);
	return question;
}

/* ---- as a tsquery ---- */

static void
write_lexeme(StringInfo out, const Lexeme *lexeme, const char *prefix)
{
	appendStringInfo(out, "'%s", prefix);
	for (const char *at = lexeme->text; *at; at++)
	{
		if (*at == '\'' || *at == '\\')
			appendStringInfoChar(out, *at);
		appendStringInfoChar(out, *at);
	}
	appendStringInfoString(out, lexeme->beginning ? "':*" : "'");
}

/* The index knows no order of words: there those of a phrase must be there. */
static void
write_need(StringInfo out, const Need *need, const char *prefix)
{
	const char *either = "";
	ListCell   *cell;

	appendStringInfoChar(out, '(');
	foreach(cell, need->ways)
	{
		const Way  *way = lfirst(cell);
		const char *between = "";
		ListCell   *word;

		appendStringInfo(out, "%s(", either);
		foreach(word, way->lexemes)
		{
			appendStringInfoString(out, between);
			write_lexeme(out, lfirst(word), prefix);
			between = *prefix ? " & " : " <-> ";
		}
		appendStringInfoChar(out, ')');
		either = " | ";
	}
	appendStringInfoChar(out, ')');
}

static void
write_item(StringInfo out, const Item *item, const char *prefix)
{
	const char *and = "";
	ListCell   *cell;

	appendStringInfoString(out, item->excluded ? "!(" : "(");
	foreach(cell, item->needs)
	{
		appendStringInfoString(out, and);
		write_need(out, lfirst(cell), prefix);
		and = " & ";
	}
	appendStringInfoChar(out, ')');
}

/* The text of a question as a tsquery. */
static Datum
query_of(StringInfo text)
{
	return DirectFunctionCall1(tsqueryin, CStringGetDatum(text->data));
}

Datum
question_on_record(const Question *question)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, question->parts)
	{
		const char *and = cell == list_head(question->parts) ? "(" : " | (";
		ListCell   *item;

		foreach(item, ((Part *) lfirst(cell))->items)
		{
			appendStringInfoString(&text, and);
			write_item(&text, lfirst(item), "");
			and = " & ";
		}
		appendStringInfoChar(&text, ')');
	}
	return query_of(&text);
}

/* ---- on the index ---- */

/* The needs of a part that must be met. */
static List *
needs_of(const Part *part)
{
	List	   *needs = NIL;
	ListCell   *cell;

	foreach(cell, part->items)
		if (!((Item *) lfirst(cell))->excluded)
			needs = list_concat(needs, ((Item *) lfirst(cell))->needs);
	return needs;
}

int
question_needs(const Question *question, Datum **needs)
{
	List	   *list = NIL;
	ListCell   *cell;
	int			count = 0;

	foreach(cell, question->parts)
		list = list_concat(list, needs_of(lfirst(cell)));
	*needs = palloc(sizeof(Datum) * Max(list_length(list), 1));
	foreach(cell, list)
	{
		StringInfoData text;

		initStringInfo(&text);
		write_need(&text, lfirst(cell), "");
		(*needs)[count++] = query_of(&text);
	}
	return count;
}

static void
ask_need(Item *item, Need *need, void *owner)
{
	need->asked = true;
}

void
question_ask_all(Question *question)
{
	each_need(question->parts, ask_need, NULL);
}

static int
compare_shares(const ListCell *a, const ListCell *b)
{
	double		left = ((Need *) lfirst(a))->share;
	double		right = ((Need *) lfirst(b))->share;

	return left < right ? -1 : left > right;
}

/* The rarest first, as long as the entries of another are fewer than the records that need not be looked at for it. */
void
question_ask(Question *question, const double *shares)
{
	ListCell   *part;

	foreach(part, question->parts)
	{
		List	   *needs = list_copy(needs_of(lfirst(part)));
		double		left = 1;
		ListCell   *cell;

		foreach(cell, needs)
			((Need *) lfirst(cell))->share = *shares++;
		list_sort(needs, compare_shares);
		foreach(cell, needs)
		{
			Need	   *need = lfirst(cell);

			need->asked = left == 1 || need->share < left * (1 - need->share) * ENTRIES_A_RECORD;
			if (need->asked)
				left *= need->share;
		}
	}
}

Datum
question_on_index(const Question *question, int32 tenant_id, int32 module_id, int64 bucket)
{
	StringInfoData text;
	char		prefix[QEHS_SEARCH_PREFIX];
	ListCell   *cell;

	initStringInfo(&text);
	search_prefix(prefix, tenant_id, module_id, bucket);
	foreach(cell, question->parts)
	{
		const char *and = text.len == 0 ? "(" : " | (";
		ListCell   *need;

		foreach(need, needs_of(lfirst(cell)))
			if (((Need *) lfirst(need))->asked)
			{
				appendStringInfoString(&text, and);
				write_need(&text, lfirst(need), prefix);
				and = " & ";
			}
		appendStringInfoChar(&text, ')');
	}
	return query_of(&text);
}
