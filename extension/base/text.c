/*
 * text.c
 *	  Small work on text that PostgreSQL has no function for.
 */
#include "base/compat.h"

#include "base/text.h"

void
text_append_va(StringInfo out, const char *format, va_list arguments)
{
	for (;;)
	{
		va_list		copy;
		int			needed;

		/* each try spends its list */
		va_copy(copy, arguments);
		needed = appendStringInfoVA(out, format, copy);
		va_end(copy);
		if (needed == 0)
			return;
		enlargeStringInfo(out, needed);
	}
}

/* The code point of a character of UTF-8 that has all of its bytes. */
static uint32
code_point(const unsigned char *at, int length)
{
	if (length == 1)
		return at[0];
	if (length == 2)
		return (at[0] & 0x1f) << 6 | (at[1] & 0x3f);
	return (at[0] & 0x0f) << 12 | (at[1] & 0x3f) << 6 | (at[2] & 0x3f);
}

int
text_blank_length(const char *text, int length)
{
	static const uint32 ranges[][2] = {
		{0x01, 0x20}, {0x7f, 0xa0}, {0xad, 0xad}, {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f},
		{0x205f, 0x2064}, {0x3000, 0x3000}, {0xfeff, 0xfeff}
	};
	int			at = 0;

	while (at < length)
	{
		unsigned char first = (unsigned char) text[at];
		int			bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
		uint32		code = bytes < 4 && at + bytes <= length ? code_point((const unsigned char *) text + at, bytes) : 'x';
		bool		blank = false;

		for (int i = 0; i < (int) lengthof(ranges); i++)
			blank |= code >= ranges[i][0] && code <= ranges[i][1];
		if (!blank)
			return at;
		at += bytes;
	}
	return length;
}

int
text_trimmed_length(const char *text, int length)
{
	while (length > 0)
	{
		int			last = length - 1;

		while (last > 0 && ((unsigned char) text[last] & 0xc0) == 0x80)
			last--;
		if (text_blank_length(text + last, length - last) != length - last)
			break;
		length = last;
	}
	return length;
}
