/*
 * extension_driver.h
 *	  What a fuzz target of the extension is.
 */
#ifndef QEHS_FUZZ_EXTENSION_DRIVER_H
#define QEHS_FUZZ_EXTENSION_DRIVER_H

#include "base/compat.h"

#include "utils/jsonb.h"

typedef struct FuzzTarget
{
	const char *name;			/* of the corpus, and of the argument of qehs_fuzz */
	void		(*try) (const char *text, int length);	/* NUL-terminated UTF-8, at least one byte */
} FuzzTarget;

/* extension_graphql.c, extension_schema.c, extension_text.c, extension_scim.c */
extern const FuzzTarget fuzz_graphql;
extern const FuzzTarget fuzz_schema;
extern const FuzzTarget fuzz_text;
extern const FuzzTarget fuzz_scim;

/* The text as jsonb, or NULL when it is none. */
extern Jsonb *fuzz_jsonb(const char *text);

#endif							/* QEHS_FUZZ_EXTENSION_DRIVER_H */
