/*
 * tasks.c
 *	  One queue of the process, which THREADS threads take from, and a list of what is
 *	  done for each loop, with an eventfd that wakes it.  All under one mutex: tasks are few and long.
 */
#include "base/tasks.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/watcher.h"

#define THREADS 4

struct Tasks
{
	Watcher		watcher;		/* first, so that one is the other */
	int			epoll;
	int			wake;
	int			under_way;		/* submitted, and done not called yet */
	TaskWork	   *done;
	TaskWork	  **last_done;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static TaskWork *queue;
static TaskWork **last = &queue;
static bool started;

static void *
work(void *argument)
{
	(void) argument;
	pthread_mutex_lock(&lock);
	for (;;)
	{
		TaskWork	   *task = queue;
		Tasks	   *home;
		uint64_t	one = 1;

		if (task == NULL)
		{
			pthread_cond_wait(&more, &lock);
			continue;
		}
		queue = task->next;
		if (queue == NULL)
			last = &queue;
		pthread_mutex_unlock(&lock);
		task->run(task);
		pthread_mutex_lock(&lock);
		home = task->home;
		task->next = NULL;
		*home->last_done = task;
		home->last_done = &task->next;
		/* a full counter has woken it already */
		if (write(home->wake, &one, sizeof(one)) < 0)
			continue;
	}
	return NULL;
}

/* With the lock held. */
static void
start_threads(void)
{
	sigset_t	all;
	sigset_t	before;

	started = true;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (int i = 0; i < THREADS; i++)
	{
		pthread_t	thread;

		if (pthread_create(&thread, NULL, work, NULL) != 0)
			abort();
		pthread_detach(thread);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
take_done(Watcher *watcher, uint32_t events)
{
	Tasks	   *tasks = (Tasks *) watcher;
	uint64_t	count;
	TaskWork	   *task;

	(void) events;
	if (read(tasks->wake, &count, sizeof(count)) < 0)
		count = 0;
	pthread_mutex_lock(&lock);
	task = tasks->done;
	tasks->done = NULL;
	tasks->last_done = &tasks->done;
	pthread_mutex_unlock(&lock);
	while (task)
	{
		TaskWork	   *next = task->next;

		tasks->under_way--;
		task->done(task);
		task = next;
	}
}

Tasks *
tasks_create(int epoll)
{
	Tasks	   *tasks = calloc(1, sizeof(Tasks));
	struct epoll_event event = {.events = EPOLLIN,.data.ptr = tasks};

	if (tasks == NULL)
		abort();
	tasks->watcher.ready = take_done;
	tasks->epoll = epoll;
	tasks->last_done = &tasks->done;
	tasks->wake = eventfd(0, EFD_CLOEXEC);
	if (tasks->wake < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, tasks->wake, &event) != 0)
		abort();
	return tasks;
}

void
tasks_submit(Tasks *tasks, TaskWork *task)
{
	task->home = tasks;
	task->next = NULL;
	tasks->under_way++;
	pthread_mutex_lock(&lock);
	if (!started)
		start_threads();
	*last = task;
	last = &task->next;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
}

void
tasks_finish(Tasks *tasks)
{
	/* the eventfd blocks until one more is done */
	while (tasks->under_way > 0)
		take_done(&tasks->watcher, 0);
}

void
tasks_free(Tasks *tasks)
{
	epoll_ctl(tasks->epoll, EPOLL_CTL_DEL, tasks->wake, NULL);
	close(tasks->wake);
	free(tasks);
}
