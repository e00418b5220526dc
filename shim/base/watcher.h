/*
 * watcher.h
 *	  Who is told when a descriptor of an event loop is ready.
 *
 * epoll's data.ptr points to one; it is the first member of the struct that it
 * serves.  ready is called with epoll's events by the thread of the loop.
 */
#ifndef QEHS_WATCHER_H
#define QEHS_WATCHER_H

#include <stdint.h>

typedef struct Watcher
{
	void		(*ready) (struct Watcher *watcher, uint32_t events);
} Watcher;

#endif							/* QEHS_WATCHER_H */
