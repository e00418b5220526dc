/*
 * sniff.c
 *	  libmagic on the first bytes of a file.  Its database is loaded once in each
 *	  thread that asks, as a handle serves one thread at a time.
 */
#include "storage/sniff.h"

#include <magic.h>
#include <pthread.h>
#include <stdio.h>
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

void
sniff_type(int file, char *type, size_t size)
{
	static __thread char bytes[SNIFFED_BYTES];
	ssize_t		length = pread(file, bytes, sizeof(bytes), 0);
	magic_t		handle = get_handle();
	const char *found = handle && length >= 0 ? magic_buffer(handle, bytes, (size_t) length) : NULL;

	snprintf(type, size, "%s", found ? found : "application/octet-stream");
}
