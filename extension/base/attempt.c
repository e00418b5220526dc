/*
 * attempt.c
 *	  Running work in a subtransaction.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/attempt.h"
#include "utils/resowner.h"

ErrorData *
attempt_run(void (*work) (void *argument), void *argument)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		work(argument);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		/* somebody ended this session or statement: the work ends with it and is not recorded as failed */
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
		{
			MemoryContextSwitchTo(caller);
			CurrentResourceOwner = owner;
			ReThrowError(error);
		}
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return error;
}
