/*
 * format.c
 *	  Formats that module fields assert: date-time and date (RFC 3339), duration
 *	  (RFC 3339 appendix A), email (RFC 5321, dot-atom form), uri (RFC 3986).
 */
#include "compat.h"

#include <ctype.h>

#include "json.h"
#include "schema/node.h"

static bool
is_email(const char *text, int length)
{
	const char *at = memchr(text, '@', length);
	int			local = at ? at - text : 0;
	const char *domain = at + 1;
	int			domain_length = length - local - 1;

	if (at == NULL || local < 1 || local > 64 || domain_length < 1 || domain_length > 255 ||
		text[0] == '.' || at[-1] == '.' || domain[0] == '.' || domain[0] == '-')
		return false;
	for (int i = 0; i < local; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c == '.' && text[i + 1] == '.')
			return false;
		if (c >= 0x80 || (!isalnum(c) && strchr(".!#$%&'*+/=?^_`{|}~-", c) == NULL))
			return false;
	}
	for (int i = 0; i < domain_length; i++)
	{
		unsigned char c = (unsigned char) domain[i];

		if (c >= 0x80 || (!isalnum(c) && c != '-' && c != '.') || (c == '.' && (i + 1 == domain_length || domain[i + 1] == '.')))
			return false;
	}
	return true;
}

/* A scheme, a colon, and characters that RFC 3986 allows. */
static bool
is_uri(const char *text, int length)
{
	const char *colon = memchr(text, ':', length);

	if (colon == NULL || colon == text || !isalpha((unsigned char) text[0]))
		return false;
	for (const char *p = text; p < colon; p++)
		if (!isalnum((unsigned char) *p) && *p != '+' && *p != '-' && *p != '.')
			return false;
	for (const char *p = colon; p < text + length; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c == '%' && (p + 2 >= text + length || !isxdigit((unsigned char) p[1]) || !isxdigit((unsigned char) p[2])))
			return false;
		if (c <= 0x20 || c >= 0x7F || strchr("\"<>\\^`{|}", c) != NULL)
			return false;
	}
	return true;
}

/* Units of one half of a duration in their order; moves *at; false when a number lacks its unit. */
static bool
read_units(const char **at, const char *end, const char *units, bool *any)
{
	while (*at < end && isdigit((unsigned char) **at))
	{
		const char *unit;

		while (*at < end && isdigit((unsigned char) **at))
			(*at)++;
		unit = *at < end ? strchr(units, **at) : NULL;
		if (unit == NULL)
			return false;
		units = unit + 1;
		(*at)++;
		*any = true;
	}
	return true;
}

static bool
is_duration(const char *text, int length)
{
	const char *at = text;
	const char *end = text + length;
	bool		any = false;
	bool		time = false;

	if (length < 3 || *at++ != 'P')
		return false;
	if (end[-1] == 'W')
		return read_units(&at, end, "W", &any) && any && at == end;
	if (!read_units(&at, end, "YMD", &any))
		return false;
	if (at < end && *at == 'T')
	{
		at++;
		if (!read_units(&at, end, "HMS", &time) || !time)
			return false;
	}
	return at == end && (any || time);
}

bool
schema_format_holds(const char *format, const char *text, int length)
{
	TimestampTz time;

	if (strcmp(format, "date-time") == 0)
		return json_time_parse(text, length, &time) && length > 10 && text[10] != ' ';
	if (strcmp(format, "date") == 0)
		return json_date_parse(text, length, &time);
	if (strcmp(format, "email") == 0)
		return is_email(text, length);
	if (strcmp(format, "uri") == 0)
		return is_uri(text, length);
	if (strcmp(format, "duration") == 0)
		return is_duration(text, length);
	return true;
}
