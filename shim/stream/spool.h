/*
 * spool.h
 *	  Bytes that wait to be sent: the first in memory, the rest in a file that
 *	  has no name.  What has been read makes room once all has been.
 */
#ifndef QEHS_SPOOL_H
#define QEHS_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SPOOL_MEMORY (1024 * 1024)

typedef struct Spool
{
	char	   *memory;
	size_t		memory_length;
	size_t		capacity;
	int			file;			/* -1: none yet */
	off_t		file_length;
	off_t		read;			/* how far it has been read, over both */
} Spool;

/* How many bytes the files of one spool and of all spools of the process may have; set once at start. */
extern void spool_limit(size_t each, size_t all);

/* Begin empty. */
extern void spool_init(Spool *spool);
/*
 * Put bytes at the end; false with errno set, and nothing put, when the file cannot take them
 * (ENOSPC also beyond the limits).
 */
extern bool spool_append(Spool *spool, const char *bytes, size_t length);
/* The next bytes, as many as are there and fit; 0 when there are none, -1 when the file cannot be read. */
extern ssize_t spool_read(Spool *spool, char *buffer, size_t room);
/* How many bytes have not been read. */
extern size_t spool_left(const Spool *spool);
/* Free the memory and close the file. */
extern void spool_free(Spool *spool);

#endif							/* QEHS_SPOOL_H */
