/*
 * cycle.h
 *	  References that must lead to no circle: a part and what it is part of.
 */
#ifndef QEHS_CYCLE_H
#define QEHS_CYCLE_H

#include "module/module.h"
#include "utils/uuid.h"

/* How many records a chain, or all chains that branch from one, may have. */
#define QEHS_CYCLE_DEPTH 1000

typedef enum CycleOutcome
{
	CYCLE_NONE,
	CYCLE_FOUND,
	CYCLE_TOO_DEEP
} CycleOutcome;

/*
 * Whether target is reached from start by following field, one of a version of the
 * module that refers to the module itself, from record to record, deleted ones too.  Keeps
 * others from changing such fields of the module until the transaction ends, and
 * looks at what they had committed by then.  Runs SPI by itself.
 */
extern CycleOutcome cycle_look(const ModuleDef *module, const ModuleField *field, const pg_uuid_t *start, const pg_uuid_t *target);

#endif							/* QEHS_CYCLE_H */
