/*
 * digest_fields.c
 *	  What header fields say that a body digests to, held against what comes.
 *
 * Each field is a list of claims, an algorithm and the digest as text; the digest of what
 * has come is written in the same form and compared.  Only algorithms that are
 * claimed are computed.  Where Content-Digest names several, those that are not
 * known are passed over, as RFC 9530 section 2 allows, unless it names no other:
 * who sent the field would take the body for checked.
 */
#include "stream/digest_fields.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "exchange/problem.h"

#define CLAIMS_MOST 16

typedef enum Algorithm
{
	MD5, SHA1, SHA256, SHA512, ALGORITHMS
} Algorithm;

static const struct
{
	const char *name;			/* in RFC 9530's registry */
	const EVP_MD *(*type) (void);
} algorithms[ALGORITHMS] = {{"md5", EVP_md5}, {"sha", EVP_sha1}, {"sha-256", EVP_sha256}, {"sha-512", EVP_sha512}};

/* Fields of one digest, in base64 or hexadecimal digits. */
static const struct
{
	const char *name;
	const char *path;
	Algorithm	algorithm;
	bool		hexadecimal;
} single[] = {
	{"Content-MD5", "@Content-MD5", MD5, false},
	{"x-amz-checksum-sha1", "@x-amz-checksum-sha1", SHA1, false},
	{"x-amz-checksum-sha256", "@x-amz-checksum-sha256", SHA256, false},
	{"x-amz-content-sha256", "@x-amz-content-sha256", SHA256, true},
};

static const char *const unknown[][2] = {
	{"x-amz-checksum-crc32", "@x-amz-checksum-crc32"},
	{"x-amz-checksum-crc32c", "@x-amz-checksum-crc32c"},
	{"x-amz-checksum-crc64nvme", "@x-amz-checksum-crc64nvme"},
	{"Digest", "@Digest"},
};

typedef struct Claim
{
	const char *path;			/* "@Content-MD5" */
	Algorithm	algorithm;
	bool		hexadecimal;
	const char *text;			/* the digest; its length is in the next */
	size_t		length;
} Claim;

struct DigestFields
{
	EVP_MD_CTX *contexts[ALGORITHMS];	/* NULL: not claimed */
	Claim		claims[CLAIMS_MOST];
	int			count;
};

/* False when there are too many, or the library has no such digest (in FIPS mode it has no MD5). */
static bool
add(DigestFields *fields, Claim claim)
{
	EVP_MD_CTX **context = &fields->contexts[claim.algorithm];

	if (fields->count == CLAIMS_MOST)
		return false;
	if (*context == NULL)
	{
		if ((*context = EVP_MD_CTX_new()) == NULL)
			abort();
		if (EVP_DigestInit_ex(*context, algorithms[claim.algorithm].type(), NULL) != 1)
			return false;
	}
	fields->claims[fields->count++] = claim;
	return true;
}

static const char *
skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/* Read a dictionary of byte sequences (RFC 9651 sections 3.2 and 3.3.5); false when it is none. */
static bool
read_dictionary(DigestFields *fields, const char *path, const char *text, bool *known)
{
	for (const char *at = skip_space(text);; at = skip_space(at + 1))
	{
		size_t		name = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_-.*");
		const char *value = at + name + 2;
		size_t		length;

		if (name == 0 || at[name] != '=' || at[name + 1] != ':')
			return false;
		length = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
		if (value[length] != ':')
			return false;
		for (int i = 0; i < ALGORITHMS; i++)
			if (strlen(algorithms[i].name) == name && memcmp(at, algorithms[i].name, name) == 0)
				*known = add(fields, (Claim) {path, (Algorithm) i, false, value, length}) || *known;
		at = skip_space(value + length + 1);
		/* parameters mean nothing here */
		if (*at == ';')
			at += strcspn(at, ",");
		if (*at == '\0')
			return true;
		if (*at != ',')
			return false;
	}
}

static bool
read_list(DigestFields *fields, Request *request, const char *name, const char *path)
{
	const char *text = request_header(request, name);
	bool		known = false;

	if (text == NULL)
		return true;
	if (!read_dictionary(fields, path, text, &known))
		problem_violation(request, path, "format", "must be a list such as sha-256=:4REjxQ4yrqUVicfSKYNO/cF9zNj5ANbzgDZt3/h3Qxo=:");
	else if (!known)
		problem_violation(request, path, "unsupported", "must name sha-256, sha-512, sha or md5: the server computes no other digest");
	else
		return true;
	return false;
}

DigestFields *
digest_fields_read(Request *request, bool *checkable)
{
	DigestFields *fields = calloc(1, sizeof(DigestFields));
	bool		good;

	if (fields == NULL)
		abort();
	good = read_list(fields, request, "Content-Digest", "@Content-Digest");
	good = read_list(fields, request, "Repr-Digest", "@Repr-Digest") && good;
	for (size_t i = 0; i < sizeof(single) / sizeof(*single); i++)
	{
		const char *text = request_header(request, single[i].name);

		/* what S3's clients send who do not digest a body */
		if (text == NULL || (single[i].hexadecimal && strcmp(text, "UNSIGNED-PAYLOAD") == 0))
			continue;
		if (!add(fields, (Claim) {single[i].path, single[i].algorithm, single[i].hexadecimal, text, strlen(text)}))
		{
			problem_violation(request, single[i].path, "unsupported", "must not be sent: the server does not compute this digest");
			good = false;
		}
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		if (request_header(request, unknown[i][0]))
		{
			problem_violation(request, unknown[i][1], "unsupported", "must not be sent: Content-Digest with sha-256 is checked");
			good = false;
		}
	*checkable = good;
	if (good && fields->count > 0)
		return fields;
	digest_fields_free(fields);
	return NULL;
}

void
digest_fields_take(DigestFields *fields, const void *bytes, size_t length)
{
	for (int i = 0; fields && i < ALGORITHMS; i++)
		if (fields->contexts[i] && EVP_DigestUpdate(fields->contexts[i], bytes, length) != 1)
			abort();
}

static bool
fits(const Claim *claim, const unsigned char *digest, unsigned int size)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	char		text[2 * EVP_MAX_MD_SIZE + 1] = "";

	if (claim->hexadecimal)
		return claim->length == 2 * size && hex_bytes(claim->text, bytes, size) && memcmp(bytes, digest, size) == 0;
	EVP_EncodeBlock((unsigned char *) text, digest, (int) size);
	return strlen(text) == claim->length && memcmp(text, claim->text, claim->length) == 0;
}

bool
digest_fields_fit(DigestFields *fields, Request *request)
{
	unsigned char digests[ALGORITHMS][EVP_MAX_MD_SIZE];
	unsigned int sizes[ALGORITHMS] = {0};
	bool		all = true;

	for (int i = 0; fields && i < ALGORITHMS; i++)
		if (fields->contexts[i] && EVP_DigestFinal_ex(fields->contexts[i], digests[i], &sizes[i]) != 1)
			abort();
	for (int i = 0; fields && i < fields->count; i++)
	{
		const Claim *claim = &fields->claims[i];

		if (fits(claim, digests[claim->algorithm], sizes[claim->algorithm]))
			continue;
		problem_violation(request, claim->path, "digest",
						  arena_format(&request->arena, "does not fit the body, whose %s is another", algorithms[claim->algorithm].name));
		all = false;
	}
	return all;
}

void
digest_fields_free(DigestFields *fields)
{
	for (int i = 0; fields && i < ALGORITHMS; i++)
		EVP_MD_CTX_free(fields->contexts[i]);
	free(fields);
}
