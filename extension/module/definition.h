/*
 * definition.h
 *	  What the files of module/ share about a definition document.
 */
#ifndef QEHS_DEFINITION_H
#define QEHS_DEFINITION_H

#include "module/module.h"

#define QEHS_FIELD_DEPTH 4
#define QEHS_MAX_FIELDS 500
#define QEHS_MAX_ALL_FIELDS 2000	/* with those of tables and objects */
#define QEHS_NAME_BYTES 200
#define QEHS_ROLE_BYTES 200
#define QEHS_DESCRIPTION_BYTES 10000
#define QEHS_MAX_STATES 100
#define QEHS_MAX_TRANSITIONS 500
#define QEHS_MATRIX_SIZE 10
#define QEHS_UNIT_LENGTH 40
#define QEHS_MAX_UNITS 100
#define QEHS_MAX_COMPARATORS 4
#define QEHS_MAX_TAGS 100
#define QEHS_MAX_REFERENCES 100	/* records that a field names */
#define QEHS_MAX_REFERENCED 20	/* modules whose records it may name */
#define QEHS_TAG_LENGTH 200
#define QEHS_MAX_MEDIA_TYPES 50
#define QEHS_MEDIA_TYPE_LENGTH 127
#define QEHS_MAX_OPTIONS 10000
#define QEHS_OPTION_BYTES 255
#define QEHS_EXPRESSION_BYTES 10000

/* The type of a field object; FIELD_TYPE_COUNT when it names none (fields.c). */
extern FieldType definition_field_type(const JsonbContainer *field);

/*
 * By which type the values of a field compare: its own, or that of what a
 * computed field yields, read from its expression over the fields beside it
 * (yields.c).  Of a definition without faults.
 */
extern FieldType definition_value_type(const JsonbContainer *fields, const JsonbContainer *field);

/*
 * The variable of expressions that a field's default stands for ("now" of "$now" in a datetime, "today" in a date,
 * "user" in a user); NULL for a value (fields.c).
 */
extern const char *definition_default_variable(const JsonbContainer *field);

/* Whether no two records may share the field's value (fields.c). */
extern bool definition_is_unique(const JsonbContainer *field);

/*
 * The matrix of a matrix-score field: size (default 5) and its bands, by rising
 * max; without "bands" those of the 5 x 5 matrix up to 4, 9, 16, 25 (matrix.c).
 */
extern const ModuleBand *definition_bands(const JsonbContainer *field, int32 *size, int *count);

/* Add every fault of a matrix-score's "size" and "bands" (matrix.c). */
extern void definition_check_matrix(const JsonbContainer *field, const char *path, ViolationList *faults);

/* Add every fault of the options of a field that lies depth tables or objects deep (options.c). */
extern void definition_check_options(const JsonbContainer *field, FieldType type, int depth, const char *path,
									 ViolationList *faults);

/* Whether an option of a field ("unique") is for fields of the type (options.c). */
extern bool definition_type_takes(FieldType type, const char *option);

/* Add a fault for each reference to no module; of a definition without other faults, inside SPI (references.c). */
extern void definition_check_references(int32 tenant_id, Jsonb *definition, ViolationList *faults);

/* Add every fault of a definition, with its JSON Pointer (definition.c). */
extern void definition_check(Jsonb *definition, ViolationList *faults);

/* The JSON Schema of a definition without faults (schema_of.c). */
extern Jsonb *definition_json_schema(Jsonb *definition);

/* The greatest length of a text-like type where the field names none; 0: none (schema_of.c). */
extern int	definition_max_length(FieldType type);

/* Whether the JSON Schema of a field has, in place of a pattern, one that refuses blanks; an empty text is for minLength (schema_of.c). */
extern bool definition_refuses_blank(const JsonbContainer *field);

/* The JSON Schema of one field (schema_of.c). */
extern Jsonb *definition_field_schema(const JsonbContainer *field);

/* Build a ModuleDef of a stored version, all of it in memory; ERROR when its schema does not compile (load.c). */
extern ModuleDef *module_load(int32 tenant_id, int32 module_id, int32 version, const char *prefix,
							  Jsonb *definition, Jsonb *json_schema, Jsonb *slots, MemoryContext memory);

/* Have lists do without the slots of the fields of these keys (text[]), and without the column search (load.c). */
extern void module_mark_unfilled(ModuleDef *module, Datum keys, bool search);

#endif							/* QEHS_DEFINITION_H */
