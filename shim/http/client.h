/*
 * client.h
 *	  The address of the client, also behind proxies that are trusted.
 */
#ifndef QEHS_CLIENT_H
#define QEHS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Networks in CIDR notation, comma-separated; false when one is none.  Set once at start. */
extern bool client_trust(const char *networks);

/*
 * Write the client's address as text: that of the peer, or, when the peer is a
 * trusted proxy, the last one in X-Forwarded-For, or else in Forwarded (RFC 7239),
 * that is not.  The fields may be NULL.
 */
extern void client_address(const struct sockaddr *peer, const char *forwarded, const char *x_forwarded_for, char *text,
						   size_t size);

#endif							/* QEHS_CLIENT_H */
