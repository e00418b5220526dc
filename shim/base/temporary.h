/*
 * temporary.h
 *	  Files for what must wait: of the folder TMPDIR, else /tmp, without a name, so that
 *	  they go with their last descriptor.
 */
#ifndef QEHS_TEMPORARY_H
#define QEHS_TEMPORARY_H

#include <stdio.h>

/* A new file to read and write: its descriptor, or a stream; -1 or NULL with errno where it cannot be made. */
extern int	temporary_file(void);
extern FILE *temporary_stream(void);

#endif							/* QEHS_TEMPORARY_H */
