/*
 * worker.c
 *	  Threads that write the files of exports.
 *
 * A thread claims a job (qehs.job_claim), reads its rows in one transaction as the
 * caller that asked (qehs.export_open, qehs.export_fetch), writes the file through its
 * format into a new object of the store, and finishes the job with what the object
 * is.  A pulse renews the lease meanwhile.  When the thread dies, the lease runs out and
 * another begins anew; nothing of the first is seen, as an object is there whole or not
 * at all.  Before the object gets its name the lease is renewed once more, so that who
 * has lost the job replaces nothing.
 *
 * Each thread has a connection for the queue and, while it writes, one for the rows.
 */
#include "export/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "export/attachments.h"
#include "export/file.h"
#include "export/pulse.h"
#include "exchange/log.h"
#include "storage/storage.h"

#define IDLE_SECONDS 1
#define AWAY_SECONDS 3			/* until the database is tried again */
#define FETCH "SELECT qehs.export_fetch(1000)"
#define FILES "SELECT qehs.export_files($1::jsonb)"
#define SIGN "SELECT qehs.storage_sign($1::jsonb, $2, $3, $4, NULL, NULL, $5::int8, $6)"
#define HEX_BYTES (2 * STORAGE_SHA256_BYTES + 1)

typedef struct Worker
{
	Workers    *workers;
	pthread_t	thread;
	char		name[128];
	Session    *queue;
	Pulse	   *pulse;			/* of the job that runs; under the mutex of workers */
} Worker;

struct Workers
{
	const Config *config;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool		stopping;
	int			count;
	Worker	   *items;
};

/* A file in the making. */
typedef struct Work
{
	Worker	   *worker;
	Claim		claim;
	Arena		arena;
	Session    *rows;
	Output		output;
	StorageWriter *object;
	ExportInfo	info;
	const FileFormat *format;
	void	   *file;
	Bundle	   *bundle;			/* NULL: the file is the object */
	Attachments *attachments;	/* NULL: no files are asked for */
	FileSource	files;
	int64_t		row_count;
	/* why it failed */
	const char *code;
	char		detail[320];
	bool		again;			/* it may be tried again */
} Work;

static bool
fail(Work *work, const char *code, bool again, const char *detail)
{
	if (work->code == NULL)
	{
		work->code = code;
		work->again = again;
		snprintf(work->detail, sizeof(work->detail), "%s", detail);
	}
	return false;
}

/* ---- the rows ---- */

/* Run a statement on the connection for the rows; a refusal of the extension would be the same again. */
static bool
run(Work *work, const char *sql, int count, const char *const *arguments, const char **value, size_t *length)
{
	const char *message;
	const char *code;

	if (session_value(work->rows, sql, count, arguments, value, length))
		return true;
	code = session_problem(work->rows, &message);
	return fail(work, code, strcmp(code, "internal") == 0 || strcmp(code, "unavailable") == 0, message);
}

static bool
open_rows(Work *work)
{
	const char *const held[] = {work->claim.tenant, work->claim.job_id, work->worker->name};
	const char *head;
	size_t		length;

	if (!run(work, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL, NULL, NULL) ||
		!run(work, "SELECT qehs.job_begin($1, $2, $3)", 3, held, NULL, NULL) ||
		!run(work, "SELECT qehs.export_open($1)", 1, &work->claim.job_id, &head, &length))
		return false;
	if (head == NULL || !info_read(head, length, work->claim.tenant, work->worker->workers->config->public_url, &work->arena, &work->info) ||
		(work->format = format_find(work->info.format)) == NULL)
		return fail(work, "internal", false, "this version of the shim does not know what is asked for");
	return true;
}

/* ---- the file ---- */

static bool
put(Output *output, const void *bytes, size_t length)
{
	Work	   *work = (Work *) ((char *) output - offsetof(Work, output));
	StorageFault fault = {""};

	if (pulse_state(work->worker->pulse) != PULSE_GOES_ON)
		return output_fail(output, "it is to be stopped");
	return storage_write(work->object, bytes, length, &fault) == STORAGE_DONE || output_fail(output, "%s", fault.message);
}

/* Write the lines of a text, each ended by LF. */
static bool
write_lines(Work *work, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end)
	{
		const char *next = memchr(text, '\n', (size_t) (end - text));

		if (next == NULL)
			next = end;
		if (!work->format->row(work->file, text, (size_t) (next - text)))
			return fail(work, "unavailable", true, work->output.message);
		work->row_count += !json_begins_module(text, (size_t) (next - text));
		text = next + 1;
	}
	return true;
}

/* Note the attachments of the rows that were fetched last. */
static bool
take_attachments(Work *work)
{
	const char *arguments[] = {storage_description(&work->arena)};
	const char *lines;
	size_t		length;

	if (work->attachments == NULL)
		return true;
	if (!run(work, FILES, 1, arguments, &lines, &length))
		return false;
	return lines == NULL || attachments_take(work->attachments, lines, length) ||
		fail(work, "unavailable", true, "could not write a temporary file");
}

static bool
write_rows(Work *work)
{
	const char *text;
	size_t		length;

	for (;;)
	{
		if (pulse_state(work->worker->pulse) != PULSE_GOES_ON)
			return fail(work, "unavailable", true, "it is to be stopped");
		if (!run(work, FETCH, 0, NULL, &text, &length))
			return false;
		if (text == NULL)
			break;
		if (!write_lines(work, text, length) || !take_attachments(work))
			return false;
		pulse_progress(work->worker->pulse, work->row_count, work->info.total);
	}
	return run(work, "COMMIT", 0, NULL, NULL, NULL);
}

/* ---- the object ---- */

static void
write_hex(const unsigned char *bytes, char *text)
{
	for (int i = 0; i < STORAGE_SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* A URL of S3 for an object, NULL for the embedded store. */
static const char *
sign(Work *work, const char *method, const char *id, const StorageFacts *facts, const char *sha256)
{
	char		size[24];
	const char *arguments[] = {storage_description(&work->arena), method, work->claim.tenant, id, NULL, NULL};
	const char *value = NULL;

	if (storage_is_local())
		return NULL;
	if (facts)
	{
		snprintf(size, sizeof(size), "%lld", (long long) facts->size);
		arguments[4] = size;
		arguments[5] = sha256;
	}
	run(work, SIGN, 6, arguments, &value, NULL);
	return value ? arena_copy(&work->arena, value, strlen(value)) : NULL;
}

/* Give the object its name; one of the name is of a worker that was lost after it had written it. */
static bool
keep(Work *work, const StorageFacts *facts, const char *sha256)
{
	StorageName name = {work->claim.tenant, work->claim.job_id};
	StorageFault fault = {""};
	StorageOutcome outcome = STORAGE_FAILED;

	for (int i = 0; i < 2; i++)
	{
		if (pulse_feel(work->worker->pulse) != PULSE_GOES_ON)
			return fail(work, "unavailable", true, "it is to be stopped");
		outcome = storage_keep(work->object, &name, sign(work, "PUT", work->claim.job_id, facts, sha256), &fault);
		if (outcome != STORAGE_DIFFERS)
			break;
		storage_remove(&name, sign(work, "DELETE", work->claim.job_id, NULL, NULL), &fault);
	}
	return outcome == STORAGE_DONE || fail(work, "unavailable", true, fault.message);
}

/* "incidents-20261128T0711Z.csv" */
static const char *
file_name(Work *work, const char *extension)
{
	const ExportInfo *info = &work->info;
	const char *at = info->at;
	const char *subject = info->code && *info->code ? info->code : *info->module_key ? info->module_key : info->tenant;

	return arena_format(&work->arena, "%s-%.4s%.2s%.2sT%.2s%.2sZ.%s", subject, at, at + 5, at + 8, at + 11, at + 14, extension);
}

/* Tell the queue that the job is done. */
static bool
finish(Work *work, const StorageFacts *facts, const char *sha256)
{
	Buffer		result = {&work->arena, NULL, 0, 0};
	char		rows[24];
	const char *arguments[] = {work->claim.tenant, work->claim.job_id, work->worker->name, NULL, rows};
	const char *name = file_name(work, work->bundle ? "zip" : work->format->name);
	const char *message;

	buffer_format(&result, "{\"filename\":");
	buffer_json(&result, name, strlen(name));
	buffer_format(&result, ",\"contentType\":\"%s\",\"sizeBytes\":%lld,\"sha256\":\"%s\"}", work->bundle ? "application/zip" : work->format->content_type,
				  (long long) facts->size, sha256);
	arguments[3] = result.data;
	snprintf(rows, sizeof(rows), "%lld", (long long) work->row_count);
	if (session_value(work->worker->queue, "SELECT qehs.job_finish($1, $2, $3, $4::jsonb, $5::int8)", 5, arguments, NULL, NULL))
		return true;
	session_problem(work->worker->queue, &message);
	return fail(work, "unavailable", true, message);
}

static const char *
url_of_attachment(void *owner, const char *id)
{
	return sign(owner, "GET", id, NULL, NULL);
}

static bool
goes_on(void *owner)
{
	Work	   *work = owner;

	return pulse_state(work->worker->pulse) == PULSE_GOES_ON;
}

static AttachmentSource
source_of(Work *work)
{
	return (AttachmentSource) {work, work->claim.tenant, url_of_attachment, goes_on};
}

/* The files of a report's record. */
static bool
next_file(void *owner, Arena *arena, FileEntry *entry)
{
	Work	   *work = owner;

	return attachments_next(work->attachments, arena, entry);
}

static int
open_file(void *owner, const FileEntry *entry, int64_t *size)
{
	AttachmentSource source = source_of(owner);
	StorageOutcome outcome;
	StorageFault fault;

	return attachments_file(&source, entry, size, &outcome, &fault);
}

/* Write the file of the rows into an output, to its end. */
static bool
write_file(Work *work, Output *output)
{
	work->files = (FileSource) {work, next_file, open_file};
	work->info.files = work->info.code ? &work->files : NULL;
	work->file = work->format->open(&work->info, output);
	if (work->file == NULL || output->failed)
		return fail(work, "unavailable", true, output->message);
	if (!write_rows(work))
		return false;
	if (work->info.files)
		attachments_rewind(work->attachments);
	return work->format->close(work->file) || fail(work, "unavailable", true, output->message);
}

/* The file of the rows is the first in a ZIP, with their attachments behind it. */
static bool
write_bundle(Work *work)
{
	AttachmentSource source = source_of(work);

	work->bundle = bundle_open(&work->output);
	if (!bundle_begin(work->bundle, file_name(work, work->format->name), true))
		return fail(work, "unavailable", true, work->output.message);
	if (!write_file(work, bundle_output(work->bundle)))
		return false;
	return (attachments_put(work->attachments, &source, work->bundle, &work->output) && bundle_close(work->bundle)) ||
		fail(work, "unavailable", true, work->output.message);
}

static bool
write_object(Work *work)
{
	StorageFault fault = {""};
	StorageOutcome outcome;
	StorageFacts facts;
	char		sha256[HEX_BYTES];

	if (!open_rows(work))
		return false;
	work->object = storage_write_open(&outcome, &fault);
	if (work->object == NULL)
		return fail(work, "unavailable", true, fault.message);
	work->output.put = put;
	if (work->info.attachments || work->info.code)
		work->attachments = attachments_open();
	if (!(work->info.attachments ? write_bundle(work) : write_file(work, &work->output)))
		return false;
	storage_write_facts(work->object, &facts);
	write_hex(facts.sha256, sha256);
	return keep(work, &facts, sha256) && finish(work, &facts, sha256);
}

/* ---- the job ---- */

/* Tell the queue what became of a job that was not finished. */
static void
tell(Work *work, PulseState state)
{
	Buffer		error = {&work->arena, NULL, 0, 0};
	const char *arguments[] = {work->claim.tenant, work->claim.job_id, work->worker->name, NULL, work->again ? "t" : "f"};
	const char *value = NULL;

	if (state == PULSE_LOST)
		return;
	if (state == PULSE_STOPPED)
	{
		session_value(work->worker->queue, "SELECT qehs.job_release($1, $2, $3)", 3, arguments, NULL, NULL);
		return;
	}
	buffer_text(&error, "{\"code\":");
	buffer_json(&error, work->code, strlen(work->code));
	buffer_text(&error, ",\"detail\":");
	buffer_json(&error, work->detail, strlen(work->detail));
	buffer_text(&error, "}");
	arguments[3] = error.data;
	session_value(work->worker->queue, "SELECT qehs.job_fail($1, $2, $3, $4::jsonb, $5::bool)", 5, arguments, &value, NULL);
	log_event(state == PULSE_CANCELLED ? "info" : "error", "export %s of tenant %s is %s: %s", work->claim.job_id, work->claim.tenant,
			  value ? value : "lost", state == PULSE_CANCELLED ? "as was asked for" : work->detail);
}

/* The pulse of a worker is seen by who stops it. */
static void
set_pulse(Worker *worker, Pulse *pulse)
{
	pthread_mutex_lock(&worker->workers->mutex);
	worker->pulse = pulse;
	if (pulse && worker->workers->stopping)
		pulse_stop(pulse);
	pthread_mutex_unlock(&worker->workers->mutex);
}

static void
do_job(Work *work)
{
	Worker	   *worker = work->worker;
	Pulse	   *pulse;
	PulseState	state;
	bool		done;

	work->rows = session_open(worker->workers->config->db, "qehs-shim export");
	pulse = pulse_start(worker->workers->config->db, worker->name, &work->claim, work->rows);
	set_pulse(worker, pulse);
	done = write_object(work);
	state = pulse_state(pulse);
	set_pulse(worker, NULL);
	pulse_end(pulse);
	if (done)
		log_event("info", "export %s of tenant %s is done: %lld rows", work->claim.job_id, work->claim.tenant, (long long) work->row_count);
	else
		tell(work, state);
	if (work->file)
		work->format->free(work->file);
	if (work->attachments)
		attachments_free(work->attachments);
	if (work->bundle)
		bundle_free(work->bundle);
	if (work->object)
		storage_discard(work->object);
	session_close(work->rows);
	log_flush();
}

/* Claim a job and do it; false when there is none, or no database. */
static bool
work_once(Worker *worker)
{
	const char *const arguments[] = {worker->name};
	const char *value;
	size_t		length;
	Work	   *work;
	bool		claimed;

	if (!session_value(worker->queue, "SELECT qehs.job_claim('{export}', $1)", 1, arguments, &value, &length) || value == NULL)
		return false;
	work = calloc(1, sizeof(Work));
	if (work == NULL)
		abort();
	work->worker = worker;
	claimed = claim_read(value, length, &work->arena, &work->claim);
	if (claimed)
		do_job(work);
	arena_free(&work->arena);
	free(work);
	return claimed;
}

/* Wait; gives false when it is time to stop. */
static bool
rest(Workers *workers, int seconds)
{
	struct timespec until;
	bool		go_on;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&workers->mutex);
	while (!workers->stopping && seconds > 0 && pthread_cond_timedwait(&workers->wake, &workers->mutex, &until) == 0)
		;
	go_on = !workers->stopping;
	pthread_mutex_unlock(&workers->mutex);
	return go_on;
}

static void *
run_worker(void *argument)
{
	Worker	   *worker = argument;
	int			seconds = 0;

	while (rest(worker->workers, seconds))
	{
		if (worker->queue && !session_is_open(worker->queue))
		{
			session_close(worker->queue);
			worker->queue = NULL;
		}
		if (worker->queue == NULL)
			worker->queue = session_open(worker->workers->config->db, "qehs-shim worker");
		seconds = !session_is_open(worker->queue) ? AWAY_SECONDS : work_once(worker) ? 0 : IDLE_SECONDS;
	}
	if (worker->queue)
		session_close(worker->queue);
	return NULL;
}

Workers *
workers_start(const Config *config, int count)
{
	Workers    *workers = calloc(1, sizeof(Workers));
	char		host[64] = "";

	if (workers == NULL || (workers->items = calloc((size_t) count + 1, sizeof(Worker))) == NULL)
		abort();
	workers->config = config;
	workers->count = count;
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->wake, NULL);
	gethostname(host, sizeof(host) - 1);
	for (int i = 0; i < count; i++)
	{
		Worker	   *worker = &workers->items[i];

		worker->workers = workers;
		snprintf(worker->name, sizeof(worker->name), "%s %d.%d %lld", host, (int) getpid(), i, (long long) time(NULL));
		if (pthread_create(&worker->thread, NULL, run_worker, worker) != 0)
			abort();
	}
	return workers;
}

void
workers_stop(Workers *workers)
{
	pthread_mutex_lock(&workers->mutex);
	workers->stopping = true;
	pthread_cond_broadcast(&workers->wake);
	for (int i = 0; i < workers->count; i++)
		if (workers->items[i].pulse)
			pulse_stop(workers->items[i].pulse);
	pthread_mutex_unlock(&workers->mutex);
	for (int i = 0; i < workers->count; i++)
		pthread_join(workers->items[i].thread, NULL);
	pthread_mutex_destroy(&workers->mutex);
	pthread_cond_destroy(&workers->wake);
	free(workers->items);
	free(workers);
}
