/*
 * head.c
 *	  The request line, then one pass over the fields, then the checks in their order.
 *
 * Where two readers could differ the request is refused and its connection closed,
 * so that nothing behind it is read as another request.
 */
#include "http/head.h"

#include <string.h>
#include <strings.h>

/* Besides letters and digits: tchar of RFC 9110 section 5.6.2. */
#define TOKEN "!#$%&'*+-.^_`|~"
/* uri-host and port of RFC 3986 section 3.2: unreserved, sub-delims, % and what an IP literal has. */
#define HOST "-._~!$&'()*+,;=%[]:"
#define LENGTH_MOST_DIGITS 18

#define MALFORMED(name, text) static const HeadFault name = {400, "malformed_request", text, false}

const HeadFault head_broken = {400, "malformed_request", "the request is not framed as RFC 9112 has it", false};
const HeadFault head_cut = {400, "malformed_request", "the request ends before its head does", false};

static const HeadFault long_target = {414, "uri_too_long", "the request target is longer than the server takes", false};
static const HeadFault large_head = {431, "header_too_large", "the request line and headers are larger than the server takes", false};
static const HeadFault other_version = {505, "http_version_not_supported", "the server speaks HTTP/1.1", false};
static const HeadFault other_coding = {501, "not_implemented", "Transfer-Encoding must be chunked", true};
const HeadFault head_large_body = {413, "payload_too_large", "the body is larger than the server takes", true};
static const HeadFault bad_length = {400, "malformed_request", "Content-Length must be a number", true};

MALFORMED(bad_line, "the request line must be a method, a target and HTTP/1.1");
MALFORMED(bad_method, "the method is not a token");
MALFORMED(space_in_target, "the request target must not contain a space; write it as %20");
MALFORMED(bad_target, "the request target must be a path");
MALFORMED(bad_authority, "the authority of the request target must be a host, without user information");
MALFORMED(bad_name, "a header field has a name that is not a token");
MALFORMED(twice_framed, "Host, Content-Length and Transfer-Encoding must stand once, and not both of the latter");
MALFORMED(no_host, "Host is required in HTTP/1.1");
MALFORMED(bad_host, "Host must be a host, perhaps with a port");
MALFORMED(twice_single, "Authorization, Content-Type and Idempotency-Key must stand once");
MALFORMED(old_coding, "Transfer-Encoding is not part of HTTP/1.0");

/* A slice of the head. */
typedef struct Slice
{
	char	   *at;
	size_t		length;
} Slice;

typedef struct Fields
{
	int			count;
	int			hosts;
	int			content_lengths;
	int			transfer_encodings;
	int			authorizations;
	int			content_types;
	int			idempotency_keys;
	bool		bad_name;
	bool		bad_host;
	Slice		content_length;
	Slice		transfer_encoding;
	Slice		framing;		/* the name of either */
} Fields;

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool
is_number(Slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (!is_digit(text.at[i]))
			return false;
	return true;
}

/* Letters, digits and these others? */
static bool
is_all_of(Slice text, const char *others)
{
	for (size_t i = 0; i < text.length; i++)
	{
		char		byte = text.at[i];

		if (!is_digit(byte) && !(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') && (byte == '\0' || strchr(others, byte) == NULL))
			return false;
	}
	return true;
}

static bool
is_word(Slice text, const char *word)
{
	return text.length == strlen(word) && strncasecmp(text.at, word, text.length) == 0;
}

static bool
begins_with(Slice text, const char *word)
{
	return text.length >= strlen(word) && strncasecmp(text.at, word, strlen(word)) == 0;
}

static Slice
trim(Slice text)
{
	while (text.length > 0 && (*text.at == ' ' || *text.at == '\t'))
		text.at++, text.length--;
	while (text.length > 0 && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
		text.length--;
	return text;
}

static void
note_field(Fields *fields, Slice name, Slice value)
{
	fields->count++;
	fields->bad_name = fields->bad_name || name.length == 0 || !is_all_of(name, TOKEN);
	fields->authorizations += is_word(name, "Authorization");
	fields->content_types += is_word(name, "Content-Type");
	fields->idempotency_keys += is_word(name, "Idempotency-Key");
	if (is_word(name, "Host"))
	{
		fields->hosts++;
		fields->bad_host = fields->bad_host || !is_all_of(value, HOST);
	}
	else if (is_word(name, "Content-Length"))
	{
		fields->content_lengths++;
		fields->content_length = value;
		fields->framing = name;
	}
	else if (is_word(name, "Transfer-Encoding"))
	{
		fields->transfer_encodings++;
		fields->transfer_encoding = value;
		fields->framing = name;
	}
	else if (is_word(name, "Cookie"))
		memcpy(name.at, "X-None", 6);
}

/* The lines from at to the empty line, each with a colon: see guard.c. */
static void
note_fields(Fields *fields, char *at, const char *end)
{
	while (end - at > 2)
	{
		char	   *stop = memchr(at, '\r', (size_t) (end - at));
		char	   *colon = memchr(at, ':', (size_t) (stop - at));

		note_field(fields, (Slice) {at, (size_t) (colon - at)}, trim((Slice) {colon + 1, (size_t) (stop - colon - 1)}));
		at = stop + 2;
	}
}

/* A path, an http URL with a host, or * for OPTIONS (RFC 9112 section 3.2). */
static const HeadFault *
target_fault(Slice method, Slice target)
{
	size_t		scheme = begins_with(target, "http://") ? 7 : begins_with(target, "https://") ? 8 : 0;
	size_t		length = 0;

	if (*target.at == '/' || (is_word(target, "*") && is_word(method, "OPTIONS")))
		return NULL;
	if (scheme == 0)
		return &bad_target;
	while (scheme + length < target.length && strchr("/?#", target.at[scheme + length]) == NULL)
		length++;
	return length == 0 || memchr(target.at + scheme, '@', length) ? &bad_authority : NULL;
}

static const HeadFault *
version_fault(Slice version, bool *old)
{
	*old = version.length == 8 && memcmp(version.at, "HTTP/1.0", 8) == 0;
	if (*old || (version.length == 8 && memcmp(version.at, "HTTP/1.1", 8) == 0))
		return NULL;
	return version.length == 8 && memcmp(version.at, "HTTP/", 5) == 0 && version.at[6] == '.' &&
		is_digit(version.at[5]) && is_digit(version.at[7]) ?
		&other_version : &bad_line;
}

static const HeadFault *
line_fault(Slice line, bool *old)
{
	char	   *first = memchr(line.at, ' ', line.length);
	char	   *last = memrchr(line.at, ' ', line.length);
	Slice		method = {line.at, first ? (size_t) (first - line.at) : 0};
	Slice		target;
	const HeadFault *fault;
	char	   *mark;

	if (first == NULL || first == last)
		return &bad_line;
	target = (Slice) {first + 1, (size_t) (last - first - 1)};
	fault = version_fault((Slice) {last + 1, line.length - (size_t) (last + 1 - line.at)}, old);
	if (fault)
		return fault;
	if (memchr(target.at, ' ', target.length))
		return &space_in_target;
	if (target.length > HEAD_MOST_TARGET)
		return &long_target;
	if (!is_all_of(method, TOKEN))
		return &bad_method;
	fault = target_fault(method, target);
	mark = memchr(target.at, '?', target.length);
	if (mark)
		*mark = HEAD_QUERY_MARK;
	return fault;
}

static const HeadFault *
fields_fault(const Fields *fields, bool old)
{
	if (fields->count > HEAD_MOST_FIELDS)
		return &large_head;
	if (fields->bad_name)
		return &bad_name;
	if (fields->content_lengths > 1 || fields->hosts > 1 || fields->transfer_encodings > 1 ||
		(fields->content_lengths > 0 && fields->transfer_encodings > 0))
		return &twice_framed;
	if (!old && fields->hosts == 0)
		return &no_host;
	if (fields->bad_host)
		return &bad_host;
	if (fields->authorizations > 1 || fields->content_types > 1 || fields->idempotency_keys > 1)
		return &twice_single;
	if (old && fields->transfer_encodings > 0)
		return &old_coding;
	if (fields->transfer_encodings > 0 && !is_word(fields->transfer_encoding, "chunked"))
		return &other_coding;
	if (fields->content_lengths > 0 && (fields->content_length.length == 0 || !is_number(fields->content_length)))
		return &bad_length;
	return fields->content_length.length > LENGTH_MOST_DIGITS ? &head_large_body : NULL;
}

Head
head_read(char *bytes, size_t length)
{
	Head		head = {0};
	Fields		fields = {0};
	char	   *stop = memchr(bytes, '\r', length);
	bool		old = false;

	head.fault = line_fault((Slice) {bytes, (size_t) (stop - bytes)}, &old);
	if (head.fault == NULL && length > HEAD_MOST_BYTES)
		head.fault = &large_head;
	if (head.fault)
		return head;
	note_fields(&fields, stop + 2, bytes + length);
	head.fault = fields_fault(&fields, old);
	if (head.fault && head.fault->readable && fields.framing.at)
		memcpy(fields.framing.at, "X-None", 6);
	head.chunked = fields.transfer_encodings > 0;
	for (size_t i = 0; head.fault == NULL && i < fields.content_length.length; i++)
		head.length = head.length * 10 + (uint64_t) (fields.content_length.at[i] - '0');
	return head;
}

const HeadFault *
head_too_large(const char *bytes, size_t length)
{
	const char *stop = memchr(bytes, '\r', length);

	if (stop == NULL && length > HEAD_MOST_TARGET + 64)
		return &long_target;
	return length > HEAD_MOST_BYTES ? &large_head : NULL;
}
