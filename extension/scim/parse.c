/*
 * parse.c
 *	  Reading SCIM filters and PATCH paths, by recursive descent.
 *
 * Precedence is grouping, not, and, or (RFC 7644 section 3.4.2.2, figure 1 and the
 * text behind it).  Names, operators and keywords have no case.  Depth and number of nodes
 * are bounded, so that no input costs more than its length.
 */
#include "base/compat.h"

#include "scim/parse.h"

#include "common/utf8.h"

typedef struct Parser
{
	const char *source;
	int			length;
	int			at;
	int			depth;
	bool		in_element;		/* inside name[…], where there is no other name[…] */
	char	   *buffer;			/* where decoded values go */
	ScimFilter *filter;
} Parser;

static const struct
{
	const char *name;
	ScimOperator op;
}			operators[] = {
	{"eq", SCIM_EQ}, {"ne", SCIM_NE}, {"co", SCIM_CO}, {"sw", SCIM_SW}, {"ew", SCIM_EW}, {"gt", SCIM_GT}, {"ge", SCIM_GE},
	{"lt", SCIM_LT}, {"le", SCIM_LE}, {"pr", SCIM_PR},
};

static int	parse_or(Parser *parser);

static int
fail(Parser *parser, const char *message)
{
	if (parser->filter->fault == NULL)
	{
		parser->filter->fault = message;
		parser->filter->fault_at = parser->at;
	}
	return -1;
}

static char
peek(const Parser *parser)
{
	return parser->at < parser->length ? parser->source[parser->at] : '\0';
}

static void
skip_blanks(Parser *parser)
{
	while (peek(parser) == ' ')
		parser->at++;
}

/* A node, or -1 when there are too many. */
static int
add_node(Parser *parser, ScimNodeKind kind, int left, int right)
{
	ScimFilter *filter = parser->filter;

	if (filter->count == SCIM_MAX_NODES)
		return fail(parser, "it has more conditions than the server takes");
	filter->nodes[filter->count] = (ScimNode) {.kind = kind,.left = left,.right = right};
	return filter->count++;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_name_character(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ':' || c == '$';
}

/* An attribute path: letters first, then what names and URNs have; false with a fault. */
static bool
parse_name(Parser *parser, ScimName *name)
{
	int			begin = parser->at;

	while (is_name_character(peek(parser)))
		parser->at++;
	name->text = parser->source + begin;
	name->length = parser->at - begin;
	if (name->length == 0 || !(is_letter(*name->text) || *name->text == '$'))
	{
		parser->at = begin;
		fail(parser, "an attribute name is expected");
		return false;
	}
	if (strchr(".:", name->text[name->length - 1]))
	{
		fail(parser, "the attribute name is not complete");
		return false;
	}
	return true;
}

/* Is the word at the parser's place this one, whatever its case?  Moves behind it. */
static bool
take_word(Parser *parser, const char *word)
{
	int			length = (int) strlen(word);

	if (parser->length - parser->at < length || pg_strncasecmp(parser->source + parser->at, word, length) != 0 ||
		(parser->at + length < parser->length && is_name_character(parser->source[parser->at + length])))
		return false;
	parser->at += length;
	return true;
}

/* The four digits of \uXXXX, or -1. */
static int
read_hex(Parser *parser)
{
	int			value = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = peek(parser);
		int			digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (digit < 0)
			return fail(parser, "\\u has four hexadecimal digits");
		value = value * 16 + digit;
		parser->at++;
	}
	return value;
}

/* A code point in UTF-8, which is never longer than its escape. */
static char *
put_utf8(char *out, uint32 code)
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

/* Behind \u: one code point, of two escapes where it is a surrogate pair; NULL with a fault. */
static char *
parse_unicode(Parser *parser, char *out)
{
	int			high = read_hex(parser);
	int			low;

	if (high < 0)
		return NULL;
	if (high == 0 || (high >= 0xDC00 && high <= 0xDFFF))
	{
		fail(parser, "the escape is no character");
		return NULL;
	}
	if (high < 0xD800 || high > 0xDBFF)
		return put_utf8(out, (uint32) high);
	if (peek(parser) != '\\' || parser->at + 1 >= parser->length || parser->source[parser->at + 1] != 'u')
	{
		fail(parser, "a high surrogate needs a low one behind it");
		return NULL;
	}
	parser->at += 2;
	low = read_hex(parser);
	if (low < 0xDC00 || low > 0xDFFF)
	{
		fail(parser, "a high surrogate needs a low one behind it");
		return NULL;
	}
	return put_utf8(out, 0x10000 + (((uint32) high - 0xD800) << 10) + ((uint32) low - 0xDC00));
}

/* Behind a backslash; NULL with a fault. */
static char *
parse_escape(Parser *parser, char *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	char		c = peek(parser);
	const char *found = c ? strchr(from, c) : NULL;

	parser->at++;
	if (c == 'u')
		return parse_unicode(parser, out);
	if (found == NULL)
	{
		fail(parser, "the escape is none of JSON");
		return NULL;
	}
	*out++ = to[found - from];
	return out;
}

/* A JSON string, at its quote. */
static bool
parse_string(Parser *parser, ScimNode *node)
{
	char	   *out = parser->buffer;

	node->literal = SCIM_LITERAL_TEXT;
	node->value = out;
	parser->at++;
	for (;;)
	{
		unsigned char c;

		if (parser->at >= parser->length)
		{
			fail(parser, "the string is not ended by a quote");
			return false;
		}
		c = (unsigned char) parser->source[parser->at++];
		if (c == '"')
			break;
		if (c < 0x20)
		{
			fail(parser, "a control character in a string is written as an escape");
			return false;
		}
		if (c != '\\')
			*out++ = (char) c;
		else if ((out = parse_escape(parser, out)) == NULL)
			return false;
	}
	*out++ = '\0';
	parser->buffer = out;
	return true;
}

static int
skip_digits(Parser *parser)
{
	int			begin = parser->at;

	while (peek(parser) >= '0' && peek(parser) <= '9')
		parser->at++;
	return parser->at - begin;
}

/* A JSON number (RFC 8259 section 6). */
static bool
parse_number(Parser *parser, ScimNode *node)
{
	int			begin = parser->at;
	int			whole;
	bool		good;

	if (peek(parser) == '-')
		parser->at++;
	whole = parser->at;
	good = skip_digits(parser) > 0 && (parser->source[whole] != '0' || parser->at == whole + 1);
	if (good && peek(parser) == '.')
	{
		parser->at++;
		good = skip_digits(parser) > 0;
	}
	if (good && (peek(parser) == 'e' || peek(parser) == 'E'))
	{
		parser->at++;
		if (peek(parser) == '+' || peek(parser) == '-')
			parser->at++;
		whole = skip_digits(parser);
		good = whole > 0 && whole <= 3;
	}
	if (!good || is_name_character(peek(parser)))
	{
		parser->at = begin;
		fail(parser, "the value is no JSON number");
		return false;
	}
	node->literal = SCIM_LITERAL_NUMBER;
	node->value = parser->buffer;
	memcpy(parser->buffer, parser->source + begin, parser->at - begin);
	parser->buffer += parser->at - begin;
	*parser->buffer++ = '\0';
	return true;
}

static bool
parse_literal(Parser *parser, ScimNode *node)
{
	char		c = peek(parser);

	if (c == '"')
		return parse_string(parser, node);
	if (c == '-' || (c >= '0' && c <= '9'))
		return parse_number(parser, node);
	node->value = "";
	if (take_word(parser, "true"))
		node->literal = SCIM_LITERAL_TRUE;
	else if (take_word(parser, "false"))
		node->literal = SCIM_LITERAL_FALSE;
	else if (take_word(parser, "null"))
		node->literal = SCIM_LITERAL_NULL;
	else
	{
		fail(parser, "a JSON value is expected: a string in double quotes, a number, true, false or null");
		return false;
	}
	return true;
}

static bool
parse_operator(Parser *parser, ScimNode *node)
{
	for (int i = 0; i < (int) lengthof(operators); i++)
		if (take_word(parser, operators[i].name))
		{
			node->op = operators[i].op;
			return true;
		}
	fail(parser, "an operator is expected: eq, ne, co, sw, ew, gt, ge, lt, le or pr");
	return false;
}

/* Behind name[ : a filter of one element. */
static int
parse_element(Parser *parser, ScimName name)
{
	int			node;
	int			left;

	if (parser->in_element)
		return fail(parser, "a filter in brackets has no other in it");
	parser->at++;
	parser->in_element = true;
	left = parse_or(parser);
	parser->in_element = false;
	if (left < 0)
		return -1;
	if (peek(parser) != ']')
		return fail(parser, "a bracket is not closed");
	parser->at++;
	node = add_node(parser, SCIM_NODE_ELEMENT, left, -1);
	if (node >= 0)
		parser->filter->nodes[node].name = name;
	return node;
}

/* Behind a name: an operator and mostly a value. */
static int
parse_test(Parser *parser, ScimName name)
{
	ScimNode	comparison = {.kind = SCIM_NODE_COMPARE,.left = -1,.right = -1,.name = name};
	int			node;

	if (peek(parser) != ' ')
		return fail(parser, "a blank and an operator are expected");
	skip_blanks(parser);
	if (!parse_operator(parser, &comparison))
		return -1;
	if (comparison.op != SCIM_PR)
	{
		if (peek(parser) != ' ')
			return fail(parser, "a blank and a value are expected");
		skip_blanks(parser);
		if (!parse_literal(parser, &comparison))
			return -1;
	}
	node = add_node(parser, SCIM_NODE_COMPARE, -1, -1);
	if (node >= 0)
		parser->filter->nodes[node] = comparison;
	return node;
}

/* Behind name[filter]. : one more condition of the same element. */
static int
parse_element_test(Parser *parser, int element)
{
	ScimName	name;
	int			test;

	parser->at++;
	test = parse_name(parser, &name) ? parse_test(parser, name) : -1;
	if (test >= 0)
		test = add_node(parser, SCIM_NODE_AND, parser->filter->nodes[element].left, test);
	if (test < 0)
		return -1;
	parser->filter->nodes[element].left = test;
	return element;
}

static int
parse_comparison(Parser *parser)
{
	ScimName	name;
	int			element;

	if (!parse_name(parser, &name))
		return -1;
	if (peek(parser) != '[')
		return parse_test(parser, name);
	element = parse_element(parser, name);
	return element >= 0 && peek(parser) == '.' ? parse_element_test(parser, element) : element;
}

/* ( filter ), at its parenthesis. */
static int
parse_group(Parser *parser)
{
	int			node;

	parser->at++;
	node = parse_or(parser);
	if (node < 0)
		return -1;
	if (peek(parser) != ')')
		return fail(parser, "a parenthesis is not closed");
	parser->at++;
	return node;
}

static int
parse_unary(Parser *parser)
{
	int			begin = parser->at;
	int			node;

	skip_blanks(parser);
	if (peek(parser) == '(')
		return parse_group(parser);
	if (!take_word(parser, "not"))
		return parse_comparison(parser);
	skip_blanks(parser);
	if (peek(parser) != '(')
	{
		parser->at = begin;
		skip_blanks(parser);
		return parse_comparison(parser);
	}
	node = parse_group(parser);
	return node < 0 ? -1 : add_node(parser, SCIM_NODE_NOT, node, -1);
}

/* Is the word, between blanks, the next one?  Moves behind it. */
static bool
take_joint(Parser *parser, const char *word)
{
	int			begin = parser->at;

	skip_blanks(parser);
	if (take_word(parser, word) && (peek(parser) == ' ' || peek(parser) == '('))
		return true;
	parser->at = begin;
	return false;
}

static int
parse_and(Parser *parser)
{
	int			left = parse_unary(parser);

	while (left >= 0 && take_joint(parser, "and"))
	{
		int			right = parse_unary(parser);

		left = right < 0 ? -1 : add_node(parser, SCIM_NODE_AND, left, right);
	}
	return left;
}

static int
parse_or(Parser *parser)
{
	int			left;

	if (++parser->depth > SCIM_MAX_DEPTH)
		return fail(parser, "it is nested deeper than the server takes");
	left = parse_and(parser);
	while (left >= 0 && take_joint(parser, "or"))
	{
		int			right = parse_and(parser);

		left = right < 0 ? -1 : add_node(parser, SCIM_NODE_OR, left, right);
	}
	skip_blanks(parser);
	parser->depth--;
	return left;
}

static Parser
begin(const char *source, int length, char *buffer, ScimFilter *filter)
{
	filter->count = 0;
	filter->root = -1;
	filter->fault = NULL;
	filter->fault_at = 0;
	return (Parser) {.source = source,.length = length,.buffer = buffer,.filter = filter};
}

/* What both begin with: a bound on the length, and text that is UTF-8. */
static bool
is_readable(Parser *parser)
{
	if (parser->length > SCIM_MAX_FILTER)
		fail(parser, "it is longer than the server takes");
	else if (!utf8_is_valid(parser->source, (size_t) parser->length))
		fail(parser, "it is no UTF-8");
	return parser->filter->fault == NULL;
}

bool
scim_parse_filter(const char *source, int length, char *buffer, ScimFilter *filter)
{
	Parser		parser = begin(source, length, buffer, filter);

	if (!is_readable(&parser))
		return false;
	filter->root = parse_or(&parser);
	if (filter->root >= 0 && parser.at < length)
		fail(&parser, "and, or, or the end is expected");
	return filter->fault == NULL;
}

bool
scim_parse_path(const char *source, int length, char *buffer, ScimPath *path)
{
	Parser		parser = begin(source, length, buffer, &path->filter);

	path->has_filter = false;
	path->sub = (ScimName) {source, 0};
	if (!is_readable(&parser) || !parse_name(&parser, &path->name))
		return false;
	if (peek(&parser) == '[')
	{
		path->filter.root = parse_element(&parser, path->name);
		path->has_filter = path->filter.root >= 0;
		if (path->has_filter && peek(&parser) == '.')
		{
			parser.at++;
			if (parse_name(&parser, &path->sub) && (memchr(path->sub.text, '.', path->sub.length) || memchr(path->sub.text, ':', path->sub.length)))
				fail(&parser, "one sub-attribute stands behind a filter");
		}
	}
	if (path->filter.fault == NULL && parser.at < length)
		fail(&parser, "the end of the path is expected");
	return path->filter.fault == NULL;
}
