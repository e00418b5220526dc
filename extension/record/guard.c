/*
 * guard.c
 *	  Evaluating SQL/JSON path expressions over a payload.
 *
 * PostgreSQL's own functions do it, silently: an expression that meets a
 * missing member or another type gives nothing, and a guard then does not hold.
 */
#include "base/compat.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "fmgr.h"
#include "record/guard.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

Jsonb *
guard_variables(Guard *guard)
{
	const RequestContext *context = guard->context;
	StringInfoData text;

	if (guard->variables)
		return guard->variables;
	initStringInfo(&text);
	json_literal(&text, "{\"state\":");
	json_string(&text, guard->state);
	json_literal(&text, ",\"user\":");
	if (context->actor_type == ACTOR_USER)
		json_id(&text, &context->actor_id, QEHS_ID_USER);
	else
		json_literal(&text, "null");
	json_literal(&text, ",\"roles\":[");
	for (int i = 0; i < context->role_count; i++)
	{
		if (i > 0)
			appendStringInfoChar(&text, ',');
		json_string(&text, context->roles[i]);
	}
	json_literal(&text, "],\"now\":");
	json_time(&text, clock_transaction());
	json_literal(&text, ",\"today\":\"");
	json_time_raw(&text, clock_transaction());
	text.len -= 14;				/* the date alone */
	json_literal(&text, "\"}");
	guard->variables = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
	return guard->variables;
}

/* Call a jsonb_path function; false when it gives NULL. */
static bool
call(Guard *guard, PGFunction function, JsonPath *expression, Jsonb *payload, Datum *result)
{
	LOCAL_FCINFO(fcinfo, 4);

	InitFunctionCallInfoData(*fcinfo, NULL, 4, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = JsonbPGetDatum(payload);
	fcinfo->args[1].value = PointerGetDatum(expression);
	fcinfo->args[2].value = JsonbPGetDatum(guard_variables(guard));
	fcinfo->args[3].value = BoolGetDatum(true);
	for (int i = 0; i < 4; i++)
		fcinfo->args[i].isnull = false;
	*result = function(fcinfo);
	return !fcinfo->isnull;
}

bool
guard_is_true(Guard *guard, JsonPath *expression, Jsonb *payload)
{
	Datum		result;

	return call(guard, jsonb_path_match_tz, expression, payload, &result) && DatumGetBool(result);
}

Jsonb *
guard_value(Guard *guard, JsonPath *expression, Jsonb *payload)
{
	Datum		result;

	return call(guard, jsonb_path_query_first_tz, expression, payload, &result) ? DatumGetJsonbP(result) : NULL;
}
