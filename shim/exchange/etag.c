/*
 * etag.c
 *	  One pass over a field value; nothing is copied.
 */
#include "exchange/etag.h"

#include <string.h>

/* The quoted part of the tag at *at, which moves behind it; NULL when there is none. */
static const char *
read_tag(const char **at, bool *weak, size_t *length)
{
	const char *begin;
	const char *end;

	*weak = strncmp(*at, "W/", 2) == 0;
	begin = *at + (*weak ? 2 : 0);
	if (*begin != '"')
		return NULL;
	for (end = begin + 1; *end && *end != '"'; end++)
		if ((unsigned char) *end <= 0x20 || *end == 0x7F)
			return NULL;
	if (*end == '\0')
		return NULL;
	end++;
	*length = (size_t) (end - begin);
	*at = end + strspn(end, " \t");
	return **at == '\0' || **at == ',' ? begin : NULL;
}

TagAnswer
etag_find(const char *field, const char *tag, bool weak)
{
	const char *at = field + strspn(field, " \t,");
	TagAnswer	answer = TAG_ABSENT;

	if (*at == '*' && at[1 + strspn(at + 1, " \t")] == '\0')
		return TAG_NAMED;
	do
	{
		bool		is_weak;
		size_t		length;
		const char *found = read_tag(&at, &is_weak, &length);

		if (found == NULL)
			return TAG_MALFORMED;
		if (tag && (weak || !is_weak) && strlen(tag) == length && strncmp(found, tag, length) == 0)
			answer = TAG_NAMED;
		at += strspn(at, " \t,");
	} while (*at);
	return answer;
}
