/*
 * merge.c
 *	  Merging a patch into a payload: RFC 7396.
 *
 * A new payload is a patch onto nothing.  Arrays replace whole, as the RFC says; the
 * rows of a table are objects of a definition, so null is no value in them either.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "record/record.h"

static JsonbValue *merge_into(JsonbParseState **state, const ModuleFields *fields, const JsonbContainer *target, const JsonbContainer *patch);

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* Push the rows of a table: they replace those of before, and what is null in one is not there. */
static void
push_rows(JsonbParseState **state, const ModuleFields *fields, const JsonbContainer *rows)
{
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < JsonContainerSize(rows); i++)
	{
		JsonbValue *row = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, rows), i);

		CHECK_FOR_INTERRUPTS();
		if (is_object(row))
			merge_into(state, fields, NULL, row->val.binary.data);
		else
			pushJsonbValue(state, WJB_ELEM, row);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Push one merged value under the key that was just pushed; field is its field, or NULL where a definition names none. */
static void
push_merged(JsonbParseState **state, const ModuleField *field, const JsonbValue *old, JsonbValue *patch)
{
	if (is_object(patch))
		merge_into(state, field ? &field->nested : NULL, old && is_object(old) ? old->val.binary.data : NULL, patch->val.binary.data);
	else if (field && field->type == FIELD_TABLE && patch->type == jbvBinary && !JsonContainerIsScalar(patch->val.binary.data))
		push_rows(state, &field->nested, patch->val.binary.data);
	else
		pushJsonbValue(state, WJB_VALUE, patch);
}

/* Push target with patch applied: members of patch replace, null removes (RFC 7396). */
static JsonbValue *
merge_into(JsonbParseState **state, const ModuleFields *fields, const JsonbContainer *target, const JsonbContainer *patch)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	other;

	check_stack_depth();
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	if (target)
	{
		iterator = JsonbIteratorInit(unconstify(JsonbContainer *, target));
		while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
		{
			if (token != WJB_KEY)
				continue;
			JsonbIteratorNext(&iterator, &value, true);
			if (json_member(patch, key.val.string.val, key.val.string.len, &other))
				continue;
			pushJsonbValue(state, WJB_KEY, &key);
			pushJsonbValue(state, WJB_VALUE, &value);
		}
	}
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, patch));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		bool		had;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		if (value.type == jbvNull)
			continue;
		had = target && json_member(target, key.val.string.val, key.val.string.len, &other);
		pushJsonbValue(state, WJB_KEY, &key);
		push_merged(state, fields ? module_fields_find(fields, key.val.string.val, key.val.string.len) : NULL, had ? &other : NULL, &value);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

Jsonb *
record_merge_patch(const ModuleDef *module, Jsonb *target, Jsonb *patch)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(merge_into(&state, &module->all, &target->root, &patch->root));
}

/* Whether there is a null at any depth. */
static bool
has_null(Jsonb *document)
{
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
		if ((token == WJB_VALUE || token == WJB_ELEM) && value.type == jbvNull)
			return true;
	return false;
}

Jsonb *
record_merge_new(const ModuleDef *module, Jsonb *sent)
{
	JsonbParseState *state = NULL;

	return has_null(sent) ? JsonbValueToJsonb(merge_into(&state, &module->all, NULL, &sent->root)) : sent;
}
