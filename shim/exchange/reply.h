/*
 * reply.h
 *	  What every answer gets: content type, 304, gzip.
 */
#ifndef QEHS_REPLY_H
#define QEHS_REPLY_H

#include "db/pool.h"
#include "exchange/request.h"

/* Does an Accept-Encoding field, or none, allow gzip (RFC 9110 section 12.5.3)? */
extern bool reply_accepts_gzip(const char *header);

/* Finish a reply whose status, body and own headers stand. */
extern void reply_complete(Request *request);

/* Make the reply the metrics in Prometheus's text format. */
extern void reply_metrics(Request *request, const Pool *pool);

#endif							/* QEHS_REPLY_H */
