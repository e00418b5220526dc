/*
 * attachments.c
 *	  Entries of a ZIP may not be mixed: while the rows are written, what is known of
 *	  the files waits in a file of TMPDIR.
 */
#include "export/attachments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/temporary.h"

/* Bytes of a filename's end that are kept: with the id in front an entry's name has less than 255. */
#define NAME_BYTES 180

struct Attachments
{
	FILE	   *list;			/* as they came */
	FILE	   *told;			/* with the names of their entries */
	char	   *line;			/* of the list, as it was read last */
	size_t		length;
	size_t		room;
};

Attachments *
attachments_open(void)
{
	Attachments *attachments = calloc(1, sizeof(Attachments));

	if (attachments == NULL)
		abort();
	attachments->list = temporary_stream();
	attachments->told = temporary_stream();
	return attachments;
}

bool
attachments_take(Attachments *attachments, const char *lines, size_t length)
{
	return attachments->list && attachments->told && fwrite(lines, 1, length, attachments->list) == length;
}

void
attachments_rewind(Attachments *attachments)
{
	if (attachments->list)
		rewind(attachments->list);
}

bool
attachments_next(Attachments *attachments, Arena *arena, FileEntry *entry)
{
	ssize_t		length = attachments->list ? getline(&attachments->line, &attachments->room, attachments->list) : -1;

	if (length <= 1)
		return false;
	/* without its line end */
	attachments->length = (size_t) length - 1;
	return file_read(attachments->line, attachments->length, arena, entry);
}

int
attachments_file(const AttachmentSource *source, const FileEntry *entry, int64_t *size, StorageOutcome *outcome, StorageFault *fault)
{
	StorageName name = {source->tenant, entry->id};

	return storage_read_open(&name, source->url(source->owner, entry->id), size, outcome, fault);
}

/* A name that every file system takes: what separates, or is refused by one, is an underscore; a long one keeps its end. */
static const char *
safe_name(const char *name, Arena *arena)
{
	size_t		length = strlen(name);
	const char *from = length > NAME_BYTES ? name + length - NAME_BYTES : name;
	char	   *safe;

	/* not in the middle of a character */
	while ((*from & 0xC0) == 0x80)
		from++;
	safe = arena_copy(arena, from, strlen(from));
	for (char *at = safe; *at; at++)
		if ((unsigned char) *at < 0x20 || *at == 0x7F || strchr("<>:\"/\\|?*", *at))
			*at = '_';
	return safe;
}

/* Put one file; *entry is the name of its entry, NULL where there is no such object. */
static bool
put_file(const AttachmentSource *source, const FileEntry *file, Bundle *bundle, Output *output, Arena *arena, const char **entry)
{
	StorageOutcome outcome;
	StorageFault fault = {""};
	int64_t		size;
	int			opened = attachments_file(source, file, &size, &outcome, &fault);
	bool		done;

	*entry = NULL;
	if (opened < 0)
		return outcome == STORAGE_ABSENT || output_fail(output, "%s", fault.message);
	*entry = arena_format(arena, "attachments/%s/%s-%s", safe_name(file->code, arena), file->id, safe_name(file->filename, arena));
	done = bundle_begin(bundle, *entry, false) && bundle_copy(bundle, opened);
	close(opened);
	return done;
}

/* The line with a member more. */
static bool
tell(FILE *told, const char *line, size_t length, const char *entry, Arena *arena)
{
	Buffer		text = {.arena = arena};

	buffer_append(&text, line, length - 1);
	buffer_text(&text, ",\"file\":");
	if (entry)
		buffer_json(&text, entry, strlen(entry));
	else
		buffer_text(&text, "null");
	buffer_text(&text, "}\n");
	return fwrite(text.data, 1, text.length, told) == text.length;
}

static bool
put_files(Attachments *attachments, const AttachmentSource *source, Bundle *bundle, Output *output)
{
	Arena		arena = {NULL};
	FileEntry	file;
	bool		done = true;

	attachments_rewind(attachments);
	while (done && attachments_next(attachments, &arena, &file))
	{
		const char *entry;

		done = source->goes_on(source->owner) && put_file(source, &file, bundle, output, &arena, &entry);
		if (done && !tell(attachments->told, attachments->line, attachments->length, entry, &arena))
			done = output_fail(output, "could not write a temporary file");
		arena_reset(&arena);
	}
	arena_free(&arena);
	return done || output_fail(output, "it is to be stopped");
}

bool
attachments_put(Attachments *attachments, const AttachmentSource *source, Bundle *bundle, Output *output)
{
	if (attachments->list == NULL || attachments->told == NULL)
		return output_fail(output, "could not make a temporary file");
	return put_files(attachments, source, bundle, output) &&
		(fflush(attachments->told) == 0 || output_fail(output, "could not write a temporary file")) &&
		bundle_begin(bundle, "attachments.ndjson", true) && bundle_copy(bundle, fileno(attachments->told));
}

void
attachments_free(Attachments *attachments)
{
	if (attachments->list)
		fclose(attachments->list);
	if (attachments->told)
		fclose(attachments->told);
	free(attachments->line);
	free(attachments);
}
