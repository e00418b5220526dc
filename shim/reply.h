/*
 * reply.h
 *	  What every answer gets: content type, 304, gzip.
 */
#ifndef QEHS_REPLY_H
#define QEHS_REPLY_H

#include "request.h"

/* Finish a reply whose status, body and own headers stand. */
extern void reply_complete(Request *request);

/* Make the reply the metrics in Prometheus's text format. */
extern void reply_metrics(Request *request, const Pool *pool);

#endif							/* QEHS_REPLY_H */
