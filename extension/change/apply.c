/*
 * apply.c
 *	  record_apply: everything that a change of records does, in its one order.
 *
 * Order of locks, the same for every caller, so that callers wait for each other in
 * a line and not in a circle:
 *	1. the module's slots (module_hold_slots), shared;
 *	2. the places of the record that a guard over children (workflow/) or its deletion (restrict.c) looks at;
 *	3. the rows that are to be changed, in the order of their ids (the caller);
 *	4. the places of the records that are referred to, shared (record/link.h; by checks of payloads already where onDelete is set);
 *	5. the module's display numbers, where no shared memory counts them;
 *	6. the unique values, in the order of field and value;
 *	7. the rows that are made, which nobody else can wait for.
 * A transaction that applies changes more than once, as an atomic load does, may
 * still meet another one in a circle; the server then ends one of them.
 *
 * A refused change gives its values back by name.  There is no subtransaction and
 * no state between calls, so that what follows from a change may call record_apply
 * again inside the same SPI connection.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "change/change.h"
#include "miscadmin.h"

Change
change_make(AuditAction action, const Record *before, Record *after)
{
	return (Change) {.event = {.action = action, .before = before, .after = after}, .after = after};
}

/* What the door itself writes into each record. */
static void
fill_records(const RequestContext *context, Change *changes, int count)
{
	TimestampTz now = clock_transaction();

	for (int i = 0; i < count; i++)
	{
		const Record *before = changes[i].event.before;
		Record	   *after = changes[i].after;

		changes[i].outcome = CHANGE_WAITING;
		changes[i].taken = NULL;
		after->version = before ? before->version + 1 : 1;
		after->updated_at = before ? Max(now, before->updated_at) : now;
		after->updated_by = context->actor_id;
		if (before == NULL)
			after->created_by = context->actor_id;
	}
}

/* ---- unique values ---- */

/* The values that a change takes: those it had are taken as well when it moves to another definition, since it may be the second that has one. */
static void
add_wanted(UniqueSet *set, int index, const Change *change)
{
	const Record *before = change->event.before;
	bool		has_them = before && !before->deleted && before->definition_version == change->after->definition_version;

	unique_add_payload(set, index, &change->after->id, record_current_payload(set->module, change->after),
					   has_them ? record_current_payload(set->module, before) : NULL);
}

/* Give back what was just taken for changes that are refused. */
static void
release_taken(const UniqueSet *set, const Change *changes)
{
	UniqueSet	released = {.module = set->module};

	for (int i = 0; i < set->count; i++)
	{
		const UniqueValue *value = &set->items[i];

		if (value->taken && changes[value->owner].outcome != CHANGE_WAITING)
			unique_add(&released, value->owner, &value->id, value->unique, value->text);
	}
	unique_release(&released);
}

/* Refuse the changes of values that other records have; gives how many were refused. */
static int
refuse_lost(const UniqueSet *set, Change *changes)
{
	int			refused = 0;

	for (int i = 0; i < set->count; i++)
	{
		Change	   *change = &changes[set->items[i].owner];

		if (!unique_is_lost(&set->items[i]))
			continue;
		refused += change->outcome == CHANGE_WAITING;
		/* the first in the order of the definition is told */
		if (change->taken == NULL || set->items[i].unique < change->taken)
		{
			change->taken = set->items[i].unique;
			change->holder = set->items[i].holder;
		}
		change->outcome = CHANGE_VALUE_TAKEN;
	}
	return refused;
}

/*
 * Refused changes may have held another value for a moment, and others were refused
 * for that: each is tried again by itself, in their order.
 */
static void
try_again(const ModuleDef *current, Change *changes, int count)
{
	for (int i = 0; i < count; i++)
	{
		UniqueSet	set = {.module = current};

		if (changes[i].outcome != CHANGE_VALUE_TAKEN)
			continue;
		CHECK_FOR_INTERRUPTS();
		changes[i].outcome = CHANGE_WAITING;
		changes[i].taken = NULL;
		add_wanted(&set, i, &changes[i]);
		unique_take(&set);
		if (refuse_lost(&set, changes) > 0)
			release_taken(&set, changes);
	}
}

/* Leave the changes behind a refused one alone: they give back what they took. */
static void
forget_behind(const ModuleDef *current, Change *changes, int refused, int count)
{
	UniqueSet	set = {.module = current};

	for (int i = refused + 1; i < count; i++)
	{
		const Record *before = changes[i].event.before;

		if (changes[i].outcome == CHANGE_WAITING)
			unique_add_payload(&set, i, &changes[i].after->id, record_current_payload(current, changes[i].after),
							   before ? record_current_payload(current, before) : NULL);
		changes[i].outcome = CHANGE_WAITING;
		changes[i].taken = NULL;
	}
	unique_release(&set);
}

/* Take all values; gives how many changes, from the first, are to be stored, but for refused ones. */
static int
take_values(const ModuleDef *current, Change *changes, int count, bool stop)
{
	UniqueSet	set = {.module = current};
	int			limit = 0;

	if (current->unique_count == 0)
		return count;
	for (int i = 0; i < count; i++)
		add_wanted(&set, i, &changes[i]);
	unique_take(&set);
	if (refuse_lost(&set, changes) == 0)
		return count;
	release_taken(&set, changes);
	if (count > 1 && current->unique_count > 1)
		try_again(current, changes, count);
	if (!stop)
		return count;
	while (limit < count && changes[limit].outcome == CHANGE_WAITING)
		limit++;
	forget_behind(current, changes, limit, count);
	return limit;
}

/* ---- rows ---- */

/* Display numbers in the order of changes, one block a year. */
static void
number_records(const RequestContext *context, const ModuleDef *current, Change **changes, int count)
{
	for (int i = 0; i < count; i++)
		changes[i]->after->display_no = 0;
	for (int i = 0; i < count; i++)
	{
		TimestampTz time = changes[i]->after->created_at;
		int			year = record_display_year(time);
		int			wanted = 0;
		int64		next;

		if (changes[i]->after->display_no)
			continue;
		for (int j = i; j < count; j++)
			wanted += record_display_year(changes[j]->after->created_at) == year;
		next = record_take_display_nos(context->tenant_id, current->module_id, time, wanted);
		for (int j = i; j < count; j++)
			if (record_display_year(changes[j]->after->created_at) == year)
				changes[j]->after->display_no = next++;
	}
}

static bool
has_creates(const Change *changes, int count)
{
	for (int i = 0; i < count; i++)
		if (changes[i].event.before == NULL)
			return true;
	return false;
}

/* Those of the changes before limit that wait: creates, or others. */
static int
choose(Change *changes, int limit, bool creates, Change **chosen)
{
	int			count = 0;

	for (int i = 0; i < limit; i++)
		if (changes[i].outcome == CHANGE_WAITING && (changes[i].event.before == NULL) == creates)
			chosen[count++] = &changes[i];
	return count;
}

/* Insert records; one whose number is taken, since the counter lags behind the table, gets another. */
static void
store_creates(const RequestContext *context, const ModuleDef *current, Change **changes, int count, bool *stored)
{
	while (count > 0)
	{
		int			left = 0;

		CHECK_FOR_INTERRUPTS();
		number_records(context, current, changes, count);
		change_store_rows(context, current, changes, count, stored);
		for (int i = 0; i < count; i++)
		{
			if (stored[i])
				changes[i]->outcome = CHANGE_APPLIED;
			else
			{
				record_raise_display_nos(context->tenant_id, current->module_id, changes[i]->after->created_at);
				changes[left++] = changes[i];
			}
		}
		count = left;
	}
}

static void
store(const RequestContext *context, const ModuleDef *current, Change *changes, int limit)
{
	Change	  **chosen = palloc(sizeof(Change *) * limit);
	bool	   *stored = palloc(sizeof(bool) * limit);
	int			count = choose(changes, limit, true, chosen);

	store_creates(context, current, chosen, count, stored);
	count = choose(changes, limit, false, chosen);
	if (count > 0)
		change_store_rows(context, current, chosen, count, stored);
	for (int i = 0; i < count; i++)
		chosen[i]->outcome = stored[i] ? CHANGE_APPLIED : CHANGE_STALE;
	pfree(chosen);
	pfree(stored);
}

/* Give up the values that changed records have no more, and those that stale changes took. */
static void
give_up_values(const ModuleDef *current, const Change *changes, int count)
{
	UniqueSet	set = {.module = current};

	for (int i = 0; i < count && current->unique_count > 0; i++)
	{
		const Record *before = changes[i].event.before;
		const Record *after = changes[i].after;
		Jsonb	   *old = before ? record_current_payload(current, before) : NULL;
		Jsonb	   *new = record_current_payload(current, after);

		if (changes[i].outcome == CHANGE_APPLIED)
			unique_add_payload(&set, i, &after->id, old, new);
		else if (changes[i].outcome == CHANGE_STALE)
			unique_add_payload(&set, i, &after->id, new, old);
	}
	unique_release(&set);
}

void
record_apply(const RequestContext *context, Change *changes, int count, bool stop)
{
	const ModuleDef *current;
	int			limit;

	if (count == 0)
		return;
	current = module_lookup_version(context->tenant_id, changes[0].after->module_id, 0);
	fill_records(context, changes, count);
	change_plan_timers(context, changes, count);
	change_hold_links(context, changes, count);
	if (has_creates(changes, count))
		record_hold_display_nos(context->tenant_id, current->module_id);
	limit = take_values(current, changes, count, stop);
	if (limit == 0)
		return;
	store(context, current, changes, limit);
	give_up_values(current, changes, limit);
	change_bind_attachments(context, changes, limit);
	change_store_links(context, changes, limit);
	change_store_timers(context, changes, limit);
	/* what else follows from the changes that were applied is called here: summaries */
}

void
record_apply_one(const RequestContext *context, Change *change)
{
	record_apply(context, change, 1, false);
	if (change->outcome == CHANGE_VALUE_TAKEN)
	{
		ViolationList told = {0};

		taken_tell_change(context, change, &told);
		problem_raise_at(PROBLEM_CONFLICT, told.items[0].path, told.items[0].code, "%s", told.items[0].message);
	}
	if (change->outcome == CHANGE_STALE)
		problem_raise(PROBLEM_CONFLICT, "Read the record and send the change again.", "the record was changed meanwhile");
}
