/*
 * sniff.c
 *	  libmagic on the first bytes of a file.  Its database is loaded once in each
 *	  thread that asks, as a handle serves one thread at a time.
 *
 * Of an Office document it sees that only when the parts stand in the order in which
 * Word writes them, and else a zip file, or nothing: so the names of the parts are
 * looked for where a zip file lists them, at its end (APPNOTE 4.3.12, ECMA-376 part 2).
 */
#include "storage/sniff.h"

#include <magic.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNIFFED_BYTES 65536

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
close_handle(void *handle)
{
	magic_close(handle);
}

static void
make_key(void)
{
	pthread_key_create(&key, close_handle);
}

static magic_t
get_handle(void)
{
	magic_t		handle;

	pthread_once(&once, make_key);
	handle = pthread_getspecific(key);
	if (handle)
		return handle;
	handle = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR);
	if (handle && magic_load(handle, NULL) != 0)
	{
		magic_close(handle);
		return NULL;
	}
	if (handle)
		pthread_setspecific(key, handle);
	return handle;
}

/* The type of a zip file by the parts that its last bytes list; NULL where they are none of an Office document. */
static const char *
office_type(int file, char *bytes, size_t size)
{
	static const char *const kinds[][2] = {
		{"word/document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"xl/workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"ppt/presentation", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	};
	struct stat state;
	ssize_t		length;

	if (fstat(file, &state) != 0)
		return NULL;
	length = pread(file, bytes, size, state.st_size > (off_t) size ? state.st_size - (off_t) size : 0);
	if (length <= 0 || memmem(bytes, (size_t) length, "[Content_Types].xml", 19) == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (memmem(bytes, (size_t) length, kinds[i][0], strlen(kinds[i][0])))
			return kinds[i][1];
	return NULL;
}

void
sniff_type(int file, char *type, size_t size)
{
	static __thread char bytes[SNIFFED_BYTES];
	ssize_t		length = pread(file, bytes, sizeof(bytes), 0);
	magic_t		handle = get_handle();
	const char *found = handle && length >= 0 ? magic_buffer(handle, bytes, (size_t) length) : NULL;
	const char *office = NULL;

	if (found && (strcmp(found, "application/zip") == 0 || strcmp(found, "application/octet-stream") == 0) && length > 4 &&
		memcmp(bytes, "PK\003\004", 4) == 0)
		office = office_type(file, bytes, sizeof(bytes));
	snprintf(type, size, "%s", office ? office : found ? found : "application/octet-stream");
}
