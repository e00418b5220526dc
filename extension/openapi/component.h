/*
 * component.h
 *	  Schemas on their way into the document: all are made, those that are
 *	  referred to go out (components.c).
 */
#ifndef QEHS_OPENAPI_COMPONENT_H
#define QEHS_OPENAPI_COMPONENT_H

#include "openapi/document.h"

#define COMPONENT_REFERENCE "#/components/schemas/"

typedef struct Component
{
	const char *name;
	StringInfoData text;
	bool		used;
} Component;

typedef struct Components
{
	int			count;
	int			capacity;
	Component  *items;
	const ApiDocument *document;
} Components;

/* Text to append the schema of this name to. */
extern StringInfo component_add(Components *all, const char *name);

/* Append a reference to the schema called name and suffix. */
extern void component_reference(StringInfo out, const char *name, const char *suffix);

/* Append "enum":[…]. */
extern void component_names(StringInfo out, const char *const *names, int count);

/*
 * Append a choice of the schemas with this suffix of all modules where the caller
 * has one of the actions, told apart by moduleKey or not; false when there is none.
 */
extern bool component_choice(StringInfo out, const ApiDocument *document, const char *suffix, uint32 actions,
							 bool told_apart);

/* "RecordFilter" and, by module, "IncidentsFilter" (filters.c). */
extern void components_add_filters(Components *all);

/* "RecordCreate" and, by module, "IncidentsCreate" (requests.c). */
extern void components_add_requests(Components *all);

#endif							/* QEHS_OPENAPI_COMPONENT_H */
