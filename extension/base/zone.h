/*
 * zone.h
 *	  Times that are told without an offset, in a time zone of the IANA database.
 */
#ifndef QEHS_ZONE_H
#define QEHS_ZONE_H

#include "base/compat.h"

/* Whether there is a time zone of that name, which says where: Europe/Berlin, UTC, and no offset. */
extern bool time_zone_find(const char *name);

/* Whether the text is a local date and time, as time_zone_complete takes them, which lacks its offset. */
extern bool time_zone_is_missing(const char *text, int length);

/*
 * The RFC 3339 date-time, palloc'd, of a local one ("2026-03-02T09:30", with or without
 * seconds, and a blank for the T) in a zone; NULL when the text is none, or has an offset.
 * An hour that comes twice is its second, standard one; one that is skipped goes on from the
 * hour before it, as PostgreSQL reads them.
 */
extern char *time_zone_complete(const char *name, const char *text, int length);

#endif							/* QEHS_ZONE_H */
