/*
 * schema.h
 *	  What resource types there are and what attributes they have, as the tables
 *	  qehs.scim_resource_type, scim_schema and scim_attribute say (RFC 7643
 *	  sections 6 and 7).
 *
 * The catalogue is read once in a backend and again when a table changes.  A
 * pointer into it is good until the transaction ends.
 */
#ifndef QEHS_SCIM_SCHEMA_H
#define QEHS_SCIM_SCHEMA_H

#include "scim/parse.h"

typedef enum ScimType
{
	SCIM_STRING, SCIM_BOOLEAN, SCIM_DECIMAL, SCIM_INTEGER, SCIM_DATETIME, SCIM_BINARY, SCIM_REFERENCE, SCIM_COMPLEX
} ScimType;

typedef enum ScimMutability
{
	SCIM_READ_WRITE, SCIM_READ_ONLY, SCIM_IMMUTABLE, SCIM_WRITE_ONLY
} ScimMutability;

typedef enum ScimReturned
{
	SCIM_BY_DEFAULT, SCIM_ALWAYS, SCIM_NEVER, SCIM_ON_REQUEST
} ScimReturned;

/* Where resources of a type are kept. */
typedef enum ScimStorage
{
	SCIM_IN_USERS,				/* qehs.user_account */
	SCIM_IN_ROLES,				/* qehs.role and role_member */
	SCIM_IN_RESOURCES			/* qehs.scim_resource */
} ScimStorage;

typedef struct ScimAttribute
{
	const char *name;
	const char *description;
	ScimType	type;
	ScimMutability mutability;
	ScimReturned returned;
	const char *uniqueness;		/* none, server, global */
	bool		multi_valued;
	bool		required;
	bool		case_exact;
	int			canonical_count;
	const char **canonical;		/* values that are usual */
	int			reference_count;
	const char **references;	/* what a reference is of */
	int			count;
	struct ScimAttribute *subs; /* of a complex one */
} ScimAttribute;

typedef struct ScimSchema
{
	const char *urn;
	const char *name;
	const char *description;
	int			count;
	ScimAttribute *attributes;
} ScimSchema;

typedef struct ScimResourceType
{
	const char *name;
	const char *endpoint;		/* "/Users" */
	const char *description;
	ScimStorage storage;
	const ScimSchema *schema;
	int			extension_count;
	const ScimSchema **extensions;
} ScimResourceType;

typedef struct ScimCatalogue
{
	int			type_count;
	ScimResourceType *types;
	int			schema_count;
	ScimSchema *schemas;
} ScimCatalogue;

/* What an attribute path names. */
typedef struct ScimTarget
{
	const ScimSchema *extension;	/* the schema that it is of; NULL is the core one */
	const ScimAttribute *attribute; /* NULL: the extension as a whole */
	const ScimAttribute *sub;	/* or NULL */
} ScimTarget;

/* id, externalId, meta and schemas (RFC 7643 section 3.1), which every resource has. */
#define SCIM_COMMON_COUNT 4
extern const ScimAttribute schema_common[SCIM_COMMON_COUNT];

/* The catalogue as the tables are now; opens an SPI connection when it is read. */
extern const ScimCatalogue *schema_catalogue(void);

/* The resource type of an endpoint's name ("Users", in any case), or NULL. */
extern const ScimResourceType *schema_type(const char *endpoint);

/* An attribute by name, in any case, or NULL. */
extern const ScimAttribute *schema_attribute(const ScimAttribute *attributes, int count, const char *name, int length);

/* Find what a path of a resource type names; false when there is none.  Extensions are found without their URN as well. */
extern bool schema_find(const ScimResourceType *type, ScimName name, ScimTarget *target);

/* The sub-attribute that stands for an element where none is named: value. */
extern const ScimAttribute *schema_value_of(const ScimAttribute *attribute);

/* Words of the protocol: "string" … "complex", "readWrite" …, "default" …. */
extern const char *schema_type_name(ScimType type);
extern const char *schema_mutability_name(ScimMutability mutability);
extern const char *schema_returned_name(ScimReturned returned);

#endif							/* QEHS_SCIM_SCHEMA_H */
