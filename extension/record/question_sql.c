/*
 * question_sql.c
 *	  A question as a tsquery: on the words of a record, and on those of the index.
 *
 * The words of the index have a prefix each (search.c).
 */
#include "base/compat.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "record/question_tree.h"
#include "record/search_index.h"
#include "utils/fmgrprotos.h"

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
	question_each_need(question->parts, ask_need, NULL);
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

			need->asked = left == 1 || need->share < left * (1 - need->share) * QEHS_ENTRIES_A_RECORD;
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
