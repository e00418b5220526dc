/*
 * search_index.h
 *	  What the index of words is asked to do, counted, so that a page of a question ends in time (found.h).
 *
 * Counted is work, not time: the same question over the same records ends where it ended.
 */
#ifndef QEHS_SEARCH_INDEX_H
#define QEHS_SEARCH_INDEX_H

#include "base/compat.h"

/* Steps through the index's entries that cost as much as a look at one record. */
#define QEHS_ENTRIES_A_RECORD 40

/* qehs.search_work: steps after which a page of q ends. */
extern int	search_index_most;

/* Define the setting. */
extern void search_index_init(void);

/* Count from here on; a statement of found.h begins no bucket but the first once the work exceeds most. */
extern void search_index_begin(int64 most);

/* The steps since then, and the buckets that were begun. */
extern int64 search_index_done(int *buckets);

#endif							/* QEHS_SEARCH_INDEX_H */
