/*
 * question.c
 *	  Reading q (question.h).
 *
 * A question is kept as pieces in a row, operators and words, from which the text of
 * a tsquery is written; the words of the index have a prefix each (search.c).  Words
 * hold letters and digits only, and a slash in a joint: they need no escapes.
 */
#include "base/compat.h"

#include "base/text.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "record/record.h"
#include "record/question.h"
#include "record/words.h"
#include "tsearch/ts_utils.h"
#include "utils/fmgrprotos.h"

typedef struct Piece
{
	const char *operator;		/* or NULL: a word */
	const char *word;
	bool		beginning;		/* whatever begins with the word does */
} Piece;

/* A word or phrase of the question. */
typedef struct Item
{
	List	   *words;			/* Word, with texts of their own */
	bool		phrase;
	bool		excluded;
} Item;

static void
add_operator(List **pieces, const char *operator)
{
	Piece	   *piece = palloc0(sizeof(Piece));

	piece->operator = operator;
	*pieces = lappend(*pieces, piece);
}

static void
add_word(List **pieces, const char *word, bool beginning)
{
	Piece	   *piece = palloc0(sizeof(Piece));

	piece->word = word;
	piece->beginning = beginning;
	*pieces = lappend(*pieces, piece);
}

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

/* ---- pieces of an item ---- */

/* Words with an operator between them. */
static void
write_phrase(List **pieces, const Item *item, const char *operator)
{
	ListCell   *cell;
	const char *between = NULL;

	foreach(cell, item->words)
	{
		const Word *word = lfirst(cell);

		if (word->kind == WORD_END && !word->alone)
			continue;
		if (between)
			add_operator(pieces, between);
		add_word(pieces, word->text, word->kind == WORD_END);
		between = operator;
	}
}

/* Is there a joint between two words in a row that is kept as one? */
static bool
makes_joint(const Word *left, const Word *right)
{
	return left && right && word_makes_joint(left->has_digit, right);
}

/* Words and joints that all must be there. */
static void
write_words(List **pieces, const Item *item)
{
	const char *between = NULL;

	for (int i = 0; i < list_length(item->words); i++)
	{
		const Word *before = i > 0 ? list_nth(item->words, i - 1) : NULL;
		const Word *word = list_nth(item->words, i);
		const Word *next = i + 1 < list_length(item->words) ? list_nth(item->words, i + 1) : NULL;
		bool		joint = makes_joint(before, word);

		CHECK_FOR_INTERRUPTS();
		/* it is in the joint that follows, or in the pair before */
		if ((!joint && makes_joint(word, next)) || (word->kind == WORD_END && !word->alone))
			continue;
		if (between)
			add_operator(pieces, between);
		if (joint)
			add_word(pieces, psprintf("%s/%s", before->text, word->text), !makes_joint(word, next));
		else
			add_word(pieces, word->text, word->kind == WORD_END || (word->kind == WORD_PLAIN && word->characters > 1));
		between = " & ";
	}
}

/* The index knows no order of words: there those of a phrase must be there. */
static void
write_item(List **pieces, const Item *item, bool on_index)
{
	add_operator(pieces, item->excluded ? "!(" : "(");
	if (item->phrase)
		write_phrase(pieces, item, on_index ? " & " : " <-> ");
	else
		write_words(pieces, item);
	add_operator(pieces, ")");
}

/* ---- the question ---- */

/* Items up to "or", which all must hold; at moves behind it.  False when they have no words. */
static bool
read_part(Question *question, const char **at)
{
	Item	   *item;
	int			count = 0;
	int			needed = 0;

	while ((item = next_item(at)) != NULL)
	{
		question->exact &= !item->phrase && !item->excluded;
		if (item->words != NIL)
		{
			add_operator(&question->pieces, count++ > 0 ? " & " : question->has_words ? " | (" : "(");
			write_item(&question->pieces, item, false);
		}
		if (item->words != NIL && !item->excluded)
		{
			add_operator(&question->needed, needed++ > 0 ? " & " : question->needed != NIL ? " | (" : "(");
			write_item(&question->needed, item, true);
		}
		if (skip_or(at))
			break;
	}
	if (count > 0)
		add_operator(&question->pieces, ")");
	if (needed > 0)
		add_operator(&question->needed, ")");
	question->narrows &= count == 0 || needed > 0;
	return count > 0;
}

Question *
question_read(const char *q)
{
	Question *question = palloc0(sizeof(Question));

	question->exact = question->narrows = true;
	while (*(q += text_blank_length(q, strlen(q))) != '\0')
		question->has_words |= read_part(question, &q);
	return question;
}

static void
write_pieces(StringInfo out, const List *pieces, const char *prefix)
{
	ListCell   *cell;

	foreach(cell, pieces)
	{
		const Piece *piece = lfirst(cell);

		if (piece->operator)
			appendStringInfoString(out, piece->operator);
		else
			appendStringInfo(out, "'%s%s'%s", prefix, piece->word, piece->beginning ? ":*" : "");
	}
}

Datum
question_on_record(const Question *question)
{
	StringInfoData text;

	initStringInfo(&text);
	write_pieces(&text, question->pieces, "");
	return DirectFunctionCall1(tsqueryin, CStringGetDatum(text.data));
}

Datum
question_on_index(const Question *question, int32 tenant_id, int32 module_id, int64 first, int64 last)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int64 bucket = first; bucket <= last; bucket++)
	{
		char		prefix[QEHS_SEARCH_PREFIX];

		search_prefix(prefix, tenant_id, module_id, bucket);
		appendStringInfoString(&text, bucket > first ? " | (" : "(");
		write_pieces(&text, question->needed, prefix);
		appendStringInfoChar(&text, ')');
	}
	return DirectFunctionCall1(tsqueryin, CStringGetDatum(text.data));
}
