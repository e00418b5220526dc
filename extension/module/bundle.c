/*
 * bundle.c
 *	  Registered schemas that the schemas of a definition refer to, put into the
 *	  schema of the payload.
 *
 * A published version is whole: it needs no look-up when records are checked,
 * and who reads it finds all that it refers to (JSON Schema core section 9.3:
 * compound schema documents).
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/bundle.h"
#include "schema/jsonschema.h"

typedef struct BundledDocument
{
	const char *uri;
	Jsonb	   *document;
} BundledDocument;

Jsonb *
bundle_find(void *bundle, const char *uri)
{
	SchemaBundle *into = bundle;
	MemoryContext caller;
	BundledDocument *found;
	ListCell   *cell;
	Jsonb	   *document;

	foreach(cell, into->documents)
	{
		found = lfirst(cell);
		if (strcmp(found->uri, uri) == 0)
			return found->document;
	}
	caller = MemoryContextSwitchTo(into->memory);
	document = jsonschema_find_registered(NULL, uri);
	if (document)
	{
		found = palloc(sizeof(BundledDocument));
		found->uri = pstrdup(uri);
		found->document = document;
		into->documents = lappend(into->documents, found);
	}
	MemoryContextSwitchTo(caller);
	return document;
}

/* A document as a resource of that URI: with it as "$id", or below one where it has another of its own. */
static Jsonb *
as_resource(const BundledDocument *document)
{
	JsonbParseState *state = NULL;
	JsonbValue	uri = {.type = jbvString, .val.string = {strlen(document->uri), unconstify(char *, document->uri)}};
	JsonbValue	value;

	if (JB_ROOT_IS_OBJECT(document->document) &&
		(!json_member(&document->document->root, "$id", 3, &value) || json_values_equal(&value, &uri)))
		return json_with_member(document->document, "$id", 3, &uri);
	JsonbToJsonbValue(document->document, &value);
	if (JB_ROOT_IS_SCALAR(document->document))
		JsonbExtractScalar(&document->document->root, &value);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	pushJsonbValue(&state, WJB_ELEM, &value);
	JsonbToJsonbValue(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), &value);
	state = NULL;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, &(JsonbValue) {.type = jbvString, .val.string = {3, "$id"}});
	pushJsonbValue(&state, WJB_VALUE, &uri);
	pushJsonbValue(&state, WJB_KEY, &(JsonbValue) {.type = jbvString, .val.string = {5, "allOf"}});
	pushJsonbValue(&state, WJB_VALUE, &value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

Jsonb *
bundle_into(const SchemaBundle *bundle, Jsonb *schema)
{
	JsonbParseState *state = NULL;
	JsonbValue	definitions;
	ListCell   *cell;

	if (bundle->documents == NIL)
		return schema;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, bundle->documents)
	{
		const BundledDocument *document = lfirst(cell);
		JsonbValue	key = {.type = jbvString, .val.string = {strlen(document->uri), unconstify(char *, document->uri)}};
		JsonbValue	value;

		JsonbToJsonbValue(as_resource(document), &value);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	JsonbToJsonbValue(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)), &definitions);
	return json_with_member(schema, "$defs", 5, &definitions);
}
