/*
 * bundle.h
 *	  A ZIP that is written as it comes, in constant memory: a file of rows, and
 *	  the files of attachments beside it.
 */
#ifndef QEHS_BUNDLE_H
#define QEHS_BUNDLE_H

#include "export/file.h"

typedef struct Bundle Bundle;

/* Begin; never NULL.  What fails is noted in to, which gets the bytes, and in the entries' output. */
extern Bundle *bundle_open(Output *to);
/* Begin an entry of a name (UTF-8, with slashes); compressed unless it is what is compressed already.  Ends the one before. */
extern bool bundle_begin(Bundle *bundle, const char *name, bool compressed);
/* Where the bytes of the entry go. */
extern Output *bundle_output(Bundle *bundle);
/* Append the bytes behind a descriptor, from its beginning, to the entry. */
extern bool bundle_copy(Bundle *bundle, int file);
/* Write what is left. */
extern bool bundle_close(Bundle *bundle);
/* Free it, closed or not. */
extern void bundle_free(Bundle *bundle);

#endif							/* QEHS_BUNDLE_H */
