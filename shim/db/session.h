/*
 * session.h
 *	  One connection to PostgreSQL whose calls wait: for threads that have
 *	  nothing else to do, such as workers.
 *
 * A session belongs to one thread; only session_cancel may come from others.  What
 * a call gives is good until the next call on the session.
 */
#ifndef QEHS_SESSION_H
#define QEHS_SESSION_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Session Session;

/* Connect; never NULL: whether it holds is told by session_is_open. */
extern Session *session_open(const char *conninfo, const char *application);
extern bool session_is_open(const Session *session);
extern void session_close(Session *session);

/*
 * Run a statement with arguments as text ($1 …; NULL is null) that gives at most one column and row.  False when it
 * fails: session_problem then says why.  *value is the text of its value, NULL for none and for null.
 */
extern bool session_value(Session *session, const char *sql, int count, const char *const *arguments, const char **value, size_t *length);

/* The same with arguments of which some are binary: formats[i] is 1, and lengths[i] their bytes. */
extern bool session_value_of(Session *session, const char *sql, int count, const char *const *arguments, const int *lengths, const int *formats,
							 const char **value, size_t *length);

/* What the last failed call was refused with: the code of a problem (qehs.problem), "unavailable" when the connection is lost; and in words. */
extern const char *session_problem(const Session *session, const char **message);

/* And the detail of that, or NULL; of a refusal with violations a JSON object {"errors":[…]}. */
extern const char *session_detail(const Session *session);

/* Break off the statement that runs, from any thread. */
extern void session_cancel(Session *session);

#endif							/* QEHS_SESSION_H */
