/*
 * lists.c
 *	  What hangs on records of a level as lists of JSON: events, files, comments, transitions.
 */
#include "base/compat.h"

#include "attachment/attachment.h"
#include "audit/audit.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "graphql/load.h"
#include "miscadmin.h"
#include "record/comment.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "workflow/workflow.h"

static KeptPlan select_events = {
	"SELECT " QEHS_EVENT_COLUMNS ", record_id"
	" FROM pg_catalog.unnest($2) AS r (wanted) CROSS JOIN LATERAL (SELECT * FROM qehs.audit_event AS e WHERE e.tenant_id = $1 AND"
	" e.record_id = r.wanted ORDER BY e.id DESC LIMIT $3) AS e ORDER BY record_id, id DESC",
	3, {INT4OID, UUIDARRAYOID, INT4OID}, NULL
};

static KeptPlan select_comments = {
	"SELECT " QEHS_COMMENT_COLUMNS " FROM pg_catalog.unnest($2) AS r (wanted) CROSS JOIN LATERAL (SELECT * FROM qehs.record_comment AS c"
	" WHERE c.tenant_id = $1 AND c.record_id = r.wanted AND c.id > $4 ORDER BY c.id LIMIT $3) AS c ORDER BY record_id, id",
	4, {INT4OID, UUIDARRAYOID, INT4OID, UUIDOID}, NULL
};

static int
compare_places(const void *a, const void *b, void *records)
{
	return memcmp(&((Record *) records)[*(const int *) a].id, &((Record *) records)[*(const int *) b].id, UUID_LEN);
}

/* The numbers of the level's records in the order of their ids. */
static int *
sorted_places(const RunLevel *level)
{
	int		   *places = palloc(Max(level->count, 1) * sizeof(int));

	for (int i = 0; i < level->count; i++)
		places[i] = i;
	qsort_arg(places, level->count, sizeof(int), compare_places, level->records);
	return places;
}

static int
find_place(const RunLevel *level, const int *places, const pg_uuid_t *id)
{
	int			low = 0;
	int			high = level->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			order = memcmp(&level->records[places[middle]].id, id, UUID_LEN);

		if (order == 0)
			return places[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

static Datum
level_ids(const RunLevel *level)
{
	Datum	   *ids = palloc(Max(level->count, 1) * sizeof(Datum));

	for (int i = 0; i < level->count; i++)
		ids[i] = UUIDPGetDatum(&level->records[i].id);
	return PointerGetDatum(construct_array(ids, level->count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

/* Have the actors of the events in SPI_tuptable at hand. */
static void
load_event_actors(Run *run, uint64 rows)
{
	pg_uuid_t  *ids = palloc(Max(rows, 1) * sizeof(pg_uuid_t));

	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;

		ids[row] = *DatumGetUUIDP(plan_value(row, EVENT_COLUMN_ACTOR_ID, &isnull));
	}
	context_load_actors(run->context->tenant_id, ids, rows);
}

/* Append a row of SPI_tuptable as an object; false, and nothing, where the caller may not have it. */
typedef bool (*WriteItem) (StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, uint64 row);

/* The rows of SPI_tuptable, in their order, as a JSON array for each record, whose id is in a column. */
static void
load_lists(const Run *run, const RunLevel *level, RunLoaded *loaded, uint64 rows, int id_column, WriteItem write_item)
{
	StringInfoData *texts = palloc(Max(level->count, 1) * sizeof(StringInfoData));
	int		   *places = sorted_places(level);

	for (int i = 0; i < level->count; i++)
	{
		initStringInfo(&texts[i]);
	}
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		int			place = find_place(level, places, DatumGetUUIDP(plan_value(row, id_column, &isnull)));
		StringInfo	text;
		PermissionSubject subject;

		CHECK_FOR_INTERRUPTS();
		if (place < 0)
			continue;
		text = &texts[place];
		subject = record_subject(&level->records[place]);
		appendStringInfoChar(text, text->len > 0 ? ',' : '[');
		if (!write_item(text, run->context, record_module(run->context, &level->records[place]), &subject, row))
			text->data[--text->len] = '\0';
	}
	loaded->values = palloc(Max(level->count, 1) * sizeof(Jsonb *));
	for (int i = 0; i < level->count; i++)
	{
		appendStringInfoString(&texts[i], texts[i].len > 0 ? "]" : "[]");
		loaded->values[i] = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(texts[i].data)));
	}
}

static bool
write_event(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, uint64 row)
{
	audit_write_item(out, context, module, subject, row);
	appendStringInfoChar(out, '}');
	return true;
}

/* Events of the records, the newest first. */
static void
load_activity_field(Run *run, const RunLevel *level, const RunField *field, RunLoaded *loaded)
{
	int32		limit = run_list_limit(field);
	Datum		values[3] = {Int32GetDatum(run->context->tenant_id), level_ids(level), Int32GetDatum(limit)};
	uint64		rows = plan_execute_generic(&select_events, values, NULL, true, 0);

	load_event_actors(run, rows);
	load_lists(run, level, loaded, rows, QEHS_EVENT_COLUMN_COUNT + 1, write_event);
}

static bool
write_comment(StringInfo out, const RequestContext *context, const ModuleDef *module, const PermissionSubject *subject, uint64 row)
{
	comment_write(out, context, row);
	return true;
}

/* Comments on the records behind one of them, the oldest first: who may read a record may read what is said of it. */
static void
load_comments_field(Run *run, const RunLevel *level, const RunField *field, RunLoaded *loaded)
{
	pg_uuid_t	after = {{0}};
	char	   *text = run_argument_text(field, "after");
	Datum		values[4] = {Int32GetDatum(run->context->tenant_id), level_ids(level), Int32GetDatum(run_list_limit(field)), UUIDPGetDatum(&after)};
	uint64		rows;

	if (text && !id_parse(text, strlen(text), QEHS_ID_COMMENT, &after))
		problem_raise_at(PROBLEM_INVALID_PARAMETER, "?after", "format", "must be the id of a comment");
	rows = plan_execute_generic(&select_comments, values, NULL, true, 0);
	comment_load_actors(run->context, rows);
	load_lists(run, level, loaded, rows, COMMENT_COLUMN_RECORD_ID, write_comment);
}

static void
load_transitions_field(Run *run, const RunLevel *level, RunLoaded *loaded)
{
	loaded->values = palloc(Max(level->count, 1) * sizeof(Jsonb *));
	for (int i = 0; i < level->count; i++)
	{
		StringInfoData text;
		JsonbValue	list;

		CHECK_FOR_INTERRUPTS();
		initStringInfo(&text);
		workflow_write_available(&text, run->context, record_module(run->context, &level->records[i]), &level->records[i]);
		text.data[0] = '{';		/* the comma before the member */
		appendStringInfoChar(&text, '}');
		json_member(&DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)))->root, "availableTransitions", 20, &list);
		loaded->values[i] = json_value_to_jsonb(&list);
	}
}

void
lists_load(Run *run, const RunLevel *level, const RunField *field, RunLoaded *loaded)
{
	if (field->source->origin == ORIGIN_ACTIVITY)
		load_activity_field(run, level, field, loaded);
	else if (field->source->origin == ORIGIN_COMMENTS)
		load_comments_field(run, level, field, loaded);
	else if (field->source->origin == ORIGIN_TRANSITIONS)
		load_transitions_field(run, level, loaded);
	else
		load_lists(run, level, loaded, attachment_select(run->context, level_ids(level)), 2, attachment_write_item);
}
