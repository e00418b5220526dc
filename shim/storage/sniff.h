/*
 * sniff.h
 *	  What the bytes of a file look like, and whether they are known to do harm.
 */
#ifndef QEHS_SNIFF_H
#define QEHS_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The media type of the file behind a descriptor, as libmagic sees its first bytes, into type; application/octet-stream
 * when it cannot tell.  Reads with pread; may block.
 */
extern void sniff_type(int file, char *type, size_t size);

typedef enum ScanOutcome
{
	SCAN_CLEAN, SCAN_INFECTED,
	SCAN_REFUSED,				/* it does not take such a file */
	SCAN_FAILED					/* it does not answer now */
} ScanOutcome;

/*
 * Have clamd scan the file behind a descriptor (INSTREAM, clamd(8)).  address is the path of its socket or host:port.
 * text gets what qehs.storage_put is told: "clean", "infected: " and a name, or "failed: " and why it refused; where there is
 * no answer it gets why.  Reads with pread; may block, for 20 seconds at most.
 */
extern ScanOutcome clamd_scan(const char *address, int file, char *text, size_t size);

#endif							/* QEHS_SNIFF_H */
