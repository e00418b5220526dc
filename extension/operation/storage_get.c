/*
 * storage_get.c
 *	  qehs.storage_get: whether a URL of the embedded store may be read, and what
 *	  header fields its answer has.  The shim then sends the file.
 */
#include "base/compat.h"

#include "attachment/signed_url.h"
#include "base/argument.h"
#include "base/error.h"
#include "base/json.h"
#include "caller/context.h"
#include "fmgr.h"

/* The arguments of qehs.storage_get. */
enum
{
	ARGUMENT_TENANT, ARGUMENT_ID, ARGUMENT_CONTENT_TYPE, ARGUMENT_EXPIRES, ARGUMENT_FILENAME, ARGUMENT_SIGNATURE
};

PG_FUNCTION_INFO_V1(qehs_storage_get);

/* storage_get(tenant, id, content_type, expires, filename, signature) */
Datum
qehs_storage_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require();
	SignedUrl	what = {
		.method = "GET",
		.tenant = argument_text(fcinfo, ARGUMENT_TENANT),
		.id = argument_text(fcinfo, ARGUMENT_ID),
		.content_type = argument_text(fcinfo, ARGUMENT_CONTENT_TYPE),
		.filename = argument_text(fcinfo, ARGUMENT_FILENAME),
		.size = -1,
	};
	StringInfoData out;

	if (PG_ARGISNULL(ARGUMENT_EXPIRES) || PG_ARGISNULL(ARGUMENT_SIGNATURE))
		problem_raise(PROBLEM_FORBIDDEN, "Ask for a URL with GET /api/v1/attachments/{id}.", "the URL is not signed");
	signed_url_check(&what, argument_text(fcinfo, ARGUMENT_EXPIRES), argument_text(fcinfo, ARGUMENT_SIGNATURE));
	context_header(context, "Content-Type", "%s", what.content_type ? what.content_type : "application/octet-stream");
	context_header(context, "Content-Disposition", "%s", what.filename ? signed_url_disposition(what.filename) : "attachment");
	context_header(context, "X-Content-Type-Options", "nosniff");
	/* should a browser show it all the same: nothing in it runs, and nothing frames it */
	context_header(context, "Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'");
	context_header(context, "Cache-Control", "private, max-age=%d, immutable", SIGNED_URL_GET_SECONDS);
	json_begin(&out);
	json_literal(&out, "{\"tenant\":");
	json_string(&out, what.tenant);
	json_literal(&out, ",\"id\":");
	json_string(&out, what.id);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}
