/*
 * source.h
 *	  Statements over rows that a caller hands in: one row as parameters, many
 *	  as a relation, with one SQL text for both.
 *
 * Usage, inside an open SPI connection: source_begin, source_put for each row,
 * source_run for each statement, source_end.  Sources do not nest within one SPI
 * connection: end one before the next begins.
 */
#ifndef QEHS_SOURCE_H
#define QEHS_SOURCE_H

#include "base/plan.h"

#define QEHS_SOURCE_MAX_COLUMNS 48

typedef struct SourceColumn
{
	const char *name;
	Oid			type;
} SourceColumn;

/* What a source's rows have, in the order of the values given to source_put. */
typedef struct SourceColumns
{
	int			count;
	SourceColumn items[QEHS_SOURCE_MAX_COLUMNS];
} SourceColumns;

/*
 * A statement: "@name" in its text stands for a column of the row, "@rows" for the
 * FROM clause (with the alias r), or nothing where there is one row.  $1 and so on
 * are arguments that are the same for all rows; $1 is the tenant.  "@joined" is the
 * FROM clause of a join with a table, in which "@tenant" is a column of the row too:
 * a tenant that seems to have few rows would be read whole, were it a constant.
 * text is set before first use.
 */
typedef struct SourceStatement
{
	const char *text;
	int			argument_count;
	Oid			argument_types[8];
	KeptPlan   *one;			/* NULL until first use */
	KeptPlan   *many;
} SourceStatement;

typedef struct Source Source;

/* Begin a source of count rows, at least one. */
extern Source *source_begin(const SourceColumns *columns, int count);

/* Add a row.  Many rows are copied; what the values of a single one point to must stay until source_end. */
extern void source_put(Source *source, const Datum *values, const bool *nulls);

/* Run a statement over the rows; nulls has one character per argument, or is NULL.  Returns SPI_processed. */
extern uint64 source_run(Source *source, SourceStatement *statement, const Datum *arguments, const char *nulls);

/* Free the rows. */
extern void source_end(Source *source);

#endif							/* QEHS_SOURCE_H */
