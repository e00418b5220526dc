/*
 * media.c
 *	  What a file says it is against what its bytes look like.
 *
 * libmagic knows many formats and not all: text is text to it, an office document
 * may be a zip file.  So what counts is that nothing claims to be what it surely is
 * not: a PNG that is a GIF, an image that is a program, a PDF that is a page with
 * scripts, a Word document that is any zip file.
 */
#include "base/compat.h"

#include "attachment/attachment.h"

#define MOST_TYPE 127
#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool
media_is_type(const char *text)
{
	size_t		type = strspn(text, TOKEN);
	size_t		subtype = text[type] == '/' ? strspn(text + type + 1, TOKEN) : 0;
	const char *rest = text + type + 1 + subtype;

	if (type == 0 || subtype == 0 || strlen(text) > MOST_TYPE)
		return false;
	while (*rest)
	{
		size_t		name;

		rest += strspn(rest, " ");
		if (*rest != ';')
			return false;
		rest += 1 + strspn(rest + 1, " ");
		name = strspn(rest, TOKEN);
		if (name == 0 || rest[name] != '=')
			return false;
		rest += name + 1;
		if (*rest == '"')
		{
			rest++;
			while (*rest && *rest != '"' && *rest != '\\' && (unsigned char) *rest >= 0x20 && (unsigned char) *rest < 0x7F)
				rest++;
			if (*rest++ != '"')
				return false;
		}
		else
		{
			if (strspn(rest, TOKEN) == 0)
				return false;
			rest += strspn(rest, TOKEN);
		}
	}
	return true;
}

/* Does a type, which may have parameters, begin with these characters, whatever their case? */
static bool
begins(const char *type, const char *with)
{
	return pg_strncasecmp(type, with, strlen(with)) == 0;
}

static bool
contains(const char *type, const char *part)
{
	for (; *type && *type != ';'; type++)
		if (begins(type, part))
			return true;
	return false;
}

/* Is it the format of pictures, which libmagic tells from the others by its first bytes? */
static bool
is_sure_picture(const char *type)
{
	static const char *const sure[] = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff", "image/bmp"};

	for (int i = 0; i < (int) lengthof(sure); i++)
		if (begins(type, sure[i]))
			return true;
	return false;
}

/* Are they of one family of Office documents (ECMA-376): "…officedocument.wordprocessingml." in front of document, template? */
static bool
is_same_office(const char *claimed, const char *sniffed)
{
	const char *end = strrchr(sniffed, '.');

	return contains(sniffed, "openxmlformats") && end && pg_strncasecmp(claimed, sniffed, end + 1 - sniffed) == 0;
}

/* Is it a type whose files are containers in the form of others (zip, OLE)? */
static bool
is_container(const char *type)
{
	return !begins(type, "text/") && (contains(type, "zip") || contains(type, "officedocument") || contains(type, "opendocument") || contains(type, "ms-") ||
		contains(type, "msword") || contains(type, "epub") || contains(type, "ole"));
}

/* Is it a type whose files are text, as libmagic sees it? */
static bool
is_text(const char *type)
{
	if (is_container(type))
		return false;
	return begins(type, "text/") || begins(type, "message/") || contains(type, "json") || contains(type, "xml") || contains(type, "yaml") ||
		contains(type, "csv") || contains(type, "javascript") || contains(type, "sql") || contains(type, "rtf") || contains(type, "postscript");
}

bool
media_is_plausible(const char *claimed, const char *sniffed)
{
	size_t		length = strcspn(claimed, "; ");

	if (strlen(sniffed) == length && pg_strncasecmp(claimed, sniffed, length) == 0)
		return true;
	if (begins(claimed, "application/octet-stream") || strcmp(sniffed, "inode/x-empty") == 0 || strcmp(sniffed, "application/x-empty") == 0)
		return true;
	if (begins(claimed, "image/svg"))
		return is_text(sniffed) || begins(sniffed, "image/svg");
	if (begins(claimed, "image/jpg") || begins(claimed, "image/pjpeg"))
		return strcmp(sniffed, "image/jpeg") == 0;
	if (is_sure_picture(claimed))
		return begins(claimed, "image/bmp") && strcmp(sniffed, "image/x-ms-bmp") == 0;
	/* another format of pictures may go by several names; so may sound and film */
	if (begins(claimed, "image/"))
		return begins(sniffed, "image/") && !begins(sniffed, "image/svg") && !is_sure_picture(sniffed);
	if (begins(claimed, "audio/") || begins(claimed, "video/"))
		return begins(sniffed, "audio/") || begins(sniffed, "video/") || strcmp(sniffed, "application/ogg") == 0 ||
			strcmp(sniffed, "application/octet-stream") == 0;
	if (begins(claimed, "application/pdf"))
		return false;
	/* one with a password is in the older form of Office */
	if (contains(claimed, "openxmlformats"))
		return is_same_office(claimed, sniffed) || strcmp(sniffed, "application/CDFV2") == 0 || strcmp(sniffed, "application/encrypted") == 0;
	if (is_text(claimed))
		return is_text(sniffed);
	if (is_container(claimed))
		return is_container(sniffed) || strcmp(sniffed, "application/octet-stream") == 0 || strcmp(sniffed, "application/CDFV2") == 0;
	/* formats that libmagic may not know; no program, and no page with scripts */
	return strcmp(sniffed, "application/octet-stream") == 0 || begins(sniffed, "text/plain") || begins(sniffed, "application/zip") ||
		begins(sniffed, "application/gzip");
}
