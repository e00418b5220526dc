/*
 * signed_url.c
 *	  Signing for either store, and checking what the embedded store is asked.
 *
 * A URL of the embedded store is
 * <base>/storage/<tenant>/<id>?contentType=…&expires=…&filename=…&sha256=…&size=…&signature=…
 * with the parameters that bind.  The signature is HMAC-SHA-256 over all of them and the
 * method, each with its length in front, absent ones too; it is compared in constant time.
 */
#include "base/compat.h"

#include "attachment/signed_url.h"
#include "attachment/sigv4.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/seal.h"
#include "base/secret.h"
#include "common/base64.h"
#include "common/hex.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "caller/context.h"
#include "caller/throttle.h"
#include "utils/timestamp.h"

#define PURPOSE "qehs object 1"
#define SIGNATURE_DIGITS (2 * PG_SHA256_DIGEST_LENGTH)

static const char *
kind_of(const Jsonb *storage)
{
	const char *kind = storage ? json_member_text(&storage->root, "kind") : NULL;

	return kind ? kind : "local";
}

bool
signed_url_is_s3(const Jsonb *storage)
{
	return strcmp(kind_of(storage), "s3") == 0;
}

bool
signed_url_is_sha256(const char *text)
{
	return strlen(text) == 2 * PG_SHA256_DIGEST_LENGTH && hex_is_lower(text, 2 * PG_SHA256_DIGEST_LENGTH);
}

void
signed_url_require_store(const Jsonb *storage)
{
	if (strcmp(kind_of(storage), "none") == 0)
		problem_raise(PROBLEM_UNAVAILABLE, "Start the shim with --storage, or with the settings of S3.", "the server has no object store");
}

/* ---- the embedded store ---- */

static int64
seconds_of(TimestampTz time)
{
	return time / USECS_PER_SEC + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

/* Feed a text with its length in front; NULL is unlike every text. */
static bool
feed(pg_hmac_ctx *hmac, const char *text)
{
	uint32		length = text ? strlen(text) : PG_UINT32_MAX;

	return pg_hmac_update(hmac, (const uint8 *) &length, sizeof(length)) >= 0 &&
		(text == NULL || pg_hmac_update(hmac, (const uint8 *) text, length) >= 0);
}

static void
sign(const uint8 *secret, const SignedUrl *what, const char *expires, char *signature)
{
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char		size[32];

	snprintf(size, sizeof(size), INT64_FORMAT, what->size);
	if (hmac == NULL || pg_hmac_init(hmac, secret, QEHS_SECRET_BYTES) < 0 || !feed(hmac, PURPOSE) || !feed(hmac, what->method) ||
		!feed(hmac, what->tenant) || !feed(hmac, what->id) || !feed(hmac, expires) || !feed(hmac, what->content_type) ||
		!feed(hmac, what->filename) || !feed(hmac, what->size < 0 ? NULL : size) || !feed(hmac, what->sha256) ||
		pg_hmac_final(hmac, digest, sizeof(digest)) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute an HMAC")));
	pg_hmac_free(hmac);
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		snprintf(signature + 2 * i, 3, "%02x", digest[i]);
}

static void
append_parameter(StringInfo url, const char *name, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(url, "%c%s=", strchr(url->data, '?') ? '&' : '?', name);
	sigv4_encode(url, value, false);
}

static char *
make_local(const Jsonb *storage, const SignedUrl *what, TimestampTz expires_at)
{
	const char *base = storage ? json_member_text(&storage->root, "baseUrl") : NULL;
	char	   *expires = psprintf(INT64_FORMAT, seconds_of(expires_at));
	char		signature[SIGNATURE_DIGITS + 1];
	StringInfoData url;

	secret_count();
	sign(secret_value(0), what, expires, signature);
	initStringInfo(&url);
	appendStringInfo(&url, "%s/storage/%s/%s", base ? base : "", what->tenant, what->id);
	append_parameter(&url, "contentType", what->content_type);
	append_parameter(&url, "expires", expires);
	append_parameter(&url, "filename", what->filename);
	append_parameter(&url, "sha256", what->sha256);
	append_parameter(&url, "size", what->size < 0 ? NULL : psprintf(INT64_FORMAT, what->size));
	append_parameter(&url, "signature", signature);
	return url.data;
}

/* Refuse; who tries URLs out is slowed down as who tries keys is. */
pg_noreturn static void
refuse(const char *message)
{
	const RequestContext *context = context_find();
	StringInfoData headers;

	initStringInfo(&headers);
	if (context)
		throttle_address(context->address, true, &headers);
	problem_raise(PROBLEM_FORBIDDEN, "Ask for a new URL: one is good for its method, object and parameters, and for a few minutes.", "%s", message);
}

void
signed_url_check(const SignedUrl *what, const char *expires, const char *signature)
{
	char		expected[SIGNATURE_DIGITS + 1];
	bool		same = false;
	int			count = secret_count();

	for (int i = 0; i < count; i++)
	{
		sign(secret_value(i), what, expires, expected);
		same |= strlen(signature) == SIGNATURE_DIGITS && seal_same_bytes(expected, signature, SIGNATURE_DIGITS);
	}
	if (!same)
		refuse("the URL was not signed for this request");
	/* signed, so it is a number */
	if (strtoll(expires, NULL, 10) <= seconds_of(clock_now()))
		refuse("the URL has expired");
}

/* ---- S3 ---- */

static const char *
member(const Jsonb *storage, const char *name)
{
	const char *text = json_member_text(&storage->root, name);

	if (text == NULL)
		problem_raise(PROBLEM_INVALID_PARAMETER, NULL, "the description of the object store lacks \"%s\"", name);
	return text;
}

static void
read_signing_key(const Jsonb *storage, uint8 *key)
{
	const char *text = member(storage, "signingKey");

	if (strlen(text) != 2 * SIGV4_KEY_BYTES || !hex_bytes(text, key, SIGV4_KEY_BYTES))
		problem_raise(PROBLEM_INVALID_PARAMETER, NULL, "the signing key of the object store is none");
}

/* Of a URL: who signs, and until when. */
static void
fill_credentials(const Jsonb *storage, SigV4Request *request)
{
	const char *token = member(storage, "sessionToken");

	request->time = member(storage, "time");
	request->region = member(storage, "region");
	request->access_key = member(storage, "accessKey");
	request->session_token = *token ? token : NULL;
	read_signing_key(storage, request->signing_key);
}

/* x-amz-checksum-sha256 is base64 of the digest. */
static char *
checksum(const char *sha256)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	int			room = pg_b64_enc_len(sizeof(digest));
	char	   *text = palloc(room + 1);
	int			length;

	if (!hex_bytes(sha256, digest, sizeof(digest)))
		elog(ERROR, "\"%s\" is no SHA-256", sha256);
	length = pg_b64_encode((const Base64Byte *) digest, sizeof(digest), text, room);
	text[Max(length, 0)] = '\0';
	return text;
}

/* Headers that bind a PUT; gives how many. */
static int
put_headers(const SignedUrl *what, SigV4Pair *headers)
{
	int			count = 0;

	if (strcmp(what->method, "PUT") != 0)
		return 0;
	if (what->size >= 0)
		headers[count++] = (SigV4Pair) {"content-length", psprintf(INT64_FORMAT, what->size)};
	if (what->content_type)
		headers[count++] = (SigV4Pair) {"content-type", what->content_type};
	if (what->sha256)
		headers[count++] = (SigV4Pair) {"x-amz-checksum-sha256", checksum(what->sha256)};
	return count;
}

/* What the answer to a GET is to say. */
static int
get_parameters(const SignedUrl *what, SigV4Pair *query)
{
	int			count = 0;

	if (strcmp(what->method, "GET") != 0)
		return 0;
	if (what->filename)
		query[count++] = (SigV4Pair) {"response-content-disposition", signed_url_disposition(what->filename)};
	if (what->content_type)
		query[count++] = (SigV4Pair) {"response-content-type", what->content_type};
	return count;
}

static char *
make_s3(const Jsonb *storage, const SignedUrl *what)
{
	const char *endpoint = member(storage, "endpoint");
	const char *bucket = member(storage, "bucket");
	const char *host = strstr(endpoint, "://");
	bool		in_path = strcmp(member(storage, "style"), "path") == 0;
	SigV4Request request = {.method = what->method,.seconds = what->seconds};

	if (host == NULL)
		problem_raise(PROBLEM_INVALID_PARAMETER, NULL, "the endpoint of the object store is no URL");
	host += 3;
	request.origin = in_path ? endpoint : psprintf("%.*s%s.%s", (int) (host - endpoint), endpoint, bucket, host);
	request.path = psprintf("%s%s/%s%s/%s", in_path ? "/" : "", in_path ? bucket : "", member(storage, "prefix"), what->tenant, what->id);
	request.header_count = put_headers(what, request.headers);
	request.query_count = get_parameters(what, request.query);
	request.query[request.query_count++] = (SigV4Pair) {"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"};
	fill_credentials(storage, &request);
	return sigv4_presign(&request);
}

/* ---- the interface ---- */

char *
signed_url_make(const Jsonb *storage, const SignedUrl *what, TimestampTz *expires_at)
{
	/* the embedded store counts whole seconds */
	*expires_at = (clock_now() / USECS_PER_SEC + what->seconds) * USECS_PER_SEC;
	return signed_url_is_s3(storage) ? make_s3(storage, what) : make_local(storage, what, *expires_at);
}

void
signed_url_write_headers(StringInfo out, const Jsonb *storage, const SignedUrl *what)
{
	appendStringInfoChar(out, '{');
	if (what->content_type)
	{
		json_literal(out, "\"Content-Type\":");
		json_string(out, what->content_type);
	}
	if (what->sha256 && signed_url_is_s3(storage))
	{
		appendStringInfo(out, "%s\"x-amz-checksum-sha256\":", what->content_type ? "," : "");
		json_string(out, checksum(what->sha256));
	}
	appendStringInfoChar(out, '}');
}

/* Is the character one that a quoted file name may have in any client? */
static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && strchr("\"\\%/:*?<>|;", c) == NULL;
}

char *
signed_url_disposition(const char *filename)
{
	StringInfoData out;
	bool		plain = true;

	initStringInfo(&out);
	appendStringInfoString(&out, "attachment; filename=\"");
	for (const unsigned char *c = (const unsigned char *) filename; *c; c++)
	{
		plain = plain && is_plain(*c);
		/* one character for each that is not plain, of however many bytes */
		if ((*c & 0xC0) != 0x80)
			appendStringInfoChar(&out, is_plain(*c) ? (char) *c : '_');
	}
	appendStringInfoChar(&out, '"');
	if (!plain)
	{
		appendStringInfoString(&out, "; filename*=UTF-8''");
		sigv4_encode(&out, filename, false);
	}
	return out.data;
}
