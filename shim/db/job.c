/*
 * job.c
 *	  Results of jobs, and the list of SQL texts.
 *
 * The texts are in one list for all threads, behind a lock: it is asked when
 * endpoints are loaded and bulk loads begin, not for each request.
 */
#include "db/job.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t texts_lock = PTHREAD_MUTEX_INITIALIZER;
static PgText **texts;
static int	text_count;

const PgText *
pg_text(const char *sql)
{
	PgText	   *found = NULL;

	pthread_mutex_lock(&texts_lock);
	for (int i = 0; i < text_count && found == NULL; i++)
		if (strcmp(texts[i]->sql, sql) == 0)
			found = texts[i];
	if (found == NULL)
	{
		PgText	  **longer = realloc(texts, sizeof(PgText *) * (size_t) (text_count + 1));

		found = malloc(sizeof(PgText));
		if (longer == NULL || found == NULL)
			abort();
		*found = (PgText) {.number = text_count,.sql = strdup(sql)};
		if (found->sql == NULL)
			abort();
		snprintf(found->name, sizeof(found->name), "qehs_%d", text_count);
		texts = longer;
		texts[text_count++] = found;
	}
	pthread_mutex_unlock(&texts_lock);
	return found;
}

void
job_take_row(PgJob *job, PGresult *result)
{
	job->results[job->reached++] = result;
}

void
job_take_error(PgJob *job, PGresult *error)
{
	job->results[job->reached] = error;
	job->error = (PgError) {
		.sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE),
		.constraint = PQresultErrorField(error, PG_DIAG_CONSTRAINT_NAME),
		.message = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY),
		.detail = PQresultErrorField(error, PG_DIAG_MESSAGE_DETAIL),
		.hint = PQresultErrorField(error, PG_DIAG_MESSAGE_HINT),
		.datatype = PQresultErrorField(error, PG_DIAG_DATATYPE_NAME),
	};
	if (job->error.sqlstate == NULL)
		job->error.sqlstate = "08006";
}

const char *
job_column(const PgJob *job, int statement, int column, size_t *length)
{
	const PGresult *result = job->results[statement];

	*length = 0;
	if (statement >= job->reached || PQntuples(result) == 0 || column >= PQnfields(result) || PQgetisnull(result, 0, column))
		return NULL;
	*length = (size_t) PQgetlength(result, 0, column);
	return PQgetvalue(result, 0, column);
}

const char *
job_text(const PgJob *job, int statement, size_t *length)
{
	return job_column(job, statement, 0, length);
}

void
job_finish(PgJob *job, PgOutcome outcome)
{
	job->outcome = outcome;
	job->done(job);
}

void
job_free(PgJob *job)
{
	for (int i = 0; i <= PG_JOB_STATEMENTS; i++)
	{
		PQclear(job->results[i]);
		job->results[i] = NULL;
	}
	job->error = (PgError) {0};
	job->reached = 0;
}
