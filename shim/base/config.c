/*
 * config.c
 *	  One table of settings: flag, environment variable, default, meaning.
 */
#include "base/config.h"

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct
{
	const char *flag;
	const char *environment;
	const char *otherwise;
	const char *meaning;
}			settings[] = {
	{"listen", "QEHS_LISTEN", "127.0.0.1:8080", "address and port to listen on"},
	{"db", "QEHS_DB", "user=qehs_shim", "libpq connection string; a password is better in PGPASSFILE or a service file"},
	{"public-url", "QEHS_PUBLIC_URL", "", "base URL that clients see; none is http:// and --listen"},
	{"threads", "QEHS_THREADS", "1", "event loops, each with connections of its own (1 to 64)"},
	{"connections", "QEHS_CONNECTIONS", "4", "PostgreSQL connections of each event loop (1 to 64)"},
	{"max-body", "QEHS_MAX_BODY", "1048576", "largest request body in bytes"},
	{"max-connections", "QEHS_MAX_CONNECTIONS", "10000", "client connections of each event loop (16 to 100000)"},
	{"trusted-proxies", "QEHS_TRUSTED_PROXIES", "", "networks whose Forwarded and X-Forwarded-For are believed (CIDR, comma-separated)"},
	{"cors-origins", "QEHS_CORS_ORIGINS", "", "origins that browsers may call from (comma-separated, or *)"},
	{"jwt-keys", "QEHS_JWT_KEYS", "", "JSON Web Key Set file; with it JWTs are taken as bearer tokens"},
	{"jwt-issuer", "QEHS_JWT_ISSUER", "", "iss that a JWT must have"},
	{"jwt-audience", "QEHS_JWT_AUDIENCE", "", "aud that a JWT must have"},
	{"jwt-tenant-claim", "QEHS_JWT_TENANT_CLAIM", "tenant", "claim with the tenant's slug"},
	{"jwt-user-claim", "QEHS_JWT_USER_CLAIM", "sub", "claim with the user name"},
	{"jwt-roles-claim", "QEHS_JWT_ROLES_CLAIM", "roles", "claim with role names; without it the user's own count"},
	{"early-answers", "QEHS_EARLY_ANSWERS", "direct", "who gets the answer of a bulk load while its body goes: direct (no proxy), always, never"},
	{"drain", "QEHS_DRAIN", "0", "seconds that SIGTERM leaves a balancer to see /readyz say 503 before listening ends (0 to 3600)"},
	{"log", "QEHS_LOG", "stderr", "where log lines go: stderr, off or a file"},
	{"log-level", "QEHS_LOG_LEVEL", "info", "least level of log lines: error (also requests that end with 5xx), warn (with 4xx too) or info (all)"},
	{"max-spool", "QEHS_MAX_SPOOL", "1073741824", "bytes in TMPDIR of one answer that its client does not read"},
	{"max-spool-total", "QEHS_MAX_SPOOL_TOTAL", "4294967296", "the same of all answers"},
	{"storage", "QEHS_STORAGE", "", "folder of the embedded object store, on a disk of its own best"},
	{"max-object", "QEHS_MAX_OBJECT", "5368709120", "largest object, such as an attachment, in bytes"},
	{"s3-endpoint", "QEHS_S3_ENDPOINT", "", "URL of an S3 service, which then keeps objects in place of --storage"},
	{"s3-bucket", "QEHS_S3_BUCKET", "", "its bucket"},
	{"s3-prefix", "QEHS_S3_PREFIX", "", "what keys in the bucket begin with, such as qehs/"},
	{"s3-region", "QEHS_S3_REGION", "us-east-1", "its region"},
	{"s3-style", "QEHS_S3_STYLE", "virtual", "where URLs have the bucket: virtual (in the host) or path"},
	{"s3-access-key", "QEHS_S3_ACCESS_KEY", "", "access key"},
	{"s3-secret-key", "QEHS_S3_SECRET_KEY", "", "secret key; best in the environment, as flags are seen by all users of the machine"},
	{"s3-session-token", "QEHS_S3_SESSION_TOKEN", "", "session token of temporary credentials"},
	{"export-workers", "QEHS_EXPORT_WORKERS", "1", "threads that write the files of exports, where there is an object store (0 to 16)"},
	{"load-workers", "QEHS_LOAD_WORKERS", "1", "threads that load bodies of Prefer: respond-async, where there is an object store (0 to 16)"},
	{"clamd", "QEHS_CLAMD", "", "socket of clamd, a path or host:port; with it each upload is scanned"},
	{"metrics-listen", "QEHS_METRICS_LISTEN", "", "address and port of /metrics, which --listen then has no more; none is with --listen"},
};

enum
{
	SETTING_COUNT = sizeof(settings) / sizeof(settings[0])
};

static void
print_help(void)
{
	printf("qehs-shim serves the qehs extension over HTTP.\n\nUsage: qehs-shim [--FLAG VALUE]…\n\n");
	for (int i = 0; i < SETTING_COUNT; i++)
		printf("  --%-16s %-22s %s (default: %s)\n", settings[i].flag, settings[i].environment, settings[i].meaning,
			   *settings[i].otherwise ? settings[i].otherwise : "none");
	printf("  --worker, --help, --version\n");
}

static long
number(const char *flag, const char *text, long low, long high)
{
	char	   *end;
	long		value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < low || value > high)
	{
		fprintf(stderr, "qehs-shim: --%s must be a number from %ld to %ld, not \"%s\"\n", flag, low, high, text);
		exit(2);
	}
	return value;
}

/* Which of the names a text is; those of a setting that is one of some words. */
static int
word(const char *flag, const char *text, const char *const *names, const char *wanted)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	fprintf(stderr, "qehs-shim: --%s must be %s, not \"%s\"\n", flag, wanted, text);
	exit(2);
}

/* Is it http:// or https:// with a host and perhaps a port, and, where it may have one, a path? */
static bool
is_url(const char *text, size_t length, bool with_path)
{
	static const char host[] = "-._~[]:0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t		scheme = strncmp(text, "http://", 7) == 0 ? 7 : strncmp(text, "https://", 8) == 0 ? 8 : 0;
	size_t		authority = scheme ? strspn(text + scheme, host) : 0;
	size_t		end = scheme + authority;

	if (scheme == 0 || authority == 0 || end > length)
		return false;
	return end == length || (with_path && text[end] == '/' && strcspn(text + end, "?# \"<>\\") == length - end && text[length - 1] != '/');
}

static void
check_public_url(const char *url)
{
	if (is_url(url, strlen(url), true))
		return;
	fprintf(stderr, "qehs-shim: --public-url must be a URL such as https://qehs.example.com, without a slash at its end, not \"%s\"\n", url);
	exit(2);
}

static void
check_origins(const char *origins)
{
	if (strcmp(origins, "*") == 0)
		return;
	while (*origins)
	{
		size_t		length;

		origins += strspn(origins, ", ");
		length = strcspn(origins, ", ");
		if (length > 0 && !is_url(origins, length, false))
		{
			fprintf(stderr, "qehs-shim: --cors-origins must be * or origins such as https://app.example.com, not \"%.*s\"\n", (int) length, origins);
			exit(2);
		}
		origins += length;
	}
}

/* The value of a setting by its flag. */
static const char *
value_of(const char *const *values, const char *flag)
{
	for (int i = 0; i < SETTING_COUNT; i++)
		if (strcmp(settings[i].flag, flag) == 0)
			return values[i];
	abort();
}

/* The settings of the object store. */
static void
read_storage(Config *config, const char *const *values)
{
	static const char *const style_words[] = {[S3_PATH] = "path",[S3_VIRTUAL] = "virtual", NULL};

	config->storage = value_of(values, "storage");
	config->max_object = (size_t) number("max-object", value_of(values, "max-object"), 1, LONG_MAX);
	config->s3_endpoint = value_of(values, "s3-endpoint");
	config->s3_bucket = value_of(values, "s3-bucket");
	config->s3_prefix = value_of(values, "s3-prefix");
	config->s3_region = value_of(values, "s3-region");
	config->s3_style = (S3Style) word("s3-style", value_of(values, "s3-style"), style_words, "path or virtual");
	config->s3_access_key = value_of(values, "s3-access-key");
	config->s3_secret_key = value_of(values, "s3-secret-key");
	config->s3_session_token = value_of(values, "s3-session-token");
	config->clamd = value_of(values, "clamd");
	if (*config->s3_endpoint && !is_url(config->s3_endpoint, strlen(config->s3_endpoint), false))
	{
		fprintf(stderr, "qehs-shim: --s3-endpoint must be a URL such as https://s3.eu-central-1.amazonaws.com, not \"%s\"\n", config->s3_endpoint);
		exit(2);
	}
}

void
config_read(Config *config, int argc, char **argv)
{
	static const char *const early_words[] = {[EARLY_DIRECT] = "direct",[EARLY_ALWAYS] = "always",[EARLY_NEVER] = "never", NULL};
	static const char *const level_words[] = {[LEVEL_ERROR] = "error",[LEVEL_WARN] = "warn",[LEVEL_INFO] = "info", NULL};
	const char *values[SETTING_COUNT];
	struct option options[SETTING_COUNT + 4];
	int			found;

	memset(options, 0, sizeof(options));
	for (int i = 0; i < SETTING_COUNT; i++)
	{
		const char *environment = getenv(settings[i].environment);

		values[i] = environment ? environment : settings[i].otherwise;
		options[i] = (struct option) {settings[i].flag, required_argument, NULL, 1000 + i};
	}
	options[SETTING_COUNT] = (struct option) {"help", no_argument, NULL, 'h'};
	options[SETTING_COUNT + 1] = (struct option) {"version", no_argument, NULL, 'v'};
	options[SETTING_COUNT + 2] = (struct option) {"worker", no_argument, NULL, 'w'};
	while ((found = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		if (found >= 1000)
			values[found - 1000] = optarg;
		else if (found == 'w')
			config->worker_only = true;
		else if (found == 'h')
			print_help();
		else if (found == 'v')
			printf("qehs-shim %s\n", QEHS_VERSION);
		if (found < 1000 && found != 'w')
			exit(found == '?' ? 2 : 0);
	}
	config->listen = values[0];
	config->db = values[1];
	config->public_url = values[2];
	config->threads = (int) number("threads", values[3], 1, 64);
	config->connections = (int) number("connections", values[4], 1, 64);
	config->max_body = (size_t) number("max-body", values[5], 1024, 1024L * 1024 * 1024);
	config->max_connections = (int) number("max-connections", values[6], 16, 100000);
	config->trusted_proxies = values[7];
	config->cors_origins = values[8];
	config->jwt_keys = values[9];
	config->jwt_issuer = values[10];
	config->jwt_audience = values[11];
	config->jwt_tenant_claim = values[12];
	config->jwt_user_claim = values[13];
	config->jwt_roles_claim = values[14];
	config->early_answers = (EarlyAnswers) word("early-answers", values[15], early_words, "direct, always or never");
	config->drain = (int) number("drain", values[16], 0, 3600);
	config->log = values[17];
	config->log_level = (LogLevel) word("log-level", values[18], level_words, "error, warn or info");
	config->max_spool = (size_t) number("max-spool", values[19], 0, LONG_MAX);
	config->max_spool_total = (size_t) number("max-spool-total", values[20], 0, LONG_MAX);
	config->metrics_listen = value_of(values, "metrics-listen");
	config->export_workers = (int) number("export-workers", value_of(values, "export-workers"), config->worker_only, 16);
	config->load_workers = (int) number("load-workers", value_of(values, "load-workers"), 0, 16);
	if (*config->public_url)
		check_public_url(config->public_url);
	check_origins(config->cors_origins);
	read_storage(config, values);
}
