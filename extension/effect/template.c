/*
 * template.c
 *	  Values of a definition that are filled from a record: {"title":"$.title","parent":"$id"}.
 *
 * The expressions are those of conditions (SQL/JSON path), checked when the
 * definition was published; they are compiled when they are run, which effects
 * are seldom enough.
 */
#include "base/compat.h"

#include "base/id.h"
#include "base/json.h"
#include "effect/effect.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonpath.h"

Template
template_make(const Firing *firing, const Record *record)
{
	Template	template = {record->payload, {firing->context, firing->record->workflow_state, NULL}};
	const ModuleDef *module = firing->module;
	StringInfoData text;
	Jsonb	   *more;

	initStringInfo(&text);
	json_literal(&text, "{\"id\":");
	json_id(&text, &record->id, QEHS_ID_RECORD);
	json_literal(&text, ",\"displayCode\":");
	record_write_display_code(&text, module, record->display_no);
	json_literal(&text, ",\"moduleKey\":");
	json_string(&text, module->key);
	json_literal(&text, ",\"transition\":");
	json_string(&text, firing->transition->name);
	json_literal(&text, ",\"comment\":");
	json_string(&text, firing->comment);
	appendStringInfoChar(&text, '}');
	more = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
	template.guard.variables = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(guard_variables(&template.guard)),
																  JsonbPGetDatum(more)));
	return template;
}

/* What a text of a template stands for; false when its path gives nothing. */
static bool
fill_text(Template *template, const char *text, int length, JsonbValue *filled)
{
	Jsonb	   *result;

	if (length == 0 || text[0] != '$' || (length > 1 && text[1] == '$'))
	{
		bool		escaped = length > 0 && text[0] == '$';

		*filled = (JsonbValue) {.type = jbvString, .val.string = {length - escaped, unconstify(char *, text) + escaped}};
		return true;
	}
	result = guard_value(&template->guard, DatumGetJsonPathP(DirectFunctionCall1(jsonpath_in, CStringGetDatum(pnstrdup(text, length)))),
						 template->payload);
	if (result == NULL)
		return false;
	if (JB_ROOT_IS_SCALAR(result))
		return JsonbExtractScalar(&result->root, filled);
	filled->type = jbvBinary;
	filled->val.binary.data = &result->root;
	filled->val.binary.len = VARSIZE(result) - VARHDRSZ;
	return true;
}

Jsonb *
template_fill(Template *template, const JsonbContainer *source)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, source));
	JsonbParseState *state = NULL;
	JsonbValue *built = NULL;
	JsonbIteratorToken token;
	JsonbValue	value;
	JsonbValue	key;
	bool		has_key = false;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
		{
			/* put when it is known that there is a value */
			key = value;
			has_key = true;
			continue;
		}
		if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
		{
			built = pushJsonbValue(&state, token, NULL);
			continue;
		}
		if ((token == WJB_VALUE || token == WJB_ELEM) && value.type == jbvString &&
			!fill_text(template, value.val.string.val, value.val.string.len, &value))
		{
			has_key = false;
			continue;
		}
		if (has_key)
			pushJsonbValue(&state, WJB_KEY, &key);
		has_key = false;
		pushJsonbValue(&state, token, token == WJB_VALUE || token == WJB_ELEM ? &value : NULL);
	}
	return JsonbValueToJsonb(built);
}

char *
template_text(Template *template, const char *text)
{
	JsonbValue	value;

	return fill_text(template, text, strlen(text), &value) && value.type == jbvString ? json_text_copy(&value) : NULL;
}
