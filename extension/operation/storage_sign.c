/*
 * storage_sign.c
 *	  qehs.storage_sign: a URL for what the shim itself does with an object of S3.
 */
#include "base/compat.h"

#include "attachment/signed_url.h"
#include "base/argument.h"
#include "base/error.h"
#include "fmgr.h"
#include "utils/builtins.h"

/* The arguments of qehs.storage_sign. */
enum
{
	ARGUMENT_STORAGE, ARGUMENT_METHOD, ARGUMENT_TENANT, ARGUMENT_ID, ARGUMENT_CONTENT_TYPE, ARGUMENT_FILENAME, ARGUMENT_SIZE_BYTES,
	ARGUMENT_SHA256, ARGUMENT_SECONDS
};

PG_FUNCTION_INFO_V1(qehs_storage_sign);

/* storage_sign(storage, method, tenant, id, content_type, filename, size_bytes, sha256, seconds) */
Datum
qehs_storage_sign(PG_FUNCTION_ARGS)
{
	const Jsonb *storage = PG_ARGISNULL(ARGUMENT_STORAGE) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_STORAGE);
	TimestampTz expires_at;
	SignedUrl	what = {
		.method = argument_text(fcinfo, ARGUMENT_METHOD),
		.tenant = argument_text(fcinfo, ARGUMENT_TENANT),
		.id = argument_text(fcinfo, ARGUMENT_ID),
		.content_type = argument_text(fcinfo, ARGUMENT_CONTENT_TYPE),
		.filename = argument_text(fcinfo, ARGUMENT_FILENAME),
		.size = PG_ARGISNULL(ARGUMENT_SIZE_BYTES) ? -1 : PG_GETARG_INT64(ARGUMENT_SIZE_BYTES),
		.sha256 = argument_text(fcinfo, ARGUMENT_SHA256),
		.seconds = PG_ARGISNULL(ARGUMENT_SECONDS) ? SIGNED_URL_GET_SECONDS : PG_GETARG_INT32(ARGUMENT_SECONDS),
	};

	if (!signed_url_is_s3(storage))
		PG_RETURN_NULL();
	if (what.method == NULL || what.tenant == NULL || what.id == NULL)
		problem_raise(PROBLEM_INVALID_PARAMETER, NULL, "a URL needs method, tenant and id");
	if (what.sha256 && !signed_url_is_sha256(what.sha256))
		problem_raise(PROBLEM_INVALID_PARAMETER, NULL, "sha256 must be 64 lower-case hexadecimal digits");
	PG_RETURN_TEXT_P(cstring_to_text(signed_url_make(storage, &what, &expires_at)));
}
