/*
 * store.h
 *	  What the files of this folder share: a writer, and what a store does.
 */
#ifndef QEHS_STORE_H
#define QEHS_STORE_H

#include <openssl/evp.h>

#include "storage/storage.h"

struct StorageWriter
{
	int			file;
	char		path[512];		/* of the file while it is being written; empty: it has no name */
	int64_t		size;
	EVP_MD_CTX *digest;			/* NULL once it is final */
	unsigned char sha256[STORAGE_SHA256_BYTES];
};

typedef struct Store
{
	/* Open the file that a new object is written into. */
	StorageOutcome (*open_file) (StorageWriter *writer, StorageFault *fault);
	StorageOutcome (*keep) (StorageWriter *writer, const StorageName *name, const char *url, StorageFault *fault);
	int			(*read_open) (const StorageName *name, const char *url, int64_t *size, StorageOutcome *outcome, StorageFault *fault);
	StorageOutcome (*look) (const StorageName *name, const char *url, StorageFacts *facts, StorageFault *fault);
	StorageOutcome (*remove) (const StorageName *name, const char *url, StorageFault *fault);
} Store;

/* The two stores; their settings have been read. */
extern const Store local_store;
extern const Store s3_store;

/* Make the folders of the local store under path; false with a fault. */
extern bool local_open(const char *path, StorageFault *fault);
/* Take the settings of S3; false with a fault. */
extern bool s3_open(const Config *config, StorageFault *fault);
/* What the extension is told of S3 to sign URLs with. */
extern const char *s3_description(Arena *arena, const Config *config);

/* Note a failure with what errno says; gives STORAGE_FULL or STORAGE_FAILED. */
extern StorageOutcome storage_fault_errno(StorageFault *fault, const char *what);

#endif							/* QEHS_STORE_H */
