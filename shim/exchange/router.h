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
#define ROUTER_MAX_LANGUAGES 16

typedef enum ParameterPlace
{
	IN_PATH, IN_QUERY, IN_HEADER, IN_BODY, IN_DOCUMENT, IN_FILTER, IN_SERVER
} ParameterPlace;

typedef struct Parameter
{
	const char *name;
	const char *argument;
	const char *type;			/* string, integer, boolean, object, array, any */
	const char *sql_type;
	ParameterPlace place;
	bool		required;
} Parameter;

typedef struct Endpoint
{
	const char *operation;
	const char *method;
	const char *path;			/* template */
	const PgText *call;			/* SELECT function(…) */
	const char *headers;		/* lines for each answer; may be empty */
	const char *media;			/* type of the answer */
	bool		has_body;		/* a JSON body */
	bool		streams;		/* the body is lines, taken as they arrive */
	uint64_t	limit;			/* nanoseconds that its statement may take */
	int			parameter_count;
	Parameter	parameters[ROUTER_MAX_PARAMETERS];
} Endpoint;

typedef struct Problem
{
	const char *code;
	int			status;
	const char *title;
	const char *description;
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
	const PgText *end;			/* and its last */
	int			endpoint_count;
	Endpoint   *endpoints;
	int			problem_count;
	Problem    *problems;
} Router;

/*
 * Read endpoint_list(), problem_list() and the extension's version; NULL when they
 * are not what is expected.  The caller holds the one reference.
 */
extern Router *router_load(const char *endpoints_json, const char *problems_json, const char *version);
extern Router *router_hold(Router *router);
extern void router_release(Router *router);

/*
 * Match a decoded path; values of the template's {…} go to values in the order of
 * the endpoint's path parameters.  NULL when nothing matches; then allow has the
 * methods of the path, or stays empty.
 */
extern const Endpoint *router_match(const Router *router, const char *method, const char *path, Arena *arena,
									const char **values, Buffer *allow);

extern const Problem *router_problem(const Router *router, const char *code);

#endif							/* QEHS_ROUTER_H */
