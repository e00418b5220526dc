/*
 * timer.c
 *	  When what a definition says of time is to happen to a record.
 */
#include "base/compat.h"

#include "base/json.h"
#include "calendar/calendar.h"
#include "workflow/timer.h"
#include "workflow/workflow.h"

/* Where the record has a moment begin; of a date the beginning of the day, or its end.  False when its field is empty. */
static bool
moment_start(const ModuleMoment *moment, const Record *record, const Calendar *calendar, TimestampTz start, bool end_of_day, TimestampTz *time)
{
	JsonbValue	value;

	*time = start;
	if (moment->field == NULL)
		return true;
	if (!json_member(&record->payload->root, moment->field, strlen(moment->field), &value) || value.type != jbvString)
		return false;
	if (!moment->is_date)
		return json_time_parse(value.val.string.val, value.val.string.len, time);
	if (!json_date_parse(value.val.string.val, value.val.string.len, time))
		return false;
	*time = calendar_day(calendar, *time / USECS_PER_DAY + end_of_day);
	return true;
}

static bool
moment_time(const ModuleMoment *moment, const Record *record, const Calendar *calendar, TimestampTz start, bool end_of_day, TimestampTz *time)
{
	if (!moment_start(moment, record, calendar, start, end_of_day, time))
		return false;
	/* what a field has stands as it is where nothing is added, on whichever day */
	return duration_is_zero(&moment->duration) || calendar_add(calendar, moment->business, *time, &moment->duration, moment->sign, time);
}

static void
plan_deadline(TimerPlan *plan, const ModuleDeadline *deadline, const Record *record, const Calendar *calendar, TimestampTz start)
{
	plan->due_by_field = deadline->due.field != NULL;
	plan->has_due = moment_time(&deadline->due, record, calendar, start, true, &plan->due_at);
	for (int i = 0; i < deadline->escalation_count && plan->has_due; i++)
	{
		const ModuleEscalation *escalation = &deadline->escalations[i];
		Timer	   *timer = &plan->items[plan->count];

		*timer = (Timer) {TIMER_ESCALATION, i, plan->due_by_field, plan->due_at};
		if (duration_is_zero(&escalation->offset) ||
			calendar_add(calendar, deadline->due.business, plan->due_at, &escalation->offset, escalation->sign, &timer->at))
			plan->count++;
	}
}

TimerPlan
timer_plan(const ModuleDef *module, const Record *record, TimestampTz start)
{
	const ModuleDeadline *deadline = module_deadline(module, record->workflow_state);
	const Calendar *calendar = calendar_of(module->tenant_id);
	TimerPlan	plan = {0};

	plan.items = palloc(sizeof(Timer) * (module->transition_count + (deadline ? deadline->escalation_count : 0) + 1));
	if (deadline)
		plan_deadline(&plan, deadline, record, calendar, start);
	for (int i = 0; i < module->transition_count; i++)
	{
		const ModuleTransition *transition = &module->transitions[i];
		Timer	   *timer = &plan.items[plan.count];

		if (transition->after == NULL || !workflow_starts_in(transition, record->workflow_state))
			continue;
		*timer = (Timer) {TIMER_TRANSITION, i, transition->after->field != NULL, 0};
		if (moment_time(transition->after, record, calendar, start, false, &timer->at))
			plan.count++;
	}
	return plan;
}
