/*
 * etag.h
 *	  Entity tags in If-Match and If-None-Match (RFC 9110 sections 8.8.3, 13.1).
 */
#ifndef QEHS_ETAG_H
#define QEHS_ETAG_H

#include <stdbool.h>

typedef enum TagAnswer
{
	TAG_MALFORMED,				/* neither * nor a list of entity tags */
	TAG_ABSENT,
	TAG_NAMED
} TagAnswer;

/* Does the field name the tag (NULL: only look at its form)?  With weak, W/"1" and "1" are the same. */
extern TagAnswer etag_find(const char *field, const char *tag, bool weak);

#endif							/* QEHS_ETAG_H */
