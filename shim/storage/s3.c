/*
 * s3.c
 *	  The store that is a bucket of S3, or of a server that speaks its protocol.
 *
 * Clients send and fetch objects themselves, by URLs that the extension has signed
 * (AWS Signature Version 4, query form).  What the shim does, it does by such URLs
 * too, so that one place signs.  The secret key stays here: the extension is given
 * the signing key of one day, region and service that is derived from it.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/temporary.h"
#include "storage/store.h"

#define CONNECT_SECONDS 10
/* A transfer that is slower than this for so long has failed. */
#define LOW_SPEED_BYTES 1024
#define LOW_SPEED_SECONDS 30

/* A file for an object that is on its way. */
static int
make_file(StorageFault *fault)
{
	int			file = temporary_file();

	if (file < 0)
		storage_fault_errno(fault, "could not make a temporary file");
	return file;
}

bool
s3_open(const Config *config, StorageFault *fault)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
	{
		snprintf(fault->message, sizeof(fault->message), "libcurl cannot be used");
		return false;
	}
	if (*config->s3_bucket && *config->s3_access_key && *config->s3_secret_key)
		return true;
	snprintf(fault->message, sizeof(fault->message), "--s3-endpoint needs --s3-bucket, --s3-access-key and QEHS_S3_SECRET_KEY");
	return false;
}

static void
derive(unsigned char *key, unsigned int *key_length, const char *text)
{
	unsigned char next[EVP_MAX_MD_SIZE];

	if (HMAC(EVP_sha256(), key, (int) *key_length, (const unsigned char *) text, strlen(text), next, key_length) == NULL)
		abort();
	memcpy(key, next, *key_length);
}

const char *
s3_description(Arena *arena, const Config *config)
{
	const struct
	{
		const char *name;
		const char *value;
	}			members[] = {
		{"endpoint", config->s3_endpoint}, {"bucket", config->s3_bucket}, {"prefix", config->s3_prefix}, {"region", config->s3_region},
		{"style", config->s3_style == S3_PATH ? "path" : "virtual"}, {"accessKey", config->s3_access_key}, {"sessionToken", config->s3_session_token},
	};
	Buffer		text = {.arena = arena};
	unsigned char key[512];
	unsigned int key_length = (unsigned int) snprintf((char *) key, sizeof(key), "AWS4%s", config->s3_secret_key);
	time_t		now = time(NULL);
	struct tm	parts;
	char		stamp[17];

	gmtime_r(&now, &parts);
	strftime(stamp, sizeof(stamp), "%Y%m%d", &parts);
	if (key_length >= sizeof(key))
		abort();
	derive(key, &key_length, stamp);
	derive(key, &key_length, config->s3_region);
	derive(key, &key_length, "s3");
	derive(key, &key_length, "aws4_request");
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
	buffer_format(&text, "{\"kind\":\"s3\",\"scanned\":%s,\"time\":\"%s\",\"signingKey\":\"", *config->clamd ? "true" : "false", stamp);
	for (unsigned int i = 0; i < key_length; i++)
		buffer_format(&text, "%02x", key[i]);
	buffer_text(&text, "\"");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
	{
		buffer_format(&text, ",\"%s\":", members[i].name);
		buffer_json(&text, members[i].value, strlen(members[i].value));
	}
	buffer_text(&text, "}");
	return text.data;
}

/* ---- requests ---- */

typedef struct Transfer
{
	int			file;
	off_t		at;
	bool		disk_failed;
	StorageFacts *facts;
} Transfer;

static size_t
send_part(char *buffer, size_t size, size_t count, void *closure)
{
	Transfer   *transfer = closure;
	ssize_t		length = pread(transfer->file, buffer, size * count, transfer->at);

	if (length < 0)
		return CURL_READFUNC_ABORT;
	transfer->at += length;
	return (size_t) length;
}

static size_t
take_part(char *bytes, size_t size, size_t count, void *closure)
{
	Transfer   *transfer = closure;
	size_t		length = size * count;

	/* without a file the body is an error's, which nobody reads */
	if (transfer->file >= 0 && pwrite(transfer->file, bytes, length, transfer->at) != (ssize_t) length)
	{
		transfer->disk_failed = true;
		return 0;
	}
	transfer->at += (off_t) length;
	return length;
}

/* The headers of an answer that say what the object is. */
static size_t
take_header(char *bytes, size_t size, size_t count, void *closure)
{
	static const char checksum[] = "x-amz-checksum-sha256:";
	static const char content_type[] = "content-type:";
	Transfer   *transfer = closure;
	size_t		length = size * count;
	char		line[512];
	unsigned char decoded[48];

	snprintf(line, sizeof(line), "%.*s", (int) length, bytes);
	line[strcspn(line, "\r\n")] = '\0';
	if (transfer->facts == NULL)
		return length;
	if (strncasecmp(line, content_type, sizeof(content_type) - 1) == 0)
	{
		const char *value = line + sizeof(content_type) - 1;

		snprintf(transfer->facts->content_type, sizeof(transfer->facts->content_type), "%s", value + strspn(value, " "));
	}
	else if (strncasecmp(line, checksum, sizeof(checksum) - 1) == 0)
	{
		const char *value = line + sizeof(checksum) - 1;

		value += strspn(value, " ");
		/* 44 characters of base64 are 32 bytes */
		if (strlen(value) == 44 && EVP_DecodeBlock(decoded, (const unsigned char *) value, 44) == 33)
		{
			memcpy(transfer->facts->sha256, decoded, STORAGE_SHA256_BYTES);
			transfer->facts->has_sha256 = true;
		}
	}
	return length;
}

static CURL *
begin(const char *url, Transfer *transfer)
{
	CURL	   *curl = curl_easy_init();

	if (curl == NULL)
		abort();
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long) CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long) LOW_SPEED_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long) LOW_SPEED_SECONDS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_part);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	return curl;
}

static StorageOutcome
perform(CURL *curl, const Transfer *transfer, StorageFault *fault)
{
	CURLcode	code = curl_easy_perform(curl);
	long		status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
	{
		snprintf(fault->message, sizeof(fault->message), "%s: %s", transfer->disk_failed ? "could not write a temporary file" :
				 "could not reach the object store", curl_easy_strerror(code));
		return transfer->disk_failed ? STORAGE_FULL : STORAGE_FAILED;
	}
	if (status >= 200 && status < 300)
		return STORAGE_DONE;
	snprintf(fault->message, sizeof(fault->message), "the object store answered %ld", status);
	return status == 404 ? STORAGE_ABSENT : status == 507 ? STORAGE_FULL : STORAGE_REFUSED;
}

/* ---- the interface ---- */

static StorageOutcome
open_file(StorageWriter *writer, StorageFault *fault)
{
	writer->file = make_file(fault);
	return writer->file >= 0 ? STORAGE_DONE : STORAGE_FAILED;
}

static StorageOutcome
keep(StorageWriter *writer, const StorageName *name, const char *url, StorageFault *fault)
{
	Transfer	transfer = {.file = writer->file};
	/* what goes out and what comes back are two things */
	Transfer	answer = {.file = -1};
	CURL	   *curl = begin(url, &answer);
	char		checksum[80] = "x-amz-checksum-sha256: ";
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	StorageOutcome outcome;

	(void) name;
	/* the URL was signed with it: a store that gets other bytes refuses them */
	EVP_EncodeBlock((unsigned char *) checksum + strlen(checksum), writer->sha256, STORAGE_SHA256_BYTES);
	headers = curl_slist_append(headers, checksum);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_part);
	curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) writer->size);
	outcome = perform(curl, &answer, fault);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return outcome;
}

static int
read_open(const StorageName *name, const char *url, int64_t *size, StorageOutcome *outcome, StorageFault *fault)
{
	Transfer	transfer = {.file = make_file(fault)};
	CURL	   *curl;

	(void) name;
	*outcome = STORAGE_FAILED;
	if (transfer.file < 0)
		return -1;
	curl = begin(url, &transfer);
	*outcome = perform(curl, &transfer, fault);
	curl_easy_cleanup(curl);
	*size = transfer.at;
	if (*outcome == STORAGE_DONE)
		return transfer.file;
	close(transfer.file);
	return -1;
}

static StorageOutcome
look(const StorageName *name, const char *url, StorageFacts *facts, StorageFault *fault)
{
	Transfer	transfer = {.file = -1,.facts = facts};
	CURL	   *curl = begin(url, &transfer);
	struct curl_slist *headers = curl_slist_append(NULL, "x-amz-checksum-mode: ENABLED");
	StorageOutcome outcome;
	curl_off_t	length = -1;

	(void) name;
	curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	outcome = perform(curl, &transfer, fault);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	facts->size = length;
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return outcome;
}

static StorageOutcome
remove_object(const StorageName *name, const char *url, StorageFault *fault)
{
	Transfer	transfer = {.file = -1};
	CURL	   *curl = begin(url, &transfer);
	StorageOutcome outcome;

	(void) name;
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
	outcome = perform(curl, &transfer, fault);
	curl_easy_cleanup(curl);
	return outcome == STORAGE_ABSENT ? STORAGE_DONE : outcome;
}

const Store s3_store = {open_file, keep, read_open, look, remove_object};
