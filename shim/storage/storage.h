/*
 * storage.h
 *	  The object store: whole files by tenant and id, in a folder of this machine
 *	  (local.c) or in an S3 bucket (s3.c), as --storage says.
 *
 * An object is there whole or not at all, and never changes: it is written into a
 * file without a name that others see, and gets its name when all of it is on disk.
 * Names are a tenant's slug and an id (att_… or job_… and 26 characters); nothing
 * else reaches the file system.
 *
 * URLs are signed by the extension (qehs.storage_sign; in C extension/attachment/signed_url.h),
 * which is told of the store by storage_description: an endpoint that answers with
 * one has a parameter {"name":"storage","in":"server","sqlType":"jsonb"}.  The local
 * store needs no URL for what is done here, and takes NULL; S3 needs one that is
 * signed for the method: PUT to keep (with size and SHA-256), GET to open, DELETE to remove, HEAD to look.
 *
 * All functions may block on disk or network: call them from a thread that may, such
 * as a worker, or in parts that are small.  Any thread may call; a writer belongs to one at a time.
 */
#ifndef QEHS_STORAGE_H
#define QEHS_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/config.h"

#define STORAGE_SHA256_BYTES 32

/* What an object is called. */
typedef struct StorageName
{
	const char *tenant;			/* slug */
	const char *id;				/* att_… or job_… */
} StorageName;

/* What is known of an object's bytes. */
typedef struct StorageFacts
{
	int64_t		size;			/* bytes */
	bool		has_sha256;		/* a store that was not asked to check may not know */
	unsigned char sha256[STORAGE_SHA256_BYTES];
	char		content_type[128];	/* what the store has for it; empty: nothing */
} StorageFacts;

typedef enum StorageOutcome
{
	STORAGE_DONE,
	STORAGE_ABSENT,				/* there is no such object */
	STORAGE_DIFFERS,			/* there is one of the name with other bytes */
	STORAGE_FULL,				/* no room on the disk */
	STORAGE_REFUSED,			/* the store has refused (its answer is in the message) */
	STORAGE_FAILED				/* the disk or the network failed */
} StorageOutcome;

/* Why something failed, for the log. */
typedef struct StorageFault
{
	char		message[256];
} StorageFault;

typedef struct StorageWriter StorageWriter;

/* Open the store that the settings name; once, at start, before other threads.  False with a message when it cannot be used. */
extern bool storage_open(const Config *config, StorageFault *fault);
/* Is there one at all? */
extern bool storage_exists(void);
/* Is it the embedded one, served under /storage/? */
extern bool storage_is_local(void);
/* The store as the extension wants it to sign URLs: a JSON object, without the secret key of S3. */
extern const char *storage_description(Arena *arena);
/* Is it a name that an object can have? */
extern bool storage_name_is_valid(const StorageName *name);

/* Begin a new object; NULL with a fault when there is no room for it.  Ends with storage_keep or storage_discard. */
extern StorageWriter *storage_write_open(StorageOutcome *outcome, StorageFault *fault);
/* Append bytes. */
extern StorageOutcome storage_write(StorageWriter *writer, const void *bytes, size_t length, StorageFault *fault);
/* All has been written: its size and SHA-256. */
extern void storage_write_facts(StorageWriter *writer, StorageFacts *facts);
/* A descriptor to read what has been written, at any offset with pread; the writer's own. */
extern int	storage_write_descriptor(const StorageWriter *writer);
/*
 * Make what was written the object of that name, on disk for good.  The same bytes again are fine; with others it is
 * STORAGE_DIFFERS, and what was there stays.  The writer stays to be discarded.
 */
extern StorageOutcome storage_keep(StorageWriter *writer, const StorageName *name, const char *put_url, StorageFault *fault);
/* Free a writer; what was not kept is gone. */
extern void storage_discard(StorageWriter *writer);

/* Open an object to read: a descriptor, to be closed, whose file has *size bytes; -1 with the outcome. */
extern int	storage_read_open(const StorageName *name, const char *get_url, int64_t *size, StorageOutcome *outcome, StorageFault *fault);
/* What the store knows of an object: S3's answer to HEAD; of the local store the size alone. */
extern StorageOutcome storage_look(const StorageName *name, const char *head_url, StorageFacts *facts, StorageFault *fault);
/* Remove an object; one that is not there is removed. */
extern StorageOutcome storage_remove(const StorageName *name, const char *delete_url, StorageFault *fault);

#endif							/* QEHS_STORAGE_H */
