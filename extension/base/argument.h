/*
 * argument.h
 *	  Arguments of SQL functions that may be NULL, and those that many of them
 *	  share: an id, the size of a page.  Numbers count from 0.
 */
#ifndef QEHS_ARGUMENT_H
#define QEHS_ARGUMENT_H

#include "base/error.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/uuid.h"

/* The most items of a page of any list. */
#define QEHS_MAX_PAGE 200
/* A page that has so many bytes ends before its limit, so that the memory of an answer is bounded. */
#define QEHS_PAGE_BYTES (16 * 1024 * 1024)
#define QEHS_DEFAULT_PAGE 50

/* A text argument, palloc'd and NUL-terminated; NULL when it is NULL. */
extern char *argument_text(FunctionCallInfo fcinfo, int number);

/* Read a text argument by id_parse; false when it is NULL or no id. */
extern bool argument_id(FunctionCallInfo fcinfo, int number, const char *prefix, pg_uuid_t *id);

/*
 * Read a bound of a span: an RFC 3339 time with offset, or a date, which is its
 * beginning, or (is_end) its last microsecond.  False when text is NULL; other texts are a fault at path.
 */
extern bool argument_bound(const char *text, bool is_end, const char *path, TimestampTz *time, ViolationList *faults);

/* The size of a page, 50 when the argument is NULL; outside 1 to QEHS_MAX_PAGE it is a fault. */
extern int32 argument_page_size(FunctionCallInfo fcinfo, int number, ViolationList *faults);

#endif							/* QEHS_ARGUMENT_H */
