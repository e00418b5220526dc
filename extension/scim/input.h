/*
 * input.h
 *	  What a client sends, brought into the form that the schemas give it.
 *
 * Names get the case of the schema, null and [] become absence, booleans may be
 * "True" and "False", a bare text stands for the value of a complex attribute, a
 * single element for a list.  Attributes that no schema has are left out, as are
 * readOnly ones (RFC 7644 sections 3.3 and 3.5.1).
 */
#ifndef QEHS_SCIM_INPUT_H
#define QEHS_SCIM_INPUT_H

#include "scim/schema.h"
#include "scim/tree.h"

/* The form of an attribute's value; NULL is absence.  Raises QH400 validation_failed naming the attribute. */
extern ScimValue *input_value(const ScimAttribute *attribute, const ScimValue *raw);

/* The same of one element of a multi-valued attribute. */
extern ScimValue *input_element(const ScimAttribute *attribute, const ScimValue *raw);

/* An object of attributes of one schema; what the schema does not have is left out. */
extern ScimValue *input_object(const ScimAttribute *attributes, int count, const ScimValue *raw);

/*
 * A whole resource: the attributes of its type, those of an extension below its URN.
 * Raises QH400 invalid_syntax where it is no object or its schemas name none of the type.
 */
extern ScimValue *input_resource(const ScimResourceType *type, const ScimValue *raw);

/* Raise QH400 validation_failed when a required attribute is absent. */
extern void input_require(const ScimResourceType *type, const ScimValue *resource);

/* Raise QH400 invalid_syntax unless the message's schemas name this URN. */
extern void input_require_schema(const ScimValue *message, const char *urn);

/* A boolean that may be a text of one; false when it is none. */
extern bool input_boolean(const ScimValue *raw, bool *value);

#endif							/* QEHS_SCIM_INPUT_H */
