/*
 * selection.h
 *	  The members that a list's answer is trimmed to (fields=…).
 */
#ifndef QEHS_SELECTION_H
#define QEHS_SELECTION_H

#include "record/record.h"

typedef struct Selection
{
	const ModuleDef *module;	/* the current definition: it knows a field's old keys */
	int			count;
	char	   *names[64];
} Selection;

/* Read "displayCode,payload.title"; a name that is none is a fault at ?fields, one that comes again says nothing new. */
extern void selection_read(const ModuleDef *module, char *fields, Selection *selection, ViolationList *faults);

/* Append a record's id and selected members; module is the definition that it was written against. */
extern void selection_write(StringInfo out, const RequestContext *context, const ModuleDef *module, const Record *record,
							const Selection *selection);

#endif							/* QEHS_SELECTION_H */
