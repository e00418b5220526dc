/*
 * utf8.h
 *	  UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
 *
 * Plain C without memory of its own, for the extension and the shim.
 */
#ifndef QEHS_UTF8_H
#define QEHS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length in bytes of the character at the start of text, of which left bytes are there; 0 when it is no UTF-8. */
static inline int
utf8_length(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *) text;
	int			length;

	if (left == 0)
		return 0;
	length = p[0] < 0x80 ? 1 : p[0] >= 0xC2 && p[0] <= 0xDF ? 2 : p[0] >= 0xE0 && p[0] <= 0xEF ? 3 :
		p[0] >= 0xF0 && p[0] <= 0xF4 ? 4 : 0;
	if (left < (size_t) length)
		return 0;
	for (int i = 1; i < length; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) ||
		(p[0] == 0xF4 && p[1] > 0x8F))
		return 0;
	return length;
}

/* Is all of it UTF-8? */
static inline bool
utf8_is_valid(const char *text, size_t length)
{
	for (size_t at = 0; at < length;)
	{
		int			step = utf8_length(text + at, length - at);

		if (step == 0)
			return false;
		at += (size_t) step;
	}
	return true;
}

/*
 * Does a text of JSON begin as UTF-16 or UTF-32 do: with a byte order mark, or with one of
 * two bytes that is NUL (RFC 4627 section 3)?
 */
static inline bool
utf8_is_wider(const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *) text;

	return length >= 2 && ((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF) || p[0] == 0 || p[1] == 0);
}

#endif							/* QEHS_UTF8_H */
