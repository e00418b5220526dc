/*
 * timer.c
 *	  qehs.record_timer and the column due_at follow the records: what is to happen by
 *	  itself to one, and when (workflow/timer.h).
 *
 * The clock of a state starts when a record enters it: at its creation (of one that is
 * loaded with a time of its own, at that), by a transition, whichever state that leads
 * to, and when it is restored.  A change of a field moves what goes by the field,
 * and what had happened by it may happen again.  A record that moves to another
 * version keeps its clock; escalations that lie behind it then are not made up for.
 *
 * Modules without times cost a look at their definition.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "change/change.h"
#include "utils/array.h"

static KeptPlan select_entered = {
	"SELECT e.at FROM qehs.audit_event AS e WHERE e.tenant_id = $1 AND e.record_id = $2 AND e.action IN ('transitioned', 'restored')"
	" ORDER BY e.id DESC LIMIT 1",
	2, {INT4OID, UUIDOID}, NULL
};
/* a timer that is told by its kind and step, or, where these are NULL, all of a record */
static KeptPlan delete_timers = {
	"DELETE FROM qehs.record_timer AS t USING ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) AS u (id, kind, step)"
	" WHERE t.tenant_id = $1 AND t.record_id = u.id AND (u.kind IS NULL OR (t.kind = u.kind AND t.step = u.step))",
	4, {INT4OID, UUIDARRAYOID, CHARARRAYOID, INT4ARRAYOID}, NULL
};
static KeptPlan insert_timers = {
	"INSERT INTO qehs.record_timer (tenant_id, record_id, kind, step, at) SELECT $1, u.id, u.kind, u.step, u.at"
	" FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5)) AS u (id, kind, step, at)",
	5, {INT4OID, UUIDARRAYOID, CHARARRAYOID, INT4ARRAYOID, TIMESTAMPTZARRAYOID}, NULL
};

/* ---- what is to be ---- */

/* When a record entered its state: by its last transition or restoration, or when it was created. */
static TimestampTz
entered_at(const RequestContext *context, const Record *record)
{
	Datum		values[2] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&record->id)};
	bool		isnull;

	return plan_execute(&select_entered, values, NULL, false, 1) == 1 ? DatumGetTimestampTz(plan_value(0, 1, &isnull)) : record->created_at;
}

static void
drop_past_escalations(TimerPlan *plan)
{
	int			kept = 0;

	for (int i = 0; i < plan->count; i++)
		if (plan->items[i].kind != TIMER_ESCALATION || plan->items[i].at > clock_transaction())
			plan->items[kept++] = plan->items[i];
	plan->count = kept;
}

static const Timer *
find_timer(const TimerPlan *plan, const Timer *timer)
{
	for (int i = 0; i < plan->count; i++)
		if (plan->items[i].kind == timer->kind && plan->items[i].step == timer->step)
			return &plan->items[i];
	return NULL;
}

/* Move to moved those of a plan that go by a field and are not the same in the other plan. */
static TimerPlan
moved_timers(const TimerPlan *plan, const TimerPlan *other)
{
	TimerPlan	moved = {.items = palloc(sizeof(Timer) * Max(plan->count, 1))};

	for (int i = 0; i < plan->count; i++)
	{
		const Timer *timer = &plan->items[i];
		const Timer *same = find_timer(other, timer);

		if (timer->by_field && (same == NULL || same->at != timer->at))
			moved.items[moved.count++] = *timer;
	}
	return moved;
}

/* A change of fields alone: what goes by them moves. */
static void
plan_update(const ModuleDef *module, Change *change)
{
	Record	   *after = change->after;
	TimerPlan	was;
	TimerPlan	is;

	change->timers.removes_all = false;
	if (!module->timed_by_fields)
		return;
	was = timer_plan(module, change->event.before, after->updated_at);
	is = timer_plan(module, after, after->updated_at);
	if (is.due_by_field)
	{
		after->has_due = is.has_due;
		after->due_at = is.due_at;
	}
	change->timers.removed = moved_timers(&was, &is);
	change->timers.added = moved_timers(&is, &was);
}

void
change_plan_timers(const RequestContext *context, Change *changes, int count)
{
	for (int i = 0; i < count; i++)
	{
		Change	   *change = &changes[i];
		const Record *before = change->event.before;
		Record	   *after = change->after;
		const ModuleDef *module = record_module(context, after);
		bool		had = before && record_module(context, before)->has_timers;
		bool		moves = change->event.action == AUDIT_MIGRATE;
		TimerPlan	plan;

		change->timers = (ChangeTimers) {.removes_all = had};
		if (after->deleted || !module->has_timers)
		{
			after->has_due = false;
			continue;
		}
		if (before && !before->deleted && !moves && change->event.transition == NULL && strcmp(before->workflow_state, after->workflow_state) == 0)
		{
			plan_update(module, change);
			continue;
		}
		plan = timer_plan(module, after, moves ? entered_at(context, before) : before ? after->updated_at : after->created_at);
		if (moves)
			drop_past_escalations(&plan);
		after->has_due = plan.has_due;
		after->due_at = plan.due_at;
		change->timers.added = plan;
	}
}

/* ---- rows ---- */

/* Timers as the statements take them. */
typedef struct TimerRows
{
	int			count;
	int			room;
	Datum	   *ids;
	Datum	   *kinds;
	Datum	   *steps;
	Datum	   *times;
	bool	   *whole;			/* kind and step are null: all of the record */
} TimerRows;

static void *
grown(void *array, size_t size)
{
	return array ? repalloc(array, size) : palloc(size);
}

static void
add_row(TimerRows *rows, const pg_uuid_t *id, const Timer *timer)
{
	int			i = rows->count++;

	if (i == rows->room)
	{
		rows->room = Max(16, rows->room * 2);
		rows->ids = grown(rows->ids, sizeof(Datum) * rows->room);
		rows->kinds = grown(rows->kinds, sizeof(Datum) * rows->room);
		rows->steps = grown(rows->steps, sizeof(Datum) * rows->room);
		rows->times = grown(rows->times, sizeof(Datum) * rows->room);
		rows->whole = grown(rows->whole, sizeof(bool) * rows->room);
	}
	rows->ids[i] = UUIDPGetDatum(id);
	rows->whole[i] = timer == NULL;
	rows->kinds[i] = timer ? CharGetDatum((char) timer->kind) : (Datum) 0;
	rows->steps[i] = timer ? Int32GetDatum(timer->step) : (Datum) 0;
	rows->times[i] = timer ? TimestampTzGetDatum(timer->at) : (Datum) 0;
}

static void
add_plan(TimerRows *rows, const pg_uuid_t *id, const TimerPlan *plan)
{
	for (int i = 0; i < plan->count; i++)
		add_row(rows, id, &plan->items[i]);
}

static void
run_rows(KeptPlan *statement, int32 tenant_id, const TimerRows *rows)
{
	Datum		values[5] = {Int32GetDatum(tenant_id)};
	int			length = rows->count;
	int			lower = 1;

	if (rows->count == 0)
		return;
	values[1] = PointerGetDatum(construct_array(rows->ids, length, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	values[2] = PointerGetDatum(construct_md_array(rows->kinds, rows->whole, 1, &length, &lower, CHAROID, 1, true, TYPALIGN_CHAR));
	values[3] = PointerGetDatum(construct_md_array(rows->steps, rows->whole, 1, &length, &lower, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	values[4] = PointerGetDatum(construct_md_array(rows->times, rows->whole, 1, &length, &lower, TIMESTAMPTZOID, sizeof(TimestampTz), true,
												   TYPALIGN_DOUBLE));
	plan_execute(statement, values, NULL, false, 0);
}

void
change_store_timers(const RequestContext *context, const Change *changes, int count)
{
	TimerRows	removed = {0};
	TimerRows	added = {0};

	for (int i = 0; i < count; i++)
	{
		const ChangeTimers *timers = &changes[i].timers;

		if (changes[i].outcome != CHANGE_APPLIED)
			continue;
		if (timers->removes_all)
			add_row(&removed, &changes[i].after->id, NULL);
		add_plan(&removed, &changes[i].after->id, &timers->removed);
		add_plan(&added, &changes[i].after->id, &timers->added);
	}
	run_rows(&delete_timers, context->tenant_id, &removed);
	run_rows(&insert_timers, context->tenant_id, &added);
}
