/*
 * timer.h
 *	  What is to happen to a record by itself, and when: its due date, the escalations
 *	  that go with it, and transitions that are fired by time.
 *
 * All of it follows from the record's own definition, its state, when it entered
 * that, its payload and the tenant's calendar.
 */
#ifndef QEHS_TIMER_H
#define QEHS_TIMER_H

#include "record/record.h"

/* As qehs.record_timer has it. */
typedef enum TimerKind
{
	TIMER_ESCALATION = 'e',		/* step: in escalate of the state's deadline */
	TIMER_TRANSITION = 't'		/* step: in the transitions of the definition, in the order of their names' length and bytes */
} TimerKind;

typedef struct Timer
{
	TimerKind	kind;
	int32		step;
	bool		by_field;		/* its time follows from a field, whenever the state was entered */
	TimestampTz at;
} Timer;

typedef struct TimerPlan
{
	bool		has_due;
	bool		due_by_field;
	TimestampTz due_at;
	int			count;
	Timer	   *items;
} TimerPlan;

/*
 * The times of a record that lives, in the state that it entered at start, in the current memory context.  What has
 * no time, as when a field is empty, is left out.  module is its own definition.  Inside SPI.
 */
extern TimerPlan timer_plan(const ModuleDef *module, const Record *record, TimestampTz start);

#endif							/* QEHS_TIMER_H */
