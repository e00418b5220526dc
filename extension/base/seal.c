/*
 * seal.c
 *	  A stream cipher and authenticator of HMAC-SHA-256 (RFC 2104): the keystream
 *	  is HMAC(credential, nonce, block number), the tag HMAC over nonce and
 *	  ciphertext.  PostgreSQL's core has no other cipher.  The credential is an
 *	  API key of 256 random bits, the nonce 16 random bytes.
 */
#include "base/compat.h"

#include "base/seal.h"
#include "common/base64.h"
#include "common/hmac.h"
#include "common/sha2.h"

#define NONCE_BYTES 16
#define TAG_BYTES 32
#define BLOCK_BYTES PG_SHA256_DIGEST_LENGTH
#define TAG_BLOCK PG_UINT32_MAX

static void
compute(const char *credential, const uint8 *nonce, uint32 block, const uint8 *data, int length, uint8 *digest)
{
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);

	if (hmac == NULL || pg_hmac_init(hmac, (const uint8 *) credential, strlen(credential)) < 0 ||
		pg_hmac_update(hmac, nonce, NONCE_BYTES) < 0 ||
		pg_hmac_update(hmac, (const uint8 *) &block, sizeof(block)) < 0 ||
		pg_hmac_update(hmac, data, length) < 0 ||
		pg_hmac_final(hmac, digest, BLOCK_BYTES) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute an HMAC")));
	pg_hmac_free(hmac);
}

static void
apply_keystream(const char *credential, const uint8 *nonce, uint8 *data, int length)
{
	uint8		block[BLOCK_BYTES];

	for (int i = 0; i < length; i++)
	{
		if (i % BLOCK_BYTES == 0)
			compute(credential, nonce, (uint32) (i / BLOCK_BYTES), (const uint8 *) "", 0, block);
		data[i] ^= block[i % BLOCK_BYTES];
	}
}

char *
seal_close(const char *credential, const char *text, int length)
{
	int			total = NONCE_BYTES + TAG_BYTES + length;
	uint8	   *bytes = palloc(total);
	uint8	   *data = bytes + NONCE_BYTES + TAG_BYTES;
	char	   *sealed = palloc(pg_b64_enc_len(total) + 1);
	int			written;

	if (!pg_strong_random(bytes, NONCE_BYTES))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes")));
	memcpy(data, text, length);
	apply_keystream(credential, bytes, data, length);
	compute(credential, bytes, TAG_BLOCK, data, length, bytes + NONCE_BYTES);
	written = pg_b64_encode((const Base64Byte *) bytes, total, sealed, pg_b64_enc_len(total));
	sealed[Max(written, 0)] = '\0';
	return sealed;
}

char *
seal_open(const char *credential, const char *sealed)
{
	int			capacity = pg_b64_dec_len(strlen(sealed));
	uint8	   *bytes = palloc(capacity + 1);
	int			total = pg_b64_decode(sealed, strlen(sealed), (Base64Byte *) bytes, capacity);
	uint8	   *data = bytes + NONCE_BYTES + TAG_BYTES;
	uint8		tag[TAG_BYTES];

	if (total < NONCE_BYTES + TAG_BYTES)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a sealed text is too short")));
	total -= NONCE_BYTES + TAG_BYTES;
	compute(credential, bytes, TAG_BLOCK, data, total, tag);
	if (!seal_same_bytes(tag, bytes + NONCE_BYTES, TAG_BYTES))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a sealed text was made with another credential")));
	apply_keystream(credential, bytes, data, total);
	data[total] = '\0';
	return (char *) data;
}

bool
seal_same_bytes(const void *left, const void *right, int length)
{
	const uint8 *a = left;
	const uint8 *b = right;
	uint8		difference = 0;

	for (int i = 0; i < length; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}
