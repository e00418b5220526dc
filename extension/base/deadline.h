/*
 * deadline.h
 *	  How long a request may take, and how long it may wait for a lock.
 */
#ifndef QEHS_DEADLINE_H
#define QEHS_DEADLINE_H

/*
 * The statement that runs now is cancelled after so many milliseconds (ERROR 57014),
 * unless statement_timeout does it sooner; until the transaction ends, waiting for one
 * lock ends after a third of them (ERROR 55P03), unless lock_timeout is shorter.
 */
extern void deadline_start(int milliseconds);

/* At load. */
extern void deadline_init(void);

#endif							/* QEHS_DEADLINE_H */
