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

#endif							/* QEHS_HEX_H */
