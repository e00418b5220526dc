/*
 * search_path.c
 *	  The setting in a nest level of its own (utils/misc/README of PostgreSQL).
 */
#include "base/compat.h"

#include "base/search_path.h"
#include "catalog/namespace.h"
#include "utils/guc.h"

#define PINNED "pg_catalog, pg_temp"

int
search_path_pin(void)
{
	int			level;

	if (strcmp(namespace_search_path, PINNED) == 0)
		return 0;
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", PINNED, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

void
search_path_leave(int level)
{
	if (level > 0)
		AtEOXact_GUC(true, level);
}
