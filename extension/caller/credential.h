/*
 * credential.h
 *	  Secrets that people remember: hashed slowly, compared in constant time.
 *
 * libxcrypt does it (crypt(5)): yescrypt at the cost that the library prefers. The
 * hash names method, cost and salt, so that both may change with the library.
 */
#ifndef QEHS_CREDENTIAL_H
#define QEHS_CREDENTIAL_H

/* The hash of a secret with a new salt, in the current memory context; ERROR when the library fails. */
extern char *credential_hash(const char *secret);

/* Whether the secret is the one of the hash. */
extern bool credential_fits(const char *secret, const char *hash);

#endif							/* QEHS_CREDENTIAL_H */
