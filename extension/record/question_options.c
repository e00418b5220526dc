/*
 * question_options.c
 *	  The options that the words of a question mean.
 *
 * An option of a select is found by the words of its value and of its labels in every language, as the definition
 * has them now: records keep the value alone (search.c), and the question is translated.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "module/locale.h"
#include "record/question_tree.h"
#include "record/record.h"
#include "record/words.h"

/* Where more options than these begin like a word, it finds those that have it whole. */
#define FEW_OPTIONS 100

typedef struct OptionFound
{
	const ModuleField *field;
	const char *path;			/* of the field: "severity", "witnesses.role" */
	const char *lexeme;
	bool		whole;			/* one of its words is the whole one asked for */
} OptionFound;

/* An option whose words are looked at. */
typedef struct OptionWalk
{
	List	   *parts;
	const ModuleField *field;
	const char *path;
	const char *lexeme;
	List	   *words;			/* of a label, in its order: for phrases */
} OptionWalk;

static void
add_option(Need *need, const OptionWalk *walk, bool whole)
{
	OptionFound *found = need->options ? llast(need->options) : NULL;

	/* options come one after the other */
	if (found == NULL || found->lexeme != walk->lexeme)
	{
		found = palloc0(sizeof(OptionFound));
		found->field = walk->field;
		found->path = walk->path;
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

	question_each_need(walk->parts, compare_word, &word);
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
	question_each_need(walk->parts, compare_phrase, walk);
}

static void
take_option(OptionWalk *walk, const JsonbValue *option)
{
	JsonbValue	value = *option;
	const JsonbContainer *object = option->type == jbvBinary ? option->val.binary.data : NULL;

	if ((object && !json_member(object, "value", 5, &value)) || value.type != jbvString)
		return;
	walk->lexeme = search_option(walk->path, value.val.string.val, value.val.string.len);
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
			question_add_way(need, search_option(found->path, "", 0), true);
			i += found->field->option_count - 1;
		}
		else if (!many || found->whole)
			question_add_way(need, found->lexeme, false);
	}
}

/* Look at the options of the searched fields of a set, and of those in their rows and members. */
static void
read_set(OptionWalk *walk, const ModuleField *fields, int count, const char *above)
{
	check_stack_depth();
	for (int i = 0; i < count; i++)
	{
		const ModuleField *field = &fields[i];
		JsonbValue	options;

		CHECK_FOR_INTERRUPTS();
		if (!field->searchable)
			continue;
		walk->path = psprintf("%s%s", above, field->key);
		if (field->nested.count > 0)
			read_set(walk, field->nested.items, field->nested.count, psprintf("%s.", walk->path));
		if (!search_has_options(field) || !json_member(field->definition, "options", 7, &options) || options.type != jbvBinary)
			continue;
		walk->field = field;
		for (uint32 place = 0; place < JsonContainerSize(options.val.binary.data); place++)
			take_option(walk, getIthJsonbValueFromContainer(options.val.binary.data, place));
	}
}

void
question_read_options(List *parts, const ModuleDef *module)
{
	OptionWalk	walk = {.parts = parts};

	read_set(&walk, module->fields, module->field_count, "");
	question_each_need(parts, add_option_ways, NULL);
}
