/*
 * interest.h
 *	  Which connections the HTTP library's epoll watches, with fewer system calls.
 *
 * The library takes a connection out of its epoll while a request waits for the
 * database, puts it back for the next one, and reads once in vain before it does.  A
 * connection mostly has nothing to tell meanwhile, so it stays in the kernel's list.
 *
 * A socket belongs to one event loop; what is known of it is touched by that thread only.
 */
#ifndef QEHS_INTEREST_H
#define QEHS_INTEREST_H

#include <stdbool.h>

/* A socket that the library watches by this epoll, until the next interest_open of the same number or interest_close. */
extern void interest_open(int socket, int epoll);
/* Before the socket is closed. */
extern void interest_close(int socket);

/* All that had come has been read. */
extern void interest_drained(int socket);
/* Is it known that there is nothing to read? */
extern bool interest_is_drained(int socket);

/* May the library's epoll have something to tell?  If not, it is not asked in this thread, until this is said again. */
extern void interest_expect(bool something);

/* Has the library something to be told, in this thread, that its epoll will not wake it for? */
extern bool interest_is_late(void);

#endif							/* QEHS_INTEREST_H */
