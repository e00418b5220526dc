/*
 * clock.h
 *	  Monotonic time in nanoseconds.
 */
#ifndef QEHS_CLOCK_H
#define QEHS_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND UINT64_C(1000000000)

static inline uint64_t
clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * CLOCK_SECOND + (uint64_t) now.tv_nsec;
}

/* The same to the tick of the kernel, some milliseconds: for limits of seconds, at a fifth of the cost. */
static inline uint64_t
clock_coarse(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t) now.tv_sec * CLOCK_SECOND + (uint64_t) now.tv_nsec;
}

#endif							/* QEHS_CLOCK_H */
