/*
 * seal.h
 *	  Text that only who holds a credential can read again.
 */
#ifndef QEHS_SEAL_H
#define QEHS_SEAL_H

/* Encrypt text with the credential; gives base64, palloc'd. */
extern char *seal_close(const char *credential, const char *text, int length);

/* The text again; raises an internal error when it was sealed with another credential. */
extern char *seal_open(const char *credential, const char *sealed);

/* Equal bytes, in time that does not depend on them: for whatever is secret. */
extern bool seal_same_bytes(const void *left, const void *right, int length);

#endif							/* QEHS_SEAL_H */
