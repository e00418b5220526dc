/*
 * search_path.h
 *	  The search_path of what runs with the owner's rights.
 *
 * Functions have it as their setting, which PostgreSQL sets and resets for each
 * call, and looks all names of it up again.  Where that shows, C does the same,
 * and nothing for a session that has this path already, as the shim's role does.
 */
#ifndef QEHS_SEARCH_PATH_H
#define QEHS_SEARCH_PATH_H

/* Set it until search_path_leave, or until the transaction or subtransaction fails; returns what search_path_leave takes. */
extern int	search_path_pin(void);
extern void search_path_leave(int level);

#endif							/* QEHS_SEARCH_PATH_H */
