/*
 * form.c
 *	  What a line that is no JSON object seems to be, for who sent it: another
 *	  encoding, an archive, a document of several lines, an array, CSV.
 */
#include "base/compat.h"

#include "bulk/bulk.h"
#include "common/utf8.h"

#define ONE_OBJECT "each line must be one whole JSON object (NDJSON)"
#define AS_LINES "send the items of an array as lines, without brackets around them and commas between them (NDJSON)"

const char *
bulk_form_of_bytes(const char *text, int length)
{
	if (length >= 4 && memcmp(text, "PK\003\004", 4) == 0)
		return "is a ZIP archive, as XLSX files are: " ONE_OBJECT;
	if (length >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
		return "is compressed: say Content-Encoding: gzip, or send it unpacked";
	if (utf8_is_wider(text, length))
		return "is UTF-16 or UTF-32: send UTF-8";
	return NULL;
}

const char *
bulk_form_of_line(const char *text, int length)
{
	char		first;
	char		last;

	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		length--;
	while (length > 0 && strchr(" \t", *text))
	{
		text++;
		length--;
	}
	first = length > 0 ? text[0] : ' ';
	last = length > 0 ? text[length - 1] : ' ';
	if (first == '[' || first == ']')
		return "is an array or a part of one: " AS_LINES;
	if (first == '{' && last == ',')
		return "ends with a comma: " AS_LINES;
	if (first == '{' && last != '}')
		return "ends before its object does: " ONE_OBJECT;
	if (first == '"' || first == '}')
		return "is a part of an object: " ONE_OBJECT;
	return first == '{' ? NULL : "does not begin as an object does: " ONE_OBJECT;
}
