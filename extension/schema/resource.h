/*
 * resource.h
 *	  What a schema document holds: its resources ($id), their anchors, and where
 *	  each subschema stands.  Known during compilation only.
 */
#ifndef QEHS_SCHEMA_RESOURCE_H
#define QEHS_SCHEMA_RESOURCE_H

#include "compat.h"

#include "schema/program.h"
#include "utils/hsearch.h"

#define SCHEMA_MAX_RESOURCES 1000
#define SCHEMA_MAX_NODES 200000

/* Vocabularies, as far as they can be switched off (2020-12 core 8.1.2). */
typedef enum SchemaVocabulary
{
	VOCABULARY_CORE = 0,		/* always there */
	VOCABULARY_APPLICATOR = 1,
	VOCABULARY_UNEVALUATED = 2,
	VOCABULARY_VALIDATION = 4,
	VOCABULARY_FORMAT = 8,
	VOCABULARY_FORMAT_ASSERTION = 16
} SchemaVocabulary;

typedef struct SchemaAnchor
{
	const char *name;
	bool		dynamic;
	Value		target;
} SchemaAnchor;

typedef struct SchemaResource
{
	const char *uri;			/* absolute where it has one, without fragment */
	int			parent;			/* resource around it in the same document, or -1 */
	Value		root;
	const char *location;		/* of its root */
	int			anchor_count;
	int			anchor_capacity;
	SchemaAnchor *anchors;
	bool		has_dialect;
	uint32		vocabularies;
} SchemaResource;

typedef struct SchemaAlias
{
	const char *uri;
	int			resource;
} SchemaAlias;

/* A schema object by its address; the node once one is asked for. */
typedef struct SchemaPlace
{
	const char *address;
	int			resource;
	const char *location;
	NodeIndex	node;
} SchemaPlace;

typedef struct Resources
{
	MemoryContext context;		/* documents and names live as long as the program */
	const SchemaOptions *options;
	SchemaErrors *faults;
	HTAB	   *places;
	int			count;
	SchemaResource items[SCHEMA_MAX_RESOURCES];
	int			alias_count;
	SchemaAlias aliases[SCHEMA_MAX_RESOURCES * 2];
} Resources;

/* Where subschemas stand under a keyword. */
typedef enum SchemaHolds
{
	HOLDS_NOTHING,
	HOLDS_SCHEMA,
	HOLDS_ARRAY,
	HOLDS_MAP
} SchemaHolds;

/* Where a keyword has schemas: in its value, in an array or in members of it, or nowhere. */
extern SchemaHolds schema_keyword_holds(const Value *name);

/* Everything but the documents lives in the current memory context. */
extern Resources *resources_create(MemoryContext context, const SchemaOptions *options, SchemaErrors *faults);

/* Take a document in under the URI by which it was asked for; gives its resource, or -1 with a fault. */
extern int	resources_add_document(Resources *resources, const Jsonb *document, const char *uri);

/*
 * What a reference from a resource points at: the value, its resource and its
 * location.  False, with a fault, when there is nothing.
 */
extern bool resources_resolve(Resources *resources, int from, const char *reference, const char *location, const char *keyword,
							  Value *target, int *resource, const char **target_location);

/* The anchor of a resource, or NULL. */
extern const SchemaAnchor *resources_anchor(const SchemaResource *resource, const char *name);

/* The vocabularies in force in a resource. */
extern uint32 resources_vocabularies(Resources *resources, int resource);

/* location/token, with ~ and / escaped (RFC 6901). */
extern const char *schema_location(const char *location, const char *token, int length);

/* The metaschema document with this URI, or NULL (metaschema.c). */
extern const char *metaschema_text(const char *uri);

#endif							/* QEHS_SCHEMA_RESOURCE_H */
