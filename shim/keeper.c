/*
 * keeper.c
 *	  Ask, work, report, and again: at once while there is something to do.
 */
#include "keeper.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/tasks.h"
#include "exchange/log.h"
#include "storage/sniff.h"
#include "storage/storage.h"

#define WORK_SQL "SELECT qehs.storage_work($1::jsonb)"
#define REPORT_SQL "SELECT qehs.storage_report($1::jsonb)"
#define LIMIT_NS (10 * CLOCK_SECOND)
/* A client that has sent a file to S3 waits to hear of it. */
#define S3_PERIOD CLOCK_SECOND
#define LOCAL_PERIOD (10 * CLOCK_SECOND)
#define FAILED_PERIOD (10 * CLOCK_SECOND)
#define READ_BYTES 65536
#define FIELDS 5

struct Keeper
{
	TaskWork	task;			/* first, so that one is the other */
	const Config *config;
	Pool	   *pool;
	Tasks	   *tasks;
	PgJob		job;
	Arena		arena;			/* of one round */
	Buffer		report;			/* JSON objects, comma-separated */
	char	   *work;			/* lines of the round */
	bool		running;
	uint64_t	due;
};

/* ---- in the task's thread ---- */

static void
tell(Keeper *keeper, char *const *fields)
{
	buffer_text(&keeper->report, keeper->report.length > 0 ? ",{\"tenant\":" : "{\"tenant\":");
	buffer_json(&keeper->report, fields[1], strlen(fields[1]));
	buffer_text(&keeper->report, ",\"id\":");
	buffer_json(&keeper->report, fields[2], strlen(fields[2]));
}

static void
tell_text(Keeper *keeper, const char *name, const char *text)
{
	buffer_format(&keeper->report, ",\"%s\":", name);
	buffer_json(&keeper->report, text, strlen(text));
}

static void
remove_object(Keeper *keeper, char *const *fields)
{
	StorageName name = {fields[1], fields[2]};
	StorageFault fault;

	if (storage_remove(&name, *fields[3] ? fields[3] : NULL, &fault) == STORAGE_DONE)
	{
		tell(keeper, fields);
		buffer_text(&keeper->report, ",\"removed\":true}");
	}
	else
		log_event("error", "could not remove object %s of tenant %s: %s", fields[2], fields[1], fault.message);
}

/* The SHA-256 of a whole file as hexadecimal digits; false when it cannot be read. */
static bool
digest(int file, char *text)
{
	static __thread unsigned char bytes[READ_BYTES];
	unsigned char sha256[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	ssize_t		length;
	off_t		at = 0;

	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		abort();
	while ((length = pread(file, bytes, sizeof(bytes), at)) > 0)
	{
		EVP_DigestUpdate(context, bytes, (size_t) length);
		at += length;
	}
	EVP_DigestFinal_ex(context, sha256, NULL);
	EVP_MD_CTX_free(context);
	for (int i = 0; i < STORAGE_SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", sha256[i]);
	return length == 0;
}

/* Tell what a file is; nothing while its scanner does not answer. */
static void
tell_file(Keeper *keeper, char *const *fields, int file, int64_t size)
{
	char		sha256[2 * STORAGE_SHA256_BYTES + 1];
	char		type[128];
	char		found[256] = "";
	ScanOutcome scanned = SCAN_CLEAN;

	if (!digest(file, sha256))
		return;
	sniff_type(file, type, sizeof(type));
	if (*keeper->config->clamd)
		scanned = clamd_scan(keeper->config->clamd, file, found, sizeof(found));
	if (scanned == SCAN_FAILED)
	{
		log_event("error", "could not scan object %s of tenant %s: %s", fields[2], fields[1], found);
		return;
	}
	tell(keeper, fields);
	buffer_format(&keeper->report, ",\"sizeBytes\":%lld", (long long) size);
	tell_text(keeper, "sha256", sha256);
	tell_text(keeper, "type", type);
	if (*keeper->config->clamd)
		tell_text(keeper, "scan", found);
	buffer_text(&keeper->report, "}");
}

static void
look_at_object(Keeper *keeper, char *const *fields)
{
	StorageName name = {fields[1], fields[2]};
	StorageFacts facts;
	StorageFault fault;
	StorageOutcome outcome = storage_look(&name, *fields[3] ? fields[3] : NULL, &facts, &fault);
	int64_t		size;
	int			file = -1;

	if (outcome == STORAGE_DONE)
		file = storage_read_open(&name, *fields[4] ? fields[4] : NULL, &size, &outcome, &fault);
	if (file >= 0)
	{
		tell_file(keeper, fields, file, size);
		close(file);
	}
	else if (outcome == STORAGE_ABSENT)
	{
		tell(keeper, fields);
		buffer_text(&keeper->report, ",\"absent\":true}");
	}
	else
		log_event("error", "could not look at object %s of tenant %s: %s", fields[2], fields[1], fault.message);
}

/* Each line is what to do, tenant, id, and the URLs that S3 needs, with tabs between. */
static void
run(TaskWork *task)
{
	Keeper	   *keeper = (Keeper *) task;
	char	   *line = keeper->work;

	while (line && *line)
	{
		char	   *end = strchr(line, '\n');
		char	   *fields[FIELDS];

		if (end)
			*end = '\0';
		for (int i = 0; i < FIELDS; i++)
		{
			fields[i] = line;
			line += strcspn(line, "\t");
			if (*line)
				*line++ = '\0';
		}
		if (strcmp(fields[0], "remove") == 0)
			remove_object(keeper, fields);
		else
			look_at_object(keeper, fields);
		line = end ? end + 1 : NULL;
	}
	/* this thread's lines are nobody else's to write */
	log_flush();
}

/* ---- in the loop ---- */

static void
rest(Keeper *keeper, uint64_t period)
{
	keeper->running = false;
	keeper->due = clock_now() + period;
	free(keeper->work);
	keeper->work = NULL;
	arena_free(&keeper->arena);
	keeper->report = (Buffer) {.arena = &keeper->arena};
}

static void
submit(Keeper *keeper, const char *sql, const char *argument, void (*done) (PgJob *job))
{
	keeper->job = (PgJob) {.count = 1,.done = done,.owner = keeper,.limit = LIMIT_NS,
		.statements = {{.text = pg_text(sql),.count = 1,.values = {argument},.lengths = {(int) strlen(argument)}}}};
	pool_submit(keeper->pool, &keeper->job);
}

static void
reported(PgJob *job)
{
	Keeper	   *keeper = job->owner;
	bool		done = job->outcome == PG_DONE;

	if (!done)
		log_event("error", "could not report on the object store: %s", job->error.message ? job->error.message : "the database cannot be reached");
	job_free(job);
	rest(keeper, done ? 0 : FAILED_PERIOD);
}

static void
task_done(TaskWork *task)
{
	Keeper	   *keeper = (Keeper *) task;

	/* what failed is tried again after a while */
	if (keeper->report.length == 0 || keeper->pool == NULL)
		rest(keeper, FAILED_PERIOD);
	else
		submit(keeper, REPORT_SQL, arena_format(&keeper->arena, "[%s]", keeper->report.data), reported);
}

static void
asked(PgJob *job)
{
	Keeper	   *keeper = job->owner;
	size_t		length = 0;
	const char *text = job->outcome == PG_DONE ? job_text(job, 0, &length) : NULL;

	if (text && length > 0)
	{
		keeper->work = strndup(text, length);
		if (keeper->work == NULL)
			abort();
	}
	if (job->outcome == PG_FAILED)
		log_event("error", "could not ask what is to be done with objects: %s", job->error.message ? job->error.message : "");
	job_free(job);
	if (keeper->work == NULL)
	{
		rest(keeper, storage_is_local() ? LOCAL_PERIOD : S3_PERIOD);
		return;
	}
	keeper->task = (TaskWork) {run, task_done, NULL, NULL};
	tasks_submit(keeper->tasks, &keeper->task);
}

Keeper *
keeper_create(const Config *config, int epoll, Pool *pool)
{
	Keeper	   *keeper = calloc(1, sizeof(Keeper));

	if (keeper == NULL)
		abort();
	keeper->config = config;
	keeper->pool = pool;
	keeper->tasks = tasks_create(epoll);
	rest(keeper, storage_is_local() ? LOCAL_PERIOD : S3_PERIOD);
	return keeper;
}

int
keeper_tick(Keeper *keeper)
{
	uint64_t	now = clock_now();

	if (keeper->running)
		return 60000;
	if (keeper->due > now)
		return (int) ((keeper->due - now) / 1000000 + 1);
	keeper->running = true;
	submit(keeper, WORK_SQL, storage_description(&keeper->arena), asked);
	return 60000;
}

void
keeper_free(Keeper *keeper)
{
	keeper->pool = NULL;
	tasks_finish(keeper->tasks);
	tasks_free(keeper->tasks);
	free(keeper->work);
	arena_free(&keeper->arena);
	free(keeper);
}
