/*
 * extension_schema.c
 *	  Fuzz target of JSON Schema: the first line is the schema, the rest the instance.
 *
 * Both walks of a document, the one that collects and the one that ends at the
 * first violation, say the same.
 */
#include "extension_driver.h"

#include "schema/schema.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

Jsonb *
fuzz_jsonb(const char *text)
{
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *volatile found = NULL;

	PG_TRY();
	{
		found = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
	return found;
}

static void
try_instance(const Schema *schema, Jsonb *instance)
{
	SchemaErrors errors;
	const char *fault = NULL;
	bool		valid;
	bool		holds;

	schema_errors_init(&errors);
	errors.limit = QEHS_SCHEMA_ERROR_LIMIT;
	valid = schema_validate(schema, instance, &errors);
	holds = schema_holds(schema, instance, &fault);
	if (errors.fault == NULL && fault == NULL && (valid != holds || valid != (errors.count == 0)))
		elog(ERROR, "schema_validate gives %d with %d violations, schema_holds %d", valid, errors.count, holds);
}

static void
try_schema(const char *text, int length)
{
	const char *line_end = strchr(text, '\n');
	Jsonb	   *document = fuzz_jsonb(line_end ? pnstrdup(text, line_end - text) : text);
	Jsonb	   *instance = line_end ? fuzz_jsonb(line_end + 1) : NULL;
	SchemaOptions options = {.assert_formats = length % 2 == 0};
	SchemaErrors faults;
	Schema	   *schema;

	if (document == NULL)
		return;
	schema_errors_init(&faults);
	faults.limit = QEHS_SCHEMA_ERROR_LIMIT;
	schema = schema_compile(document, &options, CurrentMemoryContext, &faults);
	if ((schema == NULL) != (faults.count > 0 || faults.fault != NULL))
		elog(ERROR, "schema_compile gives %s with %d faults", schema ? "a schema" : "NULL", faults.count);
	if (schema && instance)
		try_instance(schema, instance);
	if (schema)
		schema_free(schema);
}

const FuzzTarget fuzz_schema = {"schema", try_schema};
