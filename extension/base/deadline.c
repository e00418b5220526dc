/*
 * deadline.c
 *	  PostgreSQL's own timers of statement_timeout and lock_timeout, without the cost
 *	  of setting the two settings for each request.
 *
 * The server stops the statement's timer itself when the statement has ended.  It
 * reads the lock's time from the variable of lock_timeout whenever a lock has to
 * be waited for: the variable has its old value again when the transaction ends.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/deadline.h"
#include "storage/proc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

static bool lock_timeout_changed = false;
static int	lock_timeout_before;

static void
on_transaction_end(XactEvent event, void *argument)
{
	if (!lock_timeout_changed || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE))
		return;
	lock_timeout_changed = false;
	LockTimeout = lock_timeout_before;
}

void
deadline_init(void)
{
	RegisterXactCallback(on_transaction_end, NULL);
}

void
deadline_start(int milliseconds)
{
	int			for_lock = Max(milliseconds / 3, 1);

	if (!get_timeout_active(STATEMENT_TIMEOUT) ||
		get_timeout_finish_time(STATEMENT_TIMEOUT) > TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds))
		enable_timeout_after(STATEMENT_TIMEOUT, milliseconds);
	if (!lock_timeout_changed)
	{
		lock_timeout_before = LockTimeout;
		lock_timeout_changed = true;
	}
	if (lock_timeout_before == 0 || for_lock < lock_timeout_before)
		LockTimeout = for_lock;
}
