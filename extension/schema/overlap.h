/*
 * overlap.h
 *	  Whether some text can match several patterns and formats at once.
 */
#ifndef QEHS_SCHEMA_OVERLAP_H
#define QEHS_SCHEMA_OVERLAP_H

#include "base/compat.h"

#define QEHS_OVERLAP_PATTERNS 4

/* The texts asked about: those that match all the patterns, none of them NULL, with a number of characters in bounds. */
typedef struct Overlap
{
	int			count;
	const char *patterns[QEHS_OVERLAP_PATTERNS];
	int64		min_length;
	int64		max_length;		/* -1: no bound */
} Overlap;

/* A pattern that all texts of a format match, and perhaps others; NULL for a format that has none here. */
extern const char *overlap_of_format(const char *format);

/* False when it is sure that no text is among them; true in case of doubt. */
extern bool overlap_has_text(const Overlap *overlap);

#endif							/* QEHS_SCHEMA_OVERLAP_H */
