/*
 * trace.h
 *	  W3C Trace Context: the trace of a request and its span here
 *	  (https://www.w3.org/TR/trace-context/).
 */
#ifndef QEHS_TRACE_H
#define QEHS_TRACE_H

#include "exchange/request.h"

/* Make ids for a request that carries none. */
extern void trace_new(Request *request);

/* Take the trace that the headers name, when they are valid, or make one; the span is new. */
extern void trace_take(Request *request);

/* The traceparent of the answer; lives as long as the request. */
extern const char *trace_parent(Request *request);

#endif							/* QEHS_TRACE_H */
