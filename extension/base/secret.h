/*
 * secret.h
 *	  The database's secrets that authenticate what it hands out: cursors, URLs of
 *	  the object store.
 *
 * The newest signs, all of them verify, so a rotation overlaps.  What is signed says
 * first what it is for, so that no signature serves another purpose.
 */
#ifndef QEHS_SECRET_H
#define QEHS_SECRET_H

#define QEHS_SECRET_BYTES 32

/* How many there are, read anew when qehs.secret has changed; at least one, or an error. */
extern int	secret_count(void);
/* One of them, the newest being 0: QEHS_SECRET_BYTES, valid until the next secret_count. */
extern const uint8 *secret_value(int number);

#endif							/* QEHS_SECRET_H */
