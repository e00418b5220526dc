/*
 * question_tree.c
 *	  The tree of a question (question_tree.h).
 */
#include "base/compat.h"

#include "record/question_tree.h"

void
question_add_lexeme(Way *way, const char *text, bool beginning)
{
	Lexeme	   *lexeme = palloc(sizeof(Lexeme));

	lexeme->text = text;
	lexeme->beginning = beginning;
	way->lexemes = lappend(way->lexemes, lexeme);
}

void
question_add_way(Need *need, const char *text, bool beginning)
{
	Way		   *way = palloc0(sizeof(Way));

	question_add_lexeme(way, text, beginning);
	need->ways = lappend(need->ways, way);
}

void
question_each_need(List *parts, void (*visit) (Item *item, Need *need, void *owner), void *owner)
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
