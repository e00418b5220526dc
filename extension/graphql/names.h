/*
 * names.h
 *	  From keys of definitions to names of GraphQL ([_A-Za-z][_0-9A-Za-z]*).
 *
 * Words of a key end at every character that a name cannot have, and at _.
 * All write into the caller's room, which holds GRAPHQL_NAME_BYTES with the NUL.
 */
#ifndef QEHS_GRAPHQL_NAMES_H
#define QEHS_GRAPHQL_NAMES_H

#include <stdbool.h>

#define GRAPHQL_NAME_BYTES 256

/* action_items becomes actionItems. */
extern void graphql_camel_name(const char *key, char *out);

/* action_items becomes ActionItems. */
extern void graphql_pascal_name(const char *key, char *out);

/* The same of one thing, by the rules of English plurals: incidents Incident, categories Category, classes Class, capa Capa. */
extern void graphql_singular_name(const char *key, char *out);

/*
 * The option of a select: what a name cannot have becomes _, and one is put before a
 * digit.  Returns false where nothing of it is left, or it is true, false or null.
 */
extern bool graphql_enum_name(const char *option, char *out);

#endif							/* QEHS_GRAPHQL_NAMES_H */
