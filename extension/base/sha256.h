/*
 * sha256.h
 *	  SHA-256 (FIPS 180-4) of bytes, by OpenSSL's libcrypto.
 */
#ifndef QEHS_SHA256_H
#define QEHS_SHA256_H

#define QEHS_SHA256_LENGTH 32

/* The digest of length bytes, QEHS_SHA256_LENGTH bytes; raises an internal error when the library cannot. */
extern void sha256_bytes(const void *data, size_t length, uint8 *digest);

/* Lower-case hexadecimal digits of a digest, palloc'd and NUL-terminated. */
extern char *sha256_hex(const uint8 *digest);

#endif							/* QEHS_SHA256_H */
