/*
 * lexer.c
 *	  From bytes to tokens.
 *
 * One pass without going back.  A string without escapes is a part of the source;
 * one with escapes, and every block string, is written into the arena, which takes
 * at most as many bytes as it has in the source.
 */
#include "graphql/lexer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define END_OF_SOURCE (-1)

bool
graphql_fault(GraphqlFault *fault, uint32_t offset, const char *format,...)
{
	va_list		arguments;
	size_t		length;

	if (fault->message[0] != '\0')
		return false;
	fault->offset = offset;
	va_start(arguments, format);
	vsnprintf(fault->message, sizeof(fault->message), format, arguments);
	va_end(arguments);
	length = strlen(fault->message);
	if (length == sizeof(fault->message) - 1)
	{
		/* cut: no half of a character stays */
		while (length > 0 && ((unsigned char) fault->message[length - 1] & 0xC0) == 0x80)
			length--;
		if (length > 0 && (unsigned char) fault->message[length - 1] >= 0xC0)
			length--;
		fault->message[length] = '\0';
	}
	return false;
}

/* The byte at a position, or END_OF_SOURCE. */
static int
byte_at(const GraphqlLexer *lexer, size_t position)
{
	return position < lexer->source.length ? (unsigned char) lexer->source.data[position] : END_OF_SOURCE;
}

/* Bytes of the UTF-8 character at a position (RFC 3629), or 0 when it is none. */
static int
character_length(const GraphqlLexer *lexer, size_t position)
{
	int			first = byte_at(lexer, position);
	int			second = byte_at(lexer, position + 1);
	int			length = first < 0 ? 0 : first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;

	for (int i = 1; i < length; i++)
		if ((byte_at(lexer, position + i) & 0xC0) != 0x80)
			return 0;
	/* overlong forms, surrogates, beyond U+10FFFF */
	if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
		(first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90))
		return 0;
	return length;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_start(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Fault: what stands at a position is not what is meant to. */
static bool
unexpected(GraphqlLexer *lexer, size_t position, const char *what)
{
	int			length = character_length(lexer, position);

	if (byte_at(lexer, position) == END_OF_SOURCE)
		return graphql_fault(lexer->fault, (uint32_t) position, "%s, found the end of the document", what);
	if (length == 0 || (length == 1 && (byte_at(lexer, position) < ' ' || byte_at(lexer, position) == 0x7F)))
		return graphql_fault(lexer->fault, (uint32_t) position, "%s, found byte 0x%02X", what, (unsigned int) byte_at(lexer, position));
	return graphql_fault(lexer->fault, (uint32_t) position, "%s, found \"%.*s\"", what, length, lexer->source.data + position);
}

/* Skip blanks, line ends, commas, byte order marks and comments. */
static bool
skip_ignored(GraphqlLexer *lexer)
{
	for (;;)
	{
		int			c = byte_at(lexer, lexer->position);

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',')
			lexer->position++;
		else if (c == 0xEF && byte_at(lexer, lexer->position + 1) == 0xBB && byte_at(lexer, lexer->position + 2) == 0xBF)
			lexer->position += 3;
		else if (c == '#')
		{
			while (c != END_OF_SOURCE && c != '\n' && c != '\r')
			{
				int			length = character_length(lexer, lexer->position);

				if (length == 0)
					return unexpected(lexer, lexer->position, "expected UTF-8");
				lexer->position += length;
				c = byte_at(lexer, lexer->position);
			}
		}
		else
			return true;
	}
}

/* The digits from a position, of which there is at least one; returns where they end, or 0 with a fault. */
static size_t
skip_digits(GraphqlLexer *lexer, size_t position)
{
	if (!is_digit(byte_at(lexer, position)))
	{
		unexpected(lexer, position, "invalid number, expected a digit");
		return 0;
	}
	while (is_digit(byte_at(lexer, position)))
		position++;
	return position;
}

/* IntValue and FloatValue (sections 2.9.1 and 2.9.2). */
static bool
read_number(GraphqlLexer *lexer, GraphqlToken *token)
{
	size_t		position = token->start;
	int			c;

	token->kind = GRAPHQL_TOKEN_INT;
	if (byte_at(lexer, position) == '-')
		position++;
	if (byte_at(lexer, position) == '0')
	{
		position++;
		if (is_digit(byte_at(lexer, position)))
			return unexpected(lexer, position, "invalid number, expected no digit after 0");
	}
	else if ((position = skip_digits(lexer, position)) == 0)
		return false;
	if (byte_at(lexer, position) == '.')
	{
		token->kind = GRAPHQL_TOKEN_FLOAT;
		if ((position = skip_digits(lexer, position + 1)) == 0)
			return false;
	}
	c = byte_at(lexer, position);
	if (c == 'e' || c == 'E')
	{
		token->kind = GRAPHQL_TOKEN_FLOAT;
		position++;
		c = byte_at(lexer, position);
		if (c == '+' || c == '-')
			position++;
		if ((position = skip_digits(lexer, position)) == 0)
			return false;
	}
	c = byte_at(lexer, position);
	if (c == '.' || is_name_start(c))
		return unexpected(lexer, position, "invalid number, expected a digit");
	lexer->position = position;
	return true;
}

static int
hex_value(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hexadecimal digits from a position, or -1. */
static int32_t
hex_unit(const GraphqlLexer *lexer, size_t position)
{
	int32_t		value = 0;

	for (int i = 0; i < 4; i++)
	{
		int			digit = hex_value(byte_at(lexer, position + i));

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Append a code point as UTF-8; out has room for four bytes. */
static char *
put_character(char *out, uint32_t code)
{
	if (code < 0x80)
		*out++ = (char) code;
	else if (code < 0x800)
	{
		*out++ = (char) (0xC0 | code >> 6);
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	else if (code < 0x10000)
	{
		*out++ = (char) (0xE0 | code >> 12);
		*out++ = (char) (0x80 | (code >> 6 & 0x3F));
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	else
	{
		*out++ = (char) (0xF0 | code >> 18);
		*out++ = (char) (0x80 | (code >> 12 & 0x3F));
		*out++ = (char) (0x80 | (code >> 6 & 0x3F));
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	return out;
}

/* \u{…}, \uXXXX and pairs of surrogates; moves *position behind it, or sets a fault (section 2.9.4). */
static bool
read_unicode_escape(GraphqlLexer *lexer, size_t *position, uint32_t *code)
{
	size_t		at = *position + 2;
	int32_t		unit;

	if (byte_at(lexer, at) == '{')
	{
		int			digits = 0;

		*code = 0;
		for (at++; hex_value(byte_at(lexer, at)) >= 0 && *code <= 0x10FFFF; at++, digits++)
			*code = *code * 16 + (uint32_t) hex_value(byte_at(lexer, at));
		if (byte_at(lexer, at) == '}' && digits > 0 && *code <= 0x10FFFF && (*code < 0xD800 || *code > 0xDFFF))
		{
			*position = at + 1;
			return true;
		}
	}
	else if ((unit = hex_unit(lexer, at)) >= 0)
	{
		*code = (uint32_t) unit;
		*position = at + 4;
		if (unit < 0xD800 || unit > 0xDFFF)
			return true;
		if (unit < 0xDC00 && byte_at(lexer, at + 4) == '\\' && byte_at(lexer, at + 5) == 'u')
		{
			int32_t		low = hex_unit(lexer, at + 6);

			if (low >= 0xDC00 && low <= 0xDFFF)
			{
				*code = 0x10000 + (((uint32_t) unit - 0xD800) << 10) + ((uint32_t) low - 0xDC00);
				*position = at + 10;
				return true;
			}
		}
		*position = at - 2;
	}
	return graphql_fault(lexer->fault, (uint32_t) *position, "invalid Unicode escape in a string");
}

/* One escape at *position to *out. */
static bool
read_escape(GraphqlLexer *lexer, size_t *position, char **out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	int			c = byte_at(lexer, *position + 1);
	const char *found = c > 0 ? strchr(from, c) : NULL;
	uint32_t	code = 0;

	if (c == 'u')
	{
		if (!read_unicode_escape(lexer, position, &code))
			return false;
		*out = put_character(*out, code);
		return true;
	}
	if (found == NULL)
		return graphql_fault(lexer->fault, (uint32_t) *position, "invalid escape in a string");
	*(*out)++ = to[found - from];
	*position += 2;
	return true;
}

/* Where a string that begins at a position ends at the latest, and whether it has escapes: what its value may take. */
static size_t
string_extent(const GraphqlLexer *lexer, size_t position, bool *escapes)
{
	*escapes = false;
	for (;; position++)
	{
		int			c = byte_at(lexer, position);

		if (c == '\\')
		{
			*escapes = true;
			position++;
		}
		else if (c == '"' || c == '\n' || c == '\r' || c == END_OF_SOURCE)
			return position;
		if (c == '\\' && byte_at(lexer, position) == END_OF_SOURCE)
			return position;
	}
}

/* A string in quotes (section 2.9.4). */
static bool
read_string(GraphqlLexer *lexer, GraphqlToken *token)
{
	size_t		position = token->start + 1;
	bool		escapes;
	size_t		extent = string_extent(lexer, position, &escapes);
	char	   *value = NULL;
	char	   *out = NULL;

	token->kind = GRAPHQL_TOKEN_STRING;
	if (escapes && (out = value = graphql_arena_take(lexer->arena, extent - position + 1)) == NULL)
		return graphql_fault(lexer->fault, token->start, "out of memory");
	for (;;)
	{
		int			c = byte_at(lexer, position);
		int			length;

		if (c == '"')
			break;
		if (c == '\n' || c == '\r' || c == END_OF_SOURCE)
			return graphql_fault(lexer->fault, (uint32_t) position, "unterminated string");
		if (c == '\\')
		{
			if (out == NULL || !read_escape(lexer, &position, &out))
				return false;
			continue;
		}
		length = character_length(lexer, position);
		if (length == 0)
			return unexpected(lexer, position, "expected UTF-8");
		for (; length > 0; length--, position++)
			if (out)
				*out++ = lexer->source.data[position];
	}
	token->text.data = value ? value : lexer->source.data + token->start + 1;
	token->text.length = value ? (size_t) (out - value) : position - token->start - 1;
	lexer->position = position + 1;
	return true;
}

/* The end of the line that begins at a place. */
static const char *
line_end(const char *line, const char *end)
{
	while (line < end && *line != '\n')
		line++;
	return line;
}

/* Blanks that a line begins with. */
static size_t
indentation(const char *line, const char *end)
{
	const char *at = line;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return (size_t) (at - line);
}

/*
 * BlockStringValue (section 2.9.4): the common indentation of all lines but the
 * first is cut, blank lines at both ends are left out.  raw has line feeds only;
 * the value is written over it.  Returns its length.
 */
static size_t
dedent(char *raw, size_t length)
{
	const char *end = raw + length;
	size_t		common = SIZE_MAX;
	const char *first = NULL;	/* the first line that is not blank, and the end of the last */
	const char *last = NULL;
	char	   *out = raw;

	for (const char *line = raw;; line = line_end(line, end) + 1)
	{
		const char *stop = line_end(line, end);
		size_t		blanks = indentation(line, stop);

		if (line + blanks < stop)
		{
			if (first == NULL)
				first = line;
			last = stop;
			if (line != raw && blanks < common)
				common = blanks;
		}
		if (stop == end)
			break;
	}
	if (first == NULL)
		return 0;
	for (const char *line = first;; line = line_end(line, end) + 1)
	{
		const char *stop = line_end(line, end);
		size_t		cut = line == raw || common == SIZE_MAX ? 0 : common;
		size_t		kept = (size_t) (stop - line) > cut ? (size_t) (stop - line) - cut : 0;

		memmove(out, stop - kept, kept);
		out += kept;
		if (stop == last)
			return (size_t) (out - raw);
		*out++ = '\n';
	}
}

static bool
three_quotes(const GraphqlLexer *lexer, size_t position)
{
	return byte_at(lexer, position) == '"' && byte_at(lexer, position + 1) == '"' && byte_at(lexer, position + 2) == '"';
}

/* A string in three quotes. */
static bool
read_block_string(GraphqlLexer *lexer, GraphqlToken *token)
{
	size_t		position = token->start + 3;
	size_t		extent = position;
	char	   *raw;
	char	   *out;

	token->kind = GRAPHQL_TOKEN_BLOCK_STRING;
	while (byte_at(lexer, extent) != END_OF_SOURCE && !three_quotes(lexer, extent))
		extent += byte_at(lexer, extent) == '\\' && three_quotes(lexer, extent + 1) ? 4 : 1;
	if ((out = raw = graphql_arena_take(lexer->arena, extent - position + 1)) == NULL)
		return graphql_fault(lexer->fault, token->start, "out of memory");
	for (;;)
	{
		int			c = byte_at(lexer, position);
		int			length;

		if (c == END_OF_SOURCE)
			return graphql_fault(lexer->fault, (uint32_t) position, "unterminated string");
		if (three_quotes(lexer, position))
			break;
		if (c == '\\' && three_quotes(lexer, position + 1))
		{
			for (int i = 0; i < 3; i++)
				*out++ = '"';
			position += 4;
			continue;
		}
		if (c == '\r')
		{
			*out++ = '\n';
			position += byte_at(lexer, position + 1) == '\n' ? 2 : 1;
			continue;
		}
		length = character_length(lexer, position);
		if (length == 0)
			return unexpected(lexer, position, "expected UTF-8");
		memcpy(out, lexer->source.data + position, (size_t) length);
		out += length;
		position += (size_t) length;
	}
	token->text.data = raw;
	token->text.length = dedent(raw, (size_t) (out - raw));
	lexer->position = position + 3;
	return true;
}

/* The token at the lexer's position, which is no blank. */
static bool
read_token(GraphqlLexer *lexer, GraphqlToken *token)
{
	int			c = byte_at(lexer, token->start);

	if (c == END_OF_SOURCE)
	{
		token->kind = GRAPHQL_TOKEN_END;
		return true;
	}
	if (c == '"')
	{
		if (three_quotes(lexer, token->start))
			return read_block_string(lexer, token);
		return read_string(lexer, token);
	}
	if (c == '-' || is_digit(c))
		return read_number(lexer, token);
	if (is_name_start(c))
	{
		token->kind = GRAPHQL_TOKEN_NAME;
		while (is_name_start(byte_at(lexer, lexer->position)) || is_digit(byte_at(lexer, lexer->position)))
			lexer->position++;
		return true;
	}
	if (c == '.' && byte_at(lexer, token->start + 1) == '.' && byte_at(lexer, token->start + 2) == '.')
	{
		token->kind = GRAPHQL_TOKEN_SPREAD;
		lexer->position += 3;
		return true;
	}
	if (c == 0 || strchr("!$&():=@[]{|}", c) == NULL)
		return unexpected(lexer, token->start, "expected a GraphQL token");
	token->kind = (GraphqlTokenKind) c;
	lexer->position++;
	return true;
}

bool
graphql_lexer_next(GraphqlLexer *lexer, GraphqlToken *token)
{
	if (!skip_ignored(lexer))
		return false;
	token->start = (uint32_t) lexer->position;
	token->text.data = NULL;
	if (!read_token(lexer, token))
		return false;
	token->end = (uint32_t) lexer->position;
	if (token->text.data == NULL)
	{
		token->text.data = lexer->source.data + token->start;
		token->text.length = token->end - token->start;
	}
	return true;
}

void
graphql_locate(GraphqlText source, uint32_t offset, int *line, int *column)
{
	*line = 1;
	*column = 1;
	for (uint32_t i = 0; i < offset && i < source.length; i++)
	{
		unsigned char c = (unsigned char) source.data[i];

		if (c == '\n' || (c == '\r' && (i + 1 >= source.length || source.data[i + 1] != '\n')))
		{
			(*line)++;
			*column = 1;
		}
		else if ((c & 0xC0) != 0x80)	/* the first byte of a character; those of four bytes are two units */
			*column += c >= 0xF0 ? 2 : 1;
	}
}
