/*
 * expression.c
 *	  Expressions of a definition: compiling them, and what they read.
 *
 * What an expression reads is seen in its canonical text (jsonpath_out), where
 * each key and variable is quoted: $."price" * 2 reads the member price,
 * $"now" the variable, and any other use of $ may read the whole object.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "module/expression.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

JsonPath *
definition_expression(const char *text)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	JsonPath   *volatile path = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		path = DatumGetJsonPathPCopy(DirectFunctionCall1(jsonpath_in, CStringGetDatum(text)));
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return path;
}

/* Behind the closing quote of the string that starts at an opening one. */
static const char *
skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		at += *at == '\\' && at[1];
	return *at ? at + 1 : at;
}

ExpressionReads *
expression_reads(JsonPath *path)
{
	ExpressionReads *reads = palloc0(sizeof(ExpressionReads));
	const char *at = DatumGetCString(DirectFunctionCall1(jsonpath_out, PointerGetDatum(path)));

	while (*at)
	{
		bool		is_key = at[0] == '$' && at[1] == '.' && at[2] == '"';
		bool		is_variable = at[0] == '$' && at[1] == '"';

		if (is_key || is_variable)
		{
			const char *name = at + (is_key ? 3 : 2);

			at = skip_string(name - 1);
			if (is_key)
				reads->keys = lappend(reads->keys, pnstrdup(name, at - name - 1));
			else
				reads->variables = lappend(reads->variables, pnstrdup(name, at - name - 1));
		}
		else if (*at == '"')
			at = skip_string(at);
		else
			reads->whole |= *at++ == '$';
	}
	return reads;
}

static bool
lists(const List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

bool
expression_reads_variable(JsonPath *path, const char *name)
{
	return path && lists(expression_reads(path)->variables, name);
}

/* The stage of one that reads others, or 0 while one of those has none yet. */
static int
stage_of(const ComputedExpression *items, int count, int index)
{
	int			stage = 1;

	for (int i = 0; i < count; i++)
	{
		/* what reads all comes last; of two such the first named goes first */
		bool		behind = items[index].reads->whole ? i != index && (!items[i].reads->whole || i < index) :
			lists(items[index].reads->keys, items[i].key);

		if (behind && items[i].stage == 0)
			return 0;
		if (behind)
			stage = Max(stage, items[i].stage + 1);
	}
	return stage;
}

int
expression_order(ComputedExpression *items, int count)
{
	int			left = count;
	bool		moved = true;

	for (int i = 0; i < count; i++)
		items[i].stage = 0;
	while (left > 0 && moved)
	{
		moved = false;
		for (int i = 0; i < count; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (items[i].stage == 0 && (items[i].stage = stage_of(items, count, i)) > 0)
			{
				moved = true;
				left--;
			}
		}
	}
	for (int i = 0; i < count; i++)
		if (items[i].stage == 0)
			return i;
	return -1;
}
