/*
 * listen.h
 *	  The sockets that clients connect to.
 */
#ifndef QEHS_LISTEN_H
#define QEHS_LISTEN_H

#include <stddef.h>

/*
 * Make count sockets bound to host:port, [v6]:port or :port (all addresses), which do
 * not listen yet; or take those that systemd has opened (LISTEN_FDS, see
 * sd_listen_fds(3)), which do.  Prints why and exits when that fails.  address becomes
 * where, or of port 0 and passed sockets the address that the first one has.
 */
extern void listen_open(const char *where, int count, int *sockets, char *address, size_t size);

/* One socket of its own, bound to an address of the same form, which does not listen yet.  Prints why, by the flag's name, and exits when that fails. */
extern int	listen_open_alone(const char *flag, const char *where);

#endif							/* QEHS_LISTEN_H */
