/*
 * flag.c
 *	  Flags that go down with the transaction.
 */
#include "base/compat.h"

#include "access/xact.h"
#include "base/flag.h"

/* All that were ever up. */
static Flag *flags = NULL;

static void
lower_all(void)
{
	for (Flag *flag = flags; flag; flag = flag->next)
		flag->up = false;
}

static void
on_transaction_end(XactEvent event, void *argument)
{
	lower_all();
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		lower_all();
}

void
flag_raise(Flag *flag)
{
	if (flags == NULL)
	{
		RegisterXactCallback(on_transaction_end, NULL);
		RegisterSubXactCallback(on_subtransaction_end, NULL);
	}
	if (!flag->is_watched)
	{
		flag->is_watched = true;
		flag->next = flags;
		flags = flag;
	}
	flag->up = true;
}

void
flag_lower(Flag *flag)
{
	flag->up = false;
}
