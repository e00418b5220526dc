/*
 * format_net.c
 *	  Formats of the network: addresses, host names, mailboxes.
 *
 * Internationalized names are judged by libidn2 (IDNA 2008).
 */
#include "base/compat.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <idn2.h>

#include "lib/stringinfo.h"
#include "schema/format.h"

#define HOST_BYTES 253
#define LABEL_BYTES 63

bool
format_ipv4(const char *text, int length)
{
	const char *end = text + length;

	for (int i = 0; i < 4; i++)
	{
		int			value = 0;
		int			digits = 0;

		if (i > 0 && (text == end || *text++ != '.'))
			return false;
		for (; text < end && isdigit((unsigned char) *text) && digits < 4; digits++)
			value = value * 10 + (*text++ - '0');
		if (digits == 0 || value > 255 || (digits > 1 && text[-digits] == '0'))
			return false;
	}
	return text == end;
}

bool
format_ipv6(const char *text, int length)
{
	char		copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (length >= (int) sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

/* A label by the rules for registration, which are those of lookup and the contextual ones (RFC 5891 section 4.2). */
static bool
is_idna_label(const char *label)
{
	uint8_t    *ascii = NULL;
	bool		valid = idn2_register_u8((const uint8_t *) label, NULL, &ascii, IDN2_NFC_INPUT) == IDN2_OK;

	idn2_free(ascii);
	return valid;
}

/* Does libidn2 find a name of IDNA 2008 in it? */
static bool
is_idna(const char *text, int length)
{
	char	   *copy = pnstrdup(text, length);
	char	   *unicode = NULL;
	char	   *ascii = NULL;
	bool		valid = idn2_to_unicode_8z8z(copy, &unicode, 0) == IDN2_OK &&
		idn2_lookup_u8((const uint8_t *) unicode, (uint8_t **) &ascii, IDN2_NFC_INPUT | IDN2_NO_TR46 | IDN2_ALABEL_ROUNDTRIP) == IDN2_OK &&
		strlen(ascii) <= HOST_BYTES;

	for (char *label = unicode; valid && label;)
	{
		char	   *dot = strchr(label, '.');

		if (dot)
			*dot = '\0';
		for (const char *c = label; *c && valid; c++)
			if (IS_HIGHBIT_SET(*c))
			{
				valid = is_idna_label(label);
				break;
			}
		label = dot ? dot + 1 : NULL;
	}
	idn2_free(unicode);
	idn2_free(ascii);
	pfree(copy);
	return valid;
}

bool
format_hostname(const char *text, int length)
{
	const char *end = text + length;
	const char *label = text;
	bool		has_alabel = false;

	if (length < 1 || length > HOST_BYTES)
		return false;
	while (label <= end)
	{
		const char *dot = memchr(label, '.', end - label);
		int			label_length = (dot ? dot : end) - label;

		if (label_length < 1 || label_length > LABEL_BYTES || label[0] == '-' || label[label_length - 1] == '-')
			return false;
		for (int i = 0; i < label_length; i++)
			if (IS_HIGHBIT_SET(label[i]) || (!isalnum((unsigned char) label[i]) && label[i] != '-'))
				return false;
		if (label_length >= 4 && label[2] == '-' && label[3] == '-')
		{
			if (pg_strncasecmp(label, "xn--", 4) != 0)
				return false;
			has_alabel = true;
		}
		label += label_length + 1;
	}
	return !has_alabel || is_idna(text, length);
}

bool
format_idn_hostname(const char *text, int length)
{
	StringInfoData name;
	bool		ascii = true;
	bool		valid;

	if (length < 1 || length > HOST_BYTES * 4)
		return false;
	/* the full stops of other scripts count as one (RFC 3490 section 3.1) */
	initStringInfo(&name);
	for (int i = 0; i < length; i++)
	{
		static const char *const stops[] = {"\xE3\x80\x82", "\xEF\xBC\x8E", "\xEF\xBD\xA1"};
		bool		stop = false;

		for (int j = 0; j < (int) lengthof(stops); j++)
			stop = stop || (length - i >= 3 && memcmp(text + i, stops[j], 3) == 0);
		if (stop)
			i += 2;
		appendStringInfoChar(&name, stop ? '.' : text[i]);
		ascii = ascii && !IS_HIGHBIT_SET(text[i]);
	}
	valid = ascii ? format_hostname(name.data, name.len) :
		name.data[0] != '.' && name.data[name.len - 1] != '.' && is_idna(name.data, name.len);
	pfree(name.data);
	return valid;
}

static bool
is_atom_char(unsigned char c, bool international)
{
	return c >= 0x80 ? international : isalnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Local-part: dot-string or quoted-string. */
static bool
is_local_part(const char *text, int length, bool international)
{
	if (length < 1 || length > 64)
		return false;
	if (text[0] == '"')
	{
		if (length < 2 || text[length - 1] != '"')
			return false;
		for (int i = 1; i < length - 1; i++)
		{
			unsigned char c = (unsigned char) text[i];

			if (c == '\\')
				c = ++i < length - 1 ? (unsigned char) text[i] : '\0';
			else if (c == '"')
				return false;
			if (c < 0x20 || c == 0x7F || (c >= 0x80 && !international))
				return false;
		}
		return true;
	}
	for (int i = 0; i < length; i++)
		if (text[i] == '.' ? i == 0 || i == length - 1 || text[i + 1] == '.' : !is_atom_char((unsigned char) text[i], international))
			return false;
	return true;
}

static bool
is_mailbox(const char *text, int length, bool international)
{
	const char *at = NULL;
	const char *domain;
	int			domain_length;

	for (int i = 0; i < length; i++)
		if (text[i] == '@')
			at = text + i;
	if (at == NULL || !is_local_part(text, at - text, international))
		return false;
	domain = at + 1;
	domain_length = text + length - domain;
	if (domain_length > 2 && domain[0] == '[' && domain[domain_length - 1] == ']')
		return domain_length > 7 && pg_strncasecmp(domain, "[IPv6:", 6) == 0 ? format_ipv6(domain + 6, domain_length - 7) :
			format_ipv4(domain + 1, domain_length - 2);
	return international ? format_idn_hostname(domain, domain_length) : format_hostname(domain, domain_length);
}

bool
format_email(const char *text, int length)
{
	return is_mailbox(text, length, false);
}

bool
format_idn_email(const char *text, int length)
{
	return is_mailbox(text, length, true);
}
