/*
 * session.c
 *	  A connection whose calls wait, by libpq's plain functions.
 */
#include "db/session.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Session
{
	PGconn	   *pg;
	PGcancel   *cancel;
	PGresult   *result;			/* of the last call */
};

Session *
session_open(const char *conninfo, const char *application)
{
	const char *const names[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
	const char *const values[] = {conninfo, application, "UTF8", NULL};
	Session    *session = calloc(1, sizeof(Session));

	if (session == NULL)
		abort();
	session->pg = PQconnectdbParams(names, values, 1);
	if (session_is_open(session))
		session->cancel = PQgetCancel(session->pg);
	return session;
}

bool
session_is_open(const Session *session)
{
	return PQstatus(session->pg) == CONNECTION_OK;
}

void
session_close(Session *session)
{
	PQclear(session->result);
	PQfreeCancel(session->cancel);
	PQfinish(session->pg);
	free(session);
}

bool
session_value(Session *session, const char *sql, int count, const char *const *arguments, const char **value, size_t *length)
{
	return session_value_of(session, sql, count, arguments, NULL, NULL, value, length);
}

bool
session_value_of(Session *session, const char *sql, int count, const char *const *arguments, const int *lengths, const int *formats,
				 const char **value, size_t *length)
{
	ExecStatusType status;

	PQclear(session->result);
	session->result = PQexecParams(session->pg, sql, count, NULL, arguments, lengths, formats, 0);
	status = PQresultStatus(session->result);
	if (value)
		*value = NULL;
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		return false;
	if (value && PQntuples(session->result) > 0 && !PQgetisnull(session->result, 0, 0))
	{
		*value = PQgetvalue(session->result, 0, 0);
		if (length)
			*length = (size_t) PQgetlength(session->result, 0, 0);
	}
	return true;
}

const char *
session_problem(const Session *session, const char **message)
{
	const char *state = PQresultErrorField(session->result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(session->result, PG_DIAG_MESSAGE_PRIMARY);
	const char *code = PQresultErrorField(session->result, PG_DIAG_CONSTRAINT_NAME);

	*message = text ? text : PQerrorMessage(session->pg);
	if (state && strncmp(state, "QH", 2) == 0 && code)
		return code;
	return state && session_is_open(session) ? "internal" : "unavailable";
}

const char *
session_detail(const Session *session)
{
	return PQresultErrorField(session->result, PG_DIAG_MESSAGE_DETAIL);
}

void
session_cancel(Session *session)
{
	char		message[256];

	if (session->cancel)
		PQcancel(session->cancel, message, sizeof(message));
}
