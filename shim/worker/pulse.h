/*
 * pulse.h
 *	  The heartbeat of a job: a thread that renews its lease while another works.
 */
#ifndef QEHS_PULSE_H
#define QEHS_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "db/session.h"

typedef struct Pulse Pulse;

/* A job that a worker has claimed (qehs.job_claim). */
typedef struct Claim
{
	const char *kind;
	const char *tenant;			/* slug */
	const char *job_id;
	const char *arguments;		/* JSON, or NULL */
	const char *position;		/* the same */
} Claim;

/* What a pulse has felt. */
typedef enum PulseState
{
	PULSE_GOES_ON,
	PULSE_CANCELLED,			/* who asked for the job wants it no more */
	PULSE_LOST,					/* another worker has the job, or it has ended */
	PULSE_STOPPED				/* the process is to end */
} PulseState;

/* Begin; work is the connection whose statement is broken off when the state changes.  Its parts outlive the pulse. */
extern Pulse *pulse_start(const char *conninfo, const char *worker, const Claim *claim, Session *work);
/* How far the job is, of total rows. */
extern void pulse_progress(Pulse *pulse, int64_t done, int64_t total);
/* What it has felt so far. */
extern PulseState pulse_state(const Pulse *pulse);
/* Feel at once, before what must not happen twice. */
extern PulseState pulse_feel(Pulse *pulse);
/* Make it feel that the process is to end. */
extern void pulse_stop(Pulse *pulse);
extern void pulse_end(Pulse *pulse);

#endif							/* QEHS_PULSE_H */
