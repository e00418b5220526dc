/*
 * json.c
 *	  The strict JSON scanner.
 *
 * One pass with an explicit stack.  Keys of each open object are kept in one
 * array; when the object closes they are sorted and twins stand side by side, so
 * duplicates cost n log n.
 */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "common/utf8.h"

typedef struct Key
{
	const char *text;			/* decoded */
	size_t		length;
} Key;

typedef struct Frame
{
	bool		is_object;
	size_t		first_key;
	size_t		index;			/* of the element in an array */
	const char *key;			/* of the member being read */
	size_t		key_length;
} Frame;

typedef struct Scanner
{
	const char *start;
	const char *at;
	const char *end;
	Arena	   *arena;
	JsonDocument *document;
	int			depth;
	Frame		frames[JSON_MAX_DEPTH];
	Key		   *keys;
	size_t		key_count;
	size_t		key_capacity;
} Scanner;

/* The pointer of the place being read. */
static const char *
current_path(Scanner *scanner)
{
	Buffer		path = {.arena = scanner->arena};

	buffer_append(&path, "", 0);
	for (int i = 0; i < scanner->depth; i++)
	{
		const Frame *frame = &scanner->frames[i];

		if (frame->is_object && frame->key == NULL)
			continue;
		buffer_text(&path, "/");
		if (!frame->is_object)
			buffer_format(&path, "%zu", frame->index);
		for (size_t k = 0; frame->is_object && k < frame->key_length; k++)
		{
			if (frame->key[k] == '~')
				buffer_text(&path, "~0");
			else if (frame->key[k] == '/')
				buffer_text(&path, "~1");
			else
				buffer_append(&path, frame->key + k, 1);
		}
	}
	return path.data;
}

static bool
fail(Scanner *scanner, const char *problem, const char *code, const char *path, const char *message)
{
	scanner->document->problem = problem;
	scanner->document->code = code;
	scanner->document->path = path;
	scanner->document->message = message;
	return false;
}

static bool
fail_syntax(Scanner *scanner, const char *what)
{
	return fail(scanner, "malformed_json", "syntax", "",
				arena_format(scanner->arena, "%s at byte %zu", what, (size_t) (scanner->at - scanner->start)));
}

static void
skip_space(Scanner *scanner)
{
	while (scanner->at < scanner->end &&
		   (*scanner->at == ' ' || *scanner->at == '\t' || *scanner->at == '\n' || *scanner->at == '\r'))
		scanner->at++;
}

static int
hex4(const char *p, const char *end)
{
	int			value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		int			digit = hex_value(p[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* \uXXXX at *at (behind the u): a character, or a pair of surrogates. */
static bool
scan_unicode(Scanner *scanner)
{
	int			unit = hex4(scanner->at, scanner->end);

	if (unit < 0)
		return fail_syntax(scanner, "a \\u escape needs four hexadecimal digits");
	if (unit == 0)
		return fail(scanner, "malformed_json", "nul", current_path(scanner), "must not contain the character U+0000");
	scanner->at += 4;
	if (unit >= 0xD800 && unit <= 0xDBFF && scanner->end - scanner->at >= 6 && scanner->at[0] == '\\' && scanner->at[1] == 'u')
	{
		int			low = hex4(scanner->at + 2, scanner->end);

		if (low >= 0xDC00 && low <= 0xDFFF)
		{
			scanner->at += 6;
			return true;
		}
	}
	if (unit >= 0xD800 && unit <= 0xDFFF)
		return fail(scanner, "malformed_json", "surrogate", current_path(scanner), "must not contain a lone surrogate");
	return true;
}

static bool
scan_escape(Scanner *scanner)
{
	char		c = scanner->at < scanner->end ? *scanner->at++ : '\0';

	if (c == 'u')
		return scan_unicode(scanner);
	if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
		return fail_syntax(scanner, "invalid escape");
	return true;
}

/* A string; at stands on its opening quote. */
static bool
scan_string(Scanner *scanner)
{
	scanner->at++;
	while (scanner->at < scanner->end)
	{
		unsigned char c = (unsigned char) *scanner->at;
		int			length;

		if (c == '"')
		{
			scanner->at++;
			return true;
		}
		if (c == '\\')
		{
			scanner->at++;
			if (!scan_escape(scanner))
				return false;
			continue;
		}
		if (c == 0)
			return fail(scanner, "malformed_json", "nul", current_path(scanner), "must not contain a NUL byte");
		if (c < 0x20)
			return fail_syntax(scanner, "a control character must be escaped");
		length = c < 0x80 ? 1 : utf8_length(scanner->at, (size_t) (scanner->end - scanner->at));
		if (length == 0)
			return fail(scanner, "malformed_json", "utf8", current_path(scanner), "is not valid UTF-8");
		scanner->at += length;
	}
	return fail_syntax(scanner, "a string is not closed");
}

static size_t
skip_digits(Scanner *scanner)
{
	const char *begin = scanner->at;

	while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9')
		scanner->at++;
	return (size_t) (scanner->at - begin);
}

static bool
scan_number(Scanner *scanner)
{
	const char *begin = scanner->at;
	long		exponent = 0;

	if (*scanner->at == '-')
		scanner->at++;
	if (scanner->at < scanner->end && *scanner->at == '0')
		scanner->at++;
	else if (skip_digits(scanner) == 0)
		return fail_syntax(scanner, "invalid number");
	if (scanner->at < scanner->end && *scanner->at == '.')
	{
		scanner->at++;
		if (skip_digits(scanner) == 0)
			return fail_syntax(scanner, "invalid number");
	}
	if (scanner->at < scanner->end && (*scanner->at | 32) == 'e')
	{
		const char *digits;

		scanner->at++;
		if (scanner->at < scanner->end && (*scanner->at == '+' || *scanner->at == '-'))
			scanner->at++;
		digits = scanner->at;
		if (skip_digits(scanner) == 0)
			return fail_syntax(scanner, "invalid number");
		for (const char *p = digits; p < scanner->at && exponent <= 1000; p++)
			exponent = exponent * 10 + (*p - '0');
	}
	if (scanner->at - begin > 1000 || exponent > 1000)
		return fail(scanner, "validation_failed", "number_range", current_path(scanner),
					"must have at most 1000 characters and an exponent from -1000 to 1000");
	return true;
}

static bool
scan_word(Scanner *scanner, const char *word)
{
	size_t		length = strlen(word);

	if ((size_t) (scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
		return fail_syntax(scanner, "unexpected character");
	scanner->at += length;
	return true;
}

char *
json_decode(const char *slice, size_t length, Arena *arena, size_t *decoded_length)
{
	char	   *text = arena_alloc(arena, length + 1);
	char	   *out = text;
	const char *end = slice + length - 1;

	for (const char *p = slice + 1; p < end; p++)
	{
		uint32_t	c;

		if (*p != '\\')
		{
			*out++ = *p;
			continue;
		}
		p++;
		if (*p != 'u')
		{
			static const char from[] = "\"\\/bfnrt";
			static const char to[] = "\"\\/\b\f\n\r\t";

			*out++ = to[strchr(from, *p) - from];
			continue;
		}
		c = (uint32_t) hex4(p + 1, end);
		p += 4;
		if (c >= 0xD800 && c <= 0xDBFF)
		{
			c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t) hex4(p + 3, end) - 0xDC00);
			p += 6;
		}
		if (c < 0x80)
			*out++ = (char) c;
		else if (c < 0x800)
		{
			*out++ = (char) (0xC0 | c >> 6);
			*out++ = (char) (0x80 | (c & 63));
		}
		else if (c < 0x10000)
		{
			*out++ = (char) (0xE0 | c >> 12);
			*out++ = (char) (0x80 | (c >> 6 & 63));
			*out++ = (char) (0x80 | (c & 63));
		}
		else
		{
			*out++ = (char) (0xF0 | c >> 18);
			*out++ = (char) (0x80 | (c >> 12 & 63));
			*out++ = (char) (0x80 | (c >> 6 & 63));
			*out++ = (char) (0x80 | (c & 63));
		}
	}
	*out = '\0';
	*decoded_length = (size_t) (out - text);
	return text;
}

static int
compare_keys(const void *left, const void *right)
{
	const Key  *a = left;
	const Key  *b = right;

	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->text, b->text, a->length);
}

/* Twins among the keys of the object that closes. */
static bool
close_object(Scanner *scanner)
{
	Frame	   *frame = &scanner->frames[scanner->depth - 1];
	Key		   *keys;
	size_t		count = scanner->key_count - frame->first_key;

	/* no object had a member yet */
	if (scanner->keys == NULL)
		return true;
	keys = scanner->keys + frame->first_key;
	if (count > 1)
		qsort(keys, count, sizeof(Key), compare_keys);
	for (size_t i = 1; i < count; i++)
	{
		if (compare_keys(&keys[i - 1], &keys[i]) != 0)
			continue;
		frame->key = keys[i].text;
		frame->key_length = keys[i].length;
		return fail(scanner, "malformed_json", "duplicate_key", current_path(scanner), "is there twice");
	}
	scanner->key_count = frame->first_key;
	return true;
}

static bool
open_frame(Scanner *scanner, bool is_object)
{
	Frame	   *frame;

	if (scanner->depth == JSON_MAX_DEPTH)
		return fail(scanner, "malformed_json", "depth", "", "must not be nested deeper than 64 levels");
	frame = &scanner->frames[scanner->depth++];
	memset(frame, 0, sizeof(*frame));
	frame->is_object = is_object;
	frame->first_key = scanner->key_count;
	return true;
}

static void
push_key(Scanner *scanner, const char *text, size_t length)
{
	if (scanner->key_count == scanner->key_capacity)
	{
		size_t		capacity = scanner->key_capacity ? scanner->key_capacity * 2 : 64;
		Key		   *keys = arena_alloc(scanner->arena, capacity * sizeof(Key));

		if (scanner->key_count > 0)
			memcpy(keys, scanner->keys, scanner->key_count * sizeof(Key));
		scanner->keys = keys;
		scanner->key_capacity = capacity;
	}
	scanner->keys[scanner->key_count].text = text;
	scanner->keys[scanner->key_count++].length = length;
}

/* "key": of the innermost object. */
static bool
scan_key(Scanner *scanner)
{
	Frame	   *frame = &scanner->frames[scanner->depth - 1];
	const char *begin = scanner->at;

	if (scanner->at >= scanner->end || *scanner->at != '"')
		return fail_syntax(scanner, "a member name is expected");
	if (!scan_string(scanner))
		return false;
	frame->key = json_decode(begin, (size_t) (scanner->at - begin), scanner->arena, &frame->key_length);
	push_key(scanner, frame->key, frame->key_length);
	skip_space(scanner);
	if (scanner->at >= scanner->end || *scanner->at != ':')
		return fail_syntax(scanner, "a colon is expected");
	scanner->at++;
	skip_space(scanner);
	return true;
}

/* A scalar, or the opening of a container (opened is set). */
static bool
scan_begin(Scanner *scanner, JsonType *type, bool *opened)
{
	*opened = false;
	if (scanner->at >= scanner->end)
		return fail_syntax(scanner, "a value is expected");
	switch (*scanner->at)
	{
		case '{':
		case '[':
			*type = *scanner->at == '{' ? JSON_OBJECT : JSON_ARRAY;
			*opened = true;
			return open_frame(scanner, *scanner->at++ == '{');
		case '"':
			*type = JSON_STRING;
			return scan_string(scanner);
		case 't':
			*type = JSON_TRUE;
			return scan_word(scanner, "true");
		case 'f':
			*type = JSON_FALSE;
			return scan_word(scanner, "false");
		case 'n':
			*type = JSON_NULL;
			return scan_word(scanner, "null");
		default:
			*type = JSON_NUMBER;
			if (*scanner->at != '-' && (*scanner->at < '0' || *scanner->at > '9'))
				return fail_syntax(scanner, "unexpected character");
			return scan_number(scanner);
	}
}

/* A member of the top-level object begins or ends. */
static bool
note_member(Scanner *scanner, bool ends, JsonType type, const char *begin)
{
	JsonDocument *document = scanner->document;
	JsonMember *member;

	if (ends)
	{
		member = &document->members[document->count - 1];
		member->length = (size_t) (scanner->at - member->value);
		return true;
	}
	if (document->count == JSON_MAX_MEMBERS)
		return fail(scanner, "validation_failed", "maxProperties", "", "must have at most 64 members");
	member = &document->members[document->count++];
	member->name = scanner->frames[0].key;
	member->type = type;
	member->value = begin;
	member->length = (size_t) (scanner->at - begin);
	return true;
}

/* What follows a complete value: commas and closings, until the next value is due. */
static bool
scan_after(Scanner *scanner, bool just_opened, bool *done)
{
	for (;;)
	{
		Frame	   *frame;
		char		close;

		skip_space(scanner);
		*done = scanner->depth == 0;
		if (*done)
			return true;
		frame = &scanner->frames[scanner->depth - 1];
		close = frame->is_object ? '}' : ']';
		if (scanner->at < scanner->end && *scanner->at == close)
		{
			if (frame->is_object && !close_object(scanner))
				return false;
			scanner->at++;
			scanner->depth--;
			if (scanner->depth == 1 && scanner->frames[0].is_object)
				note_member(scanner, true, JSON_NULL, NULL);
			just_opened = false;
			continue;
		}
		if (!just_opened)
		{
			if (scanner->at >= scanner->end || *scanner->at != ',')
				return fail_syntax(scanner, "a comma or a closing bracket is expected");
			scanner->at++;
			frame->index++;
			skip_space(scanner);
		}
		return frame->is_object ? scan_key(scanner) : true;
	}
}

bool
json_scan(const char *text, size_t length, Arena *arena, JsonDocument *document)
{
	Scanner		scanner;
	bool		done = false;
	bool		first = true;

	memset(&scanner, 0, offsetof(Scanner, frames));
	scanner.keys = NULL;
	scanner.key_count = scanner.key_capacity = 0;
	scanner.start = scanner.at = text;
	scanner.end = text + length;
	scanner.arena = arena;
	scanner.document = document;
	memset(document, 0, sizeof(*document));
	if (utf8_is_wider(text, length))
		return fail(&scanner, "malformed_json", "utf8", "", "is UTF-16 or UTF-32: send UTF-8");
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return fail(&scanner, "malformed_json", "syntax", "", "must not begin with a byte order mark (RFC 8259 section 8.1)");
	skip_space(&scanner);
	document->value = scanner.at;
	while (!done)
	{
		JsonType	type;
		bool		opened;
		const char *begin = scanner.at;
		bool		is_member = scanner.depth == 1 && scanner.frames[0].is_object;

		if (!scan_begin(&scanner, &type, &opened))
			return false;
		if (first)
			document->type = type;
		first = false;
		if (is_member && !note_member(&scanner, false, type, begin))
			return false;
		if (!scan_after(&scanner, opened, &done))
			return false;
	}
	document->length = (size_t) (scanner.at - document->value);
	if (scanner.at != scanner.end)
		return fail_syntax(&scanner, "nothing may follow the value");
	return true;
}
