/*
 * sha256.c
 *	  SHA-256 of bytes.
 *
 * The context of the library is kept for the life of the backend, since making one
 * costs more than hashing a few hundred bytes.
 */
#include "base/compat.h"

#include "base/sha256.h"
#include "common/cryptohash.h"
#include "utils/builtins.h"
#include "utils/resowner.h"

void
sha256_bytes(const void *data, size_t length, uint8 *digest)
{
	static pg_cryptohash_ctx *hash = NULL;

	if (hash == NULL)
	{
		ResourceOwner owner = CurrentResourceOwner;

		/* under an owner of its own: that of the statement would free it */
		CurrentResourceOwner = ResourceOwnerCreate(NULL, "qehs sha256");
		hash = pg_cryptohash_create(PG_SHA256);
		CurrentResourceOwner = owner;
	}
	if (hash == NULL || pg_cryptohash_init(hash) < 0 || pg_cryptohash_update(hash, data, length) < 0 ||
		pg_cryptohash_final(hash, digest, QEHS_SHA256_LENGTH) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute a SHA-256 hash")));
}

char *
sha256_hex(const uint8 *digest)
{
	char	   *text = palloc(2 * QEHS_SHA256_LENGTH + 1);

	hex_encode((const char *) digest, QEHS_SHA256_LENGTH, text);
	text[2 * QEHS_SHA256_LENGTH] = '\0';
	return text;
}
