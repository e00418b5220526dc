/*
 * tasks.h
 *	  Work that blocks (fsync, a scanner, a file's type), beside the event loops: a few
 *	  threads of the process do it, and its loop is told when it is done.
 */
#ifndef QEHS_TASKS_H
#define QEHS_TASKS_H

#include <stdbool.h>

typedef struct Tasks Tasks;

/* A task, the first member of what it works on. */
typedef struct TaskWork
{
	/* Runs in a thread of its own, which alone touches what the task works on then. */
	void		(*run) (struct TaskWork *task);
	/* Runs in the loop's thread afterwards. */
	void		(*done) (struct TaskWork *task);
	Tasks	   *home;
	struct TaskWork *next;
} TaskWork;

/* The tasks of one event loop; epoll gets a descriptor with a Watcher. */
extern Tasks *tasks_create(int epoll);
/* Hand a task over, from the loop's thread. */
extern void tasks_submit(Tasks *tasks, TaskWork *task);
/* Wait for all that are under way, and call done of each. */
extern void tasks_finish(Tasks *tasks);
extern void tasks_free(Tasks *tasks);

#endif							/* QEHS_TASKS_H */
