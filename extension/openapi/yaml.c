/*
 * yaml.c
 *	  JSON text as YAML 1.2 in block style.
 *
 * The text is our own and well-formed.  A JSON string is a double-quoted scalar
 * of YAML as it stands; plain names go without quotes, for people's sake.
 */
#include "base/compat.h"

#include <ctype.h>

#include "base/json.h"
#include "miscadmin.h"
#include "openapi/document.h"

typedef struct Reader
{
	const char *at;
	StringInfo	out;
} Reader;

static void write_value(Reader *reader, int depth, bool in_sequence);

static void
skip_space(Reader *reader)
{
	while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r')
		reader->at++;
}

/* Is what stands between the quotes plain for every reader of YAML? */
static bool
is_plain(const char *text, int length)
{
	static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};

	if (length == 0 || !(isalpha((unsigned char) text[0]) || text[0] == '/'))
		return false;
	for (int i = 0; i < length; i++)
		if (!isalnum((unsigned char) text[i]) && strchr("_-./{}", text[i]) == NULL)
			return false;
	for (int i = 0; i < (int) lengthof(words); i++)
		if (length == (int) strlen(words[i]) && pg_strncasecmp(text, words[i], length) == 0)
			return false;
	return true;
}

/* A string or another scalar, as it stands. */
static void
write_scalar(Reader *reader)
{
	const char *start = reader->at;

	if (*start == '"')
	{
		for (reader->at++; *reader->at != '"'; reader->at++)
			reader->at += *reader->at == '\\';
		reader->at++;
		if (is_plain(start + 1, reader->at - start - 2))
			appendBinaryStringInfo(reader->out, start + 1, reader->at - start - 2);
		else
			appendBinaryStringInfo(reader->out, start, reader->at - start);
		return;
	}
	reader->at += strcspn(start, ",]} \n\t\r");
	appendBinaryStringInfo(reader->out, start, reader->at - start);
}

static void
new_line(Reader *reader, int depth)
{
	appendStringInfoChar(reader->out, '\n');
	for (int i = 0; i < depth; i++)
		json_literal(reader->out, "  ");
}

/* The members of an object or the items of an array, one a line. */
static void
write_block(Reader *reader, int depth, bool in_sequence)
{
	char		close = *reader->at == '{' ? '}' : ']';
	bool		first = true;

	reader->at++;
	skip_space(reader);
	while (*reader->at != close)
	{
		/* the first member of an object in a sequence stands behind the dash */
		if (!(first && in_sequence))
			new_line(reader, depth);
		first = false;
		if (close == '}')
		{
			write_scalar(reader);
			skip_space(reader);
			reader->at++;
			appendStringInfoChar(reader->out, ':');
			skip_space(reader);
			write_value(reader, depth, false);
		}
		else
		{
			appendStringInfoChar(reader->out, '-');
			write_value(reader, depth, true);
		}
		skip_space(reader);
		reader->at += *reader->at == ',';
		skip_space(reader);
	}
	reader->at++;
}

static void
write_value(Reader *reader, int depth, bool in_sequence)
{
	const char *inside;

	check_stack_depth();
	skip_space(reader);
	if (*reader->at != '{' && *reader->at != '[')
	{
		appendStringInfoChar(reader->out, ' ');
		write_scalar(reader);
		return;
	}
	for (inside = reader->at + 1; *inside == ' ' || *inside == '\n'; inside++)
		;
	if (*inside == '}' || *inside == ']')
	{
		appendStringInfoString(reader->out, *inside == '}' ? " {}" : " []");
		reader->at = inside + 1;
		return;
	}
	if (in_sequence)
		appendStringInfoChar(reader->out, ' ');
	write_block(reader, depth + 1, in_sequence);
}

void
yaml_write(StringInfo out, const char *json)
{
	Reader		reader = {json, out};

	skip_space(&reader);
	write_block(&reader, 0, true);
	appendStringInfoChar(out, '\n');
}
