/*
 * locks.h
 *	  The kinds of the extension's own locks: the last part of an advisory lock's tag.
 *
 * SQL functions take advisory locks of the kinds 1 and 2 only, so no login role can
 * take one of these and hold up creates, publishing or housekeeping: they are
 * taken in C, by LockAcquire, and seen in pg_locks as objsubid.
 */
#ifndef QEHS_LOCKS_H
#define QEHS_LOCKS_H

typedef enum LockKind
{
	LOCK_PUBLISH = 3,			/* tenant: publishers take turns */
	LOCK_SLOTS = 4,				/* tenant, module: writers of records against a change of the slot map */
	LOCK_BULK_TENANT = 5,		/* tenant, place: loads at once of a tenant; qehs.figures counts them */
	LOCK_JOB_KIND = 6,			/* tenant, hash of the kind: jobs at once */
	LOCK_TICK = 7,				/* housekeeping: one at a time */
	LOCK_DISPLAY_NO = 9,		/* tenant, module: display numbers without shared memory */
	LOCK_IDEMPOTENCY = 10,		/* hash of tenant, API key and idempotency key: who runs */
	LOCK_BULK_KEY = 11,			/* hash of the API key, place: loads at once of a key */
	LOCK_RATE_SEGMENT = 12,		/* making the segment of rate limits without preload */
	LOCK_AUDIT_CHAIN = 13,		/* hash of tenant and what an event is of: events of a key, user, role or module take turns */
	LOCK_AUDIT_SEAL = 14,		/* tenant: seals take turns */
	LOCK_CHILDREN = 15,			/* tenant, module and place: changes of records that refer to others against guards over them and deletions */
	LOCK_SIGNATURE = 16,		/* tenant, bits of a user: his signatures one after the other */
	LOCK_AUDIT_CHAINS = 17,		/* tenant: all chains, by who writes to very many; shared by who writes to one */
	LOCK_CHAINS = 18,			/* tenant, module: changes of references that must not lead back */
	LOCK_LEGAL_HOLD = 19		/* tenant: placing a legal hold, against deletions and purges, which share it */
} LockKind;

#endif							/* QEHS_LOCKS_H */
