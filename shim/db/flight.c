/*
 * flight.c
 *	  Each flight has its results to come in order: one per PREPARE, one per
 *	  statement, then the sync.  An error makes PostgreSQL skip the rest up to the
 *	  sync, so flights do not harm each other.
 */
#include "db/flight.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/clock.h"

static bool without_names;		/* of all connections; atomic */

bool
flight_without_names(void)
{
	return !__atomic_exchange_n(&without_names, true, __ATOMIC_RELAXED);
}

/* Prepare what the job needs and is not yet: first, as an error of a statement would make PostgreSQL skip them. */
static bool
send_prepares(Connection *connection, Flight *flight)
{
	bool		sent = true;

	for (int i = 0; i < flight->job->count; i++)
	{
		const PgText *text = flight->job->statements[i].text;
		unsigned char *slot = connection_slot(connection, text->number);

		if (*slot != UNKNOWN)
			continue;
		sent = sent && PQsendPrepare(connection->pg, text->name, text->sql, 0, NULL) == 1;
		*slot = PENDING;
		flight->prepared_texts[flight->prepared_count++] = text->number;
	}
	flight->prepares = flight->prepared_count;
	return sent;
}

static bool
send_statement(Connection *connection, const PgStatement *statement, bool named)
{
	if (named)
		return PQsendQueryPrepared(connection->pg, statement->text->name, statement->count, statement->values,
								   statement->lengths, statement->formats, 0) == 1;
	return PQsendQueryParams(connection->pg, statement->text->sql, statement->count, NULL, statement->values,
							 statement->lengths, statement->formats, 0) == 1;
}

bool
flight_send(Connection *connection, PgJob *job, bool heavy)
{
	Flight	   *flight = &connection->flights[connection->flight_count++];
	bool		named = !__atomic_load_n(&without_names, __ATOMIC_RELAXED);
	bool		sent = true;

	*flight = (Flight) {.job = job,.heavy = heavy};
	if (connection->flight_count == 1)
		connection->head_since = clock_now();
	if (named)
		sent = send_prepares(connection, flight);
	for (int i = 0; i < job->count; i++)
		sent = sent && send_statement(connection, &job->statements[i], named);
	return sent && PQpipelineSync(connection->pg) == 1 && connection_flush(connection);
}

PgJob *
flight_leave(Flight *flight)
{
	PgJob	   *job = flight->job;

	flight->job = NULL;
	return job;
}

/* The sync has come: the first flight is over. */
static void
land(Connection *connection, FlightEnd end)
{
	Flight		flight = connection->flights[0];

	connection->flight_count--;
	memmove(connection->flights, connection->flights + 1, sizeof(Flight) * (size_t) connection->flight_count);
	for (int i = 0; i < flight.prepared_count; i++)
		*connection_slot(connection, flight.prepared_texts[i]) = i < flight.prepared_count - flight.prepares ? PREPARED : UNKNOWN;
	end(connection, &flight);
}

/* One result of the pipeline; false when it makes the connection useless. */
static bool
take_result(Connection *connection, PGresult *result, FlightEnd end)
{
	ExecStatusType status = PQresultStatus(result);
	Flight	   *flight = &connection->flights[0];
	PgJob	   *job = flight->job;

	if (connection->flight_count == 0)
	{
		/* e.g. FATAL: terminating connection due to administrator command */
		PQclear(result);
		return false;
	}
	if (status == PGRES_PIPELINE_SYNC)
	{
		PQclear(result);
		land(connection, end);
	}
	else if (status == PGRES_FATAL_ERROR && job && job->error.sqlstate == NULL)
		job_take_error(job, result);
	else if (status == PGRES_TUPLES_OK && job && flight->prepares == 0 && job->reached < job->count)
		job_take_row(job, result);
	else
	{
		if (status == PGRES_COMMAND_OK && flight->prepares > 0)
			flight->prepares--;
		PQclear(result);
	}
	return true;
}

bool
flight_receive(Connection *connection, FlightEnd end)
{
	int			nulls = 0;

	if (PQconsumeInput(connection->pg) != 1 || !connection_flush(connection))
		return false;
	/* each statement's results end with a NULL; two in a row: nothing is under way */
	while (connection->state == READY && nulls < 2 && !PQisBusy(connection->pg))
	{
		PGresult   *result = PQgetResult(connection->pg);

		if (result == NULL)
		{
			nulls++;
			continue;
		}
		nulls = 0;
		if (!take_result(connection, result, end))
			return false;
	}
	return connection->state != READY || PQstatus(connection->pg) != CONNECTION_BAD;
}
