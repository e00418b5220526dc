/*
 * connection.h
 *	  One connection to PostgreSQL: its socket, what is prepared on it, and the jobs
 *	  that are in flight.
 *
 * Only the files of this folder know it.
 */
#ifndef QEHS_CONNECTION_H
#define QEHS_CONNECTION_H

#include "base/watcher.h"
#include "db/background.h"
#include "db/job.h"

/* Several at a time: a server process takes the next without going to sleep between them, which costs as much as a quick job. */
#define MAX_IN_FLIGHT 4

/* A job that has been sent.  It keeps what it needs to take the results of one that has left. */
typedef struct Flight
{
	PgJob	   *job;			/* NULL: has left */
	int			prepares;		/* results of PREPARE still to come */
	int			prepared_texts[PG_JOB_STATEMENTS];
	int			prepared_count;
	bool		heavy;			/* has the connection for itself */
	bool		cancelled;		/* by us: see flight_cancel */
} Flight;

typedef enum ConnectionState
{
	CLOSED, OPENING, READY
} ConnectionState;

/* What is known of a text's prepared statement. */
typedef enum SlotState
{
	UNKNOWN, PENDING, PREPARED
} SlotState;

typedef struct Connection
{
	Watcher		watcher;
	void	   *pool;
	int			epoll;
	struct pg_conn *pg;
	ConnectionState state;
	Work	   *opening;
	Work	   *cancelling;		/* the word is under way to the server */
	uint32_t	events;			/* that epoll waits for */
	uint64_t	due;			/* CLOSED: when to open it */
	uint64_t	backoff;
	uint64_t	idle_since;
	int			slot_count;		/* by the numbers of texts */
	unsigned char *slots;		/* SlotState */
	int			flight_count;
	uint64_t	head_since;		/* when the first flight became the first */
	Flight		flights[MAX_IN_FLIGHT];
} Connection;

/* Take over what work_open has given; false when it is of no use after all. */
extern bool connection_take(Connection *connection, struct pg_conn *pg);
/* Close it, if it is open; what was in flight is the caller's to finish. */
extern void connection_close(Connection *connection);
/* Send what waits in libpq; false when the connection is broken. */
extern bool connection_flush(Connection *connection);
/* The state of a text's prepared statement, to be read and set. */
extern unsigned char *connection_slot(Connection *connection, int text);

#endif							/* QEHS_CONNECTION_H */
