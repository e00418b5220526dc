/*
 * openapi.c
 *	  qehs.openapi, qehs.openapi_yaml and qehs.postman.
 *
 * A finished text is cached (base/cache.h) under what it depends on: tenant,
 * scopes, roles and modules of the caller, the base address and the generation of
 * the endpoints, until a module of the tenant is published in any backend.  While
 * one is built all of its parts live in a context that is deleted afterwards.
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/json.h"
#include "base/sha256.h"
#include "caller/auth.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "openapi/document.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(qehs_openapi);
PG_FUNCTION_INFO_V1(qehs_openapi_yaml);
PG_FUNCTION_INFO_V1(qehs_postman);

#define ETAG_BYTES 16

typedef enum TextKind
{
	TEXT_OPENAPI, TEXT_YAML, TEXT_POSTMAN
} TextKind;

typedef struct KeptText
{
	struct varlena *text;
	char		etag[2 * ETAG_BYTES + 3];
} KeptText;

static Cache texts = {"document", PG_SHA256_DIGEST_LENGTH, WATCH_MODULE, NULL};

/* Hash of everything that the text depends on but the definitions. */
static void
text_key(TextKind kind, const RequestContext *context, const char *base_url, uint8 hash[PG_SHA256_DIGEST_LENGTH])
{
	StringInfoData key;

	initStringInfo(&key);
	appendStringInfo(&key, "%d\n%s\n" UINT64_FORMAT "\n", kind, base_url ? base_url : "", watch_generation(WATCH_ENDPOINT, 0));
	if (context)
	{
		appendStringInfo(&key, "%d\n%u\n", context->tenant_id, context->scopes);
		for (int i = 0; i < context->role_count; i++)
			appendStringInfo(&key, "r%s\n", context->roles[i]);
		for (int i = 0; i < context->module_count; i++)
			appendStringInfo(&key, "m%s\n", context->modules[i]);
		appendStringInfo(&key, "%d", context->module_count);
	}
	sha256_bytes(key.data, key.len, hash);
}

static void
set_etag(KeptText *text)
{
	uint8		digest[32];

	sha256_bytes(VARDATA(text->text), VARSIZE(text->text) - VARHDRSZ, digest);
	text->etag[0] = '"';
	for (int i = 0; i < ETAG_BYTES; i++)
		snprintf(text->etag + 1 + 2 * i, 3, "%02x", digest[i]);
	text->etag[1 + 2 * ETAG_BYTES] = '"';
	text->etag[2 + 2 * ETAG_BYTES] = '\0';
}

static void
write_text(StringInfo out, TextKind kind, const RequestContext *context, const char *base_url)
{
	MemoryContext building = AllocSetContextCreate(CurrentMemoryContext, "qehs document being built", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(building);
	ApiDocument document;
	StringInfoData json;

	document_load(&document, context, base_url);
	if (kind == TEXT_POSTMAN)
		postman_write(out, &document);
	else if (kind == TEXT_OPENAPI)
		openapi_write(out, &document);
	else
	{
		initStringInfo(&json);
		openapi_write(&json, &document);
		yaml_write(out, json.data);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(building);
}

/* Build a text and keep it under its key. */
static KeptText *
make_text(TextKind kind, const RequestContext *caller, const char *base_url, const uint8 *key)
{
	CacheFill	fill = cache_begin();
	KeptText   *text = MemoryContextAlloc(fill.memory, sizeof(KeptText));
	StringInfoData body;

	json_begin(&body);
	write_text(&body, kind, caller, base_url);
	SET_VARSIZE(body.data, body.len);
	text->text = MemoryContextAlloc(fill.memory, body.len);
	memcpy(text->text, body.data, body.len);
	set_etag(text);
	cache_keep(&texts, &fill, key, caller ? caller->tenant_id : 0, text, 0);
	return text;
}

/* The answer: a copy, as the kept text may go before a session has used it. */
static Datum
answer(TextKind kind, FunctionCallInfo fcinfo)
{
	RequestContext *context = context_find();
	char	   *base_url = PG_ARGISNULL(0) || VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0 ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	const RequestContext *caller = context && context->tenant_id != 0 ? context : NULL;
	uint8		key[PG_SHA256_DIGEST_LENGTH];
	KeptText   *text;
	struct varlena *copy;

	text_key(kind, caller, base_url, key);
	text = cache_find(&texts, key);
	if (text == NULL)
		text = make_text(kind, caller, base_url, key);
	if (context)
	{
		context_header(context, "ETag", "%s", text->etag);
		context_header(context, "Cache-Control", "private, no-cache");
		context_header(context, "Vary", "Authorization");
		if (kind == TEXT_YAML)
			context_header(context, "Content-Type", "application/yaml");
	}
	copy = palloc(VARSIZE(text->text));
	memcpy(copy, text->text, VARSIZE(text->text));
	return PointerGetDatum(copy);
}

/* openapi(base_url) */
Datum
qehs_openapi(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer(TEXT_OPENAPI, fcinfo));
}

/* openapi_yaml(base_url) */
Datum
qehs_openapi_yaml(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer(TEXT_YAML, fcinfo));
}

/* postman(base_url) */
Datum
qehs_postman(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer(TEXT_POSTMAN, fcinfo));
}
