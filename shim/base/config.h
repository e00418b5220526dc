/*
 * config.h
 *	  Settings, from the environment and then from flags.
 */
#ifndef QEHS_CONFIG_H
#define QEHS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* Whose bulk loads are answered while the body arrives. */
typedef enum EarlyAnswers
{
	EARLY_DIRECT, EARLY_ALWAYS, EARLY_NEVER
} EarlyAnswers;

/* The least level of log lines. */
typedef enum LogLevel
{
	LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO
} LogLevel;

/* How a bucket stands in a URL of S3. */
typedef enum S3Style
{
	S3_PATH, S3_VIRTUAL
} S3Style;

typedef struct Config
{
	const char *listen;			/* host:port or [v6]:port */
	const char *metrics_listen;	/* the same for /metrics alone; empty: with the rest */
	const char *db;				/* libpq conninfo */
	const char *public_url;		/* base of problem types, no slash at the end */
	int			threads;		/* event loops */
	int			connections;	/* to PostgreSQL, per loop */
	size_t		max_body;		/* bytes */
	int			drain;			/* seconds between the first signal to stop and the end of listening */
	const char *log;			/* stderr, off or a path */
	int			max_connections;	/* of clients, per loop */
	const char *trusted_proxies;	/* networks, comma-separated */
	const char *cors_origins;	/* comma-separated, or * */
	const char *jwt_keys;		/* file; empty: no JWTs */
	const char *jwt_issuer;
	const char *jwt_audience;
	const char *jwt_tenant_claim;
	const char *jwt_user_claim;
	const char *jwt_roles_claim;
	EarlyAnswers early_answers;
	LogLevel	log_level;
	size_t		max_spool;		/* bytes in files of one answer that waits for its client */
	size_t		max_spool_total;	/* and of all */
	const char *storage;		/* folder of the embedded object store; empty: none */
	size_t		max_object;		/* bytes of an object */
	const char *s3_endpoint;	/* URL; empty: the embedded store */
	const char *s3_bucket;
	const char *s3_prefix;		/* in front of the tenant in each key, with its slash; may be empty */
	const char *s3_region;
	S3Style		s3_style;
	const char *s3_access_key;
	const char *s3_secret_key;
	const char *s3_session_token;	/* empty: none */
	int			export_workers;	/* threads that write the files of exports */
	int			load_workers;	/* threads that load bodies which wait in the object store */
	bool		worker_only;	/* nothing listens */
	const char *clamd;			/* path of its socket, or host:port; empty: files are not scanned */
} Config;

/* Fill the config; prints and exits for --help, --version and bad flags. */
extern void config_read(Config *config, int argc, char **argv);

#endif							/* QEHS_CONFIG_H */
