/*
 * attempt.h
 *	  Work that may fail without failing the transaction that it is part of.
 */
#ifndef QEHS_ATTEMPT_H
#define QEHS_ATTEMPT_H

/*
 * Run work in a subtransaction.  Gives NULL, or its error, in the current memory context: then all that it did is
 * undone.  What ends the session or the statement (class 57) is raised again.
 */
extern ErrorData *attempt_run(void (*work) (void *argument), void *argument);

#endif							/* QEHS_ATTEMPT_H */
