/*
 * comment.c
 *	  Comments as JSON.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "record/comment.h"
#include "utils/array.h"
#include "utils/timestamp.h"

static int
read_mentions(Datum value, Datum **ids)
{
	int			count;

	deconstruct_array(DatumGetArrayTypeP(value), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, ids, NULL, &count);
	return count;
}

void
comment_write_mentions(StringInfo out, const RequestContext *context, Datum mentions)
{
	Datum	   *ids;
	int			count = read_mentions(mentions, &ids);

	json_literal(out, ",\"mentions\":[");
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		context_write_actor(out, context->tenant_id, DatumGetUUIDP(ids[i]));
	}
	appendStringInfoChar(out, ']');
}

void
comment_write(StringInfo out, const RequestContext *context, uint64 row)
{
	bool		isnull;
	Datum		value;

	json_literal(out, "{\"id\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COMMENT_COLUMN_ID, &isnull)), QEHS_ID_COMMENT);
	json_literal(out, ",\"recordId\":");
	json_id(out, DatumGetUUIDP(plan_value(row, COMMENT_COLUMN_RECORD_ID, &isnull)), QEHS_ID_RECORD);
	json_literal(out, ",\"parentId\":");
	value = plan_value(row, COMMENT_COLUMN_PARENT_ID, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_id(out, DatumGetUUIDP(value), QEHS_ID_COMMENT);
	json_literal(out, ",\"body\":");
	json_string(out, plan_text(row, COMMENT_COLUMN_BODY));
	comment_write_mentions(out, context, plan_value(row, COMMENT_COLUMN_MENTIONS, &isnull));
	json_literal(out, ",\"createdAt\":");
	json_time(out, DatumGetTimestampTz(plan_value(row, COMMENT_COLUMN_CREATED_AT, &isnull)));
	json_literal(out, ",\"createdBy\":");
	context_write_actor(out, context->tenant_id, DatumGetUUIDP(plan_value(row, COMMENT_COLUMN_CREATED_BY, &isnull)));
	json_literal(out, ",\"deletedAt\":");
	value = plan_value(row, COMMENT_COLUMN_DELETED_AT, &isnull);
	if (isnull)
		json_literal(out, "null");
	else
		json_time(out, DatumGetTimestampTz(value));
	appendStringInfoChar(out, '}');
}

void
comment_load_actors(const RequestContext *context, uint64 rows)
{
	int			room = Max(rows, 1);
	int			count = 0;
	pg_uuid_t  *ids = palloc(room * sizeof(pg_uuid_t));

	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		Datum	   *mentioned;
		int			mention_count = read_mentions(plan_value(row, COMMENT_COLUMN_MENTIONS, &isnull), &mentioned);

		if (count + mention_count + 1 > room)
		{
			room = 2 * (count + mention_count + 1);
			ids = repalloc(ids, room * sizeof(pg_uuid_t));
		}
		ids[count++] = *DatumGetUUIDP(plan_value(row, COMMENT_COLUMN_CREATED_BY, &isnull));
		for (int i = 0; i < mention_count; i++)
			ids[count++] = *DatumGetUUIDP(mentioned[i]);
	}
	context_load_actors(context->tenant_id, ids, count);
}
