/*
 * sigv4.c
 *	  The canonical request, the string to sign, the signature.
 *
 * The payload is not signed (UNSIGNED-PAYLOAD): what binds it is a signed checksum
 * header.  Parameters stand in the URL in the order in which they are signed.
 */
#include "base/compat.h"

#include "attachment/sigv4.h"
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DATE_DIGITS 8
#define OWN_PARAMETERS 6

void
sigv4_encode(StringInfo out, const char *text, bool keep_slashes)
{
	for (const unsigned char *c = (const unsigned char *) text; *c; c++)
		if ((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || strchr("-._~", *c) || (keep_slashes && *c == '/'))
			appendStringInfoChar(out, (char) *c);
		else
			appendStringInfo(out, "%%%02X", *c);
}

static void
append_hex(StringInfo out, const uint8 *bytes, int length)
{
	for (int i = 0; i < length; i++)
		appendStringInfo(out, "%02x", bytes[i]);
}

static void
append_sha256(StringInfo out, const char *text, int length)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (hash == NULL || pg_cryptohash_init(hash) < 0 || pg_cryptohash_update(hash, (const uint8 *) text, length) < 0 ||
		pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
	pg_cryptohash_free(hash);
	append_hex(out, digest, sizeof(digest));
}

static void
append_hmac(StringInfo out, const uint8 *key, const char *text, int length)
{
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (hmac == NULL || pg_hmac_init(hmac, key, SIGV4_KEY_BYTES) < 0 || pg_hmac_update(hmac, (const uint8 *) text, length) < 0 ||
		pg_hmac_final(hmac, digest, sizeof(digest)) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute an HMAC")));
	pg_hmac_free(hmac);
	append_hex(out, digest, sizeof(digest));
}

static int
compare_pairs(const void *left, const void *right)
{
	const SigV4Pair *a = left;
	const SigV4Pair *b = right;
	int			order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->value, b->value);
}

/* name=value&… of sorted, encoded pairs. */
static void
append_query(StringInfo out, const SigV4Pair *pairs, int count)
{
	for (int i = 0; i < count; i++)
		appendStringInfo(out, "%s%s=%s", i > 0 ? "&" : "", pairs[i].name, pairs[i].value);
}

static SigV4Pair
encoded_pair(const char *name, const char *value)
{
	StringInfoData encoded_name;
	StringInfoData encoded_value;

	initStringInfo(&encoded_name);
	initStringInfo(&encoded_value);
	sigv4_encode(&encoded_name, name, false);
	sigv4_encode(&encoded_value, value, false);
	return (SigV4Pair) {encoded_name.data, encoded_value.data};
}

/* Names of the signed headers, with semicolons between; the headers are sorted. */
static char *
signed_names(const SigV4Pair *headers, int count)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < count; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ";" : "", headers[i].name);
	return names.data;
}

/* All parameters but the signature, encoded and sorted; gives their number. */
static int
make_query(const SigV4Request *request, const char *names, SigV4Pair *pairs)
{
	char	   *credential = psprintf("%s/%.*s/%s/s3/aws4_request", request->access_key, DATE_DIGITS, request->time, request->region);
	int			count = 0;

	pairs[count++] = encoded_pair("X-Amz-Algorithm", ALGORITHM);
	pairs[count++] = encoded_pair("X-Amz-Credential", credential);
	pairs[count++] = encoded_pair("X-Amz-Date", request->time);
	pairs[count++] = encoded_pair("X-Amz-Expires", psprintf("%d", request->seconds));
	pairs[count++] = encoded_pair("X-Amz-SignedHeaders", names);
	if (request->session_token)
		pairs[count++] = encoded_pair("X-Amz-Security-Token", request->session_token);
	for (int i = 0; i < request->query_count; i++)
		pairs[count++] = encoded_pair(request->query[i].name, request->query[i].value);
	qsort(pairs, count, sizeof(SigV4Pair), compare_pairs);
	return count;
}

/* A header's value without white space around it, and with one space where it has several. */
static void
append_trimmed(StringInfo out, const char *value)
{
	bool		gap = false;

	for (value += strspn(value, " \t"); *value; value++)
	{
		if (*value == ' ' || *value == '\t')
		{
			gap = true;
			continue;
		}
		if (gap)
			appendStringInfoChar(out, ' ');
		gap = false;
		appendStringInfoChar(out, *value);
	}
}

char *
sigv4_presign(const SigV4Request *request)
{
	SigV4Pair	headers[SIGV4_MOST_PAIRS + 1];
	SigV4Pair	pairs[SIGV4_MOST_PAIRS + OWN_PARAMETERS + 1];
	StringInfoData path;
	StringInfoData canonical;
	StringInfoData to_sign;
	StringInfoData signature;
	StringInfoData url;
	char	   *names;
	int			count;

	memcpy(headers, request->headers, sizeof(SigV4Pair) * request->header_count);
	headers[request->header_count] = (SigV4Pair) {"host", strstr(request->origin, "://") + 3};
	qsort(headers, request->header_count + 1, sizeof(SigV4Pair), compare_pairs);
	names = signed_names(headers, request->header_count + 1);
	count = make_query(request, names, pairs);
	initStringInfo(&path);
	sigv4_encode(&path, request->path, true);
	initStringInfo(&canonical);
	appendStringInfo(&canonical, "%s\n%s\n", request->method, path.data);
	append_query(&canonical, pairs, count);
	appendStringInfoChar(&canonical, '\n');
	for (int i = 0; i <= request->header_count; i++)
	{
		appendStringInfo(&canonical, "%s:", headers[i].name);
		append_trimmed(&canonical, headers[i].value);
		appendStringInfoChar(&canonical, '\n');
	}
	appendStringInfo(&canonical, "\n%s\nUNSIGNED-PAYLOAD", names);
	initStringInfo(&to_sign);
	appendStringInfo(&to_sign, ALGORITHM "\n%s\n%.*s/%s/s3/aws4_request\n", request->time, DATE_DIGITS, request->time, request->region);
	append_sha256(&to_sign, canonical.data, canonical.len);
	initStringInfo(&signature);
	append_hmac(&signature, request->signing_key, to_sign.data, to_sign.len);
	pairs[count++] = (SigV4Pair) {"X-Amz-Signature", signature.data};
	qsort(pairs, count, sizeof(SigV4Pair), compare_pairs);
	initStringInfo(&url);
	appendStringInfo(&url, "%s%s?", request->origin, path.data);
	append_query(&url, pairs, count);
	return url.data;
}
