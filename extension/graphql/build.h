/*
 * build.h
 *	  How model.c and its helpers put types together, in the current memory
 *	  context.
 */
#ifndef QEHS_GRAPHQL_BUILD_H
#define QEHS_GRAPHQL_BUILD_H

#include "graphql/model.h"

typedef struct ModelBuilder
{
	int			type_count;
	int			type_room;
	GraphqlType **types;		/* named ones, in the order of their making */
} ModelBuilder;

/* Fields of a type in the making. */
typedef struct FieldList
{
	int			count;
	int			room;
	GraphqlField *items;
} FieldList;

/* A new named type, and one that was made. */
extern GraphqlType *build_type(ModelBuilder *builder, GraphqlTypeKind kind, const char *name, const char *description);
extern GraphqlType *build_find(const ModelBuilder *builder, const char *name, int length);

/* A type as it is written, "[Int!]!", of named ones that were made. */
extern const GraphqlType *build_reference(const ModelBuilder *builder, const char *text);

/* Arguments as they are written: "limit: Int = 50, id: ID!". */
extern const GraphqlInput *build_arguments(const ModelBuilder *builder, const char *text, int *count);

/* Add a field; its arguments may be NULL.  name stays the caller's, and so do the arguments; the other texts are copied. */
extern GraphqlField *build_field(const ModelBuilder *builder, FieldList *list, const char *name, const char *type, const char *arguments,
								 GraphqlSource source, const char *description);

/* Give a type its fields. */
extern void build_finish(GraphqlType *type, const FieldList *list);

/* The types that every schema has: scalars, those of introspection, and of JSON that the product tells (static_types.c). */
extern void build_static_types(ModelBuilder *builder);
extern const GraphqlDirective *build_directives(const ModelBuilder *builder, int *count);

/* The types of a module: of its records, its payload's parts, pages (module_types.c). */
typedef struct ModuleView
{
	const ModuleDef *module;
	uint32		actions;		/* that the caller may have on some record of it */
	const char *type_name;
	const char *plural;			/* "incidents" */
	GraphqlType *type;
	FieldList	fields;
} ModuleView;

/* Give the type of links its fields, when the interface of records is there. */
extern void build_link_fields(ModelBuilder *builder);

/* The type of a module's records; and, when those of all modules are there, its fields and what else the module gives. */
extern void build_module_type(ModelBuilder *builder, ModuleView *view);
extern void build_module_fields(ModelBuilder *builder, const RequestContext *context, ModuleView *views, int count, ModuleView *view,
								FieldList *query, FieldList *mutation);

/* The name that a field of a payload has in the type of its record (key as it is, or payloadKey where a record has that name by itself). */
extern void build_field_name(const char *key, char *out);

#endif							/* QEHS_GRAPHQL_BUILD_H */
