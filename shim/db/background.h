/*
 * background.h
 *	  The calls of libpq that block, each in a thread of its own: opening a
 *	  connection (which looks up names, tries host after host, and speaks TLS) and
 *	  cancelling a statement.
 *
 * What they give comes to the event loop through its mailbox.  Everything here is
 * called in the thread of that loop.
 */
#ifndef QEHS_BACKGROUND_H
#define QEHS_BACKGROUND_H

#include <stdbool.h>

struct pg_conn;

typedef struct Mailbox Mailbox;

typedef struct Work
{
	Mailbox    *mailbox;
	void		(*done) (struct Work *work);	/* the work is freed after it */
	void	   *owner;			/* NULL once nobody waits: see work_leave */
	struct pg_conn *pg;			/* that has been opened, for done to take; NULL: see message */
	char		message[512];	/* one line */
	/* of the thread */
	char	   *conninfo;
	struct pg_cancel *cancel;
	struct Work *next;
} Work;

/* What is finished is told from an event of epoll; mailbox_close waits for nothing. */
extern Mailbox *mailbox_open(int epoll);
extern void mailbox_close(Mailbox *mailbox);

/* Open a connection; every host has 5 seconds unless the string has connect_timeout. */
extern Work *work_open(Mailbox *mailbox, const char *conninfo, void (*done) (Work *work), void *owner);
/* Cancel what runs on a connection now; done when the server has the word. */
extern Work *work_cancel(Mailbox *mailbox, struct pg_conn *pg, void (*done) (Work *work), void *owner);
/* done is not called; what is opened is closed. */
extern void work_leave(Work *work);

/* Wait for all threads at most so long; false when some still run. */
extern bool background_end(int milliseconds);

#endif							/* QEHS_BACKGROUND_H */
