/*
 * background.c
 *	  Threads that do one thing and put it into a mailbox: a list under a lock, and
 *	  an eventfd that wakes the loop.
 *
 * A mailbox lives until its loop has closed it and no thread has it.  The owner of
 * a work is read and written by the loop's thread only.
 */
#include "db/background.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/watcher.h"

struct Mailbox
{
	Watcher		watcher;
	pthread_mutex_t lock;
	int			epoll;
	int			wake;			/* eventfd */
	int			references;		/* the loop's and one for each thread */
	Work	   *finished;
};

static int	running;			/* threads of the process; atomic */

static void
free_work(Work *work)
{
	if (work->pg)
		PQfinish(work->pg);
	PQfreeCancel(work->cancel);
	free(work->conninfo);
	free(work);
}

/* Give a reference back; called with the lock held. */
static void
release(Mailbox *mailbox)
{
	bool		last = --mailbox->references == 0;

	pthread_mutex_unlock(&mailbox->lock);
	if (!last)
		return;
	while (mailbox->finished)
	{
		Work	   *work = mailbox->finished;

		mailbox->finished = work->next;
		free_work(work);
	}
	close(mailbox->wake);
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

static void
on_mail(Watcher *watcher, uint32_t events)
{
	Mailbox    *mailbox = (Mailbox *) watcher;
	uint64_t	count;
	Work	   *work;

	(void) events;
	pthread_mutex_lock(&mailbox->lock);
	mailbox->references++;		/* done may close it */
	if (read(mailbox->wake, &count, sizeof(count)) < 0)
		count = 0;
	while ((work = mailbox->finished) != NULL)
	{
		mailbox->finished = work->next;
		pthread_mutex_unlock(&mailbox->lock);
		if (work->owner)
			work->done(work);
		free_work(work);
		pthread_mutex_lock(&mailbox->lock);
	}
	release(mailbox);
}

Mailbox *
mailbox_open(int epoll)
{
	Mailbox    *mailbox = calloc(1, sizeof(Mailbox));
	struct epoll_event event = {.events = EPOLLIN};

	if (mailbox == NULL || (mailbox->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
		abort();
	mailbox->watcher = (Watcher) {on_mail};
	mailbox->epoll = epoll;
	mailbox->references = 1;
	pthread_mutex_init(&mailbox->lock, NULL);
	event.data.ptr = &mailbox->watcher;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, mailbox->wake, &event) != 0)
		abort();
	return mailbox;
}

void
mailbox_close(Mailbox *mailbox)
{
	/* the eventfd stays open while a thread may write to it; the loop hears it no more */
	epoll_ctl(mailbox->epoll, EPOLL_CTL_DEL, mailbox->wake, NULL);
	pthread_mutex_lock(&mailbox->lock);
	release(mailbox);
}

static void
connect_to(Work *work)
{
	/* what stands before dbname is overridden by the string, what stands behind is not */
	static const char *const names[] = {"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count",
	"fallback_application_name", "dbname", "client_encoding", NULL};
	const char *const values[] = {"5", "30", "10", "3", "qehs-shim", work->conninfo, "UTF8", NULL};
	int			first = getenv("PGCONNECT_TIMEOUT") ? 1 : 0;

	work->pg = PQconnectdbParams(names + first, values + first, 1);
	if (PQstatus(work->pg) == CONNECTION_OK)
		return;
	snprintf(work->message, sizeof(work->message), "%s", PQerrorMessage(work->pg));
	PQfinish(work->pg);
	work->pg = NULL;
}

static void *
run(void *argument)
{
	Work	   *work = argument;
	Mailbox    *mailbox = work->mailbox;
	uint64_t	one = 1;

	if (work->conninfo)
		connect_to(work);
	else if (work->cancel)
		PQcancel(work->cancel, work->message, sizeof(work->message));
	/* one line: of several hosts each has one */
	for (size_t end = strlen(work->message); end > 0 && work->message[end - 1] == '\n'; end--)
		work->message[end - 1] = '\0';
	for (char *c = work->message; *c; c++)
		if (*c == '\n')
			*c = ';';
	pthread_mutex_lock(&mailbox->lock);
	work->next = mailbox->finished;
	mailbox->finished = work;
	if (write(mailbox->wake, &one, sizeof(one)) < 0)
		one = 0;				/* the counter is full: the loop is awake */
	release(mailbox);
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return NULL;
}

static Work *
start(Mailbox *mailbox, const char *conninfo, PGcancel *cancel, void (*done) (Work *work), void *owner)
{
	Work	   *work = calloc(1, sizeof(Work));
	pthread_attr_t attributes;
	pthread_t	thread;

	if (work == NULL || (conninfo && (work->conninfo = strdup(conninfo)) == NULL))
		abort();
	work->mailbox = mailbox;
	work->cancel = cancel;
	work->done = done;
	work->owner = owner;
	pthread_mutex_lock(&mailbox->lock);
	mailbox->references++;
	pthread_mutex_unlock(&mailbox->lock);
	__atomic_fetch_add(&running, 1, __ATOMIC_RELAXED);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, run, work) != 0)
		abort();
	pthread_attr_destroy(&attributes);
	return work;
}

Work *
work_open(Mailbox *mailbox, const char *conninfo, void (*done) (Work *work), void *owner)
{
	return start(mailbox, conninfo, NULL, done, owner);
}

Work *
work_cancel(Mailbox *mailbox, PGconn *pg, void (*done) (Work *work), void *owner)
{
	return start(mailbox, NULL, PQgetCancel(pg), done, owner);
}

void
work_leave(Work *work)
{
	work->owner = NULL;
}

bool
background_end(int milliseconds)
{
	struct timespec pause = {.tv_nsec = 10000000};

	for (int waited = 0; __atomic_load_n(&running, __ATOMIC_ACQUIRE) > 0; waited += 10)
	{
		if (waited >= milliseconds)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}
