/*
 * language.h
 *	  Choosing a language by Accept-Language (RFC 9110 section 12.5.4).
 *
 * Plain C without memory of its own: the shim chooses problem titles by it, the
 * extension labels.
 */
#ifndef QEHS_LANGUAGE_H
#define QEHS_LANGUAGE_H

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * How well a language range of length bytes fits a tag: 3 the same, 2 the range
 * is wider (de for de-AT), 1 narrower (de-CH for de), 0 not (RFC 4647 sections 3.3.1 and 3.4).
 */
static inline int
language_fit(const char *range, size_t length, const char *tag)
{
	size_t		tag_length = strlen(tag);

	if (strncasecmp(range, tag, length < tag_length ? length : tag_length) != 0)
		return 0;
	if (length == tag_length)
		return 3;
	if (length < tag_length)
		return tag[length] == '-' ? 2 : 0;
	return range[tag_length] == '-' ? 1 : 0;
}

/* The weight among a range's parameters, in thousandths; 1000 without one. */
static inline int
language_weight(const char *parameters, size_t length)
{
	size_t		at = 0;

	while (at < length)
	{
		at += strspn(parameters + at, "; \t");
		if (at + 2 < length && (parameters[at] == 'q' || parameters[at] == 'Q') && parameters[at + 1] == '=')
		{
			double		weight = strtod(parameters + at + 2, NULL);

			return weight >= 1 ? 1000 : weight > 0 ? (int) (weight * 1000 + 0.5) : 0;
		}
		at += strcspn(parameters + at, ";,");
	}
	return 1000;
}

/*
 * Index of the tag that the field value accept prefers: of the ranges with the
 * greatest weight the first that fits one.  -1 when none fits; "*" prefers none.
 */
static inline int
language_choose(const char *accept, const char *const *tags, int count)
{
	int			chosen = -1;
	int			chosen_weight = 0;

	while (accept && *accept)
	{
		size_t		length;
		size_t		item;
		int			weight;
		int			best = 0;
		int			at = -1;

		accept += strspn(accept, " \t,");
		item = strcspn(accept, ",");
		length = strcspn(accept, ",; \t");
		weight = language_weight(accept + length, item - length);
		for (int i = 0; i < count && length > 0; i++)
		{
			int			fit = language_fit(accept, length, tags[i]);

			if (fit > best)
			{
				best = fit;
				at = i;
			}
		}
		if (at >= 0 && weight > chosen_weight)
		{
			chosen = at;
			chosen_weight = weight;
		}
		accept += item;
	}
	return chosen;
}

#endif							/* QEHS_LANGUAGE_H */
