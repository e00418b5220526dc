/*
 * local.c
 *	  The embedded store: a folder with incoming/ for what is being written and
 *	  objects/<tenant>/<two characters>/<id> for what is whole.
 *
 * A file gets its name by link(2), which fails where the name is taken: so an object
 * never changes, whoever writes beside us, and a half written one has a name in
 * incoming/ only, which a start removes when it is a day old.  File, then folder,
 * are on disk (fsync) before anybody is told.  The two characters are the last of
 * the id, which are random, so that 1,024 folders share the objects of a tenant.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/store.h"

#define PATH_BYTES 512
#define ROOT_MOST 300
#define STALE_SECONDS (24 * 60 * 60)
#define COMPARE_BYTES 65536

static char root[ROOT_MOST + 1];

static bool
make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* What a process that was killed has left behind. */
static void
remove_stale(const char *incoming)
{
	DIR		   *folder = opendir(incoming);
	time_t		limit = time(NULL) - STALE_SECONDS;
	struct dirent *entry;

	/* cppcheck-suppress readdirCalled; the stream is this call's own */
	while (folder && (entry = readdir(folder)) != NULL)
	{
		struct stat found;

		if (fstatat(dirfd(folder), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(found.st_mode) && found.st_mtime < limit)
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	if (folder)
		closedir(folder);
}

bool
local_open(const char *path, StorageFault *fault)
{
	char		folder[PATH_BYTES];

	if (strlen(path) > ROOT_MOST)
	{
		snprintf(fault->message, sizeof(fault->message), "--storage must be a path of at most %d bytes", ROOT_MOST);
		return false;
	}
	snprintf(root, sizeof(root), "%s", path);
	if (*root == '\0')
		return true;
	snprintf(folder, sizeof(folder), "%s/objects", root);
	if (!make_folder(root) || !make_folder(folder))
	{
		storage_fault_errno(fault, "could not make the folder of --storage");
		return false;
	}
	snprintf(folder, sizeof(folder), "%s/incoming", root);
	if (!make_folder(folder) || access(folder, W_OK | X_OK) != 0)
	{
		storage_fault_errno(fault, "could not write into the folder of --storage");
		return false;
	}
	remove_stale(folder);
	return true;
}

static StorageOutcome
open_file(StorageWriter *writer, StorageFault *fault)
{
	if (*root == '\0')
	{
		snprintf(fault->message, sizeof(fault->message), "there is no object store: --storage is not set");
		return STORAGE_FAILED;
	}
	snprintf(writer->path, sizeof(writer->path), "%s/incoming/XXXXXX", root);
	writer->file = mkostemp(writer->path, O_CLOEXEC);
	if (writer->file >= 0)
		return STORAGE_DONE;
	*writer->path = '\0';
	return storage_fault_errno(fault, "could not begin an object");
}

/* The folder of an object, and behind a slash its file. */
static void
object_path(const StorageName *name, char *path)
{
	snprintf(path, PATH_BYTES, "%s/objects/%s/%s/%s", root, name->tenant, name->id + strlen(name->id) - 2, name->id);
}

static bool
sync_folder(const char *path)
{
	int			folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool		synced = folder >= 0 && fsync(folder) == 0;

	if (folder >= 0)
		close(folder);
	return synced;
}

/* Make the folders of a path that are not there, each on disk in the one above it. */
static bool
make_folders(char *path)
{
	char	   *file = strrchr(path, '/');
	char	   *fan = file - 3;
	char	   *tenant;
	bool		made = true;

	*fan = '\0';
	tenant = strrchr(path, '/');
	if (mkdir(path, 0700) == 0)
	{
		*tenant = '\0';
		made = sync_folder(path);
		*tenant = '/';
	}
	else
		made = errno == EEXIST;
	*fan = '/';
	*file = '\0';
	if (made && mkdir(path, 0700) == 0)
	{
		*fan = '\0';
		made = sync_folder(path);
		*fan = '/';
	}
	else
		made = made && errno == EEXIST;
	*file = '/';
	return made;
}

/* Have two files the same bytes? */
static bool
same_bytes(int left, int right, int64_t size)
{
	static __thread char a[COMPARE_BYTES];
	static __thread char b[COMPARE_BYTES];

	for (off_t at = 0; at < size;)
	{
		ssize_t		length = pread(left, a, sizeof(a), at);

		if (length <= 0 || pread(right, b, (size_t) length, at) != length || memcmp(a, b, (size_t) length) != 0)
			return false;
		at += length;
	}
	return true;
}

static StorageOutcome
compare(const StorageWriter *writer, const char *path, StorageFault *fault)
{
	int			there = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat found;
	bool		same;

	if (there < 0)
		return storage_fault_errno(fault, "could not open an object");
	same = fstat(there, &found) == 0 && found.st_size == writer->size && same_bytes(writer->file, there, writer->size);
	close(there);
	if (!same)
		snprintf(fault->message, sizeof(fault->message), "another object has this name");
	return same ? STORAGE_DONE : STORAGE_DIFFERS;
}

static StorageOutcome
keep(StorageWriter *writer, const StorageName *name, const char *url, StorageFault *fault)
{
	char		path[PATH_BYTES];
	char	   *slash;

	(void) url;
	object_path(name, path);
	if (fchmod(writer->file, 0600) != 0 || fsync(writer->file) != 0 || !make_folders(path))
		return storage_fault_errno(fault, "could not keep an object");
	if (link(writer->path, path) != 0)
		return errno == EEXIST ? compare(writer, path, fault) : storage_fault_errno(fault, "could not name an object");
	slash = strrchr(path, '/');
	*slash = '\0';
	return sync_folder(path) ? STORAGE_DONE : storage_fault_errno(fault, "could not keep the name of an object");
}

static int
read_open(const StorageName *name, const char *url, int64_t *size, StorageOutcome *outcome, StorageFault *fault)
{
	char		path[PATH_BYTES];
	struct stat found;
	int			file;

	(void) url;
	object_path(name, path);
	file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0 || fstat(file, &found) != 0)
	{
		*outcome = errno == ENOENT ? STORAGE_ABSENT : STORAGE_FAILED;
		storage_fault_errno(fault, "could not open an object");
		if (file >= 0)
			close(file);
		return -1;
	}
	*size = found.st_size;
	*outcome = STORAGE_DONE;
	return file;
}

static StorageOutcome
look(const StorageName *name, const char *url, StorageFacts *facts, StorageFault *fault)
{
	StorageOutcome outcome;
	int			file = read_open(name, url, &facts->size, &outcome, fault);

	if (file >= 0)
		close(file);
	return outcome;
}

static StorageOutcome
remove_object(const StorageName *name, const char *url, StorageFault *fault)
{
	char		path[PATH_BYTES];

	(void) url;
	object_path(name, path);
	return unlink(path) == 0 || errno == ENOENT ? STORAGE_DONE : storage_fault_errno(fault, "could not remove an object");
}

const Store local_store = {open_file, keep, read_open, look, remove_object};
