/*
 * source.c
 *	  Statements over rows that a caller hands in.
 *
 * One row goes in as parameters, so that the statement costs what a plain INSERT
 * or UPDATE does; many go into a tuplestore, which the statement reads as an
 * ephemeral named relation.  Both texts come from one template.
 */
#include "base/compat.h"

#include "access/htup_details.h"
#include "base/source.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"

#define RELATION "source_row"

struct Source
{
	const SourceColumns *columns;
	int			count;
	/* one row */
	Datum		values[QEHS_SOURCE_MAX_COLUMNS];
	bool		nulls[QEHS_SOURCE_MAX_COLUMNS];
	/* many */
	Tuplestorestate *store;
	TupleDesc	descriptor;
	EphemeralNamedRelationData relation;
};

Source *
source_begin(const SourceColumns *columns, int count)
{
	Source	   *source = palloc0(sizeof(Source));

	source->columns = columns;
	source->count = count;
	if (count == 1)
		return source;
	source->store = tuplestore_begin_heap(true, false, work_mem);
	source->descriptor = CreateTemplateTupleDesc(columns->count);
	for (int i = 0; i < columns->count; i++)
		TupleDescInitEntry(source->descriptor, i + 1, columns->items[i].name, columns->items[i].type, -1, 0);
	source->relation.md.name = RELATION;
	source->relation.md.reliddesc = InvalidOid;
	source->relation.md.tupdesc = source->descriptor;
	source->relation.md.enrtype = ENR_NAMED_TUPLESTORE;
	source->relation.md.enrtuples = count;
	source->relation.reldata = source->store;
	if (SPI_register_relation(&source->relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register relation \"%s\"", RELATION);
	return source;
}

void
source_put(Source *source, const Datum *values, const bool *nulls)
{
	if (source->count == 1)
	{
		memcpy(source->values, values, sizeof(Datum) * source->columns->count);
		memcpy(source->nulls, nulls, sizeof(bool) * source->columns->count);
	}
	else
		tuplestore_putvalues(source->store, source->descriptor, unconstify(Datum *, values), unconstify(bool *, nulls));
}

/* The number of a column by its name, which ends where no letter, digit or _ follows. */
static int
find_column(const SourceColumns *columns, const char *name, size_t length)
{
	for (int i = 0; i < columns->count; i++)
		if (strlen(columns->items[i].name) == length && memcmp(columns->items[i].name, name, length) == 0)
			return i;
	elog(ERROR, "no column \"%.*s\" in the source", (int) length, name);
	return -1;
}

/* The statement's text for one row or many. */
static char *
expand(const Source *source, const SourceStatement *statement)
{
	StringInfoData sql;
	const char *text = statement->text;

	initStringInfo(&sql);
	while (*text)
	{
		size_t		length = strcspn(text, "@");
		const char *name = text + length + 1;
		size_t		name_length;

		appendBinaryStringInfo(&sql, text, length);
		if (text[length] == '\0')
			break;
		name_length = strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789");
		text = name + name_length;
		if (name_length == 4 && memcmp(name, "rows", 4) == 0)
			appendStringInfoString(&sql, source->count == 1 ? "" : " FROM " RELATION " AS r");
		else if (name_length == 6 && memcmp(name, "joined", 6) == 0)
			appendStringInfoString(&sql, source->count == 1 ? "" : " FROM (SELECT x.*, $1 AS tenant_id FROM " RELATION " AS x OFFSET 0) AS r");
		else if (name_length == 6 && memcmp(name, "tenant", 6) == 0)
			appendStringInfoString(&sql, source->count == 1 ? "$1" : "r.tenant_id");
		else if (source->count == 1)
			appendStringInfo(&sql, "$%d", statement->argument_count + find_column(source->columns, name, name_length) + 1);
		else
			appendStringInfo(&sql, "r.%s", source->columns->items[find_column(source->columns, name, name_length)].name);
	}
	return sql.data;
}

/* The plan of a statement, made at first use; the static pointer is assigned last. */
static KeptPlan *
find_plan(const Source *source, SourceStatement *statement)
{
	KeptPlan  **kept = source->count == 1 ? &statement->one : &statement->many;
	KeptPlan   *plan = *kept;
	MemoryContext previous;

	if (plan)
		return plan;
	previous = MemoryContextSwitchTo(TopMemoryContext);
	plan = palloc0(sizeof(KeptPlan));
	plan->sql = expand(source, statement);
	plan->argument_count = statement->argument_count;
	memcpy(plan->argument_types, statement->argument_types, sizeof(Oid) * statement->argument_count);
	for (int i = 0; i < source->columns->count && source->count == 1; i++)
		plan->argument_types[plan->argument_count++] = source->columns->items[i].type;
	MemoryContextSwitchTo(previous);
	*kept = plan;
	return plan;
}

/* From the rows handed in to the table by its index, whatever the statistics say: a table is often empty when a plan is made. */
static uint64
execute_many(KeptPlan *plan, Datum *arguments, const char *nulls)
{
	static const char *const joins[] = {"enable_hashjoin", "enable_mergejoin", "enable_seqscan"};
	int			level = NewGUCNestLevel();
	uint64		rows;

	for (int i = 0; i < (int) lengthof(joins); i++)
		(void) set_config_option(joins[i], "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	rows = plan_execute(plan, arguments, nulls, false, 0);
	AtEOXact_GUC(true, level);
	return rows;
}

uint64
source_run(Source *source, SourceStatement *statement, const Datum *arguments, const char *nulls)
{
	KeptPlan   *plan = find_plan(source, statement);
	int			fixed = statement->argument_count;
	Datum		values[QEHS_PLAN_MAX_ARGUMENTS];
	char		value_nulls[QEHS_PLAN_MAX_ARGUMENTS];

	memcpy(values, arguments, sizeof(Datum) * fixed);
	memset(value_nulls, ' ', sizeof(value_nulls));
	if (nulls)
		memcpy(value_nulls, nulls, fixed);
	if (source->count > 1)
		return execute_many(plan, values, value_nulls);
	for (int i = 0; i < source->columns->count; i++)
	{
		values[fixed + i] = source->values[i];
		value_nulls[fixed + i] = source->nulls[i] ? 'n' : ' ';
	}
	return plan_execute(plan, values, value_nulls, false, 0);
}

void
source_end(Source *source)
{
	if (source->store)
	{
		SPI_unregister_relation(RELATION);
		tuplestore_end(source->store);
	}
	pfree(source);
}
