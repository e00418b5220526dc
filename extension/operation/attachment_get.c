/*
 * attachment_get.c
 *	  qehs.attachment_get: an attachment, with the URL to fetch it from.
 */
#include "base/compat.h"

#include "attachment/attachment.h"
#include "attachment/signed_url.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_attachment_get);

/* The object of S3 has been sent past us: note that somebody waits to hear of it. */
static KeptPlan note_wanted = {
	"UPDATE qehs.attachment SET wanted_at = $3 WHERE tenant_id = $1 AND id = $2 AND status = 'pending' AND wanted_at IS NULL",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, NULL
};

static char *
download_url(const RequestContext *context, const Jsonb *storage, const Attachment *attachment, TimestampTz *expires_at)
{
	char		id[QEHS_ID_LENGTH + 1];
	SignedUrl	what = {
		.method = "GET",.tenant = context->tenant_slug,.id = id,.content_type = attachment->content_type,.filename = attachment->filename,
		.size = -1,.seconds = SIGNED_URL_GET_SECONDS,
	};

	id_format(&attachment->id, QEHS_ID_ATTACHMENT, id);
	return signed_url_make(storage, &what, expires_at);
}

static void
write_answer(StringInfo out, const Attachment *attachment, const char *url, TimestampTz expires_at)
{
	appendStringInfoChar(out, '{');
	attachment_write(out, attachment);
	json_literal(out, ",\"recordId\":");
	if (attachment->bound)
		json_id(out, &attachment->record_id, QEHS_ID_RECORD);
	else
		json_literal(out, "null");
	json_literal(out, ",\"field\":");
	json_string(out, attachment->field);
	json_literal(out, ",\"downloadUrl\":");
	json_string(out, url);
	json_literal(out, ",\"expiresAt\":");
	if (url)
		json_time(out, expires_at);
	else
		json_literal(out, "null");
	appendStringInfoChar(out, '}');
}

/* The arguments of qehs.attachment_get. */
enum
{
	ARGUMENT_ID, ARGUMENT_REDIRECT, ARGUMENT_STORAGE
};

/* attachment_get(id, redirect, storage) */
Datum
qehs_attachment_get(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ATTACHMENTS_READ);
	bool		redirect = !PG_ARGISNULL(ARGUMENT_REDIRECT) && PG_GETARG_BOOL(ARGUMENT_REDIRECT);
	const Jsonb *storage = PG_ARGISNULL(ARGUMENT_STORAGE) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_STORAGE);
	Attachment	attachment;
	Record		record;
	const ModuleDef *module;
	TimestampTz expires_at = 0;
	char	   *url = NULL;
	StringInfoData out;

	signed_url_require_store(storage);
	json_begin(&out);
	SPI_connect();
	attachment_open(context, argument_text(fcinfo, ARGUMENT_ID), false, &attachment, &record, &module);
	if (attachment_is_ready(attachment.status, storage))
		url = download_url(context, storage, &attachment, &expires_at);
	else if (redirect)
		problem_raise(PROBLEM_CONFLICT, "Only a file that was uploaded, and scanned where the server scans files, is given out.",
					  "the attachment is %s", attachment.status);
	if (strcmp(attachment.status, "pending") == 0 && signed_url_is_s3(storage) && !XactReadOnly)
	{
		Datum		values[3] = {Int32GetDatum(context->tenant_id), UUIDPGetDatum(&attachment.id), TimestampTzGetDatum(clock_transaction())};

		plan_execute(&note_wanted, values, NULL, false, 0);
	}
	/* in its own memory, as SPI_finish frees url */
	write_answer(&out, &attachment, url, expires_at);
	if (redirect)
	{
		context_status(context, 302);
		context_header(context, "Location", "%s", url);
	}
	SPI_finish();
	context_header(context, "Cache-Control", "no-store");
	PG_RETURN_DATUM(context_answer(&out));
}
