/*
 * question_tree.h
 *	  The tree of a question; used by question.c, question_options.c and question_sql.c only.
 *
 * Parts, of which either will do, of items, which all must hold or must not, of needs, which all must
 * be met, of ways, any of which meets the need: words in a row or an option.
 */
#ifndef QEHS_QUESTION_TREE_H
#define QEHS_QUESTION_TREE_H

#include "record/question.h"

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

/* Add a lexeme to a way, and a way of one lexeme to a need. */
extern void question_add_lexeme(Way *way, const char *text, bool beginning);
extern void question_add_way(Need *need, const char *text, bool beginning);

/* Call back for each need of a question, with its item. */
extern void question_each_need(List *parts, void (*visit) (Item *item, Need *need, void *owner), void *owner);

/* Let the words of a question find records by the labels of their options (question_options.c). */
extern void question_read_options(List *parts, const ModuleDef *module);

#endif							/* QEHS_QUESTION_TREE_H */
