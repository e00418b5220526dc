/*
 * changed.h
 *	  Records by the time of their last change, for lists that filter or sort by updatedAt.
 */
#ifndef QEHS_CHANGED_H
#define QEHS_CHANGED_H

#include "record/sort.h"

/* Note what a filter says of updatedAt (query->changed); the conditions hold it, too. */
extern void changed_read(ListQuery *query, const FilterNode *filter);

/*
 * If query->changed leaves few changes of the module, let query take the records of those in place of all (query->source).
 */
extern void changed_few(ListQuery *query);

/* Whether an order is that of changes alone; and the statement of its only part, as sort_write_statement writes it. */
extern bool changed_orders(const ListQuery *query, const ListSort *sort);
extern void changed_write_statement(ListQuery *query, const ListSort *sort, const SortPosition *after, const char *conditions);

#endif							/* QEHS_CHANGED_H */
