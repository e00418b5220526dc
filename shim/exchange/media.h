/*
 * media.h
 *	  Content negotiation by media type (RFC 9110 sections 8.3 and 12.5.1).
 */
#ifndef QEHS_MEDIA_H
#define QEHS_MEDIA_H

#include "exchange/router.h"

/*
 * The type of the list that an Accept field prefers: of each type the most specific
 * range counts, the greatest weight wins, then the place in the list.  The first
 * without a field; NULL when none is acceptable.
 */
extern const char *media_choose(const char *accept, const MediaList *gives);

/* Does an Accept field name the type itself, with a weight? */
extern bool media_is_named(const char *accept, const char *type);

/* Is a Content-Type one of the list, in UTF-8 if it names a charset? */
extern bool media_is_taken(const char *type, const MediaList *takes);

/* The types of the list for a message: "a, b or c". */
extern const char *media_names(const MediaList *list, Arena *arena);

#endif							/* QEHS_MEDIA_H */
