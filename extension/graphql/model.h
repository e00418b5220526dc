/*
 * model.h
 *	  The GraphQL schema of a tenant, as a caller sees it: which types and fields
 *	  there are, and where each field's value comes from.
 *
 * A schema is cached by tenant and by what the caller may do (model.c); it names
 * modules and fields by their keys, so it outlives the definitions that it was
 * made from, and is made anew when one is published.
 */
#ifndef QEHS_GRAPHQL_MODEL_H
#define QEHS_GRAPHQL_MODEL_H

#include "graphql/schema.h"
#include "permission/permission.h"

/* Where the value of a field comes from. */
typedef enum GraphqlOrigin
{
	/* of every object */
	ORIGIN_TYPENAME,
	ORIGIN_MEMBER,				/* the member of an object that is JSON; member */
	ORIGIN_INTROSPECTION,		/* of the schema's own types (introspect.c); member */
	/* of the query type */
	ORIGIN_SCHEMA,
	ORIGIN_TYPE,
	ORIGIN_RECORDS,				/* a page of a module that an argument names */
	ORIGIN_LIST,				/* records of a module; module */
	ORIGIN_CONNECTION,			/* the same with cursors of Relay */
	ORIGIN_GET,
	ORIGIN_AGGREGATE,
	ORIGIN_NODE,
	ORIGIN_ME,
	ORIGIN_TENANT,
	ORIGIN_TENANTS,
	ORIGIN_MODULES,
	/* of the mutation type; module */
	ORIGIN_CREATE,
	ORIGIN_UPDATE,
	ORIGIN_TRANSITION,
	ORIGIN_APPROVE,
	ORIGIN_REJECT,
	ORIGIN_DELETE,
	ORIGIN_RESTORE,
	ORIGIN_COMMENT,
	ORIGIN_DELETE_COMMENT,
	/* of a record */
	ORIGIN_ID,
	ORIGIN_MODULE_KEY,
	ORIGIN_DISPLAY_CODE,
	ORIGIN_STATE,
	ORIGIN_VERSION,
	ORIGIN_DEFINITION_VERSION,
	ORIGIN_CREATED_AT,
	ORIGIN_UPDATED_AT,
	ORIGIN_DUE_AT,
	ORIGIN_CREATED_BY,
	ORIGIN_UPDATED_BY,
	ORIGIN_PAYLOAD,				/* all that the caller may read */
	ORIGIN_FIELD,				/* a field of the payload; key */
	ORIGIN_USER,				/* the user whom a field names; key */
	ORIGIN_REFERENCE,			/* the record, or records, that a field names; key, module: of such a record, or NULL for several */
	ORIGIN_BACK_REFERENCE,		/* records of a module whose field names this one; module, key */
	ORIGIN_ACTIVITY,
	ORIGIN_ATTACHMENTS,
	ORIGIN_COMMENTS,
	ORIGIN_LINKS,
	ORIGIN_TRANSITIONS
} GraphqlOrigin;

typedef struct GraphqlSource
{
	GraphqlOrigin origin;
	const char *module;			/* key, or NULL */
	const char *key;			/* of a field, or NULL */
	const char *member;			/* of JSON, or NULL */
} GraphqlSource;

typedef struct GraphqlModel
{
	uint64		serial;			/* no other schema of this backend has the same */
	GraphqlSchema schema;
	const GraphqlType *record;	/* the interface of all records */
	int			module_count;
	const char *const *module_keys;
	const GraphqlType *const *module_types; /* of their records, in the same order */
} GraphqlModel;

/* The schema that the caller sees; good until the transaction ends.  Runs SPI by itself when it is not cached. */
extern const GraphqlModel *graphql_model(const RequestContext *context);

/* The type of a module's records; NULL when the caller sees no such module. */
extern const GraphqlType *graphql_model_type(const GraphqlModel *model, const char *module_key);

/*
 * Add a fault where two things of the tenant's modules would have one name: two
 * modules of one type, two fields of one name, a module and a type that every
 * schema has.  key is the module that was just published.  Runs SPI by itself.
 */
extern void graphql_check_names(int32 tenant_id, const char *key, ViolationList *faults);

#endif							/* QEHS_GRAPHQL_MODEL_H */
