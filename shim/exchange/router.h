/*
 * router.h
 *	  The endpoint and problem tables of the extension, and matching a request
 *	  to an endpoint.
 */
#ifndef QEHS_ROUTER_H
#define QEHS_ROUTER_H

#include <stdbool.h>

#include "base/arena.h"
#include "db/job.h"

#define ROUTER_MAX_PARAMETERS 24
#define BEGIN_PARAMETERS 8		/* of request_begin, and the first of qehs.request */
#define ROUTER_MAX_LANGUAGES 16
#define ROUTER_MAX_MEDIA 8

/* The words of qehs.endpoint, in the order of the names in router.c. */
typedef enum ParameterPlace
{
	IN_PATH, IN_QUERY, IN_HEADER, IN_BODY, IN_DOCUMENT, IN_FILTER, IN_SERVER,
	IN_LINES,					/* a chunk of a body that streams: whole lines */
	IN_LINE_NUMBER,				/* the number of the chunk's first line */
	IN_HEADER_LINE,				/* the first line of the body, where its form has one */
	IN_STORED					/* sizeBytes, sha256, type, scan or id of a body that has become an object */
} ParameterPlace;

typedef enum BodyKind
{
	BODY_NONE, BODY_JSON, BODY_STREAM,
	BODY_FILE					/* becomes an object of the object store */
} BodyKind;

typedef enum AnswerKind
{
	ANSWER_NONE, ANSWER_JSON, ANSWER_STREAM,
	ANSWER_FILE					/* an object of the object store, which the function names */
} AnswerKind;

/* What an error looks like: RFC 9457, RFC 7644 section 3.12, GraphQL's errors. */
typedef enum ErrorForm
{
	FORM_PROBLEM, FORM_SCIM, FORM_GRAPHQL
} ErrorForm;

/* The functions of an endpoint. */
typedef enum CallRole
{
	CALL_FUNCTION,				/* answers; of a body that streams it takes a chunk */
	CALL_BEGIN,					/* begins a body that streams */
	CALL_END,					/* ends it */
	CALL_ASYNC_BEGIN,			/* begins one that is kept for a job (Prefer: respond-async) */
	CALL_ASYNC,					/* answers when it has been kept */
	CALL_ROLES
} CallRole;

typedef struct Call
{
	const PgText *text;			/* SELECT function(name => $1::type, …) or qehs.request(…); NULL: the endpoint has none */
	int			count;
	int			from[ROUTER_MAX_PARAMETERS];	/* which parameter of the endpoint each argument is */
} Call;

typedef struct Parameter
{
	const char *name;
	const char *argument;
	const char *type;			/* string, integer, boolean, object, array, any */
	const char *sql_type;
	ParameterPlace place;
	bool		required;
	unsigned	only;			/* bits, 1 << CallRole, of those that take it; 0: all but CALL_END */
} Parameter;

/* Media types, the preferred one first. */
typedef struct MediaList
{
	int			count;
	const char *types[ROUTER_MAX_MEDIA];
} MediaList;

typedef struct Endpoint
{
	const char *operation;
	const char *method;
	const char *path;			/* template */
	int			status;			/* of success */
	Call		calls[CALL_ROLES];
	const PgText *part;			/* qehs.request_part(…) for what follows of an answer of lines, with the arguments of the function; NULL: never */
	int			cursor;			/* which of these is where it goes on */
	const char *headers;		/* lines for each answer; may be empty */
	MediaList	takes;			/* of the body */
	MediaList	gives;			/* of the answer */
	BodyKind	body;
	AnswerKind	answer;
	ErrorForm	error_form;
	uint64_t	limit;			/* nanoseconds that its statement, or that of a chunk, may take */
	int			parameter_count;
	Parameter	parameters[ROUTER_MAX_PARAMETERS];
} Endpoint;

/* What tells at a glance that a path is not an endpoint's. */
typedef struct Route
{
	const char *path;			/* template */
	size_t		literal;		/* bytes before its first {…} */
	int			slashes;
} Route;

typedef struct Problem
{
	const char *code;
	int			status;
	const char *title;
	const char *description;
	const char *scim_type;		/* RFC 7644 section 3.12, or empty */
	int			title_count;	/* in other languages */
	struct
	{
		const char *language;	/* tag, as in Accept-Language */
		const char *text;
	}			titles[ROUTER_MAX_LANGUAGES];
} Problem;

typedef struct Router
{
	Arena		arena;
	int			references;		/* atomic */
	const char *version;		/* of the extension */
	const PgText *begin;		/* the first statement of a request */
	const PgText *resume;		/* the first when its body has come, as it was counted before */
	const PgText *end;			/* and its last */
	int			endpoint_count;
	Endpoint   *endpoints;
	Route	   *routes;			/* of each endpoint, close together */
	int			problem_count;
	Problem    *problems;
} Router;

/*
 * Read endpoint_list(), problem_list() and the extension's version; NULL when a row
 * has what this version does not act on, with fault (size bytes) saying what.  The
 * caller holds the one reference.
 */
extern Router *router_load(const char *endpoints_json, const char *problems_json, const char *version, char *fault, size_t size);
extern Router *router_hold(Router *router);
extern void router_release(Router *router);

/*
 * Match a decoded path; values of the template's {…} go to values in the order of
 * the endpoint's path parameters.  NULL when nothing matches; then allow has the
 * methods of the path, or stays empty.
 */
extern const Endpoint *router_match(const Router *router, const char *method, const char *path, Arena *arena,
									const char **values, Buffer *allow);

/* The problem of a code, or NULL. */
extern const Problem *router_problem(const Router *router, const char *code);

#endif							/* QEHS_ROUTER_H */
