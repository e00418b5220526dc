/*
 * hex.h
 *	  Hexadecimal digits.
 *
 * Plain C without memory of its own, for the extension and the shim.
 */
#ifndef QEHS_HEX_H
#define QEHS_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of a hexadecimal digit of either case; -1 for another character. */
static inline int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char) (c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Are the first length characters all lower-case hexadecimal digits?  A NUL is none, so no text is read beyond its end. */
static inline bool
hex_is_lower(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (hex_value(text[i]) < 0 || (text[i] >= 'A' && text[i] <= 'F'))
			return false;
	return true;
}

/* Write the bytes that 2 * length digits of either case stand for.  False where one is no digit; a NUL is none, so no text is read beyond its end. */
static inline bool
hex_bytes(const char *text, uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		int			high = hex_value(text[2 * i]);
		int			low = high < 0 ? -1 : hex_value(text[2 * i + 1]);

		if (low < 0)
			return false;
		bytes[i] = (uint8_t) (high * 16 + low);
	}
	return true;
}

#endif							/* QEHS_HEX_H */
