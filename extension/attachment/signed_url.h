/*
 * signed_url.h
 *	  URLs that let who has them do one thing with one object of the object store.
 *
 * Which store it is, the shim says (shim/storage/storage.h) by the argument storage
 * of the endpoints' functions: {"kind":"local","baseUrl":…}, or {"kind":"s3",…} with the signing
 * key of the day; NULL, as from psql, is the embedded one with a URL that begins with
 * its path.  The embedded store's URLs are signed with the secrets of base/secret.h,
 * S3's by sigv4.h.
 */
#ifndef QEHS_SIGNED_URL_H
#define QEHS_SIGNED_URL_H

#include "base/id.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

/* How long URLs are good, in seconds. */
#define SIGNED_URL_PUT_SECONDS (15 * 60)
#define SIGNED_URL_GET_SECONDS (5 * 60)

/* What is allowed. */
typedef struct SignedUrl
{
	const char *method;			/* PUT, GET, HEAD or DELETE */
	const char *tenant;			/* slug */
	const char *id;				/* att_… or job_… */
	const char *content_type;	/* of PUT: that of the body; of GET: that of the answer; NULL: any */
	const char *filename;		/* of GET: what a browser saves it as; NULL: none */
	int64		size;			/* of PUT: bytes of the body; -1: any */
	const char *sha256;			/* of PUT: that of the body, 64 lower-case hexadecimal digits; NULL: any */
	int			seconds;		/* for which it is allowed from now on */
} SignedUrl;

/* Raise QH503 unavailable when the shim that asks has no object store; storage may be NULL. */
extern void signed_url_require_store(const Jsonb *storage);

/* Is the text a SHA-256 in 64 lower-case hexadecimal digits? */
extern bool signed_url_is_sha256(const char *text);

/* Is the store that storage names S3? */
extern bool signed_url_is_s3(const Jsonb *storage);

/* The URL, palloc'd, and when it ends. */
extern char *signed_url_make(const Jsonb *storage, const SignedUrl *what, TimestampTz *expires_at);

/*
 * Raise QH403 forbidden unless this is what a URL of the embedded store was signed for, and it is good still.
 * expires is the parameter's text, signature what was sent; what->seconds is not looked at.
 */
extern void signed_url_check(const SignedUrl *what, const char *expires, const char *signature);

/* Append {"Content-Type":…} and so on: the headers that the request of the URL must have. */
extern void signed_url_write_headers(StringInfo out, const Jsonb *storage, const SignedUrl *what);

/*
 * Content-Disposition (RFC 6266) of a file to be saved under a name: plain ASCII
 * without quotes and, where the name is more than that, filename* (RFC 8187).  palloc'd.
 */
extern char *signed_url_disposition(const char *filename);

#endif							/* QEHS_SIGNED_URL_H */
