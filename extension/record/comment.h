/*
 * comment.h
 *	  The row of a comment and its JSON, for all who list comments.
 */
#ifndef QEHS_COMMENT_H
#define QEHS_COMMENT_H

#include "caller/context.h"

/* The columns that comment_write reads, in the order of the numbers below. */
#define QEHS_COMMENT_COLUMNS "id, record_id, parent_id, body, mentions, created_at, created_by, deleted_at"

enum
{
	COMMENT_COLUMN_ID = 1, COMMENT_COLUMN_RECORD_ID, COMMENT_COLUMN_PARENT_ID, COMMENT_COLUMN_BODY, COMMENT_COLUMN_MENTIONS,
	COMMENT_COLUMN_CREATED_AT, COMMENT_COLUMN_CREATED_BY, COMMENT_COLUMN_DELETED_AT
};

/* Append {"id","recordId","parentId","body","mentions","createdAt","createdBy","deletedAt"} of a row of SPI_tuptable. */
extern void comment_write(StringInfo out, const RequestContext *context, uint64 row);

/* Append ,"mentions":[{…}] of a value of the column. */
extern void comment_write_mentions(StringInfo out, const RequestContext *context, Datum mentions);

/* Read those whom rows of SPI_tuptable name in one statement: before they are written.  The rows stay. */
extern void comment_load_actors(const RequestContext *context, uint64 rows);

#endif							/* QEHS_COMMENT_H */
