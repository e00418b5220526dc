/*
 * caller.c
 *	  qehs.audit_caller: who acts now, for triggers that write audit events.
 */
#include "base/compat.h"

#include "access/htup_details.h"
#include "caller/context.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"

PG_FUNCTION_INFO_V1(qehs_audit_caller);

/* audit_caller(tenant_id) */
Datum
qehs_audit_caller(PG_FUNCTION_ARGS)
{
	const RequestContext *context = context_find();
	bool		acts = context && !PG_ARGISNULL(0) && context->tenant_id == PG_GETARG_INT32(0);
	TupleDesc	description;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	if (get_call_result_type(fcinfo, NULL, &description) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "audit_caller must give a row");
	if (acts)
	{
		values[0] = UUIDPGetDatum(&context->actor_id);
		nulls[0] = false;
		nulls[1] = context->trace_id[0] == '\0';
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(context->trace_id);
		nulls[2] = context->address == NULL;
		values[2] = nulls[2] ? (Datum) 0 : DirectFunctionCall1(inet_in, CStringGetDatum(context->address));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
