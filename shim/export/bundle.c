/*
 * bundle.c
 *	  ZIP by libarchive, which needs not go back: what is not known before an entry,
 *	  its size and checksum, comes behind it.
 *
 * Names are UTF-8 whatever the locale of the process: the thread has one of its own
 * while libarchive writes them.
 */
#include "export/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct Bundle
{
	struct archive *archive;
	Output	   *to;
	Output		entry;
	bool		open;			/* an entry is */
	locale_t	names;
};

static la_ssize_t
hand_on(struct archive *archive, void *closure, const void *bytes, size_t length)
{
	Bundle	   *bundle = closure;

	if (output_write(bundle->to, bytes, length))
		return (la_ssize_t) length;
	archive_set_error(archive, EIO, "%s", bundle->to->message);
	return -1;
}

static bool
fail(Bundle *bundle)
{
	const char *message = archive_error_string(bundle->archive);

	return output_fail(bundle->to, "%s", message ? message : "could not write a ZIP");
}

static bool
put_entry(Output *output, const void *bytes, size_t length)
{
	Bundle	   *bundle = (Bundle *) ((char *) output - offsetof(Bundle, entry));

	if (archive_write_data(bundle->archive, bytes, length) == (la_ssize_t) length)
		return true;
	fail(bundle);
	return output_fail(output, "%s", bundle->to->message);
}

Bundle *
bundle_open(Output *to)
{
	Bundle	   *bundle = calloc(1, sizeof(Bundle));

	if (bundle == NULL || (bundle->archive = archive_write_new()) == NULL)
		abort();
	bundle->to = to;
	bundle->entry.put = put_entry;
	bundle->names = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
	if (archive_write_set_format_zip(bundle->archive) != ARCHIVE_OK || archive_write_set_bytes_in_last_block(bundle->archive, 1) != ARCHIVE_OK ||
		archive_write_open2(bundle->archive, bundle, NULL, hand_on, NULL, NULL) != ARCHIVE_OK)
		fail(bundle);
	return bundle;
}

/* What is gathered goes into the entry, and ends it. */
static bool
end_entry(Bundle *bundle)
{
	if (!bundle->open)
		return true;
	bundle->open = false;
	if (!output_flush(&bundle->entry))
		return false;
	return archive_write_finish_entry(bundle->archive) == ARCHIVE_OK || fail(bundle);
}

bool
bundle_begin(Bundle *bundle, const char *name, bool compressed)
{
	struct archive_entry *entry;
	locale_t	previous;
	bool		begun;

	if (!end_entry(bundle))
		return false;
	entry = archive_entry_new();
	if (entry == NULL)
		abort();
	previous = bundle->names ? uselocale(bundle->names) : (locale_t) 0;
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_mtime(entry, time(NULL), 0);
	begun = (compressed ? archive_write_zip_set_compression_deflate(bundle->archive) : archive_write_zip_set_compression_store(bundle->archive)) ==
		ARCHIVE_OK && archive_write_header(bundle->archive, entry) == ARCHIVE_OK;
	if (previous)
		uselocale(previous);
	archive_entry_free(entry);
	bundle->open = begun;
	return begun || fail(bundle);
}

Output *
bundle_output(Bundle *bundle)
{
	return &bundle->entry;
}

bool
bundle_copy(Bundle *bundle, int file)
{
	char		bytes[65536];
	off_t		at = 0;

	for (;;)
	{
		ssize_t		length = pread(file, bytes, sizeof(bytes), at);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return output_fail(bundle->to, "could not read an attachment");
		if (length == 0)
			return true;
		if (!output_write(&bundle->entry, bytes, (size_t) length))
			return false;
		at += length;
	}
}

bool
bundle_close(Bundle *bundle)
{
	return end_entry(bundle) && (archive_write_close(bundle->archive) == ARCHIVE_OK || fail(bundle)) && output_flush(bundle->to);
}

void
bundle_free(Bundle *bundle)
{
	/* what was not closed is not to be ended well */
	archive_write_fail(bundle->archive);
	archive_write_free(bundle->archive);
	if (bundle->names)
		freelocale(bundle->names);
	free(bundle);
}
