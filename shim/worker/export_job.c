/*
 * export_job.c
 *	  A job that writes records into a file.
 *
 * The rows are read in one transaction as the caller that asked (qehs.export_open,
 * qehs.export_fetch) and written through their format into a new object of the store;
 * the job is finished with what the object is.  Nothing of a worker that died is seen,
 * as an object is there whole or not at all.  Before the object gets its name the
 * lease is renewed once more, so that who has lost the job replaces nothing.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "exchange/log.h"
#include "exchange/sign.h"
#include "export/attachments.h"
#include "export/bundle.h"
#include "export/file.h"
#include "storage/storage.h"
#include "worker/held.h"

#define FETCH "SELECT qehs.export_fetch(1000)"
#define FILES "SELECT qehs.export_files($1::jsonb)"

/* A file in the making. */
typedef struct Work
{
	HeldJob    *job;
	Output		output;
	StorageWriter *object;
	ExportInfo	info;
	const FileFormat *format;
	void	   *file;
	Bundle	   *bundle;			/* NULL: the file is the object */
	Attachments *attachments;	/* NULL: no files are asked for */
	FileSource	files;
	int64_t		row_count;
} Work;

/* ---- the rows ---- */

static bool
open_rows(Work *work)
{
	const char *const held[] = {work->job->claim.tenant, work->job->claim.job_id, work->job->worker};
	const char *head;
	size_t		length;

	if (!held_run(work->job, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL, NULL, NULL) ||
		!held_run(work->job, "SELECT qehs.job_begin($1, $2, $3)", 3, held, NULL, NULL) ||
		!held_run(work->job, "SELECT qehs.export_open($1)", 1, &work->job->claim.job_id, &head, &length))
		return false;
	if (head == NULL || !info_read(head, length, work->job->claim.tenant, work->job->config->public_url, &work->job->arena, &work->info) ||
		(work->format = format_find(work->info.format)) == NULL)
		return held_fail(work->job, "internal", false, "this version of the shim does not know what is asked for");
	return true;
}

/* ---- the file ---- */

static bool
put(Output *output, const void *bytes, size_t length)
{
	Work	   *work = (Work *) ((char *) output - offsetof(Work, output));
	StorageFault fault = {""};

	if (pulse_state(work->job->pulse) != PULSE_GOES_ON)
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
			return held_fail(work->job, "unavailable", true, work->output.message);
		work->row_count += !json_begins_module(text, (size_t) (next - text));
		text = next + 1;
	}
	return true;
}

/* Note the attachments of the rows that were fetched last. */
static bool
take_attachments(Work *work)
{
	const char *arguments[] = {storage_description(&work->job->arena)};
	const char *lines;
	size_t		length;

	if (work->attachments == NULL)
		return true;
	if (!held_run(work->job, FILES, 1, arguments, &lines, &length))
		return false;
	return lines == NULL || attachments_take(work->attachments, lines, length) ||
		held_fail(work->job, "unavailable", true, "could not write a temporary file");
}

static bool
write_rows(Work *work)
{
	const char *text;
	size_t		length;

	for (;;)
	{
		if (pulse_state(work->job->pulse) != PULSE_GOES_ON)
			return held_fail(work->job, "unavailable", true, "it is to be stopped");
		if (!held_run(work->job, FETCH, 0, NULL, &text, &length))
			return false;
		if (text == NULL)
			break;
		if (!write_lines(work, text, length) || !take_attachments(work))
			return false;
		pulse_progress(work->job->pulse, work->row_count, work->info.total);
	}
	return held_run(work->job, "COMMIT", 0, NULL, NULL, NULL);
}

/* ---- the object ---- */

/* Give the object its name; one of the name is of a worker that was lost after it had written it. */
static bool
keep(Work *work, const StorageFacts *facts)
{
	StorageName name = {work->job->claim.tenant, work->job->claim.job_id};
	StorageFault fault = {""};
	StorageOutcome outcome = STORAGE_FAILED;

	for (int i = 0; i < 2; i++)
	{
		if (pulse_feel(work->job->pulse) != PULSE_GOES_ON)
			return held_fail(work->job, "unavailable", true, "it is to be stopped");
		outcome = storage_keep(work->object, &name, held_sign(work->job, "PUT", work->job->claim.job_id, facts), &fault);
		if (outcome != STORAGE_DIFFERS)
			break;
		storage_remove(&name, held_sign(work->job, "DELETE", work->job->claim.job_id, NULL), &fault);
	}
	return outcome == STORAGE_DONE || held_fail(work->job, "unavailable", true, fault.message);
}

/* "incidents-20261128T0711Z.csv" */
static const char *
file_name(Work *work, const char *extension)
{
	const ExportInfo *info = &work->info;
	const char *at = info->at;
	const char *subject = info->code && *info->code ? info->code : *info->module_key ? info->module_key : info->tenant;

	return arena_format(&work->job->arena, "%s-%.4s%.2s%.2sT%.2s%.2sZ.%s", subject, at, at + 5, at + 8, at + 11, at + 14, extension);
}

/* Tell the queue that the job is done. */
static bool
finish(Work *work, const StorageFacts *facts)
{
	Buffer		result = {&work->job->arena, NULL, 0, 0};
	char		rows[24];
	const char *arguments[] = {work->job->claim.tenant, work->job->claim.job_id, work->job->worker, NULL, rows};
	const char *name = file_name(work, work->bundle ? "zip" : work->format->name);
	const char *message;

	buffer_format(&result, "{\"filename\":");
	buffer_json(&result, name, strlen(name));
	buffer_format(&result, ",\"contentType\":\"%s\",\"sizeBytes\":%lld,\"sha256\":\"%s\"}", work->bundle ? "application/zip" : work->format->content_type,
				  (long long) facts->size, sign_sha256(facts, &work->job->arena));
	arguments[3] = result.data;
	snprintf(rows, sizeof(rows), "%lld", (long long) work->row_count);
	if (session_value(work->job->queue, "SELECT qehs.job_finish($1, $2, $3, $4::jsonb, $5::int8)", 5, arguments, NULL, NULL))
		return true;
	session_problem(work->job->queue, &message);
	return held_fail(work->job, "unavailable", true, message);
}

static const char *
url_of_attachment(void *owner, const char *id)
{
	return held_sign(((Work *) owner)->job, "GET", id, NULL);
}

static bool
goes_on(void *owner)
{
	Work	   *work = owner;

	return pulse_state(work->job->pulse) == PULSE_GOES_ON;
}

static AttachmentSource
source_of(Work *work)
{
	return (AttachmentSource) {work, work->job->claim.tenant, url_of_attachment, goes_on};
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
		return held_fail(work->job, "unavailable", true, output->message);
	if (!write_rows(work))
		return false;
	if (work->info.files)
		attachments_rewind(work->attachments);
	return work->format->close(work->file) || held_fail(work->job, "unavailable", true, output->message);
}

/* The file of the rows is the first in a ZIP, with their attachments behind it. */
static bool
write_bundle(Work *work)
{
	AttachmentSource source = source_of(work);

	work->bundle = bundle_open(&work->output);
	if (!bundle_begin(work->bundle, file_name(work, work->format->name), true))
		return held_fail(work->job, "unavailable", true, work->output.message);
	if (!write_file(work, bundle_output(work->bundle)))
		return false;
	return (attachments_put(work->attachments, &source, work->bundle, &work->output) && bundle_close(work->bundle)) ||
		held_fail(work->job, "unavailable", true, work->output.message);
}

static bool
write_object(Work *work)
{
	StorageFault fault = {""};
	StorageOutcome outcome;
	StorageFacts facts;

	if (!open_rows(work))
		return false;
	work->object = storage_write_open(&outcome, &fault);
	if (work->object == NULL)
		return held_fail(work->job, "unavailable", true, fault.message);
	work->output.put = put;
	if (work->info.attachments || work->info.code)
		work->attachments = attachments_open();
	if (!(work->info.attachments ? write_bundle(work) : write_file(work, &work->output)))
		return false;
	storage_write_facts(work->object, &facts);
	return keep(work, &facts) && finish(work, &facts);
}

bool
export_job_run(HeldJob *job)
{
	/* the buffer of its output is large */
	Work	   *work = arena_alloc(&job->arena, sizeof(Work));
	bool		done;

	memset(work, 0, sizeof(*work));
	work->job = job;
	done = write_object(work);
	if (done)
		log_event("info", "export %s of tenant %s is done: %lld rows", job->claim.job_id, job->claim.tenant, (long long) work->row_count);
	if (work->file)
		work->format->free(work->file);
	if (work->attachments)
		attachments_free(work->attachments);
	if (work->bundle)
		bundle_free(work->bundle);
	if (work->object)
		storage_discard(work->object);
	return done;
}
