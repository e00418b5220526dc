/*
 * worker.c
 *	  Threads that do jobs of the queue which run outside the database.
 *
 * A thread claims a job (qehs.job_claim) of its kind, does it (export_job.c, load_job.c) and
 * finishes it.  A pulse renews the lease meanwhile; when the thread dies, the lease
 * runs out and another goes on.
 *
 * Each thread has a connection for the queue and, while it works, one for the work.
 */
#include "worker/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exchange/log.h"
#include "worker/held.h"

#define IDLE_SECONDS 1
#define AWAY_SECONDS 3			/* until the database is tried again */

/* A kind of job, and who does it. */
typedef struct WorkKind
{
	const char *claim;			/* statement */
	bool		(*run) (HeldJob *job);
} WorkKind;

static const WorkKind exports = {"SELECT qehs.job_claim('{export}', $1)", export_job_run};
static const WorkKind loads = {"SELECT qehs.job_claim('{bulk_load}', $1)", load_job_run};

typedef struct Worker
{
	Workers    *workers;
	const WorkKind *kind;
	pthread_t	thread;
	char		name[128];
	Session    *queue;
	Pulse	   *pulse;			/* of the job that runs; under the mutex of workers */
} Worker;

struct Workers
{
	const Config *config;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool		stopping;
	int			count;
	Worker	   *items;
};

/* The pulse of a worker is seen by who stops it. */
static void
set_pulse(Worker *worker, Pulse *pulse)
{
	pthread_mutex_lock(&worker->workers->mutex);
	worker->pulse = pulse;
	if (pulse && worker->workers->stopping)
		pulse_stop(pulse);
	pthread_mutex_unlock(&worker->workers->mutex);
}

static void
do_job(Worker *worker, HeldJob *job)
{
	PulseState	state;
	bool		done;

	job->session = session_open(job->config->db, "qehs-shim job");
	job->pulse = pulse_start(job->config->db, worker->name, &job->claim, job->session);
	set_pulse(worker, job->pulse);
	done = worker->kind->run(job);
	state = pulse_state(job->pulse);
	set_pulse(worker, NULL);
	pulse_end(job->pulse);
	if (!done)
		held_tell(job, state);
	session_close(job->session);
	log_flush();
}

/* Claim a job and do it; false when there is none, or no database. */
static bool
work_once(Worker *worker)
{
	const char *const arguments[] = {worker->name};
	HeldJob		job = {.config = worker->workers->config,.worker = worker->name,.queue = worker->queue};
	const char *value;
	size_t		length;
	bool		claimed;

	if (!session_value(worker->queue, worker->kind->claim, 1, arguments, &value, &length) || value == NULL)
		return false;
	claimed = held_read(&job, value, length);
	if (claimed)
		do_job(worker, &job);
	arena_free(&job.arena);
	return claimed;
}

/* Wait; gives false when it is time to stop. */
static bool
rest(Workers *workers, int seconds)
{
	struct timespec until;
	bool		go_on;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&workers->mutex);
	while (!workers->stopping && seconds > 0 && pthread_cond_timedwait(&workers->wake, &workers->mutex, &until) == 0)
		;
	go_on = !workers->stopping;
	pthread_mutex_unlock(&workers->mutex);
	return go_on;
}

static void *
run_worker(void *argument)
{
	Worker	   *worker = argument;
	int			seconds = 0;

	while (rest(worker->workers, seconds))
	{
		if (worker->queue && !session_is_open(worker->queue))
		{
			session_close(worker->queue);
			worker->queue = NULL;
		}
		if (worker->queue == NULL)
			worker->queue = session_open(worker->workers->config->db, "qehs-shim worker");
		seconds = !session_is_open(worker->queue) ? AWAY_SECONDS : work_once(worker) ? 0 : IDLE_SECONDS;
	}
	if (worker->queue)
		session_close(worker->queue);
	return NULL;
}

Workers *
workers_start(const Config *config)
{
	int			count = config->export_workers + config->load_workers;
	Workers    *workers = calloc(1, sizeof(Workers));
	char		host[64] = "";

	if (workers == NULL || (workers->items = calloc((size_t) count + 1, sizeof(Worker))) == NULL)
		abort();
	workers->config = config;
	workers->count = count;
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->wake, NULL);
	gethostname(host, sizeof(host) - 1);
	for (int i = 0; i < count; i++)
	{
		Worker	   *worker = &workers->items[i];

		worker->workers = workers;
		worker->kind = i < config->export_workers ? &exports : &loads;
		snprintf(worker->name, sizeof(worker->name), "%s %d.%d %lld", host, (int) getpid(), i, (long long) time(NULL));
		if (pthread_create(&worker->thread, NULL, run_worker, worker) != 0)
			abort();
	}
	return workers;
}

void
workers_stop(Workers *workers)
{
	pthread_mutex_lock(&workers->mutex);
	workers->stopping = true;
	pthread_cond_broadcast(&workers->wake);
	for (int i = 0; i < workers->count; i++)
		if (workers->items[i].pulse)
			pulse_stop(workers->items[i].pulse);
	pthread_mutex_unlock(&workers->mutex);
	for (int i = 0; i < workers->count; i++)
		pthread_join(workers->items[i].thread, NULL);
	pthread_mutex_destroy(&workers->mutex);
	pthread_cond_destroy(&workers->wake);
	free(workers->items);
	free(workers);
}
