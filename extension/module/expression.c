/*
 * expression.c
 *	  Expressions of a definition: compiling them, and what they read.
 *
 * What an expression reads is seen in its canonical text (jsonpath_out), where
 * each key and variable is quoted: $."price" * 2 reads the member price,
 * $"now" the variable, and any other use of $ may read the whole object.
 */
#include "base/compat.h"

#include "base/attempt.h"
#include "miscadmin.h"
#include "module/expression.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define DATETIME ".datetime(\""

/* Silently; it may give NULL. */
static void
run_over_empty_text(JsonPath *path)
{
	LOCAL_FCINFO(fcinfo, 4);

	InitFunctionCallInfoData(*fcinfo, NULL, 4, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = DirectFunctionCall1(jsonb_in, CStringGetDatum("\"\""));
	fcinfo->args[1].value = PointerGetDatum(path);
	fcinfo->args[2].value = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	fcinfo->args[3].value = BoolGetDatum(true);
	for (int i = 0; i < 4; i++)
		fcinfo->args[i].isnull = false;
	jsonb_path_exists_tz(fcinfo);
}

typedef struct Compilation
{
	const char *text;
	bool		run;
	JsonPath   *path;
} Compilation;

static void
compile(void *argument)
{
	Compilation *compilation = argument;
	JsonPath   *path = DatumGetJsonPathPCopy(DirectFunctionCall1(jsonpath_in, CStringGetDatum(compilation->text)));

	if (compilation->run)
		run_over_empty_text(path);
	compilation->path = path;
}

/* Compile an expression, or (run) evaluate it over an empty text; NULL when that raises an error, which a subtransaction catches. */
static JsonPath *
attempt(const char *text, bool run)
{
	Compilation compilation = {.text = text,.run = run};

	return attempt_run(compile, &compilation) ? NULL : compilation.path;
}

JsonPath *
definition_expression(const char *text)
{
	return attempt(text, false);
}

bool
expression_template_holds(const char *template)
{
	return attempt(psprintf("$.datetime(\"%s\")", template), true) != NULL;
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
		else if (strncmp(at, DATETIME, strlen(DATETIME)) == 0)
		{
			const char *template = at + strlen(DATETIME);

			at = skip_string(template - 1);
			reads->templates = lappend(reads->templates, pnstrdup(template, at - template - 1));
		}
		else if (*at == '"')
			at = skip_string(at);
		else
		{
			reads->descents += strncmp(at, ".**", 3) == 0;
			reads->whole |= *at++ == '$';
		}
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
expression_reads_key(const ExpressionReads *reads, const char *key)
{
	return reads->whole || lists(reads->keys, key);
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
