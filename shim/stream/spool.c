/*
 * spool.c
 *	  The file is made in TMPDIR or /tmp when the memory is full, and unlinked at
 *	  once, so that it ends with the process whatever happens.
 */
#include "stream/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/temporary.h"

#define SPOOL_FIRST (16 * 1024)

static size_t most_each = SIZE_MAX;
static size_t most_in_all = SIZE_MAX;
static size_t in_all;			/* bytes in files, of all threads; atomic */

void
spool_limit(size_t each, size_t all)
{
	most_each = each;
	most_in_all = all;
}

void
spool_init(Spool *spool)
{
	*spool = (Spool) {.file = -1};
}

static void
append_memory(Spool *spool, const char *bytes, size_t length)
{
	if (spool->memory_length + length > spool->capacity)
	{
		size_t		capacity = spool->capacity * 2 > spool->memory_length + length ? spool->capacity * 2 :
			spool->memory_length + length + SPOOL_FIRST;

		spool->memory = realloc(spool->memory, capacity);
		if (spool->memory == NULL)
			abort();
		spool->capacity = capacity;
	}
	memcpy(spool->memory + spool->memory_length, bytes, length);
	spool->memory_length += length;
}

size_t
spool_left(const Spool *spool)
{
	return spool->memory_length + (size_t) spool->file_length - (size_t) spool->read;
}

/* All has been read: begin again, in memory. */
static void
rewind_spool(Spool *spool)
{
	if (spool->file_length > 0 && ftruncate(spool->file, 0) != 0)
		return;
	__atomic_fetch_sub(&in_all, (size_t) spool->file_length, __ATOMIC_RELAXED);
	spool->memory_length = 0;
	spool->file_length = spool->read = 0;
}

/* Count the bytes against the limits. */
static bool
take_room(const Spool *spool, size_t length)
{
	if ((size_t) spool->file_length + length <= most_each)
	{
		if (__atomic_add_fetch(&in_all, length, __ATOMIC_RELAXED) <= most_in_all)
			return true;
		__atomic_fetch_sub(&in_all, length, __ATOMIC_RELAXED);
	}
	errno = ENOSPC;
	return false;
}

static bool
append_file(Spool *spool, const char *bytes, size_t length)
{
	size_t		done = 0;

	while (done < length)
	{
		ssize_t		written = pwrite(spool->file, bytes + done, length - done, spool->file_length + (off_t) done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
		{
			__atomic_fetch_sub(&in_all, length, __ATOMIC_RELAXED);
			return false;
		}
		done += (size_t) written;
	}
	spool->file_length += (off_t) length;
	return true;
}

bool
spool_append(Spool *spool, const char *bytes, size_t length)
{
	if (spool->read > 0 && spool_left(spool) == 0)
		rewind_spool(spool);
	if (spool->file_length == 0 && spool->memory_length + length <= SPOOL_MEMORY)
	{
		append_memory(spool, bytes, length);
		return true;
	}
	if (spool->file < 0 && (spool->file = temporary_file()) < 0)
		return false;
	return take_room(spool, length) && append_file(spool, bytes, length);
}

ssize_t
spool_read(Spool *spool, char *buffer, size_t room)
{
	ssize_t		count;

	if (spool->read < (off_t) spool->memory_length)
	{
		size_t		left = spool->memory_length - (size_t) spool->read;

		count = (ssize_t) (left < room ? left : room);
		memcpy(buffer, spool->memory + spool->read, (size_t) count);
	}
	else if (spool->file < 0)
		return 0;
	else
		count = pread(spool->file, buffer, room, spool->read - (off_t) spool->memory_length);
	if (count > 0)
		spool->read += count;
	return count;
}

void
spool_free(Spool *spool)
{
	free(spool->memory);
	if (spool->file >= 0)
		close(spool->file);
	__atomic_fetch_sub(&in_all, (size_t) spool->file_length, __ATOMIC_RELAXED);
	spool_init(spool);
}
