/*
 * write.h
 *	  Resources as JSON, with the attributes that the request asks for (RFC 7644
 *	  section 3.9).
 */
#ifndef QEHS_SCIM_WRITE_H
#define QEHS_SCIM_WRITE_H

#include "scim/store.h"

/* One name of attributes or excludedAttributes. */
typedef struct ScimChoice
{
	ScimTarget	target;
	ScimPath   *path;			/* with a filter of elements, or NULL */
} ScimChoice;

typedef struct ScimSelection
{
	bool		only;			/* attributes was given: just what it names */
	int			count;
	ScimChoice *choices;
} ScimSelection;

typedef struct ScimWriter
{
	const ScimResourceType *type;
	const RequestContext *context;
	const char *base_url;
	ScimSelection selection;
} ScimWriter;

/*
 * Read the two parameters, lists of names separated by commas (NULL: not given); names that the type does
 * not have are passed over, since a search goes over several types.  Raises QH400 invalid_parameter when both are given, or one cannot be read.
 */
extern ScimSelection write_selection(const ScimResourceType *type, const char *attributes, const char *excluded);

/* Whether an attribute of the core schema is shown. */
extern bool write_shows(const ScimWriter *writer, const char *name);

/* Append a resource; inside SPI. */
extern void write_resource(StringInfo out, const ScimWriter *writer, const ScimResource *resource);

/* The URI of a resource. */
extern char *write_location(const ScimResourceType *type, const char *base_url, const pg_uuid_t *id);

#endif							/* QEHS_SCIM_WRITE_H */
