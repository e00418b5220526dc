/*
 * openapi.c
 *	  qehs.openapi, qehs.openapi_yaml and qehs.postman.
 *
 * A finished text is kept in the backend under what it depends on: tenant,
 * scopes, roles and modules of the caller, and the base address; it is good as
 * long as the generations of module definitions and endpoints are those it was
 * built from (watch.h), which a publish in any backend ends.  The least recently
 * used text goes first.  While one is built all of its parts live in a context
 * that is deleted afterwards.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/watch.h"
#include "caller/auth.h"
#include "fmgr.h"
#include "openapi/document.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(qehs_openapi);
PG_FUNCTION_INFO_V1(qehs_openapi_yaml);
PG_FUNCTION_INFO_V1(qehs_postman);

#define MAX_TEXTS 16
#define MAX_KEPT_BYTES (4 * 1024 * 1024)
#define ETAG_BYTES 16

typedef enum TextKind
{
	TEXT_OPENAPI, TEXT_YAML, TEXT_POSTMAN
} TextKind;

typedef struct KeptText
{
	char	   *key;			/* NULL: free */
	struct varlena *text;
	uint64		modules;		/* generations */
	uint64		endpoints;
	uint64		used;
	char		etag[2 * ETAG_BYTES + 3];
} KeptText;

static KeptText texts[MAX_TEXTS];
static uint64 clock_hand = 0;
static MemoryContext memory = NULL;

/* Everything that the text depends on but the tables. */
static char *
text_key(TextKind kind, const RequestContext *context, const char *base_url)
{
	StringInfoData key;

	initStringInfo(&key);
	appendStringInfo(&key, "%d\n%s\n", kind, base_url ? base_url : "");
	if (context == NULL)
		return key.data;
	appendStringInfo(&key, "%d\n%u\n", context->tenant_id, context->scopes);
	for (int i = 0; i < context->role_count; i++)
		appendStringInfo(&key, "r%s\n", context->roles[i]);
	for (int i = 0; i < context->module_count; i++)
		appendStringInfo(&key, "m%s\n", context->modules[i]);
	appendStringInfo(&key, "%d", context->module_count);
	return key.data;
}

static void
forget(KeptText *text)
{
	char	   *key = text->key;

	text->key = NULL;
	if (key == NULL)
		return;
	pfree(key);
	pfree(text->text);
}

static KeptText *
find_text(const char *key)
{
	for (int i = 0; i < MAX_TEXTS; i++)
	{
		KeptText   *text = &texts[i];

		if (text->key == NULL || strcmp(text->key, key) != 0)
			continue;
		if (text->modules == watch_generation(WATCH_MODULE) && text->endpoints == watch_generation(WATCH_ENDPOINT))
		{
			text->used = ++clock_hand;
			return text;
		}
		forget(text);
	}
	return NULL;
}

static void
set_etag(KeptText *text)
{
	uint8		digest[32];

	auth_sha256(VARDATA(text->text), VARSIZE(text->text) - VARHDRSZ, digest);
	text->etag[0] = '"';
	for (int i = 0; i < ETAG_BYTES; i++)
		snprintf(text->etag + 1 + 2 * i, 3, "%02x", digest[i]);
	text->etag[1 + 2 * ETAG_BYTES] = '"';
	text->etag[2 + 2 * ETAG_BYTES] = '\0';
}

/* Put a text aside under its key; one that is too large is not kept. */
static KeptText *
keep_text(const char *key, StringInfo body, uint64 modules, uint64 endpoints)
{
	static KeptText unkept;
	KeptText   *place = &texts[0];

	SET_VARSIZE(body->data, body->len);
	unkept.text = (struct varlena *) body->data;
	set_etag(&unkept);
	if (body->len > MAX_KEPT_BYTES)
		return &unkept;
	for (int i = 1; i < MAX_TEXTS && place->key; i++)
		if (texts[i].key == NULL || texts[i].used < place->used)
			place = &texts[i];
	forget(place);
	if (memory == NULL)
		memory = AllocSetContextCreate(TopMemoryContext, "qehs documents", ALLOCSET_DEFAULT_SIZES);
	place->text = MemoryContextAlloc(memory, body->len);
	memcpy(place->text, body->data, body->len);
	memcpy(place->etag, unkept.etag, sizeof(place->etag));
	place->modules = modules;
	place->endpoints = endpoints;
	place->used = ++clock_hand;
	place->key = MemoryContextStrdup(memory, key);
	return place;
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

/* The answer: a copy, as the kept text may go while the answer is sent. */
static Datum
answer(TextKind kind, FunctionCallInfo fcinfo)
{
	RequestContext *context = context_find();
	char	   *base_url = PG_ARGISNULL(0) || VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0 ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	const RequestContext *caller = context && context->tenant_id != 0 ? context : NULL;
	char	   *key = text_key(kind, caller, base_url);
	KeptText   *text = find_text(key);
	struct varlena *copy;

	if (text == NULL)
	{
		/* read before the tables are: what changes meanwhile makes the text stale at once */
		uint64		modules = watch_generation(WATCH_MODULE);
		uint64		endpoints = watch_generation(WATCH_ENDPOINT);
		StringInfoData body;

		json_begin(&body);
		write_text(&body, kind, caller, base_url);
		text = keep_text(key, &body, modules, endpoints);
	}
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
