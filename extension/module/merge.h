/*
 * merge.h
 *	  A definition that a tenant has changed, and the catalogue's newer one, in one.
 */
#ifndef QEHS_MERGE_H
#define QEHS_MERGE_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* What both have changed, each otherwise. */
typedef struct MergeConflict
{
	char	   *path;			/* JSON Pointer; elements of lists by name */
	JsonbValue *base;			/* NULL: it was not there, or is gone */
	JsonbValue *ours;
	JsonbValue *theirs;
} MergeConflict;

/*
 * The definition with what ours (the tenant's) and theirs (the catalogue's) have
 * changed since base.  Where both have, ours stays, and a MergeConflict is added to
 * conflicts.  "migrate", which tells of one step only, is that of theirs.
 */
extern Jsonb *merge_definitions(Jsonb *base, Jsonb *ours, Jsonb *theirs, List **conflicts);

#endif							/* QEHS_MERGE_H */
