/*
 * index.h
 *	  What is indexed of a module: which slot each indexed field has, which of
 *	  these hold the records of before already, and what q searches.
 */
#ifndef QEHS_INDEX_H
#define QEHS_INDEX_H

#include "base/error.h"
#include "utils/jsonb.h"

typedef struct ModuleIndex
{
	Jsonb	   *definition;
	Jsonb	   *slots;			/* field key to slot number */
	int			unfilled_count;
	const char **unfilled;		/* keys of fields whose slots lack what older records hold */
	bool		search_unfilled;	/* the column search lacks it */
} ModuleIndex;

/*
 * The index of a definition that follows before (NULL for the first): a field keeps
 * its slot, others get a free one of their kind.  One field too many is added to
 * faults.  Gives whether what records hold has to be filled in.
 */
extern bool index_next(const ModuleIndex *before, Jsonb *definition, ModuleIndex *after, ViolationList *faults);

/*
 * Whether q searches a field of the array: it is named searchable, or none is and it is a text that is not
 * named otherwise; named is what index_names_searched gave.  A table or object is searched for its texts that are
 * not named otherwise; of their fields named is false.
 */
extern bool index_names_searched(const JsonbContainer *fields);
extern bool index_searches(const JsonbContainer *field, bool named);

/* The keys of unfilled fields as text[]. */
extern Datum index_unfilled(const ModuleIndex *index);

/* The array of a definition's fields, one of them by number, and by key (NULL: there is none). */
extern const JsonbContainer *index_fields(Jsonb *definition);
extern const JsonbContainer *index_field(const JsonbContainer *fields, uint32 number);
extern const JsonbContainer *index_find_field(const JsonbContainer *fields, const char *key);

#endif							/* QEHS_INDEX_H */
