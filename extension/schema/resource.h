/*
 * resource.h
 *	  What a schema document holds: its resources ($id), their anchors, and where
 *	  each subschema stands.  Known during compilation only.
 */
#ifndef QEHS_SCHEMA_RESOURCE_H
#define QEHS_SCHEMA_RESOURCE_H

#include "base/compat.h"

#include "nodes/pg_list.h"
#include "schema/program.h"
#include "utils/hsearch.h"

/* Bounds of a schema with all documents that it refers to. */
#define SCHEMA_MAX_RESOURCES 1000
#define SCHEMA_MAX_NODES 200000
#define SCHEMA_MAX_DEPTH 4096
#define SCHEMA_MAX_URI 8192
#define SCHEMA_MAX_REGEX_BYTES (16 * 1024 * 1024)

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

/* A name within a resource; -1 for one of the whole schema. */
typedef struct SchemaName
{
	int			resource;
	const char *text;
} SchemaName;

typedef struct SchemaAnchor
{
	SchemaName	name;
	bool		dynamic;
	Value		target;
} SchemaAnchor;

/* A name of dynamic anchors, and who has it. */
typedef struct SchemaDynamicName
{
	SchemaName	name;
	int			number;			/* -1 until a $dynamicRef uses it */
	List	   *anchors;		/* of SchemaAnchor */
	int			requested;		/* so many of them have a node */
} SchemaDynamicName;

/* A URI that names a resource. */
typedef struct SchemaAlias
{
	SchemaName	name;
	int			resource;
} SchemaAlias;

typedef struct SchemaResource
{
	const char *uri;			/* absolute where it has one, without fragment */
	const Jsonb *document;		/* NULL for one within a document */
	int			parent;			/* resource around it in the same document, or -1 */
	Value		root;
	const Place *location;		/* of its root */
	List	   *anchors;		/* the dynamic ones, of SchemaAnchor */
	bool		has_dialect;
	uint32		vocabularies;
} SchemaResource;

/* A schema object by its address; the node once one is asked for. */
typedef struct SchemaPlace
{
	const char *address;
	int			resource;
	const Place *location;
	NodeIndex	node;
} SchemaPlace;

typedef struct Resources
{
	MemoryContext context;		/* documents and places live as long as the program */
	MemoryContext scratch;		/* all else */
	const SchemaOptions *options;
	SchemaErrors *faults;
	bool		uses_registered;
	HTAB	   *places;			/* of SchemaPlace */
	HTAB	   *anchors;		/* of SchemaAnchor */
	HTAB	   *dynamic_names;	/* of SchemaDynamicName */
	HTAB	   *aliases;		/* of SchemaAlias */
	int			dynamic_count;	/* of names in use */
	List	   *pending;		/* of SchemaDynamicName, in use, with anchors that are not requested */
	int			count;
	SchemaResource items[SCHEMA_MAX_RESOURCES];
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

/* Find what there is in a schema, and below it. */
extern void resources_explore(Resources *resources, const Value *value, int resource, const Place *location);

/* The resource with a URI, from the documents known elsewhere if need be; -1 when there is none. */
extern int	resources_find(Resources *resources, const char *uri);

/*
 * What a reference from a resource points at (reference.c): the value, its resource
 * and its location.  False, with a fault, when there is nothing.
 */
extern bool resources_resolve(Resources *resources, int from, const char *reference, const Place *location, const char *keyword,
							  Value *target, int *resource, const Place **target_location);

/* The anchor of a resource, or NULL. */
extern const SchemaAnchor *resources_anchor(const Resources *resources, int resource, const char *text);

/* The number of a name of dynamic anchors, from now on in use. */
extern int	resources_use_dynamic_name(Resources *resources, const char *name);

/* The name, where it is in use; else NULL. */
extern const SchemaDynamicName *resources_dynamic_name(const Resources *resources, const char *text);

/* A string among the members of a schema, palloc'd; NULL where there is none, with a fault where it is something else. */
extern char *resources_string(Resources *resources, const Value *object, const char *name, const Place *location);

/* The vocabularies in force in a resource (vocabulary.c). */
extern uint32 resources_vocabularies(Resources *resources, int resource);

/* A place within another, in the current memory context. */
extern const Place *place_key(const Place *parent, const char *key, uint32 length);
extern const Place *place_index(const Place *parent, uint32 index);
extern const Place *place_verbatim(const Place *parent, const char *text);

/* The metaschema document with this URI, or NULL (metaschema.c). */
extern const char *metaschema_text(const char *uri);

#endif							/* QEHS_SCHEMA_RESOURCE_H */
