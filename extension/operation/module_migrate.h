/*
 * module_migrate.h
 *	  The job that moves a module's records to a newer definition.
 */
#ifndef QEHS_MODULE_MIGRATE_H
#define QEHS_MODULE_MIGRATE_H

#include "job/job.h"

/* The kind, to be registered. */
extern const JobKind module_migrate_job;

#endif							/* QEHS_MODULE_MIGRATE_H */
