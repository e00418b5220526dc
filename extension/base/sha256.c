/*
 * sha256.c
 *	  SHA-256 of bytes, by OpenSSL.
 *
 * The method and the context are kept for the life of the backend: looking the method up, as each use of
 * PostgreSQL's own pg_cryptohash does, takes locks and costs several times what hashing some hundred bytes does
 * (OpenSSL's ossl-guide-libcrypto-introduction, "Performance").
 */
#include "base/compat.h"

#include <openssl/evp.h>

#include "base/sha256.h"
#include "utils/builtins.h"

void
sha256_bytes(const void *data, size_t length, uint8 *digest)
{
	static EVP_MD *method = NULL;
	static EVP_MD_CTX *hash = NULL;

	if (method == NULL)
		method = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (hash == NULL)
		hash = EVP_MD_CTX_new();
	if (method == NULL || hash == NULL || EVP_DigestInit_ex2(hash, method, NULL) != 1 || EVP_DigestUpdate(hash, data, length) != 1 ||
		EVP_DigestFinal_ex(hash, digest, NULL) != 1)
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
