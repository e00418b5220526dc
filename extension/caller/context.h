/*
 * context.h
 *	  The request context: who calls, in which tenant, with what rights, and
 *	  what the answer carries besides its body.
 *
 * Three sources: qehs.request_begin sets it for one transaction (the shim);
 * qehs.use_tenant sets it for the session (psql); work that no request carries
 * has its own while it runs (delegate.h).  It is a C struct of the
 * backend, never a setting, so no caller can forge it.  The transaction's one
 * dies by the transaction callback; strings in it live in its own context.
 */
#ifndef QEHS_CONTEXT_H
#define QEHS_CONTEXT_H

#include "lib/stringinfo.h"
#include "utils/uuid.h"

typedef enum ActorType
{
	ACTOR_USER = 'u',
	ACTOR_API_KEY = 'k',
	ACTOR_SYSTEM = 's'
} ActorType;

typedef enum Scope
{
	SCOPE_RECORDS_READ = 1 << 0,
	SCOPE_RECORDS_WRITE = 1 << 1,
	SCOPE_MODULES_READ = 1 << 2,
	SCOPE_MODULES_WRITE = 1 << 3,
	SCOPE_ATTACHMENTS_READ = 1 << 4,
	SCOPE_ATTACHMENTS_WRITE = 1 << 5,
	SCOPE_EXPORTS_CREATE = 1 << 6,
	SCOPE_AUDIT_READ = 1 << 7,
	SCOPE_ADMIN_USERS = 1 << 8,
	SCOPE_ADMIN_KEYS = 1 << 9,
	SCOPE_HOLDS_WRITE = 1 << 10,
	SCOPE_RECORDS_PURGE = 1 << 11,
	SCOPE_ALL = (1 << 12) - 1
} Scope;

typedef struct RequestContext
{
	int32		tenant_id;
	const char *tenant_slug;
	ActorType	actor_type;
	pg_uuid_t	actor_id;
	const char *actor_name;
	uint32		scopes;			/* bits of Scope */
	int			role_count;
	const char **roles;
	int			module_count;	/* -1: all modules */
	const char **modules;
	bool		over_http;		/* set by request_begin */
	pg_uuid_t	key_id;			/* valid when over_http */
	const struct KeyGrant *grant;	/* of the key or token that was sent; NULL in a session and for work of the system */
	char		trace_id[33];	/* 32 hex digits, or empty */
	const char *trace;			/* for the server's log: traceparent and tracestate, or the trace id alone; or NULL */
	const char *address;		/* of the client over HTTP, or NULL */
	const char *target;			/* raw request target over HTTP, or NULL */
	int			time_limit;		/* milliseconds of the endpoint over HTTP; 0: none */
	/* the answer */
	int			status;			/* 0: the endpoint's own */
	StringInfoData headers;		/* "Name: value\n" lines */
	/* kept only for an idempotent request */
	const char *idempotency_key;	/* or NULL */
	bytea	   *fingerprint;
	const char *credential;		/* the API key: encrypts an answer that holds a secret */
	bool		secret_answer;	/* the answer holds a secret */
	char	   *body;			/* the answer's text, or NULL */
	int			body_length;
	const char *operation;		/* name in qehs.endpoint */
	MemoryContext memory;		/* of everything that this struct points to */
} RequestContext;

/*
 * Start a context: everything it points to is to be allocated in its memory,
 * which lives until the transaction ends (request) or the next use_tenant.  That
 * of a request has effect from context_activate_request on, until the transaction, or the
 * part of it in which it was activated, is undone.
 */
extern RequestContext *context_start_request(void);
extern void context_activate_request(void);
extern RequestContext *context_start_session(void);
extern void context_init(void);

/* The same for work that no request carries, until it ends or the transaction does; the other contexts stay as they are. */
extern RequestContext *context_start_work(void);
extern void context_end_work(void);
/* The current context, or NULL; one without a key has tenant_id 0. */
extern RequestContext *context_find(void);

/* The current context; raises QH401 when there is none. */
extern RequestContext *context_require(void);

/* The current context of somebody who is known; raises QH401 for a request without a key. */
extern RequestContext *context_require_caller(void);

/* The current context with a scope; raises QH403 naming the scope. */
extern RequestContext *context_require_scope(Scope scope);

/* Whether the key reaches a module: it names this one or none at all. */
extern bool context_has_module(const RequestContext *context, const char *key);

/* Answer: status other than the endpoint's, and header lines (HTTP only). */
extern void context_status(RequestContext *context, int status);
extern void context_header(RequestContext *context, const char *name, const char *format,...)
			pg_attribute_printf(3, 4);
/*
 * What a caller is shown depends on his rights and on names of people, which the ETag of a version does not
 * say: no shared cache may keep it, and none may use it without asking again (RFC 9111 section 5.2.2).  Has no
 * effect on an answer without a caller, or with a Cache-Control of its own.
 */
extern void context_forbid_sharing(RequestContext *context);
/* ETag of a version: "3" in quotes (RFC 9110 section 8.8.3). */
extern void context_etag(RequestContext *context, int32 version);

/*
 * Raise QH412 version_mismatch unless if_match (the If-Match field value, or
 * a bare number; NULL means no condition) names this version (RFC 9110 13.1.1).
 */
extern void context_check_if_match(const char *if_match, int32 version);
/* The same where entity tags are weak and so compared (RFC 7644 section 3.14): W/"3" names version 3. */
extern void context_check_if_match_weak(const char *if_match, int32 version);
/* The same for If-None-Match of a change: unless it names this version (RFC 9110 13.1.2); * names any. */
extern void context_check_if_none_match(const char *if_none_match, int32 version);

/*
 * The answer's body as a Datum of type json: json_datum, and a copy kept for
 * the stored answer when the request carries an idempotency key.
 */
extern Datum context_answer(StringInfo body);

/*
 * The same for a page, a body that ends within its items: append next, the cursor
 * of what follows (NULL: nothing does), and set the Link header.
 */
extern Datum context_answer_page(StringInfo body, RequestContext *context, const char *next);

/* Append {"id","type","displayName"} of an actor (cached; "null" for a zero id). */
extern void context_write_actor(StringInfo out, int32 tenant_id, const pg_uuid_t *actor_id);

/* Read into the cache those of actors that it lacks, in one statement: before many are written. */
extern void context_load_actors(int32 tenant_id, const pg_uuid_t *ids, int count);

#endif							/* QEHS_CONTEXT_H */
