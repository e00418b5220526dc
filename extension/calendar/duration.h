/*
 * duration.h
 *	  Spans of time as ISO 8601 writes them (P14D, PT8H, P1Y6M).
 *
 * Pure: no SPI, no errors, no memory.
 */
#ifndef QEHS_DURATION_H
#define QEHS_DURATION_H

#include "c.h"

/* Longer ones are refused. */
#define QEHS_DURATION_YEARS 100

/* The parts are kept apart: how long a month or a day is depends on when it is. */
typedef struct Duration
{
	int32		months;
	int32		days;
	int64		microseconds;
} Duration;

/* Read a duration of RFC 3339 appendix A; false when it is none, or a part is longer than QEHS_DURATION_YEARS. */
extern bool duration_read(const char *text, int length, Duration *duration);

/* Whether it is no time at all (PT0S). */
extern bool duration_is_zero(const Duration *duration);

#endif							/* QEHS_DURATION_H */
