/*
 * log.h
 *	  The log: one JSON object a line.
 */
#ifndef QEHS_LOG_H
#define QEHS_LOG_H

#include "exchange/request.h"

/* Open stderr, off or a file for appending; again to follow a rotated file.  False with errno set. */
extern bool log_open(const char *where);

/* Lines of less weight are left out from now on; set once at start. */
extern void log_level(LogLevel least);

/* One line for a finished request; never its query, headers or bodies. */
extern void log_request(const Request *request, uint64_t duration);

/* One line for an event of the shim itself; level is error, warn or info. */
extern void log_event(const char *level, const char *format,...) __attribute__((format(printf, 2, 3)));

/* Write out what the calling thread has gathered. */
extern void log_flush(void);

#endif							/* QEHS_LOG_H */
