/*
 * clock.h
 *	  What time it is: the one place where the extension reads a clock.
 *
 * A superuser can put another time in its place with the setting qehs.clock, so
 * that tests need not wait for leases, ends and limits to pass.
 */
#ifndef QEHS_CLOCK_H
#define QEHS_CLOCK_H

#include "datatype/timestamp.h"

/*
 * A time without what answers do not tell: they have milliseconds.  Times of
 * records and events are stored so, that a told time finds what has it.
 */
extern TimestampTz clock_told(TimestampTz time);

/* The time at which the transaction began, which is that of all that it writes, to the millisecond. */
extern TimestampTz clock_transaction(void);

/* The time now, which moves on within a transaction: for leases and the like. */
extern TimestampTz clock_now(void);

/* Define the setting; once, at load. */
extern void clock_init(void);

#endif							/* QEHS_CLOCK_H */
