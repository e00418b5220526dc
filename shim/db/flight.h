/*
 * flight.h
 *	  Jobs on a connection: sending them in pipeline mode and taking what comes.
 */
#ifndef QEHS_FLIGHT_H
#define QEHS_FLIGHT_H

#include "db/connection.h"

/* Who is told that the first flight of a connection has ended. */
typedef void (*FlightEnd) (Connection *connection, const Flight *flight);

/* Put a job into the pipeline; false when the connection is broken. */
extern bool flight_send(Connection *connection, PgJob *job, bool heavy);
/* Take what has come; end is called for each flight that is over.  False when the connection is broken. */
extern bool flight_receive(Connection *connection, FlightEnd end);
/* The flight's job leaves: its results will be dropped. */
extern PgJob *flight_leave(Flight *flight);

/* Send texts instead of names of prepared statements from now on, on all connections; false when it is so already. */
extern bool flight_without_names(void);

#endif							/* QEHS_FLIGHT_H */
