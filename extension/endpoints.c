/*
 * endpoints.c
 *	  Rows of qehs.endpoint, read anew after a change, and calls of their functions.
 *
 * A C function of this library is called without the handler that changes user and
 * search_path for it: qehs.request has the owner's rights and the same search_path
 * already, and the handler is a twentieth of a short request.
 *
 * Everything lives in one memory context, which is reset when the table changes.
 */
#include "base/compat.h"

#include "access/htup_details.h"
#include "base/plan.h"
#include "base/watch.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "endpoints.h"
#include "funcapi.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define LIBRARY "$libdir/qehs"

/* How the function of an endpoint is called. */
struct EndpointCall
{
	Oid			function;
	PGFunction	address;		/* of a C function of this library; NULL: of another */
	bool		strict;
	bool		gives_nothing;	/* returns void */
	int			count;			/* arguments of the function */
	Oid			types[FUNC_MAX_ARGS];
	int			from[FUNC_MAX_ARGS];	/* the parameter that each is; -1: its default */
	NullableDatum defaults[FUNC_MAX_ARGS];
};

static KeptPlan select_endpoints = {
	"SELECT operation, status, authenticated, class, error_form = 'scim', time_limit FROM qehs.endpoint", 0, {0}, NULL};
/* The columns of select_endpoints. */
enum
{
	COLUMN_OPERATION = 1, COLUMN_STATUS, COLUMN_AUTHENTICATED, COLUMN_CLASS, COLUMN_IS_SCIM, COLUMN_TIME_LIMIT
};
static KeptPlan select_function = {
	"SELECT pg_catalog.to_regproc(function)::pg_catalog.oid, ARRAY(SELECT p.value ->> 'argument' FROM"
	" pg_catalog.jsonb_array_elements(parameters) WITH ORDINALITY AS p WHERE"
	" 'function' = ANY (pg_catalog.string_to_array(COALESCE(p.value ->> 'of', 'function'), ' ')) ORDER BY p.ordinality)"
	" FROM qehs.endpoint WHERE operation = $1", 1, {TEXTOID}, NULL};
/* The columns of select_function. */
enum
{
	COLUMN_FUNCTION_OID = 1, COLUMN_FUNCTION_ARGUMENTS
};
static HTAB *endpoints = NULL;
static MemoryContext memory = NULL;
static uint64 generation = 0;

static void
load(void)
{
	HASHCTL		control = {.keysize = NAMEDATALEN, .entrysize = sizeof(EndpointRow)};
	uint64		rows;
	bool		isnull;

	endpoints = NULL;
	if (memory == NULL)
		memory = AllocSetContextCreate(TopMemoryContext, "qehs endpoints", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(memory);
	generation = watch_generation(WATCH_ENDPOINT, 0);
	control.hcxt = memory;
	SPI_connect();
	rows = plan_execute_latest(&select_endpoints, NULL, NULL, 0);
	endpoints = hash_create("qehs endpoints", 64, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	for (uint64 i = 0; i < rows; i++)
	{
		EndpointRow *entry = hash_search(endpoints, TextDatumGetCString(plan_value(i, COLUMN_OPERATION, &isnull)), HASH_ENTER, NULL);
		const char *class = TextDatumGetCString(plan_value(i, COLUMN_CLASS, &isnull));

		entry->status = DatumGetInt32(plan_value(i, COLUMN_STATUS, &isnull));
		entry->authenticated = DatumGetBool(plan_value(i, COLUMN_AUTHENTICATED, &isnull));
		entry->class = strcmp(class, "signed-urls") == 0 ? RATE_SIGNED_URLS : RATE_DEFAULT;
		entry->bulk = strcmp(class, "bulk") == 0;
		entry->signed_url = strcmp(class, "signed") == 0;
		entry->scim = DatumGetBool(plan_value(i, COLUMN_IS_SCIM, &isnull));
		entry->time_limit = DatumGetInt32(plan_value(i, COLUMN_TIME_LIMIT, &isnull));
		entry->call = NULL;
	}
	SPI_finish();
}

EndpointRow *
endpoint_find(const char *operation)
{
	if (operation == NULL)
		return NULL;
	if (endpoints == NULL || generation != watch_generation(WATCH_ENDPOINT, 0))
		load();
	return hash_search(endpoints, operation, HASH_FIND, NULL);
}

/* ---- calls ---- */

/* The defaults of the last arguments; memory is the current context. */
static void
read_defaults(EndpointCall *call, HeapTuple tuple)
{
	bool		isnull;
	Datum		stored = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proargdefaults, &isnull);
	List	   *expressions = isnull ? NIL : (List *) stringToNode(TextDatumGetCString(stored));
	int			number = call->count - list_length(expressions);
	ListCell   *cell;

	foreach(cell, expressions)
	{
		Node	   *constant = eval_const_expressions(NULL, lfirst(cell));

		if (!IsA(constant, Const))
			elog(ERROR, "the default of an argument of function %u is no constant", call->function);
		call->defaults[number].isnull = castNode(Const, constant)->constisnull;
		call->defaults[number++].value = castNode(Const, constant)->constisnull ? (Datum) 0 :
			datumCopy(castNode(Const, constant)->constvalue, castNode(Const, constant)->constbyval, castNode(Const, constant)->constlen);
	}
}

/* Which parameter of the endpoint each argument of the function is. */
static void
match_arguments(EndpointCall *call, HeapTuple tuple, ArrayType *parameters, const char *operation)
{
	Oid		   *all_types;
	char	  **names;
	char	   *modes;
	Datum	   *given;
	int			given_count;
	int			matched = 0;

	get_func_arg_info(tuple, &all_types, &names, &modes);
	deconstruct_array(parameters, TEXTOID, -1, false, TYPALIGN_INT, &given, NULL, &given_count);
	for (int i = 0; i < call->count; i++)
	{
		call->from[i] = -1;
		for (int j = 0; j < given_count && names; j++)
			if (strcmp(TextDatumGetCString(given[j]), names[i]) == 0)
			{
				call->from[i] = j;
				matched++;
			}
		if (i < call->count - ((Form_pg_proc) GETSTRUCT(tuple))->pronargdefaults && call->from[i] < 0)
			elog(ERROR, "endpoint \"%s\" has no parameter for an argument of its function", operation);
	}
	if (matched != given_count)
		elog(ERROR, "endpoint \"%s\" has a parameter that its function does not take", operation);
}

static bool
is_of_this_library(HeapTuple tuple)
{
	bool		isnull;
	Datum		library = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_probin, &isnull);

	return ((Form_pg_proc) GETSTRUCT(tuple))->prolang == ClanguageId && !isnull && strcmp(TextDatumGetCString(library), LIBRARY) == 0;
}

static void
prepare_call(EndpointCall *call, Oid function, ArrayType *parameters, const char *operation)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "endpoint \"%s\" has no function", operation);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	call->function = function;
	call->strict = form->proisstrict;
	call->gives_nothing = form->prorettype == VOIDOID;
	if (!call->gives_nothing && form->prorettype != JSONOID && form->prorettype != TEXTOID)
		elog(ERROR, "the function of endpoint \"%s\" returns neither json nor text nor void", operation);
	call->count = form->pronargs;
	memcpy(call->types, form->proargtypes.values, sizeof(Oid) * call->count);
	read_defaults(call, tuple);
	match_arguments(call, tuple, parameters, operation);
	if (is_of_this_library(tuple))
		call->address = load_external_function(LIBRARY, TextDatumGetCString(SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull)),
											   true, NULL);
	ReleaseSysCache(tuple);
}

static EndpointCall *
find_call(EndpointRow *endpoint)
{
	Datum		values[1] = {CStringGetTextDatum(endpoint->operation)};
	EndpointCall *call;
	bool		isnull;

	if (endpoint->call)
		return endpoint->call;
	SPI_connect();
	if (plan_execute_latest(&select_function, values, NULL, 1) != 1)
		elog(ERROR, "endpoint \"%s\" is gone", endpoint->operation);
	{
		Oid			function = DatumGetObjectId(plan_value(0, COLUMN_FUNCTION_OID, &isnull));
		ArrayType  *parameters = DatumGetArrayTypeP(plan_value(0, COLUMN_FUNCTION_ARGUMENTS, &isnull));
		MemoryContext previous = MemoryContextSwitchTo(memory);

		call = palloc0(sizeof(EndpointCall));
		prepare_call(call, function, parameters, endpoint->operation);
		MemoryContextSwitchTo(previous);
	}
	SPI_finish();
	endpoint->call = call;
	return call;
}

Datum
endpoint_call(EndpointRow *endpoint, int count, const NullableDatum *values, const Oid *types, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	const EndpointCall *call = find_call(endpoint);
	FmgrInfo	info = {0};
	Datum		result;

	if (call->address == NULL)
		fmgr_info(call->function, &info);
	else
	{
		info.fn_addr = call->address;
		info.fn_oid = call->function;
		info.fn_nargs = call->count;
		info.fn_strict = call->strict;
		info.fn_mcxt = CurrentMemoryContext;
	}
	InitFunctionCallInfoData(*fcinfo, &info, call->count, DEFAULT_COLLATION_OID, NULL, NULL);
	*isnull = true;
	for (int i = 0; i < call->count; i++)
	{
		int			from = call->from[i];

		if (from >= count || (from >= 0 && types[from] != call->types[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("operation \"%s\" was called with other parameters than its endpoint has", endpoint->operation)));
		fcinfo->args[i] = from < 0 ? call->defaults[i] : values[from];
		if (call->strict && fcinfo->args[i].isnull)
			return (Datum) 0;
	}
	result = FunctionCallInvoke(fcinfo);
	*isnull = fcinfo->isnull || call->gives_nothing;
	return result;
}
