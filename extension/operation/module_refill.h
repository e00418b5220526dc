/*
 * module_refill.h
 *	  The job that fills a new index of a module from the records that are there.
 */
#ifndef QEHS_MODULE_REFILL_H
#define QEHS_MODULE_REFILL_H

#include "job/job.h"

/* The kind, to be registered. */
extern const JobKind module_refill_job;

/* Wait for a step of the module's job, if it has one, and keep others out until the transaction ends; inside SPI, before module_lock_slots. */
extern void module_refill_hold(int32 tenant_id, int32 module_id);

/* Queue the job, or have the one that has not ended begin anew; inside SPI. */
extern void module_refill_queue(int32 tenant_id, int32 module_id, const char *module_key);

#endif							/* QEHS_MODULE_REFILL_H */
