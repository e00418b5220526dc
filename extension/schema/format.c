/*
 * format.c
 *	  The table of formats, and those of dates and times (RFC 3339).
 */
#include "base/compat.h"

#include <ctype.h>

#include "schema/format.h"
#include "schema/regex.h"

#define REGEX_STEPS 2000

static const struct
{
	const char *name;
	FormatCheck check;
	const char *wanted;
}			formats[] = {
	{"date", format_date, "a date such as 2024-03-14 (RFC 3339)"},
	{"time", format_time, "a time with its offset such as 09:30:00Z or 09:30:00+01:00 (RFC 3339)"},
	{"date-time", format_date_time, "a date and time with its offset such as 2024-03-14T09:30:00Z or 2024-03-14T09:30:00+01:00 (RFC 3339)"},
	{"duration", format_duration, "a duration such as P3D or PT90M (ISO 8601)"},
	{"email", format_email, "an e-mail address such as ann@example.com"},
	{"idn-email", format_idn_email, "an e-mail address such as ann@example.com"},
	{"hostname", format_hostname, "a host name such as www.example.com"},
	{"idn-hostname", format_idn_hostname, "a host name such as www.example.com"},
	{"ipv4", format_ipv4, "an IPv4 address such as 192.0.2.1"},
	{"ipv6", format_ipv6, "an IPv6 address such as 2001:db8::1"},
	{"uri", format_uri, "a URI with its scheme such as https://example.com/a (RFC 3986)"},
	{"uri-reference", format_uri_reference, "a URI or a part of one (RFC 3986)"},
	{"iri", format_iri, "an IRI with its scheme such as https://example.com/a (RFC 3987)"},
	{"iri-reference", format_iri_reference, "an IRI or a part of one (RFC 3987)"},
	{"uri-template", format_uri_template, "a URI template such as /a/{b} (RFC 6570)"},
	{"uuid", format_uuid, "a UUID such as 018f3c5e-7b1a-7c3d-9e2f-0123456789ab (RFC 9562)"},
	{"json-pointer", format_json_pointer, "a JSON Pointer such as /a/0 (RFC 6901)"},
	{"relative-json-pointer", format_relative_json_pointer, "a relative JSON Pointer such as 1/a"},
	{"regex", regex_is_valid, "a regular expression (ECMA-262)"},
};

FormatCheck
format_find(const char *name, uint32 *steps)
{
	*steps = strcmp(name, "regex") == 0 ? REGEX_STEPS : 0;
	for (int i = 0; i < (int) lengthof(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].check;
	return NULL;
}

const char *
format_wanted(const char *name)
{
	for (int i = 0; i < (int) lengthof(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].wanted;
	return psprintf("a valid %s", name);
}

const char *
format_lacks(const char *name, const char *text, int length)
{
	char		with_offset[80];
	uint32		steps;

	if (strcmp(name, "date") == 0)
		return format_date_time(text, length) ? ", which has a time" : "";
	if (strcmp(name, "date-time") != 0 && strcmp(name, "time") != 0)
		return "";
	if (strcmp(name, "date-time") == 0 && format_date(text, length))
		return ", which has no time";
	if (length >= (int) sizeof(with_offset))
		return "";
	memcpy(with_offset, text, length);
	with_offset[length] = 'Z';
	return format_find(name, &steps) (with_offset, length + 1) ? ", which has no offset" : "";
}

/* The number of exactly count digits at *at, or -1. */
static int
read_digits(const char **at, const char *end, int count)
{
	int			value = 0;

	for (int i = 0; i < count; i++, (*at)++)
	{
		if (*at == end || **at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool
read_char(const char **at, const char *end, char c)
{
	if (*at == end || **at != c)
		return false;
	(*at)++;
	return true;
}

static bool
read_date(const char **at, const char *end)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			year = read_digits(at, end, 4);
	int			month = read_char(at, end, '-') ? read_digits(at, end, 2) : -1;
	int			day = read_char(at, end, '-') ? read_digits(at, end, 2) : -1;
	bool		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

/* A leap second is one at 23:59:60 UTC only (section 5.7). */
static bool
read_time(const char **at, const char *end)
{
	int			hour = read_digits(at, end, 2);
	int			minute = read_char(at, end, ':') ? read_digits(at, end, 2) : -1;
	int			second = read_char(at, end, ':') ? read_digits(at, end, 2) : -1;
	int			offset_hour = 0;
	int			offset_minute = 0;
	int			sign = 0;

	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	if (read_char(at, end, '.'))
	{
		if (read_digits(at, end, 1) < 0)
			return false;
		while (*at < end && isdigit((unsigned char) **at))
			(*at)++;
	}
	if (!read_char(at, end, 'Z') && !read_char(at, end, 'z'))
	{
		sign = read_char(at, end, '+') ? 1 : read_char(at, end, '-') ? -1 : 0;
		offset_hour = sign ? read_digits(at, end, 2) : -1;
		offset_minute = read_char(at, end, ':') ? read_digits(at, end, 2) : -1;
		if (offset_hour < 0 || offset_hour > 23 || offset_minute < 0 || offset_minute > 59)
			return false;
	}
	return second < 60 || (hour * 60 + minute - sign * (offset_hour * 60 + offset_minute) + 2880) % 1440 == 1439;
}

bool
format_date(const char *text, int length)
{
	const char *at = text;

	return read_date(&at, text + length) && at == text + length;
}

bool
format_time(const char *text, int length)
{
	const char *at = text;

	return read_time(&at, text + length) && at == text + length;
}

bool
format_date_time(const char *text, int length)
{
	const char *at = text;
	const char *end = text + length;

	return read_date(&at, end) && (read_char(&at, end, 'T') || read_char(&at, end, 't')) && read_time(&at, end) && at == end;
}

/*
 * Units of one half of a duration: from any of them on, none left out (RFC 3339
 * appendix A).  Moves *at; false when a number lacks its unit.
 */
static bool
read_units(const char **at, const char *end, const char *units, bool *any)
{
	while (*at < end && isdigit((unsigned char) **at))
	{
		const char *unit;

		while (*at < end && isdigit((unsigned char) **at))
			(*at)++;
		unit = *at < end ? strchr(units, **at) : NULL;
		if (unit == NULL || *unit == '\0' || (*any && unit != units))
			return false;
		units = unit + 1;
		(*at)++;
		*any = true;
	}
	return true;
}

bool
format_duration(const char *text, int length)
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
