/*
 * match.h
 *	  Whether a filter holds for a value in memory: one element of a multi-valued
 *	  attribute, in a PATCH path.
 */
#ifndef QEHS_SCIM_MATCH_H
#define QEHS_SCIM_MATCH_H

#include "scim/schema.h"
#include "scim/tree.h"

/* The sub-attribute that a name in brackets is, of a simple attribute itself; raises QH400 invalid_filter. */
extern const ScimAttribute *match_sub(const ScimAttribute *attribute, ScimName name);

/* Raise QH400 invalid_filter where the operator or the value does not fit the attribute. */
extern void match_check(const ScimAttribute *attribute, const ScimNode *node);

/* What a boolean is compared with, which may be a text of one as Entra ID sends it; false when it is none. */
extern bool match_truth(const ScimNode *node, bool *truth);

/* Does the node at a place of the filter hold for an element of the attribute?  Of a simple attribute the element itself is "value". */
extern bool match_element(const ScimFilter *filter, int at, const ScimAttribute *attribute, const ScimValue *element);

#endif							/* QEHS_SCIM_MATCH_H */
