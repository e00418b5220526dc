/*
 * locale.h
 *	  Labels of a definition in several languages.
 *
 * A label (of a module, a field, an option, a state, a transition) is a text, or
 * an object of texts by language tag (BCP 47).
 */
#ifndef QEHS_LOCALE_H
#define QEHS_LOCALE_H

#include "base/error.h"
#include "utils/jsonb.h"

/* A label without a preference: the text, or that in English, or the first; NULL when there is none. */
extern char *label_default(const JsonbContainer *object);

/* The label of a state in the workflow of a definition, chosen likewise. */
extern char *label_state(const JsonbContainer *definition, const char *state);

/* Call back for the label of an object in each of its languages. */
extern void label_each(const JsonbContainer *object, void (*visit) (void *owner, const char *text, int length), void *owner);

/* Add a fault unless the member "label", where it is there, is a text or an object of texts by tag. */
extern void label_check(const JsonbContainer *object, const char *path, ViolationList *faults);

/* The same for each member of an object of labels. */
extern void label_check_each(const JsonbContainer *labels, const char *path, ViolationList *faults);

/*
 * The language that accept (an Accept-Language field value) prefers among those
 * of the definition's labels; NULL when it prefers none of them.
 */
extern const char *locale_choose(Jsonb *definition, const char *accept);

/* The definition with each label of several languages as the text in language, or its default. */
extern Jsonb *locale_definition(Jsonb *definition, const char *language);

/*
 * Put the label of the field that each violation is about (its path lies below
 * "/payload") before its message, in the language that accept prefers; without
 * one the messages stay: "Titel must be at most 20 characters".
 */
extern void locale_name_fields(Jsonb *definition, const char *accept, ViolationList *violations);

/* The same in two steps, for many lists: the labels that accept prefers, or NULL; then a list's messages with them. */
extern Jsonb *locale_labels(Jsonb *definition, const char *accept);
extern void locale_name_with(Jsonb *labels, ViolationList *violations);

/* A compiled schema with the labels of a localised definition as its titles. */
extern Jsonb *locale_schema(Jsonb *schema, Jsonb *localised);

#endif							/* QEHS_LOCALE_H */
