/*
 * jsonschema.c
 *	  JSON Schema as SQL functions, with a cache of compiled schemas.
 *
 * A call first looks at the schema that its call site used last, since a CHECK
 * constraint or a query passes the same one for every row; then at the session's
 * cache, since a constraint's call site is new in every statement.  The cache is
 * bounded in number and in bytes.  What was compiled with a registered schema is
 * compiled anew when qehs.json_schema changes, which a trigger announces; so is it
 * when the transaction that registered it rolls back.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/plan.h"
#include "base/watch.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "schema/jsonschema.h"
#include "schema/schema.h"
#include "schema/uri.h"
#include "schema/value.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define CACHE_SIZE 64
#define CACHE_BYTES (32 * 1024 * 1024)
#define METASCHEMA "https://json-schema.org/draft/2020-12/schema"

typedef struct CachedSchema
{
	uint32		hash;
	bool		assert_formats;
	uint64		last_use;		/* 0: an empty entry */
	uint64		generation;		/* changes when the entry gets another schema */
	uint64		registered;		/* generation of qehs.json_schema that went into it, or 0 */
	Size		bytes;
	const Jsonb *document;		/* of the schema */
	Schema	   *schema;
} CachedSchema;

/* What a call site remembers. */
typedef struct CallSite
{
	CachedSchema *entry;
	uint64		generation;
	bool		is_constant;	/* the schema is a literal, and need not be compared */
} CallSite;

PG_FUNCTION_INFO_V1(qehs_jsonschema_is_valid);
PG_FUNCTION_INFO_V1(qehs_jsonschema_errors);
PG_FUNCTION_INFO_V1(qehs_jsonschema_check);
PG_FUNCTION_INFO_V1(qehs_jsonschema_register);

/* An entry of the table's index holds the whole URI. */
#define MAX_URI 2000

static CachedSchema cache[CACHE_SIZE];
static uint64 clock_hand = 0;

static KeptPlan select_schema = {
	"SELECT document FROM qehs.json_schema WHERE uri OPERATOR(pg_catalog.=) $1", 1, {TEXTOID}, NULL
};
static KeptPlan insert_schema = {
	"INSERT INTO qehs.json_schema (uri, document) VALUES ($1, $2) ON CONFLICT (uri) DO NOTHING", 2, {TEXTOID, JSONBOID}, NULL
};

Jsonb *
jsonschema_find_registered(void *arg, const char *uri)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = CStringGetTextDatum(uri);
	Jsonb	   *found = NULL;
	bool		isnull;

	SPI_connect();
	if (plan_execute_latest(&select_schema, &value, NULL, 1) > 0)
	{
		Jsonb	   *document = DatumGetJsonbP(plan_value(0, 1, &isnull));

		found = MemoryContextAlloc(caller, VARSIZE(document));
		memcpy(found, document, VARSIZE(document));
	}
	SPI_finish();
	return found;
}

static Schema *
compile(Jsonb *document, bool assert_formats, MemoryContext parent, SchemaErrors *faults)
{
	SchemaOptions options = {.assert_formats = assert_formats,.lookup = jsonschema_find_registered};

	schema_errors_init(faults);
	return schema_compile(document, &options, parent, faults);
}

static void
refuse(const SchemaViolation *fault)
{
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("the JSON Schema is not valid"),
			errdetail("At \"%s\": %s.", fault->instance_location, fault->message),
			errhint("qehs.jsonschema_check(schema) lists all faults."));
}

static Schema *
compile_or_fail(Jsonb *document, bool assert_formats, MemoryContext parent)
{
	SchemaErrors faults;
	Schema	   *schema = compile(document, assert_formats, parent, &faults);

	if (schema == NULL)
		refuse(&faults.items[0]);
	return schema;
}

static bool
is_same(const CachedSchema *entry, const Jsonb *document, bool assert_formats)
{
	return entry->assert_formats == assert_formats && VARSIZE(entry->document) == VARSIZE(document) &&
		memcmp(entry->document, document, VARSIZE(document)) == 0;
}

static bool
is_current(const CachedSchema *entry)
{
	return entry->registered == 0 || entry->registered == watch_generation(WATCH_JSON_SCHEMA, 0);
}

static void
forget(CachedSchema *entry)
{
	schema_free(entry->schema);
	*entry = (CachedSchema) {.generation = entry->generation + 1};
}

/* An empty entry; those that were not used for longest make room for so many bytes. */
static CachedSchema *
make_room(Size bytes)
{
	for (;;)
	{
		CachedSchema *oldest = NULL;
		CachedSchema *empty = NULL;
		Size		taken = 0;

		for (int i = 0; i < CACHE_SIZE; i++)
		{
			if (cache[i].last_use == 0)
				empty = &cache[i];
			else if (oldest == NULL || cache[i].last_use < oldest->last_use)
				oldest = &cache[i];
			taken += cache[i].bytes;
		}
		if (empty && (oldest == NULL || taken + bytes <= CACHE_BYTES))
			return empty;
		forget(oldest);
	}
}

/* The entry of a schema, compiled. */
static CachedSchema *
cache_entry(Jsonb *document, bool assert_formats)
{
	uint32		hash = hash_bytes((const unsigned char *) document, VARSIZE(document));
	CachedSchema *entry;
	Schema	   *schema;
	Size		bytes;
	uint64		registered;

	for (int i = 0; i < CACHE_SIZE; i++)
		if (cache[i].last_use > 0 && cache[i].hash == hash && is_same(&cache[i], document, assert_formats))
		{
			if (is_current(&cache[i]))
				return &cache[i];
			forget(&cache[i]);
		}
	/* read first: what changes meanwhile makes the entry an old one */
	registered = watch_generation(WATCH_JSON_SCHEMA, 0);
	schema = compile_or_fail(document, assert_formats, TopMemoryContext);
	bytes = schema_size(schema);
	entry = make_room(bytes);
	*entry = (CachedSchema) {hash, assert_formats, ++clock_hand, entry->generation + 1,
	schema_uses_registered(schema) ? registered : 0, bytes, schema_document(schema), schema};
	return entry;
}

/* Whether the first argument is the same in all calls of a call site; that of a parameter is not, in PL/pgSQL. */
static bool
is_constant(const FmgrInfo *function)
{
	const FuncExpr *expression = (const FuncExpr *) function->fn_expr;

	return expression && IsA(expression, FuncExpr) && IsA(linitial(expression->args), Const);
}

/* The arguments of qehs.jsonschema_is_valid and qehs.jsonschema_errors. */
enum
{
	ARGUMENT_SCHEMA, ARGUMENT_INSTANCE, ARGUMENT_ASSERT_FORMATS
};

static Schema *
schema_of_call(FunctionCallInfo fcinfo)
{
	Jsonb	   *document = PG_GETARG_JSONB_P(ARGUMENT_SCHEMA);
	bool		assert_formats = PG_GETARG_BOOL(ARGUMENT_ASSERT_FORMATS);
	CallSite   *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite));
		site->is_constant = is_constant(fcinfo->flinfo);
	}
	if (site->entry == NULL || site->generation != site->entry->generation || site->entry->assert_formats != assert_formats ||
		!(site->is_constant || is_same(site->entry, document, assert_formats)) || !is_current(site->entry))
	{
		site->entry = cache_entry(document, assert_formats);
		site->generation = site->entry->generation;
	}
	site->entry->last_use = ++clock_hand;
	return site->entry->schema;
}

static void
give_up(const char *fault)
{
	ereport(ERROR,
			errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			errmsg("the document cannot be checked: %s", fault),
			errhint("Simplify the schema; raise max_stack_depth for documents that are nested deeply."));
}

/* jsonschema_is_valid(schema, instance, assert_formats) */
Datum
qehs_jsonschema_is_valid(PG_FUNCTION_ARGS)
{
	const Schema *schema = schema_of_call(fcinfo);
	const char *fault;
	bool		valid = schema_holds(schema, PG_GETARG_JSONB_P(ARGUMENT_INSTANCE), &fault);

	if (fault)
		give_up(fault);
	PG_RETURN_BOOL(valid);
}

/* Answer with a set of rows: texts[i] of each violation, in the order of the function's columns. */
static void
put_rows(FunctionCallInfo fcinfo, const SchemaErrors *errors, bool of_instance)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;
	TupleDesc	descriptor;

	if (result == NULL || !IsA(result, ReturnSetInfo) || !(result->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("set-valued function called in context that cannot accept a set"));
	old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	result->returnMode = SFRM_Materialize;
	result->setResult = tuplestore_begin_heap(true, false, work_mem);
	result->setDesc = descriptor;
	MemoryContextSwitchTo(old);
	for (int i = 0; i < errors->count; i++)
	{
		const SchemaViolation *item = &errors->items[i];
		Datum		values[4];
		bool		nulls[4] = {false};
		int			count = 0;

		values[count++] = CStringGetTextDatum(item->instance_location);
		if (of_instance)
			values[count++] = CStringGetTextDatum(item->keyword_location);
		values[count++] = CStringGetTextDatum(item->keyword);
		values[count++] = CStringGetTextDatum(item->message);
		tuplestore_putvalues(result->setResult, descriptor, values, nulls);
	}
}

/* jsonschema_errors(schema, instance, assert_formats) */
Datum
qehs_jsonschema_errors(PG_FUNCTION_ARGS)
{
	const Schema *schema = schema_of_call(fcinfo);
	SchemaErrors errors;

	schema_errors_init(&errors);
	errors.explain = true;
	schema_validate(schema, PG_GETARG_JSONB_P(ARGUMENT_INSTANCE), &errors);
	if (errors.fault)
		give_up(errors.fault);
	put_rows(fcinfo, &errors, true);
	return (Datum) 0;
}

static bool
has_location(const SchemaErrors *errors, int count, const char *location)
{
	for (int i = 0; i < count; i++)
		if (strcmp(errors->items[i].instance_location, location) == 0)
			return true;
	return false;
}

/* The schema of schemas that a schema names by "$schema", where that is known; else the one of the draft. */
static const Schema *
metaschema_of(const Jsonb *document)
{
	Value		root = value_of(document);
	Value		dialect;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "{\"$ref\":");
	if (root.type == VALUE_OBJECT && value_member(&root, "$schema", 7, &dialect) && dialect.type == VALUE_STRING)
	{
		char	   *uri = pnstrdup(dialect.data, dialect.length);

		uri_cut_fragment(uri);
		json_string(&text, jsonschema_find_registered(NULL, uri) ? uri : METASCHEMA);
	}
	else
		json_string(&text, METASCHEMA);
	appendStringInfoChar(&text, '}');
	return cache_entry(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data))), false)->schema;
}

/* jsonschema_check(schema): what the compiler says, which knows best, and what only the metaschema forbids. */
Datum
qehs_jsonschema_check(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = PG_GETARG_JSONB_P(0);
	const Schema *rules = metaschema_of(document);
	SchemaErrors faults;
	SchemaErrors violations;

	compile(document, false, CurrentMemoryContext, &faults);
	schema_errors_init(&violations);
	violations.explain = true;
	schema_validate(rules, document, &violations);
	if (violations.fault && faults.count == 0)
		give_up(violations.fault);
	for (int i = 0, known = faults.count; i < violations.count; i++)
		if (!has_location(&faults, known, violations.items[i].instance_location))
			schema_add(&faults, &violations.items[i]);
	put_rows(fcinfo, &faults, false);
	return (Datum) 0;
}

/*
 * What is registered cannot be mended.  References may name what is registered
 * later, and a dialect that is not known yet leaves nothing to check.
 */
static void
check_registrable(Jsonb *document)
{
	SchemaErrors faults;
	const SchemaViolation *first = NULL;

	compile(document, false, CurrentMemoryContext, &faults);
	for (int i = 0; i < faults.count; i++)
	{
		const char *keyword = faults.items[i].keyword;

		if (strcmp(keyword, "$schema") == 0)
			return;
		if (first == NULL && strcmp(keyword, "$ref") != 0 && strcmp(keyword, "$dynamicRef") != 0)
			first = &faults.items[i];
	}
	if (first)
		refuse(first);
}

/* The arguments of qehs.jsonschema_register. */
enum
{
	ARGUMENT_REGISTER_URI, ARGUMENT_REGISTER_SCHEMA
};

/* jsonschema_register(uri, schema) */
Datum
qehs_jsonschema_register(PG_FUNCTION_ARGS)
{
	char	   *uri = text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_REGISTER_URI));
	Datum		values[2] = {PG_GETARG_DATUM(ARGUMENT_REGISTER_URI), PG_GETARG_DATUM(ARGUMENT_REGISTER_SCHEMA)};
	bool		inserted;

	if (strchr(uri, '#') != NULL || strchr(uri, ':') == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("\"%s\" cannot name a schema", uri),
				errhint("Use an absolute URI without a fragment, such as https://example.com/schemas/address."));
	if (strlen(uri) > MAX_URI)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the URI of a schema must be at most %d bytes", MAX_URI));
	check_registrable(PG_GETARG_JSONB_P(ARGUMENT_REGISTER_SCHEMA));
	SPI_connect();
	inserted = plan_execute(&insert_schema, values, NULL, false, 0) > 0;
	SPI_finish();
	if (!inserted)
	{
		Jsonb	   *known = jsonschema_find_registered(NULL, uri);
		Jsonb	   *document = PG_GETARG_JSONB_P(ARGUMENT_REGISTER_SCHEMA);

		if (known == NULL || VARSIZE(known) != VARSIZE(document) || memcmp(known, document, VARSIZE(known)) != 0)
			ereport(ERROR,
					errcode(ERRCODE_DUPLICATE_OBJECT),
					errmsg("another schema is registered as \"%s\"", uri),
					errhint("Register the new one under a URI of its own: constraints may rely on the old one."));
	}
	PG_RETURN_VOID();
}
