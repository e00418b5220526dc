/*
 * sigv4.h
 *	  AWS Signature Version 4 in a URL's query ("presigned URL"), for S3.
 *
 * After https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html.
 * Pure: no SPI, no clock, no settings.
 */
#ifndef QEHS_SIGV4_H
#define QEHS_SIGV4_H

#include "lib/stringinfo.h"

#define SIGV4_MOST_PAIRS 16
#define SIGV4_KEY_BYTES 32

/* A name and its value, neither encoded. */
typedef struct SigV4Pair
{
	const char *name;
	const char *value;
} SigV4Pair;

typedef struct SigV4Request
{
	const char *method;
	const char *origin;			/* scheme and host, such as https://examplebucket.s3.amazonaws.com */
	const char *path;			/* not encoded, begins with a slash */
	int			query_count;
	SigV4Pair	query[SIGV4_MOST_PAIRS];	/* parameters besides those of the signature */
	int			header_count;
	SigV4Pair	headers[SIGV4_MOST_PAIRS];	/* that the request must have besides host; names in lower case */
	int			seconds;		/* for which the URL is good, from time on */
	const char *time;			/* 20130524T000000Z, UTC */
	const char *region;
	const char *access_key;
	const char *session_token;	/* NULL: none */
	uint8		signing_key[SIGV4_KEY_BYTES];	/* derived for the day of time, the region and the service s3 */
} SigV4Request;

/* The signed URL, palloc'd. */
extern char *sigv4_presign(const SigV4Request *request);

/* Append text percent-encoded (RFC 3986 unreserved characters stay); slashes stay too where they are to. */
extern void sigv4_encode(StringInfo out, const char *text, bool keep_slashes);

#endif							/* QEHS_SIGV4_H */
