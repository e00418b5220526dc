/*
 * qehs.c
 *	  The shared library's start: settings, callbacks and shared memory.
 *
 * With shared_preload_libraries = 'qehs' rate limits and display numbers are
 * counted in shared memory.  Without it rate limits are counted in dynamic
 * shared memory (caller/ratelimit.c), and creates in one module wait for each
 * other (record/display.c).
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/figures.h"
#include "base/watch.h"
#include "caller/auth.h"
#include "caller/context.h"
#include "caller/ratelimit.h"
#include "caller/throttle.h"
#include "fmgr.h"
#include "job/job.h"
#include "miscadmin.h"
#include "operation/module_migrate.h"
#include "operation/module_refill.h"
#include "record/record.h"
#include "record/search_index.h"
#include "report/report.h"
#include "retention/schedule.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"

QEHS_MODULE_MAGIC;

void		_PG_init(void);

static shmem_startup_hook_type previous_shmem_startup_hook = NULL;
static shmem_request_hook_type previous_shmem_request_hook = NULL;

static void
request_shmem(void)
{
	if (previous_shmem_request_hook)
		previous_shmem_request_hook();
	RequestAddinShmemSpace(ratelimit_shmem_size());
	RequestAddinShmemSpace(figures_shmem_size());
	RequestAddinShmemSpace(worker_shmem_size());
	display_shmem_request();
}

static void
start_shmem(void)
{
	if (previous_shmem_startup_hook)
		previous_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	ratelimit_shmem_startup();
	figures_shmem_startup();
	worker_shmem_startup();
	display_shmem_startup();
	LWLockRelease(AddinShmemInitLock);
}

void
_PG_init(void)
{
	error_init();
	clock_init();
	context_init();
	deadline_init();
	auth_init();
	throttle_init();
	watch_init();
	cache_init();
	worker_init();
	report_planner_init();
	search_index_init();
	job_register(&module_migrate_job);
	job_register(&module_refill_job);
	job_register(&retention_job);
	MarkGUCPrefixReserved("qehs");
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	previous_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_shmem;
}
