/*
 * media.c
 *	  Media ranges against the types that an endpoint has.
 */
#include "exchange/media.h"

#include <string.h>
#include <strings.h>

#include "common/language.h"

/* How specific a range of length bytes is for a type: 3 the same, 2 its type with any subtype, 1 any, 0 another. */
static int
range_fit(const char *range, size_t length, const char *type)
{
	size_t		main_length = strcspn(type, "/") + 1;

	if (length == strlen(type) && strncasecmp(range, type, length) == 0)
		return 3;
	if (length == main_length + 1 && range[main_length] == '*' && strncasecmp(range, type, main_length) == 0)
		return 2;
	return length == 3 && strncmp(range, "*/*", 3) == 0;
}

/* The weight of a type in thousandths, by the most specific range that is at least so specific; 0 without one. */
static int
weight_of(const char *accept, const char *type, int least)
{
	int			best = least - 1;
	int			weight = 0;

	while (*accept)
	{
		size_t		item;
		size_t		length;
		int			fit;

		accept += strspn(accept, " \t,");
		item = strcspn(accept, ",");
		length = strcspn(accept, ",; \t");
		fit = length > 0 ? range_fit(accept, length, type) : 0;
		if (fit > best)
		{
			best = fit;
			weight = language_weight(accept + length, item - length);
		}
		accept += item;
	}
	return weight;
}

const char *
media_choose(const char *accept, const MediaList *gives)
{
	const char *chosen = NULL;
	int			best = 0;

	if (accept == NULL || accept[strspn(accept, " \t,")] == '\0')
		return gives->types[0];
	for (int i = 0; i < gives->count; i++)
	{
		int			weight = weight_of(accept, gives->types[i], 1);

		if (weight > best)
		{
			best = weight;
			chosen = gives->types[i];
		}
	}
	return chosen;
}

bool
media_is_named(const char *accept, const char *type)
{
	return accept && weight_of(accept, type, 3) > 0;
}

/* Is every charset among the parameters UTF-8? */
static bool
is_utf8(const char *parameters)
{
	while (*(parameters += strspn(parameters, "; \t")))
	{
		size_t		length = strcspn(parameters, ";");

		if (strncasecmp(parameters, "charset=", 8) == 0)
		{
			const char *value = parameters + 8 + (parameters[8] == '"');
			size_t		size = strcspn(value, "\"; \t");

			if (size != 5 || strncasecmp(value, "utf-8", 5) != 0)
				return false;
		}
		parameters += length;
	}
	return true;
}

bool
media_is_taken(const char *type, const MediaList *takes)
{
	size_t		length;

	if (type == NULL)
		return false;
	length = strcspn(type, "; \t");
	for (int i = 0; i < takes->count; i++)
		if (length == strlen(takes->types[i]) && strncasecmp(type, takes->types[i], length) == 0)
			return is_utf8(type + length);
	return false;
}

const char *
media_names(const MediaList *list, Arena *arena)
{
	Buffer		names = {.arena = arena};

	buffer_text(&names, "");
	for (int i = 0; i < list->count; i++)
	{
		buffer_text(&names, i == 0 ? "" : i == list->count - 1 ? " or " : ", ");
		buffer_text(&names, list->types[i]);
	}
	return names.data;
}
