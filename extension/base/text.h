/*
 * text.h
 *	  Small work on text that PostgreSQL has no function for.  No SPI; raises no
 *	  errors of its own.
 */
#ifndef QEHS_TEXT_H
#define QEHS_TEXT_H

#include "lib/stringinfo.h"

/* Append as appendStringInfo does, with the arguments of a caller that has "..." itself. */
extern void text_append_va(StringInfo out, const char *format, va_list arguments) pg_attribute_printf(2, 0);

/*
 * How many bytes at the beginning of a UTF-8 text of length bytes show nothing:
 * white space of Unicode, and characters without width (U+200B, U+FEFF …).
 */
extern int	text_blank_length(const char *text, int length);

/* How many bytes a UTF-8 text of length bytes has without such at its end. */
extern int	text_trimmed_length(const char *text, int length);

#endif							/* QEHS_TEXT_H */
