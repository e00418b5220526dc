/*
 * argument.h
 *	  Arguments of SQL functions that may be NULL, and those that many of them
 *	  share: an id, the size of a page.  Numbers count from 0.
 */
#ifndef QEHS_ARGUMENT_H
#define QEHS_ARGUMENT_H

#include "base/error.h"
#include "fmgr.h"
#include "utils/uuid.h"

/* The most items of a page of any list. */
#define QEHS_MAX_PAGE 200
#define QEHS_DEFAULT_PAGE 50

/* A text argument, palloc'd and NUL-terminated; NULL when it is NULL. */
extern char *argument_text(FunctionCallInfo fcinfo, int number);

/* Read a text argument by id_parse; false when it is NULL or no id. */
extern bool argument_id(FunctionCallInfo fcinfo, int number, const char *prefix, pg_uuid_t *id);

/* The size of a page, 50 when the argument is NULL; outside 1 to QEHS_MAX_PAGE it is a fault. */
extern int32 argument_page_size(FunctionCallInfo fcinfo, int number, ViolationList *faults);

#endif							/* QEHS_ARGUMENT_H */
