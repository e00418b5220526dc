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

PG_FUNCTION_INFO_V1(qehs_storage_sign);

/* storage_sign(storage, method, tenant, id, content_type, filename, size_bytes, sha256, seconds) */
Datum
qehs_storage_sign(PG_FUNCTION_ARGS)
{
	const Jsonb *storage = PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0);
	TimestampTz expires_at;
	SignedUrl	what = {
		.method = argument_text(fcinfo, 1),
		.tenant = argument_text(fcinfo, 2),
		.id = argument_text(fcinfo, 3),
		.content_type = argument_text(fcinfo, 4),
		.filename = argument_text(fcinfo, 5),
		.size = PG_ARGISNULL(6) ? -1 : PG_GETARG_INT64(6),
		.sha256 = argument_text(fcinfo, 7),
		.seconds = PG_ARGISNULL(8) ? SIGNED_URL_GET_SECONDS : PG_GETARG_INT32(8),
	};

	if (!signed_url_is_s3(storage))
		PG_RETURN_NULL();
	if (what.method == NULL || what.tenant == NULL || what.id == NULL)
		problem_raise(PROBLEM_INVALID_PARAMETER, NULL, "a URL needs method, tenant and id");
	if (what.sha256 && !signed_url_is_sha256(what.sha256))
		problem_raise(PROBLEM_INVALID_PARAMETER, NULL, "sha256 must be 64 lower-case hexadecimal digits");
	PG_RETURN_TEXT_P(cstring_to_text(signed_url_make(storage, &what, &expires_at)));
}
