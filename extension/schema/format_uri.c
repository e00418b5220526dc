/*
 * format_uri.c
 *	  Formats of identifiers: URI and IRI, templates, UUID, JSON Pointers.
 */
#include "base/compat.h"

#include <ctype.h>

#include "mb/pg_wchar.h"
#include "schema/format.h"

#define SUB_DELIMITERS "!$&'()*+,;="

typedef struct Text
{
	const char *at;
	const char *end;
	bool		international;
} Text;

/* ucschar, and iprivate in a query (RFC 3987 section 2.2). */
static bool
is_ucschar(uint32 c, bool query)
{
	if ((c >= 0xE000 && c <= 0xF8FF) || c >= 0xF0000)
		return query;
	return (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xF900 && c <= 0xFDCF) || (c >= 0xFDF0 && c <= 0xFFEF) ||
		(c >= 0x10000 && (c & 0xFFFF) <= 0xFFFD && (c < 0xE0000 || c >= 0xE1000));
}

/* Characters up to the end: unreserved, percent-encoded, sub-delims and those in extra. */
static bool
has_only(Text text, const char *extra, bool query)
{
	while (text.at < text.end)
	{
		unsigned char c = (unsigned char) *text.at;
		int			length = 1;

		if (c >= 0x80)
		{
			length = pg_utf_mblen((const unsigned char *) text.at);
			if (!text.international || length > text.end - text.at || !is_ucschar(utf8_to_unicode((const unsigned char *) text.at), query))
				return false;
		}
		else if (c == '%')
		{
			if (text.end - text.at < 3 || !isxdigit((unsigned char) text.at[1]) || !isxdigit((unsigned char) text.at[2]))
				return false;
			length = 3;
		}
		else if (c == '\0' || (!isalnum(c) && strchr("-._~" SUB_DELIMITERS, c) == NULL && strchr(extra, c) == NULL))
			return false;
		text.at += length;
	}
	return true;
}

/* "[" ( IPv6address / IPvFuture ) "]" */
static bool
is_ip_literal(Text host)
{
	const char *dot;

	host.at++;
	host.end--;
	if (host.at >= host.end || (*host.at != 'v' && *host.at != 'V'))
		return format_ipv6(host.at, host.end - host.at);
	dot = memchr(host.at, '.', host.end - host.at);
	if (dot == NULL || dot == host.at + 1 || dot + 1 == host.end || memchr(dot, '%', host.end - dot))
		return false;
	for (const char *p = host.at + 1; p < dot; p++)
		if (!isxdigit((unsigned char) *p))
			return false;
	host.at = dot + 1;
	host.international = false;
	return has_only(host, ":", false);
}

static bool
is_authority(Text text)
{
	Text		host = text;
	const char *userinfo = memchr(text.at, '@', text.end - text.at);

	if (userinfo)
	{
		Text		user = {text.at, userinfo, text.international};

		if (!has_only(user, ":", false))
			return false;
		host.at = userinfo + 1;
	}
	if (host.at < host.end && *host.at == '[')
	{
		const char *close = memchr(host.at, ']', host.end - host.at);

		if (close == NULL || (close + 1 < host.end && close[1] != ':'))
			return false;
		text.at = close + 1;
		host.end = close + 1;
		if (!is_ip_literal(host))
			return false;
	}
	else
	{
		const char *colon = memchr(host.at, ':', host.end - host.at);

		text.at = colon ? colon : host.end;
		host.end = text.at;
		if (!has_only(host, "", false))
			return false;
	}
	for (const char *p = text.at + 1; p < text.end; p++)
		if (!isdigit((unsigned char) *p))
			return false;
	return true;
}

static const char *
find_any(Text text, const char *stops)
{
	while (text.at < text.end && (*text.at == '\0' || strchr(stops, *text.at) == NULL))
		text.at++;
	return text.at;
}

/* Everything behind the scheme. */
static bool
is_hierarchy(Text text, bool has_scheme)
{
	Text		part = text;

	if (text.end - text.at >= 2 && text.at[0] == '/' && text.at[1] == '/')
	{
		part.at += 2;
		part.end = find_any(part, "/?#");
		if (!is_authority(part))
			return false;
		text.at = part.end;
	}
	else if (!has_scheme)
	{
		/* the first segment of a relative path has no colon */
		part.end = find_any(part, "/?#");
		if (memchr(part.at, ':', part.end - part.at))
			return false;
	}
	part = text;
	part.end = find_any(part, "?#");
	if (!has_only(part, ":@/", false))
		return false;
	text.at = part.end;
	if (text.at < text.end && *text.at == '?')
	{
		part = text;
		part.at++;
		part.end = find_any(part, "#");
		if (!has_only(part, ":@/?", true))
			return false;
		text.at = part.end;
	}
	if (text.at < text.end)
	{
		text.at++;
		return has_only(text, ":@/?", false);
	}
	return true;
}

/* The length of a scheme and its colon, or 0. */
static int
scheme_length(const char *text, int length)
{
	if (length == 0 || IS_HIGHBIT_SET(text[0]) || !isalpha((unsigned char) text[0]))
		return 0;
	for (int i = 0; i < length; i++)
	{
		if (text[i] == ':')
			return i + 1;
		if (IS_HIGHBIT_SET(text[i]) || (!isalnum((unsigned char) text[i]) && text[i] != '+' && text[i] != '-' && text[i] != '.'))
			return 0;
	}
	return 0;
}

static bool
is_reference(const char *text, int length, bool international, bool absolute)
{
	int			scheme = scheme_length(text, length);
	Text		rest = {text + scheme, text + length, international};

	return (scheme > 0 || !absolute) && is_hierarchy(rest, scheme > 0);
}

bool
format_uri(const char *text, int length)
{
	return is_reference(text, length, false, true);
}

bool
format_uri_reference(const char *text, int length)
{
	return is_reference(text, length, false, false);
}

bool
format_iri(const char *text, int length)
{
	return is_reference(text, length, true, true);
}

bool
format_iri_reference(const char *text, int length)
{
	return is_reference(text, length, true, false);
}

/* varchar, with dots between; then a prefix or an explode modifier. */
static bool
is_variable(const char *at, const char *end)
{
	const char *name = at;

	while (at < end && (isalnum((unsigned char) *at) || *at == '_' || *at == '.' || *at == '%'))
	{
		if (*at == '.' && (at == name || at[-1] == '.' || at + 1 == end))
			return false;
		if (*at == '%')
		{
			if (end - at < 3 || !isxdigit((unsigned char) at[1]) || !isxdigit((unsigned char) at[2]))
				return false;
			at += 2;
		}
		at++;
	}
	if (at == name || at[-1] == '.')
		return false;
	if (at < end && *at == '*')
		return at + 1 == end;
	if (at < end && *at == ':')
	{
		int			digits = end - at - 1;

		if (digits < 1 || digits > 4 || at[1] == '0')
			return false;
		while (++at < end)
			if (!isdigit((unsigned char) *at))
				return false;
		return true;
	}
	return at == end;
}

bool
format_uri_template(const char *text, int length)
{
	const char *end = text + length;

	while (text < end)
	{
		const char *close;
		unsigned char c = (unsigned char) *text;

		if (c == '{')
		{
			close = memchr(text, '}', end - text);
			if (close == NULL)
				return false;
			text++;
			if (text < close && strchr("+#./;?&", *text))
				text++;
			for (;;)
			{
				const char *comma = memchr(text, ',', close - text);

				if (!is_variable(text, comma ? comma : close))
					return false;
				if (comma == NULL)
					break;
				text = comma + 1;
			}
			text = close + 1;
		}
		else if (c == '%')
		{
			if (end - text < 3 || !isxdigit((unsigned char) text[1]) || !isxdigit((unsigned char) text[2]))
				return false;
			text += 3;
		}
		else if (c <= 0x20 || c == 0x7F || strchr("\"<>\\^`|}", c) != NULL)
			return false;
		else
			text++;
	}
	return true;
}

bool
format_uuid(const char *text, int length)
{
	if (length != 36)
		return false;
	for (int i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
			return false;
	return true;
}

bool
format_json_pointer(const char *text, int length)
{
	if (length > 0 && text[0] != '/')
		return false;
	for (int i = 0; i < length; i++)
		if (text[i] == '~' && (i + 1 == length || (text[i + 1] != '0' && text[i + 1] != '1')))
			return false;
	return true;
}

bool
format_relative_json_pointer(const char *text, int length)
{
	int			digits = 0;

	while (digits < length && isdigit((unsigned char) text[digits]))
		digits++;
	if (digits == 0 || (digits > 1 && text[0] == '0'))
		return false;
	return (length == digits + 1 && text[digits] == '#') || format_json_pointer(text + digits, length - digits);
}
