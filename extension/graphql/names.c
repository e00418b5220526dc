/*
 * names.c
 *	  Names for the things that definitions have.
 */
#include "graphql/names.h"

#include <string.h>

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
}

/* Words joined, each but perhaps the first with a capital. */
static void
join_words(const char *key, bool capital, char *out)
{
	int			length = 0;

	for (; *key && length < GRAPHQL_NAME_BYTES - 2; key++)
	{
		if (!is_letter(*key) && !is_digit(*key))
		{
			capital = capital || length > 0;
			continue;
		}
		if (length == 0 && is_digit(*key))
			out[length++] = '_';
		out[length++] = capital ? upper(*key) : *key;
		capital = false;
	}
	if (length == 0)
		out[length++] = '_';
	out[length] = '\0';
}

void
graphql_camel_name(const char *key, char *out)
{
	join_words(key, false, out);
}

void
graphql_pascal_name(const char *key, char *out)
{
	join_words(key, true, out);
}

static bool
ends_with(const char *text, size_t length, const char *end)
{
	size_t		end_length = strlen(end);

	return length > end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

void
graphql_singular_name(const char *key, char *out)
{
	static const char *const longer[] = {"sses", "shes", "ches", "xes", "zes"};
	size_t		length;

	join_words(key, true, out);
	length = strlen(out);
	if (ends_with(out, length, "ies") && length > 4)
	{
		out[length - 3] = 'y';
		out[length - 2] = '\0';
		return;
	}
	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++)
		if (ends_with(out, length, longer[i]))
		{
			out[length - 2] = '\0';
			return;
		}
	if (ends_with(out, length, "s") && !ends_with(out, length, "ss") && !ends_with(out, length, "us") && !ends_with(out, length, "is"))
		out[length - 1] = '\0';
}

bool
graphql_enum_name(const char *option, char *out)
{
	int			length = 0;
	bool		some = false;

	if (is_digit(*option))
		out[length++] = '_';
	for (; *option && length < GRAPHQL_NAME_BYTES - 1; option++)
	{
		bool		kept = is_letter(*option) || is_digit(*option);

		if (((unsigned char) *option & 0xC0) == 0x80)
			continue;			/* a character of several bytes is one _ */
		out[length++] = kept ? *option : '_';
		some = some || kept;
	}
	out[length] = '\0';
	/* two underscores in front are the specification's own */
	return some && strncmp(out, "__", 2) != 0 && strcmp(out, "true") != 0 && strcmp(out, "false") != 0 && strcmp(out, "null") != 0;
}
