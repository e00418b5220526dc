/*
 * schedule.h
 *	  The job "retention": once a day, records of a module that have been kept as long as its definition says
 *	  are deleted or purged.
 */
#ifndef QEHS_SCHEDULE_H
#define QEHS_SCHEDULE_H

#include "job/job.h"

/* Run by the job queue (job/job.h); qehs.retention_due queues it. */
extern const JobKind retention_job;

#endif							/* QEHS_SCHEDULE_H */
