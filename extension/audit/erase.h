/*
 * erase.h
 *	  Values in audit events are erased; their commitments stay, so that digests, chains and seals hold (digest.h).
 */
#ifndef QEHS_ERASE_H
#define QEHS_ERASE_H

#include "utils/uuid.h"

/* An event whose values are looked at. */
typedef struct ErasableEvent
{
	const char *action;
	int32		from_definition;	/* 0: none */
	int32		to_definition;
} ErasableEvent;

/* Whether the value of a label (as digest.c calls it: "comment", "/payload/x from") is to be erased. */
typedef bool (*EraseWants) (void *owner, const ErasableEvent *event, const char *label);

/*
 * Erase what is wanted in all events of a record, or whatever else they are of; returns in how many.  The caller keeps
 * others from adding to them.  Inside SPI.
 */
extern int64 erase_values(int32 tenant_id, const pg_uuid_t *subject, EraseWants wants, void *owner);

#endif							/* QEHS_ERASE_H */
