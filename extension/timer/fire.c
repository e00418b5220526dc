/*
 * fire.c
 *	  qehs.timer_run: what is to happen to records by itself happens, by the system.
 *
 * A look at the timers that are due takes no lock; then one after the other is
 * claimed by its row, without waiting, so that several sessions share the work and
 * each timer is done once.  Its record is locked as a person's transition locks it
 * (change/apply.c), but for one that somebody else has locked: he may wait for the
 * timer's row, so it is left for the next time.  Each is done in a subtransaction of
 * its own; what it writes, and the timer that goes, commit together.
 *
 * A transition that cannot be fired, since a guard does not hold or an effect fails,
 * is tried again every hour until it is, or its record leaves the state.  That it
 * waits, and why, is told once: by an event of the record and one of the outbox.
 */
#include "base/compat.h"

#include "base/attempt.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/plan.h"
#include "caller/delegate.h"
#include "catalog/pg_type.h"
#include "effect/effect.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "workflow/timer.h"

PG_FUNCTION_INFO_V1(qehs_timer_run);

#define HOLD_MINUTES 60

static KeptPlan select_due = {
	"SELECT d.tenant_id, d.record_id, d.kind, d.step FROM qehs.tenant AS n CROSS JOIN LATERAL (SELECT * FROM qehs.record_timer AS t"
	" WHERE t.tenant_id = n.id AND t.at <= $1 ORDER BY t.at LIMIT $2) AS d WHERE n.suspended_at IS NULL ORDER BY d.at LIMIT $2",
	2, {TIMESTAMPTZOID, INT8OID}, NULL
};
/* The columns of select_due. */
enum
{
	COLUMN_TENANT_ID = 1, COLUMN_RECORD_ID, COLUMN_KIND, COLUMN_STEP
};

#define TIMER " qehs.record_timer WHERE tenant_id = $1 AND record_id = $2 AND kind = $3 AND step = $4"
#define TIMER_ARGUMENTS INT4OID, UUIDOID, CHAROID, INT4OID

static KeptPlan claim_timer = {
	"SELECT held FROM" TIMER " AND at <= $5 FOR UPDATE SKIP LOCKED", 5, {TIMER_ARGUMENTS, TIMESTAMPTZOID}, NULL
};
static KeptPlan delete_timer = {"DELETE FROM" TIMER, 4, {TIMER_ARGUMENTS}, NULL};
static KeptPlan hold_timer = {
	"UPDATE qehs.record_timer SET at = $5, held = held + 1 WHERE tenant_id = $1 AND record_id = $2 AND kind = $3 AND step = $4",
	5, {TIMER_ARGUMENTS, TIMESTAMPTZOID}, NULL
};

/* A timer that is due. */
typedef struct DueTimer
{
	int32		tenant_id;
	pg_uuid_t	record_id;
	TimerKind	kind;
	int32		step;
	TimestampTz now;
	const char *error;			/* why it could not be done just before; or NULL */
	bool		done;
} DueTimer;

/* The arguments of the statements on the timer, the fifth being a time. */
static void
set_arguments(const DueTimer *timer, TimestampTz time, Datum values[5])
{
	values[0] = Int32GetDatum(timer->tenant_id);
	values[1] = UUIDPGetDatum(&timer->record_id);
	values[2] = CharGetDatum((char) timer->kind);
	values[3] = Int32GetDatum(timer->step);
	values[4] = TimestampTzGetDatum(time);
}

/* ---- escalations ---- */

/* The users whom the names with @ stand for on the record, as an array. */
static void
write_users(StringInfo out, const ModuleRoles *to, const Record *record)
{
	int			count = 0;

	for (int i = 0; i < to->count; i++)
	{
		const char *name = to->names[i];
		JsonbValue	value;

		if (name[0] != '@')
			continue;
		if (strcmp(name, QEHS_ROLE_CREATOR) == 0)
		{
			static const pg_uuid_t nobody;

			/* the system */
			if (memcmp(&record->created_by, &nobody, sizeof(nobody)) == 0)
				continue;
			appendStringInfoString(out, count++ > 0 ? "," : "");
			json_id(out, &record->created_by, QEHS_ID_USER);
		}
		else if (json_member(&record->payload->root, name + 1, strlen(name + 1), &value) && value.type == jbvString)
		{
			appendStringInfoString(out, count++ > 0 ? "," : "");
			json_jsonb_value(out, &value);
		}
	}
}

static void
write_roles(StringInfo out, const ModuleRoles *to)
{
	int			count = 0;

	for (int i = 0; i < to->count; i++)
		if (to->names[i][0] != '@')
		{
			appendStringInfoString(out, count++ > 0 ? "," : "");
			json_string(out, to->names[i]);
		}
}

/* Tell of a record that is due, or will be: by the outbox and an event. */
static void
escalate(const RequestContext *context, const ModuleDef *module, const Record *record, int32 step)
{
	const ModuleDeadline *deadline = module_deadline(module, record->workflow_state);
	const ModuleEscalation *escalation = &deadline->escalations[step];
	AuditNote	note = {.action = AUDIT_ESCALATE, .record = record, .comment = escalation->event};
	StringInfoData body;

	outbox_begin(&body, module, record);
	json_literal(&body, ",\"state\":");
	json_string(&body, record->workflow_state);
	json_literal(&body, ",\"dueAt\":");
	json_time(&body, record->due_at);
	json_literal(&body, ",\"roles\":[");
	write_roles(&body, &escalation->to);
	json_literal(&body, "],\"users\":[");
	write_users(&body, &escalation->to, record);
	appendStringInfoChar(&body, ']');
	outbox_add(context, escalation->event, record, &body);
	audit_note(context, &note);
}

/* ---- transitions ---- */

/* What is unmet, for people: "needs somebody else than @owner; /payload/x is required by …". */
static char *
describe(const ViolationList *unmet)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < unmet->count; i++)
	{
		const Violation *item = &unmet->items[i];

		appendStringInfo(&out, "%s%s%s%s", i > 0 ? "; " : "", strcmp(item->path, "/transition") == 0 ? "" : item->path,
						 strcmp(item->path, "/transition") == 0 ? "" : " ", item->message);
	}
	return out.data;
}

static void
put_off(const DueTimer *timer)
{
	Datum		values[5];

	set_arguments(timer, timer->now + HOLD_MINUTES * USECS_PER_MINUTE, values);
	plan_execute(&hold_timer, values, NULL, false, 0);
}

/* Put the transition off, and say why when it is for the first time. */
static void
hold(const RequestContext *context, const ModuleDef *module, const Record *record, const DueTimer *timer, int32 held, const char *why)
{
	const ModuleTransition *transition = &module->transitions[timer->step];
	AuditNote	note = {.action = AUDIT_HOLD, .record = record, .transition = transition->name, .comment = why};
	StringInfoData body;

	put_off(timer);
	if (held > 0)
		return;
	outbox_begin(&body, module, record);
	json_literal(&body, ",\"transition\":");
	json_string(&body, transition->name);
	json_literal(&body, ",\"state\":");
	json_string(&body, record->workflow_state);
	json_literal(&body, ",\"unmet\":");
	json_string(&body, why);
	outbox_add(context, psprintf("%s.held", module->key), record, &body);
	audit_note(context, &note);
}

/* Fire the transition unless a guard does not hold; gives what is unmet then. */
static char *
fire(const RequestContext *context, const ModuleDef *module, const Record *record, int32 step)
{
	const ModuleTransition *transition = &module->transitions[step];
	Record		before = *record;
	Record		after = *record;
	Change		change = change_make(AUDIT_TRANSITION, &before, &after);
	Firing		firing = {.context = context, .module = module, .transition = transition, .record = &before};
	ViolationList unmet = {0};

	if (module->reads_state)
		after.payload = record_check_patch(context, module, &before, NULL, transition, transition->to, &unmet);
	firing.payload = after.payload;
	if (unmet.count == 0)
		workflow_check_guards(&firing, &unmet);
	if (unmet.count > 0)
		return describe(&unmet);
	change.event.reason = "fired by time";
	effect_fire(&firing, &after, &change);
	return NULL;
}

/* ---- one timer ---- */

/* Lock the record that the timer is of, with what its transition's guards look at; NULL when its definition has moved on meanwhile. */
static const ModuleDef *
open_record(const RequestContext *context, const DueTimer *timer, Record *record)
{
	int32		version;
	int32		module_id = record_hold_module(context, &timer->record_id, &version);
	const ModuleDef *module = module_lookup_version(context->tenant_id, module_id, version);

	if (timer->kind == TIMER_TRANSITION)
		children_lock(context->tenant_id, module, &module->transitions[timer->step], &timer->record_id);
	record_fetch(context, &timer->record_id, RECORD_FOR_UPDATE_FREE, false, record);
	return record->definition_version == version ? module : NULL;
}

static void
work(void *argument)
{
	DueTimer   *timer = argument;
	RequestContext *context = context_system(timer->tenant_id);
	const ModuleDef *module;
	Record		record;
	Datum		values[5];
	bool		isnull;

	SPI_connect();
	set_arguments(timer, timer->now, values);
	if (plan_execute(&claim_timer, values, NULL, false, 0) == 1)
	{
		int32		held = DatumGetInt32(plan_value(0, 1, &isnull));

		module = open_record(context, timer, &record);
		if (module && timer->kind == TIMER_TRANSITION)
		{
			const char *unmet = timer->error ? timer->error : fire(context, module, &record, timer->step);

			if (unmet)
				hold(context, module, &record, timer, held, unmet);
		}
		else if (module && timer->error)
			put_off(timer);
		else if (module)
		{
			escalate(context, module, &record, timer->step);
			plan_execute(&delete_timer, values, NULL, false, 0);
		}
		timer->done = module != NULL;
	}
	SPI_finish();
	context_end_work();
}

/* Whether an error passes by itself: the record is locked, or transactions were in each other's way. */
static bool
is_passing(const ErrorData *error)
{
	return strcmp(unpack_sql_state(error->sqlerrcode), "QH404") == 0 || ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK ||
		error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* Do a timer; what it raises puts it off. */
static void
run_timer(DueTimer *timer)
{
	ErrorData  *error = attempt_run(work, timer);
	bool		known;

	if (error == NULL)
		return;
	context_end_work();
	if (is_passing(error))
		return;
	known = strncmp(unpack_sql_state(error->sqlerrcode), "QH", 2) == 0;
	if (!known)
		ereport(LOG, (errcode(error->sqlerrcode), errmsg("a timer could not be done: %s", error->message)));
	timer->error = known ? error->message : "the server could not do it; its log says why";
	if (attempt_run(work, timer) != NULL)
		context_end_work();
}

/* The timers that are due, oldest first, in the current memory context. */
static DueTimer *
find_due(int32 batch_size, int *count)
{
	MemoryContext caller = CurrentMemoryContext;
	TimestampTz now = clock_now();
	Datum		values[2] = {TimestampTzGetDatum(now), Int64GetDatum(batch_size)};
	DueTimer   *timers;
	bool		isnull;

	SPI_connect();
	*count = (int) plan_execute(&select_due, values, NULL, false, 0);
	timers = MemoryContextAlloc(caller, sizeof(DueTimer) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		timers[i] = (DueTimer) {DatumGetInt32(plan_value(i, COLUMN_TENANT_ID, &isnull)), *DatumGetUUIDP(plan_value(i, COLUMN_RECORD_ID, &isnull)),
			(TimerKind) DatumGetChar(plan_value(i, COLUMN_KIND, &isnull)), DatumGetInt32(plan_value(i, COLUMN_STEP, &isnull)), now, NULL, false};
	SPI_finish();
	return timers;
}

/* The arguments of qehs.timer_run. */
enum
{
	ARGUMENT_UNTIL, ARGUMENT_BATCH_SIZE
};

/* timer_run(until, batch_size): how many were done, or put off. */
Datum
qehs_timer_run(PG_FUNCTION_ARGS)
{
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(ARGUMENT_UNTIL);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext memory = AllocSetContextCreate(caller, "qehs timer", ALLOCSET_DEFAULT_SIZES);
	int			count;
	int			done = 0;
	DueTimer   *timers = find_due(Max(PG_GETARG_INT32(ARGUMENT_BATCH_SIZE), 1), &count);

	for (int i = 0; i < count && (i == 0 || GetCurrentTimestamp() < until); i++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(memory);
		run_timer(&timers[i]);
		done += timers[i].done;
		MemoryContextSwitchTo(caller);
		MemoryContextReset(memory);
	}
	MemoryContextDelete(memory);
	PG_RETURN_INT32(done);
}
