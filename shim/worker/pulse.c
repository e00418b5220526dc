/*
 * pulse.c
 *	  The heartbeat of a job.
 *
 * The thread has a connection of its own, opened again when it breaks, and calls
 * qehs.job_heartbeat every few seconds: so the lease lasts while a statement or
 * the closing of a file takes long, and a cancel is noticed meanwhile.  A beat that
 * fails for lack of a connection is no reason to stop: the lease says how long.
 *
 * Locking: the mutex is over the session and waits; state and figures are atomic.
 */
#include "worker/pulse.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEAT_SECONDS 2
#define BEAT_SQL "SELECT qehs.job_heartbeat($1, $2, $3, '1 minute', $4::int8, $5::int8)"

struct Pulse
{
	const char *conninfo;
	const char *worker;
	const Claim *claim;
	Session    *work;
	Session    *session;
	pthread_t	thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool		ended;
	atomic_int	state;
	atomic_llong done;
	atomic_llong total;
};

/* Note what was felt, once, and break off the work. */
static void
change_state(Pulse *pulse, PulseState state)
{
	int			expected = PULSE_GOES_ON;

	if (atomic_compare_exchange_strong(&pulse->state, &expected, (int) state))
		session_cancel(pulse->work);
}

/* One beat, with the mutex held. */
static void
beat(Pulse *pulse)
{
	char		done[24];
	char		total[24];
	const char *arguments[] = {pulse->claim->tenant, pulse->claim->job_id, pulse->worker, done, total};
	const char *value;
	const char *message;

	snprintf(done, sizeof(done), "%lld", (long long) atomic_load(&pulse->done));
	snprintf(total, sizeof(total), "%lld", (long long) atomic_load(&pulse->total));
	if (pulse->session && !session_is_open(pulse->session))
	{
		session_close(pulse->session);
		pulse->session = NULL;
	}
	if (pulse->session == NULL)
		pulse->session = session_open(pulse->conninfo, "qehs-shim pulse");
	if (session_value(pulse->session, BEAT_SQL, 5, arguments, &value, NULL))
	{
		if (value && *value == 'f')
			change_state(pulse, PULSE_CANCELLED);
	}
	else if (strcmp(session_problem(pulse->session, &message), "conflict") == 0 || strcmp(session_problem(pulse->session, &message), "not_found") == 0)
		change_state(pulse, PULSE_LOST);
}

static void *
run(void *argument)
{
	Pulse	   *pulse = argument;

	pthread_mutex_lock(&pulse->mutex);
	while (!pulse->ended)
	{
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += BEAT_SECONDS;
		if (pthread_cond_timedwait(&pulse->wake, &pulse->mutex, &until) != 0 && !pulse->ended)
			beat(pulse);
	}
	pthread_mutex_unlock(&pulse->mutex);
	return NULL;
}

Pulse *
pulse_start(const char *conninfo, const char *worker, const Claim *claim, Session *work)
{
	Pulse	   *pulse = calloc(1, sizeof(Pulse));

	if (pulse == NULL)
		abort();
	pulse->conninfo = conninfo;
	pulse->worker = worker;
	pulse->claim = claim;
	pulse->work = work;
	pthread_mutex_init(&pulse->mutex, NULL);
	pthread_cond_init(&pulse->wake, NULL);
	if (pthread_create(&pulse->thread, NULL, run, pulse) != 0)
		abort();
	return pulse;
}

void
pulse_progress(Pulse *pulse, int64_t done, int64_t total)
{
	atomic_store(&pulse->done, done);
	atomic_store(&pulse->total, total);
}

PulseState
pulse_state(const Pulse *pulse)
{
	return (PulseState) atomic_load(&pulse->state);
}

PulseState
pulse_feel(Pulse *pulse)
{
	pthread_mutex_lock(&pulse->mutex);
	beat(pulse);
	pthread_mutex_unlock(&pulse->mutex);
	return pulse_state(pulse);
}

void
pulse_stop(Pulse *pulse)
{
	change_state(pulse, PULSE_STOPPED);
}

void
pulse_end(Pulse *pulse)
{
	pthread_mutex_lock(&pulse->mutex);
	pulse->ended = true;
	pthread_cond_signal(&pulse->wake);
	pthread_mutex_unlock(&pulse->mutex);
	pthread_join(pulse->thread, NULL);
	if (pulse->session)
		session_close(pulse->session);
	pthread_mutex_destroy(&pulse->mutex);
	pthread_cond_destroy(&pulse->wake);
	free(pulse);
}
