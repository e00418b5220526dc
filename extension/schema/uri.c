/*
 * uri.c
 *	  Resolution of references (RFC 3986 section 5.2.2 to 5.3).
 */
#include "base/compat.h"

#include <ctype.h>

#include "common/hex.h"
#include "lib/stringinfo.h"
#include "schema/uri.h"

/* The five parts of a URI as slices; data is NULL where a part is absent. */
typedef struct Slice
{
	const char *data;
	int			length;
} Slice;

typedef struct Parts
{
	Slice		scheme;
	Slice		authority;
	Slice		path;
	Slice		query;
	Slice		fragment;
} Parts;

/* The expression of RFC 3986 appendix B, by hand. */
static Parts
split(const char *uri)
{
	Parts		parts = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
	int			length = strcspn(uri, ":/?#");

	if (length > 0 && uri[length] == ':' && isalpha((unsigned char) uri[0]))
	{
		parts.scheme = (Slice) {uri, length};
		uri += length + 1;
	}
	if (uri[0] == '/' && uri[1] == '/')
	{
		length = strcspn(uri + 2, "/?#");
		parts.authority = (Slice) {uri + 2, length};
		uri += 2 + length;
	}
	length = strcspn(uri, "?#");
	parts.path = (Slice) {uri, length};
	uri += length;
	if (*uri == '?')
	{
		length = strcspn(uri + 1, "#");
		parts.query = (Slice) {uri + 1, length};
		uri += 1 + length;
	}
	if (*uri == '#')
		parts.fragment = (Slice) {uri + 1, strlen(uri + 1)};
	return parts;
}

/* The path without its dot segments (section 5.2.4). */
static void
append_path(StringInfo out, const char *path, int length)
{
	const char *end = path + length;
	int			start = out->len;

	while (path < end)
	{
		const char *slash = memchr(path + 1, '/', end - path - 1);
		int			segment = (slash ? slash : end) - path;
		bool		rooted = *path == '/';
		bool		last = slash == NULL;

		if (segment == 1 + rooted && memcmp(path + rooted, ".", 1) == 0)
		{
			if (last && rooted)
				appendStringInfoChar(out, '/');
		}
		else if (segment == 2 + rooted && memcmp(path + rooted, "..", 2) == 0)
		{
			while (out->len > start && out->data[out->len - 1] != '/')
				out->len--;
			if (out->len > start && !(last && rooted))
				out->len--;
			else if (out->len == start && last && rooted)
				appendStringInfoChar(out, '/');
		}
		else
			appendBinaryStringInfo(out, path, segment);
		path += segment;
	}
	out->data[out->len] = '\0';
}

static void
append_part(StringInfo out, const char *before, Slice part, const char *behind)
{
	if (part.data)
		appendStringInfo(out, "%s%.*s%s", before, part.length, part.data, behind);
}

char *
uri_resolve(const char *base, const char *reference)
{
	Parts		target = split(reference);
	Parts		from = split(base);
	StringInfoData out;

	if (target.scheme.data || *base == '\0')
		return pstrdup(reference);
	initStringInfo(&out);
	append_part(&out, "", from.scheme, ":");
	if (target.authority.data)
	{
		append_part(&out, "//", target.authority, "");
		append_path(&out, target.path.data, target.path.length);
	}
	else
	{
		append_part(&out, "//", from.authority, "");
		if (target.path.length == 0)
		{
			append_part(&out, "", from.path, "");
			if (target.query.data == NULL)
				target.query = from.query;
		}
		else if (target.path.data[0] == '/')
			append_path(&out, target.path.data, target.path.length);
		else
		{
			StringInfoData merged;
			int			kept = from.path.length;

			while (kept > 0 && from.path.data[kept - 1] != '/')
				kept--;
			initStringInfo(&merged);
			if (kept == 0 && from.authority.data)
				appendStringInfoChar(&merged, '/');
			appendBinaryStringInfo(&merged, from.path.data, kept);
			appendBinaryStringInfo(&merged, target.path.data, target.path.length);
			append_path(&out, merged.data, merged.len);
		}
	}
	append_part(&out, "?", target.query, "");
	append_part(&out, "#", target.fragment, "");
	return out.data;
}

char *
uri_cut_fragment(char *uri)
{
	char	   *hash = strchr(uri, '#');

	if (hash == NULL)
		return uri + strlen(uri);
	*hash = '\0';
	return hash + 1;
}

bool
uri_decode(char *text)
{
	char	   *out = text;

	for (; *text; text++)
	{
		if (*text == '%')
		{
			int			high = hex_value(text[1]);
			int			low = high < 0 ? -1 : hex_value(text[2]);

			if (low < 0 || high * 16 + low == 0)
				return false;
			*out++ = (char) (high * 16 + low);
			text += 2;
		}
		else
			*out++ = *text;
	}
	*out = '\0';
	return true;
}
