/*
 * question.c
 *	  Reading q (question.h).
 */
#include "base/compat.h"

#include "base/text.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "record/question_tree.h"
#include "record/words.h"

/* In a question of so many words at most two in a row find the one that they make. */
#define FEW_WORDS 3

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
			question_add_lexeme(way, word->text, word->kind == WORD_END);
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
		question_add_way(need, psprintf("%s/%s", before->text, word->text), near_next || !makes_joint(word, next));
		if (word->hyphened)
			question_add_way(need, psprintf("%s%s", before->text, word->text), true);
		return;
	}
	question_add_way(need, word->text, beginning);
	if (word->kind == WORD_PLAIN && word->has_digit && head_length(word) > 0)
		question_add_way(need, psprintf("%.*s/%s", head_length(word), word->text, word->text + head_length(word)), true);
	if (makes_compound(before, word, near_before))
		question_add_way(need, psprintf("%s%s", before->text, word->text), true);
	if (makes_compound(word, next, near_next))
		question_add_way(need, psprintf("%s%s", word->text, next->text), true);
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
		question_read_options(question->parts, module);
	return question;
}
