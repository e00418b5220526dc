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
