/*
 * discovery.c
 *	  ServiceProviderConfig, ResourceTypes and Schemas.
 */
#include "base/compat.h"

#include "scim/discovery.h"

#include "base/json.h"
#include "scim/search.h"

static void
write_meta(StringInfo out, const char *type, const char *location)
{
	json_literal(out, ",\"meta\":{\"resourceType\":");
	json_string(out, type);
	json_literal(out, ",\"location\":");
	json_string(out, location);
	json_literal(out, "}}");
}

void
discovery_write_config(StringInfo out, const char *base_url)
{
	json_literal(out, "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig\"],\"documentationUri\":");
	json_string(out, psprintf("%s/developers", base_url));
	appendStringInfo(out, ",\"patch\":{\"supported\":true},\"bulk\":{\"supported\":true,\"maxOperations\":%d,\"maxPayloadSize\":%d}",
					 SCIM_MAX_OPERATIONS, SCIM_MAX_PAYLOAD);
	appendStringInfo(out, ",\"filter\":{\"supported\":true,\"maxResults\":%d},\"changePassword\":{\"supported\":false}", SCIM_MAX_RESULTS);
	/* RFC 9865 section 4 */
	appendStringInfo(out, ",\"sort\":{\"supported\":true},\"etag\":{\"supported\":true},\"pagination\":{\"cursor\":true,\"index\":true,"
					 "\"defaultPaginationMethod\":\"index\",\"defaultPageSize\":%d,\"maxPageSize\":%d}", SCIM_DEFAULT_RESULTS, SCIM_MAX_RESULTS);
	json_literal(out, ",\"authenticationSchemes\":[{\"type\":\"oauthbearertoken\",\"name\":\"Bearer token\",\"description\":"
				 "\"An API key of kind scim in the header Authorization.\",\"specUri\":\"https://www.rfc-editor.org/info/rfc6750\",\"primary\":true}]");
	write_meta(out, "ServiceProviderConfig", psprintf("%s/api/scim/v2/ServiceProviderConfig", base_url));
}

static void
write_list_head(StringInfo out, int total)
{
	appendStringInfo(out, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"totalResults\":%d,\"itemsPerPage\":%d,"
					 "\"startIndex\":1,\"Resources\":[", total, total);
}

static void
write_type(StringInfo out, const char *base_url, const ScimResourceType *type)
{
	json_literal(out, "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ResourceType\"],\"id\":");
	json_string(out, type->name);
	json_literal(out, ",\"name\":");
	json_string(out, type->name);
	json_literal(out, ",\"endpoint\":");
	json_string(out, type->endpoint);
	json_literal(out, ",\"description\":");
	json_string(out, type->description);
	json_literal(out, ",\"schema\":");
	json_string(out, type->schema->urn);
	json_literal(out, ",\"schemaExtensions\":[");
	for (int i = 0; i < type->extension_count; i++)
	{
		appendStringInfoString(out, i > 0 ? ",{\"schema\":" : "{\"schema\":");
		json_string(out, type->extensions[i]->urn);
		json_literal(out, ",\"required\":false}");
	}
	appendStringInfoChar(out, ']');
	write_meta(out, "ResourceType", psprintf("%s/api/scim/v2/ResourceTypes/%s", base_url, type->name));
}

bool
discovery_write_types(StringInfo out, const char *base_url, const char *name)
{
	const ScimCatalogue *all = schema_catalogue();

	if (name == NULL)
		write_list_head(out, all->type_count);
	for (int i = 0; i < all->type_count; i++)
	{
		if (name && strcmp(name, all->types[i].name) != 0)
			continue;
		if (name == NULL && i > 0)
			appendStringInfoChar(out, ',');
		write_type(out, base_url, &all->types[i]);
		if (name)
			return true;
	}
	if (name)
		return false;
	json_literal(out, "]}");
	return true;
}

static void
write_names(StringInfo out, const char *member, const char **names, int count)
{
	if (count == 0)
		return;
	appendStringInfo(out, ",\"%s\":", member);
	json_strings(out, names, count);
}

static void
write_attributes(StringInfo out, const ScimAttribute *attributes, int count)
{
	for (int i = 0; i < count; i++)
	{
		const ScimAttribute *attribute = &attributes[i];

		appendStringInfoString(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		json_string(out, attribute->name);
		appendStringInfo(out, ",\"type\":\"%s\",\"multiValued\":%s,\"description\":", schema_type_name(attribute->type),
						 attribute->multi_valued ? "true" : "false");
		json_string(out, attribute->description);
		appendStringInfo(out, ",\"required\":%s,\"caseExact\":%s,\"mutability\":\"%s\",\"returned\":\"%s\",\"uniqueness\":",
						 attribute->required ? "true" : "false", attribute->case_exact ? "true" : "false",
						 schema_mutability_name(attribute->mutability), schema_returned_name(attribute->returned));
		json_string(out, attribute->uniqueness);
		write_names(out, "canonicalValues", attribute->canonical, attribute->canonical_count);
		write_names(out, "referenceTypes", attribute->references, attribute->reference_count);
		if (attribute->type == SCIM_COMPLEX)
		{
			json_literal(out, ",\"subAttributes\":[");
			write_attributes(out, attribute->subs, attribute->count);
			appendStringInfoChar(out, ']');
		}
		appendStringInfoChar(out, '}');
	}
}

static void
write_schema(StringInfo out, const char *base_url, const ScimSchema *schema)
{
	json_literal(out, "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Schema\"],\"id\":");
	json_string(out, schema->urn);
	json_literal(out, ",\"name\":");
	json_string(out, schema->name);
	json_literal(out, ",\"description\":");
	json_string(out, schema->description);
	json_literal(out, ",\"attributes\":[");
	write_attributes(out, schema->attributes, schema->count);
	appendStringInfoChar(out, ']');
	write_meta(out, "Schema", psprintf("%s/api/scim/v2/Schemas/%s", base_url, schema->urn));
}

bool
discovery_write_schemas(StringInfo out, const char *base_url, const char *urn)
{
	const ScimCatalogue *all = schema_catalogue();

	if (urn == NULL)
		write_list_head(out, all->schema_count);
	for (int i = 0; i < all->schema_count; i++)
	{
		if (urn && pg_strcasecmp(urn, all->schemas[i].urn) != 0)
			continue;
		if (urn == NULL && i > 0)
			appendStringInfoChar(out, ',');
		write_schema(out, base_url, &all->schemas[i]);
		if (urn)
			return true;
	}
	if (urn)
		return false;
	json_literal(out, "]}");
	return true;
}
