/*
 * members.c
 *	  The members that a definition and its parts may have, each with the
 *	  function that acts on it.
 *
 * What is not here is refused at publish, so nothing is accepted and ignored:
 * tests/tools/source_rules.mjs checks that each function exists, in a file that
 * reads the member.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/members.h"

const DefinitionMember definition_members[] = {
	{"key", "module_load"},
	{"name", "module_load"},
	{"label", "label_default"},
	{"description", "store"},
	{"displayCode", "store"},
	{"fields", "load_fields"},
	{"workflow", "load_workflow"},
	{"permissions", "load_roles"},
	{"migrate", "rule"},
	{"requireIfMatch", "module_load"},
	{"unique", "unique_rules_read"},
	{"retention", "load_retention"},
	{NULL, NULL}
};

const DefinitionMember retention_members[] = {
	{"after", "load_rule"},
	{"from", "load_rule"},
	{"action", "load_rule"},
	{NULL, NULL}
};

const DefinitionMember display_code_members[] = {
	{"prefix", "store"},
	{NULL, NULL}
};

const DefinitionMember unique_members[] = {
	{"fields", "unique_rules_read"},
	{NULL, NULL}
};

const DefinitionMember field_members[] = {
	{"key", "load_field"},
	{"label", "label_default"},
	{"type", "definition_field_type"},
	{"required", "load_field"},
	{"requiredWhen", "load_field"},
	{"visibleWhen", "load_field"},
	{"default", "load_field"},
	{"readOnly", "load_field"},
	{"writeOnce", "load_field"},
	{"computed", "load_field"},
	{"expression", "load_field"},
	{"options", "write_field"},
	{"ordered", "load_options"},
	{"min", "write_number_limits"},
	{"max", "write_number_limits"},
	{"step", "write_number_limits"},
	{"minLength", "write_limits"},
	{"maxLength", "write_limits"},
	{"pattern", "write_limits"},
	{"unique", "definition_is_unique"},
	{"indexed", "assign_slots"},
	{"searchable", "index_searches"},
	{"references", "load_field"},
	{"acyclic", "load_field"},
	{"onDelete", "load_field"},
	{"unit", "write_field"},
	{"units", "write_quantity"},
	{"comparators", "write_quantity"},
	{"timeZone", "load_field"},
	{"size", "definition_bands"},
	{"bands", "definition_bands"},
	{"mediaTypes", "load_media"},
	{"maxSizeBytes", "load_media"},
	{"fields", "load_field"},
	{"description", "write_field"},
	{"deprecated", "write_field"},
	{"schema", "write_field"},
	{"personalData", "load_field"},
	{NULL, NULL}
};

const DefinitionMember option_members[] = {
	{"value", "write_enum"},
	{"label", "locale_definition"},
	{NULL, NULL}
};

const DefinitionMember band_members[] = {
	{"name", "definition_bands"},
	{"max", "definition_bands"},
	{NULL, NULL}
};

const DefinitionMember workflow_members[] = {
	{"states", "load_workflow"},
	{"stateLabels", "label_state"},
	{"initial", "load_workflow"},
	{"transitions", "load_workflow"},
	{"deadlines", "load_deadlines"},
	{NULL, NULL}
};

const DefinitionMember deadline_members[] = {
	{"due", "load_deadline"},
	{"calendar", "load_moment"},
	{"escalate", "load_escalations"},
	{NULL, NULL}
};

const DefinitionMember escalation_members[] = {
	{"before", "load_escalations"},
	{"after", "load_escalations"},
	{"event", "load_escalations"},
	{"to", "load_escalations"},
	{NULL, NULL}
};

const DefinitionMember transition_members[] = {
	{"from", "load_transition"},
	{"to", "load_transition"},
	{"label", "locale_definition"},
	{"description", "load_transition"},
	{"requires", "load_transition"},
	{"roles", "load_transition"},
	{"when", "load_transition"},
	{"commentRequired", "load_transition"},
	{"notSameActorAs", "load_transition"},
	{"children", "load_children"},
	{"attachments", "load_files"},
	{"approvers", "load_approvers"},
	{"effects", "load_effects"},
	{"signature", "load_signature"},
	{"after", "load_timed"},
	{"calendar", "load_moment"},
	{NULL, NULL}
};

const DefinitionMember children_members[] = {
	{"moduleKey", "load_children"},
	{"via", "load_children"},
	{"state", "load_children"},
	{"min", "load_children"},
	{NULL, NULL}
};

const DefinitionMember files_members[] = {
	{"min", "load_files"},
	{"field", "load_files"},
	{"mediaTypes", "load_files"},
	{NULL, NULL}
};

const DefinitionMember approver_members[] = {
	{"count", "load_step"},
	{"role", "load_step"},
	{"steps", "load_approvers"},
	{"order", "load_approvers"},
	{"reject", "load_approvers"},
	{NULL, NULL}
};

const DefinitionMember step_members[] = {
	{"count", "load_step"},
	{"role", "load_step"},
	{NULL, NULL}
};

const DefinitionMember signature_members[] = {
	{"meaning", "load_signature"},
	{NULL, NULL}
};

const DefinitionMember effect_members[] = {
	{"createRecord", "load_effect"},
	{"updateParent", "load_effect"},
	{"setField", "load_effect"},
	{"assign", "load_effect"},
	{"event", "load_effect"},
	{NULL, NULL}
};

const DefinitionMember create_record_members[] = {
	{"moduleKey", "load_effect"},
	{"payload", "load_effect"},
	{NULL, NULL}
};

const DefinitionMember update_parent_members[] = {
	{"via", "load_effect"},
	{"payload", "load_effect"},
	{NULL, NULL}
};

const DefinitionMember assign_members[] = {
	{"field", "load_effect"},
	{"to", "load_effect"},
	{NULL, NULL}
};

const DefinitionMember event_members[] = {
	{"name", "load_effect"},
	{"payload", "load_effect"},
	{NULL, NULL}
};

const DefinitionMember permission_members[] = {
	{"roles", "load_roles"},
	{"location", "load_roles"},
	{"fields", "load_field_rules"},
	{"states", "load_locks"},
	{NULL, NULL}
};

const DefinitionMember scoped_actions_members[] = {
	{"actions", "load_actions"},
	{"scope", "load_actions"},
	{NULL, NULL}
};

const DefinitionMember field_rule_members[] = {
	{"read", "load_field_rules"},
	{"write", "load_field_rules"},
	{NULL, NULL}
};

const DefinitionMember lock_members[] = {
	{"edit", "load_locks"},
	{"fields", "load_locks"},
	{NULL, NULL}
};

const DefinitionMember migrate_members[] = {
	{"rename", "migrate_renamed"},
	{"drop", "migrate_drops"},
	{"default", "migrate_default"},
	{"states", "migrate_state"},
	{NULL, NULL}
};

const DefinitionMember *
members_find(const DefinitionMember *known, const char *name)
{
	for (; known->name; known++)
		if (strcmp(known->name, name) == 0)
			return known;
	return NULL;
}

void
members_check(const JsonbContainer *object, const DefinitionMember *known, const char *path, ViolationList *faults)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, object));
	JsonbValue	key;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;
		const DefinitionMember *member;

		if (token != WJB_KEY)
			continue;
		name = json_text_copy(&key);
		member = members_find(known, name);
		if (member == NULL)
			violation_add(faults, json_pointer_to(path, name), "unknown_member", "is not a known member");
		else if (member->acted_on_by == NULL)
			violation_add(faults, json_pointer_to(path, name), "unsupported", "is not supported yet");
	}
}
