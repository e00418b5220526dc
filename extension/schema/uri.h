/*
 * uri.h
 *	  References of RFC 3986, as far as naming schemas needs them.
 */
#ifndef QEHS_SCHEMA_URI_H
#define QEHS_SCHEMA_URI_H

#include "base/compat.h"

/* The target of a reference seen from base (RFC 3986 section 5.2), palloc'd; base may be empty. */
extern char *uri_resolve(const char *base, const char *reference);

/* Cut the fragment off a URI in place; gives it without its "#", "" when there is none. */
extern char *uri_cut_fragment(char *uri);

/* Decode percent escapes in place; false when one is broken or gives NUL. */
extern bool uri_decode(char *text);

#endif							/* QEHS_SCHEMA_URI_H */
