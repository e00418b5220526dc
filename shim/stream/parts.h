/*
 * parts.h
 *	  An answer of lines that comes from the database part by part, each when the
 *	  client has taken the one before.
 *
 * The first part is the reply of the request; those that follow run on a connection of
 * the stream's own, so that long answers take none from the requests.  A part is a
 * transaction of its own, which goes on at the cursor of the one before: a client that
 * reads slowly, or leaves, holds nothing at the database.
 */
#ifndef QEHS_PARTS_H
#define QEHS_PARTS_H

#include "stream/streams.h"

/* Make a stream of the request's reply and of what follows it (request->next_part). */
extern StreamItem *parts_open(Exchange *exchange, Request *request);

#endif							/* QEHS_PARTS_H */
