/*
 * line_sink.h
 *	  A body of lines that goes to the database in chunks while it still arrives,
 *	  and its answer: a line for each line.
 *
 * The stream has a connection to PostgreSQL of its own, since what the endpoint's
 * first function takes there and a transaction of all chunks belong to a session.
 */
#ifndef QEHS_LINE_SINK_H
#define QEHS_LINE_SINK_H

#include "stream/streams.h"

/* Open a stream for the request, with its connection. */
extern StreamItem *line_sink_open(Exchange *exchange, Request *request);

#endif							/* QEHS_LINE_SINK_H */
