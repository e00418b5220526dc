/*
 * guarded.c
 *	  A field in a subtransaction of its own.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "graphql/run.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

bool
run_write_guarded(Run *run, StringInfo out, RunField *field, bool (*write) (Run *run, StringInfo out, RunField *field))
{
	MemoryContext memory = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			start = out->len;
	int			path = run->path_length;
	volatile bool written = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(memory);
	PG_TRY();
	{
		written = write(run, out, field);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(memory);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(memory);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(memory);
		CurrentResourceOwner = owner;
		/* what is not the client's, cancels and shutdowns among it, ends the request */
		if (strncmp(unpack_sql_state(error->sqlerrcode), "QH", 2) != 0)
			ReThrowError(error);
		out->len = start;
		run->path_length = path;
		run_error_caught(run, field->node, error);
		FreeErrorData(error);
		written = false;
	}
	PG_END_TRY();
	return written;
}
