/*
 * error.h
 *	  How the extension refuses: SQLSTATE class QH and lists of violations.
 *
 * A refusal is an ERROR whose SQLSTATE is 'QH' and the HTTP status (QH404),
 * whose constraint name is the problem code of qehs.problem, whose primary
 * message says what is wrong, and whose detail is JSON:
 * {"errors":[{"path","code","message"}],"headers":{…}}, both members optional.
 *
 * Violations are collected in the current memory context and never freed one
 * by one; at most QEHS_MAX_VIOLATIONS are kept (CONTRACT: the first 100).
 */
#ifndef QEHS_ERROR_H
#define QEHS_ERROR_H

#include "lib/stringinfo.h"

#define QEHS_MAX_VIOLATIONS 100

typedef enum ProblemCode
{
	PROBLEM_MALFORMED_JSON,
	PROBLEM_VALIDATION_FAILED,
	PROBLEM_INVALID_PARAMETER,
	PROBLEM_INVALID_CURSOR,
	PROBLEM_INVALID_SYNTAX,
	PROBLEM_INVALID_FILTER,
	PROBLEM_INVALID_PATH,
	PROBLEM_NO_TARGET,
	PROBLEM_MUTABILITY,
	PROBLEM_UNAUTHENTICATED,
	PROBLEM_FORBIDDEN,
	PROBLEM_NOT_FOUND,
	PROBLEM_CONFLICT,
	PROBLEM_TRANSITION_NOT_ALLOWED,
	PROBLEM_GUARD_FAILED,
	PROBLEM_KEY_IN_PROGRESS,
	PROBLEM_VERSION_MISMATCH,
	PROBLEM_KEY_CONFLICT,
	PROBLEM_PRECONDITION_REQUIRED,
	PROBLEM_RATE_LIMITED,
	PROBLEM_PAYLOAD_TOO_LARGE,
	PROBLEM_INSUFFICIENT_STORAGE,
	PROBLEM_UNAVAILABLE
} ProblemCode;

typedef struct Violation
{
	const char *path;			/* JSON Pointer into the request, or ?name */
	const char *code;			/* machine word, such as "required" */
	const char *message;		/* for people, without the path */
} Violation;

typedef struct ViolationList
{
	int			count;
	Violation	items[QEHS_MAX_VIOLATIONS];
} ViolationList;

/* The code of what the caller may not touch. */
#define QEHS_FORBIDDEN "forbidden"

/*
 * Add one violation; path and code must outlive the list. Silent past the limit, and
 * at or below a path that has been said to be forbidden: nothing else is told of it.
 */
extern void violation_add(ViolationList *list, const char *path, const char *code,
						  const char *format,...) pg_attribute_printf(4, 5);

/* As violation_add, but only when none is of the same path: the first fault of a place says enough. */
extern void violation_add_first(ViolationList *list, const char *path, const char *code,
								const char *format,...) pg_attribute_printf(4, 5);

/* {"errors":[…]} of violations, in the current memory context. */
extern char *violation_json(const ViolationList *list);

/* Raise QH400 validation_failed with all violations, if there are any. */
extern void violation_raise(const ViolationList *list);

/* Raise the problem with all violations, if there are any: for parameters, invalid_parameter. */
extern void violation_raise_as(ProblemCode code, const ViolationList *list);

/*
 * Raise a problem.  The message follows PostgreSQL's style (lower case, no
 * period); hint may be NULL, else is a sentence.
 */
pg_noreturn extern void problem_raise(ProblemCode code, const char *hint, const char *format,...)
			pg_attribute_printf(3, 4);

/* Raise a problem about one place of the request: errors[] has that one item. */
pg_noreturn extern void problem_raise_at(ProblemCode code, const char *path, const char *word,
							 const char *format,...) pg_attribute_printf(4, 5);

/* Raise a problem whose detail JSON the caller has built (see above). */
pg_noreturn extern void problem_raise_detail(ProblemCode code, const char *detail_json, const char *hint,
								 const char *format,...) pg_attribute_printf(4, 5);

/* Install the log hook that keeps class QH out of the server log. */
extern void error_init(void);

#endif							/* QEHS_ERROR_H */
