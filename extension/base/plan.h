/*
 * plan.h
 *	  Kept SPI plans: one static KeptPlan per statement text.
 *
 * Usage: a file defines its statements as static KeptPlan variables and runs them
 * between SPI_connect and SPI_finish.  A statement is prepared on first use in a
 * backend and kept for its life; PostgreSQL's plan cache replans by itself
 * when a table's definition or statistics change.  That is too late for a table
 * which was found empty and has since been filled: so a plan is made anew, too,
 * after some uses or a fraction of a second.
 * Results die at SPI_finish: copy what must live on.
 */
#ifndef QEHS_PLAN_H
#define QEHS_PLAN_H

#include "datatype/timestamp.h"
#include "executor/spi.h"

#define QEHS_PLAN_MAX_ARGUMENTS 56

/* A prepared statement, and how old its plan is. */
typedef struct PreparedPlan
{
	SPIPlanPtr	plan;
	int			uses;
	TimestampTz made_at;
} PreparedPlan;

typedef struct KeptPlan
{
	const char *sql;
	int			argument_count;
	Oid			argument_types[QEHS_PLAN_MAX_ARGUMENTS];
	PreparedPlan *prepared;		/* NULL until first use */
} KeptPlan;

/*
 * Run a plan; nulls is NULL or one character per argument (' ' or 'n').
 * limit 0 means all rows.  Gives SPI_processed.  Raises ERROR on failure.
 */
extern uint64 plan_execute(KeptPlan *plan, Datum *values, const char *nulls, bool read_only, int64 limit);

/*
 * The same for a plan that is good whatever the values, as one by an array of ids:
 * the server, which takes a shorter array for a better plan, would make it anew
 * each time.
 */
extern uint64 plan_execute_generic(KeptPlan *plan, Datum *values, const char *nulls, bool read_only, int64 limit);

/* The next use makes the plan anew, by the size that its tables have then. */
extern void plan_renew(KeptPlan *plan);

/*
 * plan_execute, read-only, with the newest snapshot whatever the transaction's own:
 * for caches that outlive the transaction.
 */
extern uint64 plan_execute_latest(KeptPlan *plan, Datum *values, const char *nulls, int64 limit);

/*
 * Prepare and keep sql (used by caches of plans by shape); ERROR on failure.
 * Options are those of cursors: CURSOR_OPT_GENERIC_PLAN or 0.
 */
extern PreparedPlan plan_prepare(const char *sql, int argument_count, Oid *argument_types, int options);

/* The plan to execute now: has a generic plan that is old made anew. */
extern SPIPlanPtr plan_use(PreparedPlan *prepared);

/* Column (1-based) of a row of SPI_tuptable. */
extern Datum plan_value(uint64 row, int column, bool *isnull);

/* A column of type text, copied; NULL for SQL NULL. */
extern char *plan_text(uint64 row, int column);

#endif							/* QEHS_PLAN_H */
