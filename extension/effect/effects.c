/*
 * effects.c
 *	  Firing a transition and doing its effects.
 *
 * setField and assign change the record itself, in the same version and event as
 * the transition; createRecord, updateParent and event follow when it is stored.
 * Locks: those of record_apply; a parent is locked after its child, never the other
 * way round, so that two transitions wait in a line.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "effect/effect.h"
#include "record/check.h"
#include "utils/builtins.h"

/* The caller with the rights of the system: who he is stays. */
static RequestContext
with_all_rights(const RequestContext *context)
{
	RequestContext system = *context;

	system.actor_type = ACTOR_SYSTEM;
	system.scopes = SCOPE_ALL;
	system.role_count = 0;
	system.module_count = -1;
	return system;
}

/* Raise that an effect failed, with the place in it of each violation of a payload. */
pg_noreturn static void
fail(const Firing *firing, const ModuleEffect *effect, const ViolationList *found)
{
	ViolationList placed = {0};

	for (int i = 0; i < found->count; i++)
	{
		const char *path = found->items[i].path;

		/* setField has the fields themselves */
		if (effect->kind == EFFECT_SET_FIELD && strncmp(path, "/payload", strlen("/payload")) == 0)
			path += strlen("/payload");
		else if (effect->kind == EFFECT_ASSIGN)
			path = "/to";
		violation_add(&placed, psprintf("%s%s", effect->path, path), found->items[i].code, "%s", found->items[i].message);
	}
	problem_raise_detail(PROBLEM_CONFLICT, violation_json(&placed), NULL, "an effect of transition \"%s\" failed: %s %s", firing->transition->name,
						 placed.items[0].path, placed.items[0].message);
}

pg_noreturn static void
fail_at(const Firing *firing, const ModuleEffect *effect, const char *path, const char *code, const char *message)
{
	ViolationList found = {0};

	violation_add(&found, path, code, "%s", message);
	fail(firing, effect, &found);
}

/* Why an event of another record is there. */
static const char *
reason_of(const Firing *firing)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "transition \"%s\" of ", firing->transition->name);
	record_write_display_code(&out, firing->module, firing->record->display_no);
	return out.data;
}

/* record_apply for one change of another record. */
static void
apply(const Firing *firing, const ModuleEffect *effect, Change *change)
{
	change->event.reason = reason_of(firing);
	record_apply(firing->context, change, 1, false);
	if (change->outcome == CHANGE_VALUE_TAKEN)
	{
		ViolationList told = {0};

		taken_tell_change(firing->context, change, &told);
		fail_at(firing, effect, told.items[0].path, told.items[0].code, told.items[0].message);
	}
	if (change->outcome == CHANGE_STALE)
		fail_at(firing, effect, "", "conflict", "was meant for a record that was changed meanwhile");
}

/* ---- the record itself ---- */

/* To whom a record is assigned: "@createdBy", "@field", a user's id or a path that gives one. */
static char *
assignee(const Firing *firing, const ModuleEffect *effect, Template *template, const Record *after)
{
	StringInfoData id;
	JsonbValue	value;

	if (effect->to[0] != '@')
		return template_text(template, effect->to);
	if (strcmp(effect->to, QEHS_ROLE_CREATOR) == 0)
	{
		initStringInfo(&id);
		appendStringInfoSpaces(&id, QEHS_ID_LENGTH);
		id_format(&firing->record->created_by, QEHS_ID_USER, id.data);
		return id.data;
	}
	return json_member(&after->payload->root, effect->to + 1, strlen(effect->to + 1), &value) && value.type == jbvString ?
		json_text_copy(&value) : NULL;
}

/* {"field":"usr_…"} of assign. */
static Jsonb *
assign_patch(const Firing *firing, const ModuleEffect *effect, Template *template, const Record *after)
{
	char	   *user = assignee(firing, effect, template, after);
	StringInfoData text;

	if (user == NULL)
		fail_at(firing, effect, "", "required", "names nobody");
	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	json_name(&text, effect->name);
	json_string(&text, user);
	appendStringInfoChar(&text, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}

/* setField and assign. */
static void
change_own(const Firing *firing, const ModuleEffect *effect, Record *after)
{
	RequestContext system = with_all_rights(firing->context);
	Template	template = template_make(firing, after);
	ViolationList found = {0};
	Jsonb	   *patch = effect->kind == EFFECT_ASSIGN ? assign_patch(firing, effect, &template, after) : template_fill(&template, effect->payload);

	after->payload = record_check_effect(&system, firing->module, after, patch, firing->transition->to, &found);
	if (found.count > 0)
		fail(firing, effect, &found);
}

/* ---- other records ---- */

static void
create_record(const Firing *firing, const ModuleEffect *effect, Template *template)
{
	const RequestContext *context = firing->context;
	RequestContext system = with_all_rights(context);
	const ModuleDef *module = module_lookup(context->tenant_id, effect->module_key);
	ViolationList found = {0};
	Record		record = {0};
	Change		change = change_make(AUDIT_CREATE, NULL, &record);

	if (module == NULL)
		fail_at(firing, effect, "/moduleKey", "not_found", "names no module of this tenant");
	module_hold_slots(context->tenant_id, module->module_id);
	/* again: a publisher may have been waited for */
	module = module_lookup(context->tenant_id, effect->module_key);
	record.workflow_state = module->initial;
	record.payload = record_check_payload(&system, module, template_fill(template, effect->payload), module->initial, &found);
	if (found.count > 0)
		fail(firing, effect, &found);
	id_generate(&record.id);
	record.module_id = module->module_id;
	record.definition_version = module->version;
	record.created_at = clock_transaction();
	apply(firing, effect, &change);
}

/* The record that a field of this one names. */
static pg_uuid_t
parent_of(const Firing *firing, const ModuleEffect *effect, const Record *record)
{
	JsonbValue	value;
	pg_uuid_t	id;

	if (!json_member(&record->payload->root, effect->via, strlen(effect->via), &value) || value.type != jbvString ||
		!id_parse(value.val.string.val, value.val.string.len, QEHS_ID_RECORD, &id) ||
		named_record_module(firing->context->tenant_id, NULL, &id) == NULL)
		fail_at(firing, effect, "/via", "not_found", "names no record");
	return id;
}

static void
update_parent(const Firing *firing, const ModuleEffect *effect, Template *template, const Record *record)
{
	const RequestContext *context = firing->context;
	RequestContext system = with_all_rights(context);
	pg_uuid_t	id = parent_of(firing, effect, record);
	ViolationList found = {0};
	Record		before;
	Record		after;
	Change		change = change_make(AUDIT_UPDATE, &before, &after);

	record_fetch(context, &id, RECORD_FOR_UPDATE, false, &before);
	after = before;
	after.payload = record_check_patch(&system, record_module(context, &before), &before, template_fill(template, effect->payload), NULL,
									   before.workflow_state, &found);
	if (found.count > 0)
		fail(firing, effect, &found);
	if (compareJsonbContainers(&before.payload->root, &after.payload->root) != 0)
		apply(firing, effect, &change);
}

/* ---- the outbox ---- */

static void
add_event(const Firing *firing, const ModuleEffect *effect, Template *template, const Record *record)
{
	StringInfoData body;

	outbox_begin(&body, firing->module, record);
	json_literal(&body, ",\"transition\":");
	json_string(&body, firing->transition->name);
	json_literal(&body, ",\"from\":");
	json_string(&body, firing->record->workflow_state);
	json_literal(&body, ",\"to\":");
	json_string(&body, record->workflow_state);
	if (effect->payload)
	{
		json_literal(&body, ",\"payload\":");
		json_jsonb(&body, template_fill(template, effect->payload));
	}
	outbox_add(firing->context, effect->name, record, &body);
}

void
effect_fire(const Firing *firing, Record *after, Change *change)
{
	const ModuleTransition *transition = firing->transition;
	Template	template;

	for (int i = 0; i < transition->effect_count; i++)
		if (transition->effects[i].kind == EFFECT_SET_FIELD || transition->effects[i].kind == EFFECT_ASSIGN)
			change_own(firing, &transition->effects[i], after);
	after->workflow_state = transition->to;
	change->event.transition = transition->name;
	change->event.comment = firing->comment;
	record_apply_one(firing->context, change);
	if (transition->effect_count == 0)
		return;
	template = template_make(firing, after);
	for (int i = 0; i < transition->effect_count; i++)
	{
		const ModuleEffect *effect = &transition->effects[i];

		if (effect->kind == EFFECT_CREATE_RECORD)
			create_record(firing, effect, &template);
		else if (effect->kind == EFFECT_UPDATE_PARENT)
			update_parent(firing, effect, &template, after);
		else if (effect->kind == EFFECT_EVENT)
			add_event(firing, effect, &template, after);
	}
}
