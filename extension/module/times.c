/*
 * times.c
 *	  The times of a definition as the backend uses them: when states are due to be
 *	  left, whom that is told, which transitions are fired by themselves, and how long
 *	  records are kept.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/load.h"

bool
module_moment_read(const char *text, ModuleMoment *moment)
{
	const char *span = text;

	memset(moment, 0, sizeof(*moment));
	moment->sign = 1;
	if (*text == '@')
	{
		size_t		length = strcspn(text + 1, "+-");

		moment->field = pnstrdup(text + 1, length);
		span = text + 1 + length;
		if (*span == '\0')
			return true;
		moment->sign = *span++ == '-' ? -1 : 1;
	}
	return duration_read(span, strlen(span), &moment->duration);
}

const ModuleDeadline *
module_deadline(const ModuleDef *module, const char *state)
{
	for (int i = 0; i < module->deadline_count; i++)
		if (strcmp(module->deadlines[i].state, state) == 0)
			return &module->deadlines[i];
	return NULL;
}

/* The moment of a member, in the days of the member "calendar" beside it. */
static void
load_moment(ModuleDef *module, ModuleMoment *moment, const JsonbContainer *source, const char *key)
{
	const ModuleField *field;

	module_moment_read(json_member_text(source, key), moment);
	field = moment->field ? module_field(module, moment->field, strlen(moment->field)) : NULL;
	moment->is_date = field && field->type == FIELD_DATE;
	/* business is the only one that a definition names */
	moment->business = json_member_text(source, "calendar") != NULL;
	module->has_timers = true;
	module->timed_by_fields |= moment->field != NULL;
}

void
load_timed(ModuleDef *module, ModuleTransition *transition, const JsonbContainer *source)
{
	ModuleMoment *after;
	JsonbValue	value;

	if (!json_member(source, "after", 5, &value))
		return;
	transition->after = after = palloc(sizeof(ModuleMoment));
	load_moment(module, after, source, "after");
}

static void
load_escalations(ModuleDeadline *deadline, const JsonbContainer *source)
{
	JsonbValue	value;
	ModuleEscalation *escalations;

	if (!json_member(source, "escalate", 8, &value))
		return;
	deadline->escalation_count = JsonContainerSize(value.val.binary.data);
	deadline->escalations = escalations = palloc0(sizeof(ModuleEscalation) * Max(deadline->escalation_count, 1));
	for (int i = 0; i < deadline->escalation_count; i++)
	{
		const JsonbContainer *item = getIthJsonbValueFromContainer(value.val.binary.data, i)->val.binary.data;
		char	   *before = json_member_text(item, "before");
		char	   *offset = before ? before : json_member_text(item, "after");

		escalations[i].sign = before ? -1 : 1;
		duration_read(offset, strlen(offset), &escalations[i].offset);
		escalations[i].event = json_member_text(item, "event");
		escalations[i].to.names = load_names(item, "to", &escalations[i].to.count);
	}
}

static void
load_deadline(ModuleDef *module, const char *state, const JsonbContainer *source)
{
	ModuleDeadline *deadline = &module->deadlines[module->deadline_count++];

	deadline->state = state;
	load_moment(module, &deadline->due, source, "due");
	load_escalations(deadline, source);
}

void
load_deadlines(ModuleDef *module, const JsonbContainer *workflow)
{
	JsonbValue	value;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	char	   *state = NULL;

	if (!json_member(workflow, "deadlines", 9, &value))
		return;
	module->deadlines = palloc0(sizeof(ModuleDeadline) * Max(JsonContainerSize(value.val.binary.data), 1));
	iterator = JsonbIteratorInit(value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			state = json_text_copy(&value);
		else if (token == WJB_VALUE)
			load_deadline(module, state, value.val.binary.data);
	}
}

/* ---- retention ---- */

static void
load_rule(ModuleRetention *rule, const JsonbContainer *source)
{
	char	   *after = json_member_text(source, "after");
	char	   *from = json_member_text(source, "from");

	duration_read(after, strlen(after), &rule->after);
	rule->purges = strcmp(json_member_text(source, "action"), "purge") == 0;
	if (from == NULL)
		rule->start = rule->purges ? RETENTION_DELETED : RETENTION_CREATED;
	else if (strcmp(from, "createdAt") == 0)
		rule->start = RETENTION_CREATED;
	else if (strcmp(from, "deletedAt") == 0)
		rule->start = RETENTION_DELETED;
	else
	{
		rule->start = RETENTION_FIELD;
		rule->field = from;
	}
}

void
load_retention(ModuleDef *module)
{
	JsonbValue	value;
	bool		is_array;

	if (!json_member(&module->definition->root, "retention", 9, &value))
		return;
	is_array = JsonContainerIsArray(value.val.binary.data);
	module->retention_count = is_array ? JsonContainerSize(value.val.binary.data) : 1;
	module->retentions = palloc0(sizeof(ModuleRetention) * Max(module->retention_count, 1));
	for (int i = 0; i < module->retention_count; i++)
		load_rule(&module->retentions[i], is_array ? getIthJsonbValueFromContainer(value.val.binary.data, i)->val.binary.data : value.val.binary.data);
}
