/*
 * scim.c
 *	  qehs.scim_…: SCIM 2.0 (RFC 7643, RFC 7644) over users, groups and the
 *	  resource types that a DBA registers.
 *
 * Users and groups have functions of their own, so that each endpoint stands in the
 * documents; scim_resource_… takes the endpoint's name as its last argument.
 */
#include "base/compat.h"

#include "base/argument.h"
#include "base/id.h"
#include "base/json.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "scim/apply.h"
#include "scim/bulk.h"
#include "scim/discovery.h"
#include "scim/search.h"
#include "scim/write.h"
#include "utils/builtins.h"

/*
 * The first argument of all functions is a request, an id, a name or a filter, which is refused; the second
 * of those that are not of one resource is the base URL.
 */
enum
{
	ARGUMENT_REQUEST, ARGUMENT_BASE_URL, ARGUMENT_RESOURCE_TYPE, ARGUMENT_ID = 0, ARGUMENT_NAME = 0, ARGUMENT_FILTER = 0
};

/* What all functions about resources begin with. */
typedef struct Entry
{
	RequestContext *context;
	ScimCall	call;
	ScimWriter	writer;
	bool		chosen;			/* attributes or excludedAttributes was given */
	StringInfoData out;
} Entry;

static const char *
text_or_empty(FunctionCallInfo fcinfo, int number)
{
	const char *text = argument_text(fcinfo, number);

	return text ? text : "";
}

/* endpoint NULL: the name is the argument behind base_url.  Leaves SPI connected, with out outside of it. */
static void
begin(Entry *entry, FunctionCallInfo fcinfo, const char *endpoint, int attributes, int base_url)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_USERS);
	const ScimResourceType *type = schema_type(endpoint ? endpoint : text_or_empty(fcinfo, base_url + 1));

	if (type == NULL)
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is nothing at this path");
	memset(entry, 0, sizeof(*entry));
	entry->context = context;
	entry->call = (ScimCall) {.type = type,.context = context,.base_url = text_or_empty(fcinfo, base_url)};
	entry->writer = (ScimWriter) {.type = type,.context = context,.base_url = entry->call.base_url};
	if (attributes >= 0)
	{
		entry->writer.selection = write_selection(type, argument_text(fcinfo, attributes), argument_text(fcinfo, attributes + 1));
		entry->chosen = *text_or_empty(fcinfo, attributes) || *text_or_empty(fcinfo, attributes + 1);
	}
	json_begin(&entry->out);
	SPI_connect();
}

/* The id argument of other functions than create. */
static const char *
id_argument(FunctionCallInfo fcinfo)
{
	return text_or_empty(fcinfo, ARGUMENT_ID);
}

static ScimValue *
body_argument(FunctionCallInfo fcinfo, int number)
{
	ScimValue  *body;

	if (PG_ARGISNULL(number))
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the request has no body");
	body = tree_of_jsonb(PG_GETARG_JSONB_P(number));
	if (body->kind != SCIM_VALUE_OBJECT)
		problem_raise(PROBLEM_INVALID_SYNTAX, NULL, "the body is a JSON object");
	return body;
}

static Datum
answer(Entry *entry, const ScimResource *resource)
{
	context_header(entry->context, "ETag", "W/\"%d\"", resource->version);
	write_resource(&entry->out, &entry->writer, resource);
	SPI_finish();
	return context_answer(&entry->out);
}

/* Read again with the groups of a user, which the change did not need. */
static const ScimResource *
with_groups(Entry *entry, ScimResource *resource)
{
	const char *id = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&resource->id)));
	ScimResource *full;

	if (entry->call.type->storage != SCIM_IN_USERS || !write_shows(&entry->writer, "groups"))
		return resource;
	full = store_find(entry->call.type, entry->context, id, false, true);
	return full ? full : resource;
}

/* ---- resources ---- */

/* create(resource, attributes, excluded_attributes, base_url) */
static Datum
create(FunctionCallInfo fcinfo, const char *endpoint)
{
	Entry		entry;
	ScimResource *resource;
	pg_uuid_t	id;

	begin(&entry, fcinfo, endpoint, 1, 3);
	id_generate(&id);
	resource = apply_create(&entry.call, body_argument(fcinfo, ARGUMENT_REQUEST), &id);
	context_header(entry.context, "Location", "%s", write_location(entry.call.type, entry.call.base_url, &resource->id));
	return answer(&entry, resource);
}

/* get(id, attributes, excluded_attributes, base_url) */
static Datum
get(FunctionCallInfo fcinfo, const char *endpoint)
{
	Entry		entry;
	ScimResource *resource;

	begin(&entry, fcinfo, endpoint, 1, 3);
	resource = store_find(entry.call.type, entry.context, id_argument(fcinfo), false, write_shows(&entry.writer, "groups"));
	if (resource == NULL)
		apply_not_found(entry.call.type, id_argument(fcinfo));
	return answer(&entry, resource);
}

/* The arguments of a list. */
enum
{
	LIST_FILTER, LIST_SORT_BY, LIST_SORT_ORDER, LIST_START_INDEX, LIST_COUNT, LIST_CURSOR, LIST_ATTRIBUTES, LIST_EXCLUDED_ATTRIBUTES,
	LIST_BASE_URL
};

static Datum
list(FunctionCallInfo fcinfo, const char *endpoint)
{
	Entry		entry;
	ScimSearch	search = {
		.filter = argument_text(fcinfo, LIST_FILTER),
		.sort_by = argument_text(fcinfo, LIST_SORT_BY),
		.sort_order = argument_text(fcinfo, LIST_SORT_ORDER),
		.has_start = !PG_ARGISNULL(LIST_START_INDEX),
		.start = PG_ARGISNULL(LIST_START_INDEX) ? 0 : PG_GETARG_INT32(LIST_START_INDEX),
		.has_count = !PG_ARGISNULL(LIST_COUNT),
		.count = PG_ARGISNULL(LIST_COUNT) ? 0 : PG_GETARG_INT32(LIST_COUNT),
		.cursor = argument_text(fcinfo, LIST_CURSOR),
		.attributes = argument_text(fcinfo, LIST_ATTRIBUTES),
		.excluded = argument_text(fcinfo, LIST_EXCLUDED_ATTRIBUTES),
	};

	begin(&entry, fcinfo, endpoint, -1, LIST_BASE_URL);
	search.type = entry.call.type;
	search_write(&entry.out, entry.context, entry.call.base_url, &search);
	SPI_finish();
	return context_answer(&entry.out);
}

/* search(request, base_url) */
static Datum
search(FunctionCallInfo fcinfo, const char *endpoint)
{
	Entry		entry;
	ScimSearch	request = {0};

	begin(&entry, fcinfo, endpoint, -1, ARGUMENT_BASE_URL);
	request.type = entry.call.type;
	search_read(body_argument(fcinfo, ARGUMENT_REQUEST), &request);
	search_write(&entry.out, entry.context, entry.call.base_url, &request);
	SPI_finish();
	return context_answer(&entry.out);
}

/* replace(id, resource, if_match, attributes, excluded_attributes, base_url); body is the number of resource */
static Datum
replace(FunctionCallInfo fcinfo, const char *endpoint, const char *id, int body)
{
	Entry		entry;

	begin(&entry, fcinfo, endpoint, body + 2, body + 4);
	entry.call.if_match = argument_text(fcinfo, body + 1);
	return answer(&entry, with_groups(&entry, apply_replace(&entry.call, id, body_argument(fcinfo, body))));
}

/* update(id, operations, if_match, attributes, excluded_attributes, base_url): 204 unless attributes are asked for */
static Datum
update(FunctionCallInfo fcinfo, const char *endpoint, const char *id, int body)
{
	Entry		entry;
	ScimResource *resource;

	begin(&entry, fcinfo, endpoint, body + 2, body + 4);
	entry.call.if_match = argument_text(fcinfo, body + 1);
	resource = apply_patch(&entry.call, id, body_argument(fcinfo, body));
	if (entry.chosen)
	{
		context_status(entry.context, 200);
		return answer(&entry, with_groups(&entry, resource));
	}
	context_header(entry.context, "ETag", "W/\"%d\"", resource->version);
	SPI_finish();
	json_literal(&entry.out, "null");
	return context_answer(&entry.out);
}

/* delete(id, if_match, base_url) */
static Datum
delete(FunctionCallInfo fcinfo, const char *endpoint, const char *id, int if_match)
{
	Entry		entry;

	begin(&entry, fcinfo, endpoint, -1, if_match + 1);
	entry.call.if_match = argument_text(fcinfo, if_match);
	apply_delete(&entry.call, id);
	SPI_finish();
	json_literal(&entry.out, "null");
	return context_answer(&entry.out);
}

/* ---- Me (RFC 7644 section 3.11) ---- */

/* The id of the user that the caller is. */
static const char *
own_id(void)
{
	RequestContext *context = context_require();

	if (context->tenant_id != 0 && context->actor_type != ACTOR_USER)
		problem_raise(PROBLEM_NOT_FOUND, "Use a key that acts as a user.", "the caller is no user");
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&context->actor_id)));
}

PG_FUNCTION_INFO_V1(qehs_scim_me_get);
PG_FUNCTION_INFO_V1(qehs_scim_me_replace);
PG_FUNCTION_INFO_V1(qehs_scim_me_update);
PG_FUNCTION_INFO_V1(qehs_scim_me_delete);

/* scim_me_get(attributes, excluded_attributes, base_url) */
Datum
qehs_scim_me_get(PG_FUNCTION_ARGS)
{
	const char *id = own_id();
	Entry		entry;
	ScimResource *resource;

	begin(&entry, fcinfo, "Users", 0, 2);
	resource = store_find(entry.call.type, entry.context, id, false, write_shows(&entry.writer, "groups"));
	if (resource == NULL)
		apply_not_found(entry.call.type, id);
	PG_RETURN_DATUM(answer(&entry, resource));
}

/* scim_me_replace(resource, if_match, attributes, excluded_attributes, base_url) */
Datum
qehs_scim_me_replace(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(replace(fcinfo, "Users", own_id(), 0));
}

/* scim_me_update(operations, if_match, attributes, excluded_attributes, base_url) */
Datum
qehs_scim_me_update(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(update(fcinfo, "Users", own_id(), 0));
}

/* scim_me_delete(if_match, base_url) */
Datum
qehs_scim_me_delete(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(delete(fcinfo, "Users", own_id(), 0));
}

/* ---- the functions of each endpoint ---- */

#define SCIM_FUNCTIONS(noun, endpoint) \
	PG_FUNCTION_INFO_V1(qehs_scim_##noun##_create); \
	PG_FUNCTION_INFO_V1(qehs_scim_##noun##_get); \
	PG_FUNCTION_INFO_V1(qehs_scim_##noun##_list); \
	PG_FUNCTION_INFO_V1(qehs_scim_##noun##_search); \
	PG_FUNCTION_INFO_V1(qehs_scim_##noun##_replace); \
	PG_FUNCTION_INFO_V1(qehs_scim_##noun##_update); \
	PG_FUNCTION_INFO_V1(qehs_scim_##noun##_delete); \
	Datum qehs_scim_##noun##_create(PG_FUNCTION_ARGS) { PG_RETURN_DATUM(create(fcinfo, endpoint)); } \
	Datum qehs_scim_##noun##_get(PG_FUNCTION_ARGS) { PG_RETURN_DATUM(get(fcinfo, endpoint)); } \
	Datum qehs_scim_##noun##_list(PG_FUNCTION_ARGS) { PG_RETURN_DATUM(list(fcinfo, endpoint)); } \
	Datum qehs_scim_##noun##_search(PG_FUNCTION_ARGS) { PG_RETURN_DATUM(search(fcinfo, endpoint)); } \
	Datum qehs_scim_##noun##_replace(PG_FUNCTION_ARGS) { PG_RETURN_DATUM(replace(fcinfo, endpoint, id_argument(fcinfo), 1)); } \
	Datum qehs_scim_##noun##_update(PG_FUNCTION_ARGS) { PG_RETURN_DATUM(update(fcinfo, endpoint, id_argument(fcinfo), 1)); } \
	Datum qehs_scim_##noun##_delete(PG_FUNCTION_ARGS) { PG_RETURN_DATUM(delete(fcinfo, endpoint, id_argument(fcinfo), 1)); } \
	extern int	qehs_no_such_variable

SCIM_FUNCTIONS(user, "Users");
SCIM_FUNCTIONS(group, "Groups");
SCIM_FUNCTIONS(resource, NULL);

/* ---- all types ---- */

PG_FUNCTION_INFO_V1(qehs_scim_tenant);
PG_FUNCTION_INFO_V1(qehs_scim_search);
PG_FUNCTION_INFO_V1(qehs_scim_bulk);
PG_FUNCTION_INFO_V1(qehs_scim_service_provider_config);
PG_FUNCTION_INFO_V1(qehs_scim_resource_type_list);
PG_FUNCTION_INFO_V1(qehs_scim_resource_type_get);
PG_FUNCTION_INFO_V1(qehs_scim_schema_list);
PG_FUNCTION_INFO_V1(qehs_scim_schema_get);

/* scim_tenant() */
Datum
qehs_scim_tenant(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(context_require_scope(SCOPE_ADMIN_USERS)->tenant_id);
}

/* scim_search(request, base_url, resource_type) */
Datum
qehs_scim_search(PG_FUNCTION_ARGS)
{
	RequestContext *context;
	ScimSearch	request = {0};
	StringInfoData out;

	if (!PG_ARGISNULL(ARGUMENT_RESOURCE_TYPE))
		return search(fcinfo, NULL);
	context = context_require_scope(SCOPE_ADMIN_USERS);
	schema_catalogue();
	search_read(body_argument(fcinfo, ARGUMENT_REQUEST), &request);
	json_begin(&out);
	SPI_connect();
	search_write(&out, context, text_or_empty(fcinfo, ARGUMENT_BASE_URL), &request);
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* scim_bulk(request, base_url) */
Datum
qehs_scim_bulk(PG_FUNCTION_ARGS)
{
	RequestContext *context = context_require_scope(SCOPE_ADMIN_USERS);
	StringInfoData out;

	json_begin(&out);
	SPI_connect();
	scim_bulk_run(&out, context, text_or_empty(fcinfo, ARGUMENT_BASE_URL), body_argument(fcinfo, ARGUMENT_REQUEST));
	SPI_finish();
	PG_RETURN_DATUM(context_answer(&out));
}

/* RFC 7644 section 4: a filter on discovery is forbidden. */
static void
refuse_filter(FunctionCallInfo fcinfo, int number)
{
	context_require();
	if (!PG_ARGISNULL(number))
		problem_raise(PROBLEM_FORBIDDEN, NULL, "what the server tells of itself cannot be filtered");
}

/* scim_service_provider_config(filter, base_url) */
Datum
qehs_scim_service_provider_config(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	refuse_filter(fcinfo, ARGUMENT_FILTER);
	json_begin(&out);
	discovery_write_config(&out, text_or_empty(fcinfo, ARGUMENT_BASE_URL));
	PG_RETURN_DATUM(context_answer(&out));
}

/* scim_resource_type_list(filter, base_url) */
Datum
qehs_scim_resource_type_list(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	refuse_filter(fcinfo, ARGUMENT_FILTER);
	json_begin(&out);
	discovery_write_types(&out, text_or_empty(fcinfo, ARGUMENT_BASE_URL), NULL);
	PG_RETURN_DATUM(context_answer(&out));
}

/* scim_resource_type_get(name, base_url) */
Datum
qehs_scim_resource_type_get(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	context_require();
	json_begin(&out);
	if (!discovery_write_types(&out, text_or_empty(fcinfo, ARGUMENT_BASE_URL), text_or_empty(fcinfo, ARGUMENT_NAME)))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no resource type with this name");
	PG_RETURN_DATUM(context_answer(&out));
}

/* scim_schema_list(filter, base_url) */
Datum
qehs_scim_schema_list(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	refuse_filter(fcinfo, ARGUMENT_FILTER);
	json_begin(&out);
	discovery_write_schemas(&out, text_or_empty(fcinfo, ARGUMENT_BASE_URL), NULL);
	PG_RETURN_DATUM(context_answer(&out));
}

/* scim_schema_get(urn, base_url) */
Datum
qehs_scim_schema_get(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	context_require();
	json_begin(&out);
	if (!discovery_write_schemas(&out, text_or_empty(fcinfo, ARGUMENT_BASE_URL), text_or_empty(fcinfo, ARGUMENT_NAME)))
		problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no schema with this URN");
	PG_RETURN_DATUM(context_answer(&out));
}
