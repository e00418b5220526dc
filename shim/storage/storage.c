/*
 * storage.c
 *	  The one interface of both stores, and what they have in common: names, and
 *	  writers that count and digest what goes by.
 */
#include "storage/storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/store.h"

#define SLUG_MOST 40
#define ID_LENGTH 30
#define BASE32 "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

static const Store *store = &local_store;
static const Config *settings;

bool
storage_open(const Config *config, StorageFault *fault)
{
	settings = config;
	store = *config->s3_endpoint ? &s3_store : &local_store;
	return store == &s3_store ? s3_open(config, fault) : local_open(config->storage, fault);
}

bool
storage_exists(void)
{
	return store == &s3_store || *settings->storage != '\0';
}

bool
storage_is_local(void)
{
	return store == &local_store;
}

const char *
storage_description(Arena *arena)
{
	Buffer		text = {.arena = arena};

	if (store == &s3_store)
		return s3_description(arena, settings);
	if (*settings->storage == '\0')
		return "{\"kind\":\"none\"}";
	buffer_format(&text, "{\"kind\":\"local\",\"scanned\":%s,\"baseUrl\":", *settings->clamd ? "true" : "false");
	buffer_json(&text, settings->public_url, strlen(settings->public_url));
	buffer_text(&text, "}");
	return text.data;
}

bool
storage_name_is_valid(const StorageName *name)
{
	size_t		slug = strspn(name->tenant, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return name->tenant[slug] == '\0' && slug > 0 && slug <= SLUG_MOST && *name->tenant >= 'a' &&
		strlen(name->id) == ID_LENGTH && (strncmp(name->id, "att_", 4) == 0 || strncmp(name->id, "job_", 4) == 0) &&
		strspn(name->id + 4, BASE32) == ID_LENGTH - 4;
}

StorageWriter *
storage_write_open(StorageOutcome *outcome, StorageFault *fault)
{
	StorageWriter *writer = calloc(1, sizeof(StorageWriter));

	if (writer == NULL || (writer->digest = EVP_MD_CTX_new()) == NULL || EVP_DigestInit_ex(writer->digest, EVP_sha256(), NULL) != 1)
		abort();
	writer->file = -1;
	*outcome = store->open_file(writer, fault);
	if (*outcome == STORAGE_DONE)
		return writer;
	storage_discard(writer);
	return NULL;
}

StorageOutcome
storage_write(StorageWriter *writer, const void *bytes, size_t length, StorageFault *fault)
{
	const char *from = bytes;
	size_t		left = length;

	while (left > 0)
	{
		ssize_t		written = write(writer->file, from, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return storage_fault_errno(fault, "could not write an object");
		from += written;
		left -= (size_t) written;
	}
	if (EVP_DigestUpdate(writer->digest, bytes, length) != 1)
		abort();
	writer->size += (int64_t) length;
	return STORAGE_DONE;
}

void
storage_write_facts(StorageWriter *writer, StorageFacts *facts)
{
	if (writer->digest)
	{
		if (EVP_DigestFinal_ex(writer->digest, writer->sha256, NULL) != 1)
			abort();
		EVP_MD_CTX_free(writer->digest);
		writer->digest = NULL;
	}
	*facts = (StorageFacts) {.size = writer->size,.has_sha256 = true};
	memcpy(facts->sha256, writer->sha256, sizeof(facts->sha256));
}

int
storage_write_descriptor(const StorageWriter *writer)
{
	return writer->file;
}

static StorageOutcome
refuse_name(StorageFault *fault)
{
	snprintf(fault->message, sizeof(fault->message), "no object can have this name");
	return STORAGE_ABSENT;
}

StorageOutcome
storage_keep(StorageWriter *writer, const StorageName *name, const char *put_url, StorageFault *fault)
{
	StorageFacts facts;

	if (!storage_name_is_valid(name))
		return refuse_name(fault);
	storage_write_facts(writer, &facts);
	return store->keep(writer, name, put_url, fault);
}

void
storage_discard(StorageWriter *writer)
{
	if (*writer->path)
		unlink(writer->path);
	if (writer->file >= 0)
		close(writer->file);
	EVP_MD_CTX_free(writer->digest);
	free(writer);
}

int
storage_read_open(const StorageName *name, const char *get_url, int64_t *size, StorageOutcome *outcome, StorageFault *fault)
{
	if (storage_name_is_valid(name))
		return store->read_open(name, get_url, size, outcome, fault);
	*outcome = refuse_name(fault);
	return -1;
}

StorageOutcome
storage_look(const StorageName *name, const char *head_url, StorageFacts *facts, StorageFault *fault)
{
	*facts = (StorageFacts) {0};
	return storage_name_is_valid(name) ? store->look(name, head_url, facts, fault) : refuse_name(fault);
}

StorageOutcome
storage_remove(const StorageName *name, const char *delete_url, StorageFault *fault)
{
	return storage_name_is_valid(name) ? store->remove(name, delete_url, fault) : refuse_name(fault);
}
