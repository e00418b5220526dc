/*
 * document.h
 *	  What the OpenAPI document and the Postman collection are made from: the
 *	  endpoints that a caller may use and the modules that it may see.
 *
 * All of it lives in the memory context that is current when a document is
 * built, and dies with it.  Modules come from module/cache.c and are good for
 * the transaction.
 */
#ifndef QEHS_OPENAPI_DOCUMENT_H
#define QEHS_OPENAPI_DOCUMENT_H

#include "caller/context.h"
#include "lib/stringinfo.h"
#include "permission/permission.h"
#include "nodes/pg_list.h"

typedef struct ApiParameter
{
	const char *name;
	const char *place;			/* path, query, header, body, document, filter, server */
	const char *argument;		/* of the SQL function */
	const char *type;
	bool		required;
	const JsonbContainer *row;	/* schema, description, example */
} ApiParameter;

typedef struct ApiEndpoint
{
	const char *operation;
	const char *method;			/* upper case */
	const char *path;
	const char *function;
	int			status;
	bool		has_body;
	bool		streams;		/* the body is lines of JSON */
	bool		async;			/* it may wait for a job (Prefer: respond-async) */
	bool		authenticated;
	const char *tag;
	const char *summary;
	const char *description;	/* or NULL, as the next three */
	const char *scope;
	const char *action;
	const char *response;
	bool		etag;
	int			gives_count;
	const char **gives;			/* media types of the answer, the usual one first */
	const char *error_form;		/* problem, scim or graphql */
	bool		deprecated;
	int			problem_count;
	const char **problems;
	int			parameter_count;
	ApiParameter *parameters;
} ApiEndpoint;

typedef struct ApiModule
{
	const ModuleDef *module;
	const char *name;			/* of its components: "NearMisses" */
	const char *label;
	Jsonb	   *schema;			/* of the payload, with the fields that the caller may read */
	Jsonb	   *input_schema;	/* with those that it may write */
	uint32		actions;		/* that the caller has */
	Jsonb	   *example;		/* a payload that validates, or NULL */
	bool		example_runs;	/* a record can be made from it as it is */
} ApiModule;

typedef struct ApiProblem
{
	const char *code;
	int			status;
	const char *title;
	const char *description;
} ApiProblem;

typedef struct ApiDocument
{
	const RequestContext *context;	/* NULL: the generic document */
	const char *base_url;		/* or NULL */
	int			endpoint_count;
	ApiEndpoint *endpoints;		/* that the caller may use, by path and method */
	int			tag_count;
	const char **tags;			/* of the endpoints: Records first, About last */
	int			module_count;
	ApiModule  *modules;		/* that the caller may see, by key */
	int			problem_count;
	ApiProblem *problems;		/* by status and code */
	List	   *answers;		/* names of problem responses used so far */
} ApiDocument;

/* Read the tables (document.c). */
extern void document_load(ApiDocument *document, const RequestContext *context, const char *base_url);

/* "record_create" or "near-misses" as "RecordCreate", "NearMisses". */
extern char *document_pascal(const char *name);

/* ---- endpoint.c ---- */

/* The parameter of an endpoint in a place ("query") by name; NULL when it has none. */
extern const ApiParameter *endpoint_parameter(const ApiEndpoint *endpoint, const char *place, const char *name);
extern bool endpoint_has_place(const ApiEndpoint *endpoint, const char *place);
/* The media type of a JSON body: that of SCIM below its paths. */
extern const char *endpoint_body_media(const ApiEndpoint *endpoint);
/* Does the request body depend on the module? */
extern bool endpoint_is_typed(const ApiDocument *document, const ApiEndpoint *endpoint);
/* Codes of all problems that the endpoint can answer, by status: a list of ApiProblem. */
extern List *endpoint_problems(const ApiDocument *document, const ApiEndpoint *endpoint);

/* Append the whole document (paths.c). */
extern void openapi_write(StringInfo out, ApiDocument *document);
/* Append the members of components/schemas that "roots", JSON text, refers to (components.c). */
extern void components_write(StringInfo out, const ApiDocument *document, const char *roots);
/* Append the three forms of a payload's schema (payload.c). */
extern void payload_write(StringInfo out, const ApiModule *module);
extern void payload_write_new(StringInfo out, const ApiModule *module);
extern void payload_write_patch(StringInfo out, const ApiModule *module);

/* Set the schemas of a module to what the caller may read and write of its compiled schema. */
extern void payload_cut_schemas(ApiModule *module, const RequestContext *context, Jsonb *schema);
/* Append the collection (postman.c). */
extern void postman_write(StringInfo out, ApiDocument *document);

/* Append an example of the body; false, with nothing written, when there is none (example.c). */
extern bool example_body(StringInfo out, const ApiEndpoint *endpoint, const ApiModule *module);
/* Append an example of an operation's call in SQL (example.c). */
extern void example_sql(StringInfo out, const ApiEndpoint *endpoint, const ApiModule *module);

/* Lines for an endpoint that streams, as its row has them. */
extern const char *example_lines(const ApiEndpoint *endpoint);
/* The same as CSV; NULL where the endpoint takes none. */
extern const char *example_rows(const ApiEndpoint *endpoint);
/* A payload of a module that its schema takes, or NULL; does it run as it is, naming nothing that must exist? */
extern Jsonb *example_payload(const ModuleDef *module, Jsonb *schema, bool *runs);

/* Append JSON text as YAML 1.2, block style (yaml.c). */
extern void yaml_write(StringInfo out, const char *json);

#endif							/* QEHS_OPENAPI_DOCUMENT_H */
