/*
 * attachment_create.c
 *	  qehs.attachment_create: announces a file, and gives the URL to send it to.
 */
#include "base/compat.h"

#include "attachment/attachment.h"
#include "attachment/quota.h"
#include "attachment/signed_url.h"
#include "base/argument.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/plan.h"
#include "base/text.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "record/attached.h"
#include "utils/builtins.h"

/* The arguments of qehs.attachment_create. */
enum
{
	ARGUMENT_RECORD_ID, ARGUMENT_FILENAME, ARGUMENT_CONTENT_TYPE, ARGUMENT_SIZE_BYTES, ARGUMENT_SHA256, ARGUMENT_FIELD, ARGUMENT_STORAGE
};

PG_FUNCTION_INFO_V1(qehs_attachment_create);

#define MOST_FILENAME 255

static KeptPlan insert_attachment = {
	"INSERT INTO qehs.attachment (tenant_id, id, record_id, field, field_version, filename, content_type, announced_size, announced_sha256, created_at,"
	" created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, pg_catalog.decode($9, 'hex'), $10, $11)",
	11, {INT4OID, UUIDOID, UUIDOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID, UUIDOID}, NULL
};

/* What the caller announces. */
typedef struct Announced
{
	char	   *filename;
	char	   *content_type;
	int64		size;			/* -1: not said */
	char	   *sha256;			/* or NULL */
	char	   *field;			/* or NULL */
} Announced;

static void
check_filename(const char *name, ViolationList *faults)
{
	int			length = name ? pg_mbstrlen(name) : 0;

	if (name == NULL)
		violation_add(faults, "/filename", "required", "is required");
	else if (length < 1 || length > MOST_FILENAME || text_blank_length(name, strlen(name)) == (int) strlen(name))
		violation_add(faults, "/filename", "length", "must be 1 to %d characters that show something", MOST_FILENAME);
	else if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strpbrk(name, "/\\"))
		violation_add(faults, "/filename", "pattern", "must be the name of a file without a folder");
	for (const unsigned char *c = (const unsigned char *) name; c && *c; c++)
		if (*c < 0x20 || *c == 0x7F)
		{
			violation_add_first(faults, "/filename", "pattern", "must have no control characters");
			return;
		}
}

static void
check_announced(Announced *announced, ViolationList *faults)
{
	check_filename(announced->filename, faults);
	if (announced->content_type == NULL)
		violation_add(faults, "/contentType", "required", "is required");
	else if (!media_is_type(announced->content_type))
		violation_add(faults, "/contentType", "format", "must be a media type such as image/jpeg");
	if (announced->size < -1)
		violation_add(faults, "/sizeBytes", "minimum", "must be at least 0");
	if (announced->sha256)
	{
		for (char *c = announced->sha256; *c; c++)
			*c = (char) pg_ascii_tolower((unsigned char) *c);
		if (!signed_url_is_sha256(announced->sha256))
			violation_add(faults, "/sha256", "format", "must be the SHA-256 of the file in 64 hexadecimal digits");
	}
}

/* The record that it is for, which the caller may change; sets its definition. */
static void
open_record(const RequestContext *context, const char *wire, const char *field, Record *record, const ModuleDef **module)
{
	pg_uuid_t	id;
	PermissionSubject subject;

	record_parse_id(wire, &id);
	record_fetch(context, &id, RECORD_FOR_UPDATE, false, record);
	*module = record_module(context, record);
	record_require(context, *module, ACTION_READ, record);
	record_require(context, *module, ACTION_UPDATE, record);
	subject = record_subject(record);
	if (field && !permission_writes_key(context, *module, &subject, (*module)->version, field, strcspn(field, ".")))
		problem_raise_at(PROBLEM_FORBIDDEN, "/field", QEHS_FORBIDDEN, "may not be written by the caller");
	record_require_unlocked(context, *module, record, field);
}

/* The field must be one of the record's definition that takes such a file. */
static void
check_field(const ModuleDef *module, const Announced *announced, ViolationList *faults)
{
	const ModuleField *field = attached_field(module, announced->field);

	if (field == NULL)
		violation_add(faults, "/field", "not_found", "must be a field of type file, image or signature");
	else
		attached_check_media(field, announced->content_type, announced->size, "/contentType", "/sizeBytes", faults);
}

static Datum
optional_text(const char *text, char *null)
{
	*null = text ? ' ' : 'n';
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

static void
insert_row(const RequestContext *context, const Announced *announced, const Record *record, const ModuleDef *module, Attachment *attachment)
{
	char		nulls[] = "           ";
	Datum		values[11] = {
		Int32GetDatum(context->tenant_id), UUIDPGetDatum(&attachment->id), UUIDPGetDatum(&record->id), optional_text(announced->field, &nulls[3]),
		Int32GetDatum(module ? module->version : 0), CStringGetTextDatum(announced->filename), CStringGetTextDatum(announced->content_type),
		Int64GetDatum(announced->size), optional_text(announced->sha256, &nulls[8]), TimestampTzGetDatum(attachment->created_at),
		UUIDPGetDatum(&context->actor_id)
	};

	nulls[2] = module ? ' ' : 'n';
	nulls[4] = announced->field ? ' ' : 'n';
	nulls[7] = announced->size < 0 ? 'n' : ' ';
	plan_execute(&insert_attachment, values, nulls, false, 0);
}

static Datum
answer(RequestContext *context, const Jsonb *storage, const Attachment *attachment)
{
	char		id[QEHS_ID_LENGTH + 1];
	StringInfoData out;
	TimestampTz expires_at;
	SignedUrl	what = {
		.method = "PUT",.tenant = context->tenant_slug,.id = id,.content_type = attachment->content_type,.size = attachment->size,
		.sha256 = attachment->sha256,.seconds = SIGNED_URL_PUT_SECONDS,
	};

	id_format(&attachment->id, QEHS_ID_ATTACHMENT, id);
	json_begin(&out);
	json_literal(&out, "{\"id\":");
	json_string(&out, id);
	json_literal(&out, ",\"uploadUrl\":");
	json_string(&out, signed_url_make(storage, &what, &expires_at));
	json_literal(&out, ",\"method\":\"PUT\",\"headers\":");
	signed_url_write_headers(&out, storage, &what);
	json_literal(&out, ",\"expiresAt\":");
	json_time(&out, expires_at);
	appendStringInfoChar(&out, '}');
	context_header(context, "Location", "/api/v1/attachments/%s", id);
	return context_answer(&out);
}

/* attachment_create(record_id, filename, content_type, size_bytes, sha256, field, storage) */
Datum
qehs_attachment_create(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ATTACHMENTS_WRITE);
	const char *record_id = argument_text(fcinfo, ARGUMENT_RECORD_ID);
	Announced	announced = {
		.filename = argument_text(fcinfo, ARGUMENT_FILENAME),
		.content_type = argument_text(fcinfo, ARGUMENT_CONTENT_TYPE),
		.size = PG_ARGISNULL(ARGUMENT_SIZE_BYTES) ? -1 : PG_GETARG_INT64(ARGUMENT_SIZE_BYTES),
		.sha256 = argument_text(fcinfo, ARGUMENT_SHA256),
		.field = argument_text(fcinfo, ARGUMENT_FIELD),
	};
	const Jsonb *storage = PG_ARGISNULL(ARGUMENT_STORAGE) ? NULL : PG_GETARG_JSONB_P(ARGUMENT_STORAGE);
	Attachment	attachment = {.status = "pending",.created_at = clock_transaction(),.created_by = context->actor_id};
	ViolationList faults = {0};
	const ModuleDef *module = NULL;
	Record		record = {0};

	signed_url_require_store(storage);
	if (!PG_ARGISNULL(ARGUMENT_SIZE_BYTES) && announced.size < 0)
		announced.size = -2;
	check_announced(&announced, &faults);
	if (announced.field && record_id == NULL)
		violation_add(&faults, "/field", "required", "needs recordId: a field is one of a record");
	violation_raise(&faults);
	SPI_connect();
	if (record_id)
		open_record(context, record_id, announced.field, &record, &module);
	if (announced.field)
		check_field(module, &announced, &faults);
	violation_raise(&faults);
	quota_require(context->tenant_id, announced.size);
	id_generate(&attachment.id);
	attachment.filename = announced.filename;
	attachment.content_type = announced.content_type;
	attachment.size = announced.size;
	attachment.sha256 = announced.sha256;
	attachment.field = announced.field;
	insert_row(context, &announced, &record, module, &attachment);
	if (module)
		attachment_note(context, module, &record, AUDIT_ATTACH, &attachment);
	SPI_finish();
	PG_RETURN_DATUM(answer(context, storage, &attachment));
}
