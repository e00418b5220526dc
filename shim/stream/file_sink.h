/*
 * file_sink.h
 *	  A body that becomes an object of the object store: the sink of endpoints whose
 *	  body is a file, or is kept for a job (Prefer: respond-async).
 */
#ifndef QEHS_FILE_SINK_H
#define QEHS_FILE_SINK_H

#include "stream/streams.h"

/* Open a stream for the request; its statements run on the exchange's pool. */
extern StreamItem *file_sink_open(Exchange *exchange, Request *request);

#endif							/* QEHS_FILE_SINK_H */
