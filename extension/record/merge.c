/*
 * merge.c
 *	  Merging a patch into a payload: RFC 7396.
 */
#include "base/compat.h"

#include "base/json.h"
#include "miscadmin.h"
#include "record/record.h"

static JsonbValue *merge_into(JsonbParseState **state, const JsonbContainer *target, const JsonbContainer *patch);

/* Push one merged value under the key that was just pushed. */
static void
push_merged(JsonbParseState **state, const JsonbValue *old, JsonbValue *patch)
{
	if (patch->type == jbvBinary && JsonContainerIsObject(patch->val.binary.data))
		merge_into(state, old && old->type == jbvBinary && JsonContainerIsObject(old->val.binary.data) ?
				   old->val.binary.data : NULL, patch->val.binary.data);
	else
		pushJsonbValue(state, WJB_VALUE, patch);
}

/* Push target with patch applied: members of patch replace, null removes (RFC 7396). */
static JsonbValue *
merge_into(JsonbParseState **state, const JsonbContainer *target, const JsonbContainer *patch)
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
		push_merged(state, had ? &other : NULL, &value);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

Jsonb *
record_merge_patch(Jsonb *target, Jsonb *patch)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(merge_into(&state, &target->root, &patch->root));
}
