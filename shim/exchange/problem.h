/*
 * problem.h
 *	  Errors as application/problem+json (RFC 9457), or in the form of SCIM or GraphQL
 *	  where the endpoint's row says so or the path is theirs.
 */
#ifndef QEHS_PROBLEM_H
#define QEHS_PROBLEM_H

#include "exchange/request.h"

/* Where problem types are described; no slash at the end.  Set once at start. */
extern void problem_base(const char *public_url);

/* Note one violation: an RFC 6901 pointer, ?parameter or @header, a code and a message. */
extern void problem_violation(Request *request, const char *path, const char *code, const char *message);

/*
 * Make the reply a problem, in the form that the request is to have.  violations are JSON objects, comma-separated, or NULL.
 * status 0 means that of the code.
 */
extern void problem_reply(Request *request, const char *code, int status, const char *detail, const char *violations);

/* Make the reply from an ERROR of PostgreSQL or from a lost connection. */
extern void problem_from_job(Request *request);

/*
 * The problem of a job, or of a code, as JSON in the request's arena: for an answer that has begun.  The reply stays as
 * it is.
 */
extern const char *problem_of_job(Request *request, const PgJob *job, size_t *length);
extern const char *problem_of_code(Request *request, const char *code, const char *detail, size_t *length);

/* Answer OPTIONS, or refuse a method that writes, on a path that can only be read; false for GET and HEAD. */
extern bool problem_unless_read(Request *request);

#endif							/* QEHS_PROBLEM_H */
