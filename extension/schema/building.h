/*
 * building.h
 *	  A node of a schema while its keywords fill it in: what the files of the
 *	  keywords share.
 */
#ifndef QEHS_SCHEMA_BUILDING_H
#define QEHS_SCHEMA_BUILDING_H

#include "schema/compiler.h"

/* A node under construction. */
typedef struct Building
{
	SchemaNode	node;
	Value		schema;
	Value		required;
	Value		properties;
	bool		asserts_formats;
} Building;

typedef struct Keyword Keyword;

/* Fill in the target, which is the member of the node, or of its rules, that the keyword is of. */
typedef void (*KeywordCompile) (Compiler *compiler, Building *building, const Keyword *keyword, const Value *value, void *target);

typedef enum Group
{
	IN_NODE, IN_STRING, IN_NUMBER, IN_ARRAY, IN_OBJECT
} Group;

struct Keyword
{
	const char *name;
	uint32		vocabulary;
	Group		group;
	size_t		offset;
	KeywordCompile compile;
};

/* A keyword is not as it must be. */
extern void building_fault(Compiler *compiler, const Building *building, const char *keyword, const char *message);
extern const Place *building_location(const Building *building, const char *keyword);
/* The rules that a node gets with the first keyword of its kind. */
extern SchemaObjectRules *building_object(Building *building);
extern SchemaArrayRules *building_array(Building *building);
extern SchemaStringRules *building_string(Building *building);
/* Where the members of a group are. */
extern void *building_group(Building *building, Group group);
/* A pattern of a keyword, counted against the bound of all of them; NULL with a fault. */
extern Regex *building_regex(Compiler *compiler, const Place *location, const char *keyword, const Value *pattern);

#endif							/* QEHS_SCHEMA_BUILDING_H */
