/*
 * metaschema.c
 *	  The metaschemas of draft 2020-12 (json-schema.org/draft/2020-12), so that a
 *	  schema can be checked, and name them, without fetching anything.
 */
#include "base/compat.h"

#include "schema/resource.h"

#define DRAFT "https://json-schema.org/draft/2020-12/"

static const char schema[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"schema\",\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/vocab/core\":true,\"https://json-schema.org/"
	"draft/2020-12/vocab/applicator\":true,\"https://json-schema.org/draft/2020-12/vocab/unevaluated\":true,\"https"
	"://json-schema.org/draft/2020-12/vocab/validation\":true,\"https://json-schema.org/draft/2020-12/vocab/meta-da"
	"ta\":true,\"https://json-schema.org/draft/2020-12/vocab/format-annotation\":true,\"https://json-schema.org/dra"
	"ft/2020-12/vocab/content\":true},\"$dynamicAnchor\":\"meta\",\"title\":\"Core and Validation specifications me"
	"ta-schema\",\"allOf\":[{\"$ref\":\"meta/core\"},{\"$ref\":\"meta/applicator\"},{\"$ref\":\"meta/unevaluated\"}"
	",{\"$ref\":\"meta/validation\"},{\"$ref\":\"meta/meta-data\"},{\"$ref\":\"meta/format-annotation\"},{\"$ref\":"
	"\"meta/content\"}],\"type\":[\"object\",\"boolean\"],\"properties\":{\"definitions\":{\"deprecated\":true,\"ty"
	"pe\":\"object\",\"additionalProperties\":{\"$dynamicRef\":\"#meta\"},\"default\":{}},\"dependencies\":{\"depre"
	"cated\":true,\"type\":\"object\",\"additionalProperties\":{\"anyOf\":[{\"$dynamicRef\":\"#meta\"},{\"$ref\":\""
	"meta/validation#/$defs/stringArray\"}]},\"default\":{}},\"$recursiveAnchor\":{\"deprecated\":true,\"$ref\":\"m"
	"eta/core#/$defs/anchorString\"},\"$recursiveRef\":{\"deprecated\":true,\"$ref\":\"meta/core#/$defs/uriReferenc"
	"eString\"}}}";

static const char core[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"meta/core\",\"$dynamicAnchor\":\"meta\",\"title\":\"Core vocabulary meta-schema\",\"type\":[\"object\",\"boole"
	"an\"],\"properties\":{\"$id\":{\"$ref\":\"#/$defs/uriReferenceString\",\"pattern\":\"^[^#]*#?$\"},\"$schema\":"
	"{\"$ref\":\"#/$defs/uriString\"},\"$ref\":{\"$ref\":\"#/$defs/uriReferenceString\"},\"$anchor\":{\"$ref\":\"#/"
	"$defs/anchorString\"},\"$dynamicRef\":{\"$ref\":\"#/$defs/uriReferenceString\"},\"$dynamicAnchor\":{\"$ref\":\""
	"#/$defs/anchorString\"},\"$vocabulary\":{\"type\":\"object\",\"propertyNames\":{\"$ref\":\"#/$defs/uriString\""
	"},\"additionalProperties\":{\"type\":\"boolean\"}},\"$comment\":{\"type\":\"string\"},\"$defs\":{\"type\":\"ob"
	"ject\",\"additionalProperties\":{\"$dynamicRef\":\"#meta\"}}},\"$vocabulary\":{\"https://json-schema.org/draft"
	"/2020-12/vocab/core\":true},\"$defs\":{\"anchorString\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][-A-Za-z0"
	"-9._]*$\"},\"uriString\":{\"type\":\"string\",\"format\":\"uri\"},\"uriReferenceString\":{\"type\":\"string\","
	"\"format\":\"uri-reference\"}}}";

static const char applicator[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"meta/applicator\",\"$dynamicAnchor\":\"meta\",\"title\":\"Applicator vocabulary meta-schema\",\"type\":[\"obje"
	"ct\",\"boolean\"],\"properties\":{\"prefixItems\":{\"$ref\":\"#/$defs/schemaArray\"},\"items\":{\"$dynamicRef\""
	":\"#meta\"},\"contains\":{\"$dynamicRef\":\"#meta\"},\"additionalProperties\":{\"$dynamicRef\":\"#meta\"},\"pr"
	"operties\":{\"type\":\"object\",\"additionalProperties\":{\"$dynamicRef\":\"#meta\"},\"default\":{}},\"pattern"
	"Properties\":{\"type\":\"object\",\"additionalProperties\":{\"$dynamicRef\":\"#meta\"},\"propertyNames\":{\"fo"
	"rmat\":\"regex\"},\"default\":{}},\"dependentSchemas\":{\"type\":\"object\",\"additionalProperties\":{\"$dynam"
	"icRef\":\"#meta\"},\"default\":{}},\"propertyNames\":{\"$dynamicRef\":\"#meta\"},\"if\":{\"$dynamicRef\":\"#me"
	"ta\"},\"then\":{\"$dynamicRef\":\"#meta\"},\"else\":{\"$dynamicRef\":\"#meta\"},\"allOf\":{\"$ref\":\"#/$defs/"
	"schemaArray\"},\"anyOf\":{\"$ref\":\"#/$defs/schemaArray\"},\"oneOf\":{\"$ref\":\"#/$defs/schemaArray\"},\"not"
	"\":{\"$dynamicRef\":\"#meta\"}},\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/vocab/applicator\":tr"
	"ue},\"$defs\":{\"schemaArray\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$dynamicRef\":\"#meta\"}}}}";

static const char unevaluated[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"meta/unevaluated\",\"$dynamicAnchor\":\"meta\",\"title\":\"Unevaluated applicator vocabulary meta-schema\",\"t"
	"ype\":[\"object\",\"boolean\"],\"properties\":{\"unevaluatedItems\":{\"$dynamicRef\":\"#meta\"},\"unevaluatedP"
	"roperties\":{\"$dynamicRef\":\"#meta\"}},\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/vocab/uneval"
	"uated\":true}}";

static const char validation[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"meta/validation\",\"$dynamicAnchor\":\"meta\",\"title\":\"Validation vocabulary meta-schema\",\"type\":[\"obje"
	"ct\",\"boolean\"],\"properties\":{\"type\":{\"anyOf\":[{\"$ref\":\"#/$defs/simpleTypes\"},{\"type\":\"array\","
	"\"items\":{\"$ref\":\"#/$defs/simpleTypes\"},\"minItems\":1,\"uniqueItems\":true}]},\"const\":true,\"enum\":{\""
	"type\":\"array\",\"items\":true},\"multipleOf\":{\"type\":\"number\",\"exclusiveMinimum\":0},\"maximum\":{\"ty"
	"pe\":\"number\"},\"exclusiveMaximum\":{\"type\":\"number\"},\"minimum\":{\"type\":\"number\"},\"exclusiveMinim"
	"um\":{\"type\":\"number\"},\"maxLength\":{\"$ref\":\"#/$defs/nonNegativeInteger\"},\"minLength\":{\"$ref\":\"#"
	"/$defs/nonNegativeIntegerDefault0\"},\"pattern\":{\"type\":\"string\",\"format\":\"regex\"},\"maxItems\":{\"$r"
	"ef\":\"#/$defs/nonNegativeInteger\"},\"minItems\":{\"$ref\":\"#/$defs/nonNegativeIntegerDefault0\"},\"uniqueIt"
	"ems\":{\"type\":\"boolean\",\"default\":false},\"maxContains\":{\"$ref\":\"#/$defs/nonNegativeInteger\"},\"min"
	"Contains\":{\"$ref\":\"#/$defs/nonNegativeInteger\",\"default\":1},\"maxProperties\":{\"$ref\":\"#/$defs/nonNe"
	"gativeInteger\"},\"minProperties\":{\"$ref\":\"#/$defs/nonNegativeIntegerDefault0\"},\"required\":{\"$ref\":\""
	"#/$defs/stringArray\"},\"dependentRequired\":{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs"
	"/stringArray\"}}},\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/vocab/validation\":true},\"$defs\":"
	"{\"nonNegativeInteger\":{\"type\":\"integer\",\"minimum\":0},\"nonNegativeIntegerDefault0\":{\"$ref\":\"#/$def"
	"s/nonNegativeInteger\",\"default\":0},\"simpleTypes\":{\"enum\":[\"array\",\"boolean\",\"integer\",\"null\",\""
	"number\",\"object\",\"string\"]},\"stringArray\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueI"
	"tems\":true,\"default\":[]}}}";

static const char meta_data[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"meta/meta-data\",\"$dynamicAnchor\":\"meta\",\"title\":\"Meta-data vocabulary meta-schema\",\"type\":[\"object"
	"\",\"boolean\"],\"properties\":{\"title\":{\"type\":\"string\"},\"description\":{\"type\":\"string\"},\"defaul"
	"t\":true,\"deprecated\":{\"type\":\"boolean\",\"default\":false},\"readOnly\":{\"type\":\"boolean\",\"default\""
	":false},\"writeOnly\":{\"type\":\"boolean\",\"default\":false},\"examples\":{\"type\":\"array\",\"items\":true"
	"}},\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/vocab/meta-data\":true}}";

static const char format_annotation[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"meta/format-annotation\",\"$dynamicAnchor\":\"meta\",\"title\":\"Format vocabulary meta-schema for annotation "
	"results\",\"type\":[\"object\",\"boolean\"],\"properties\":{\"format\":{\"type\":\"string\"}},\"$vocabulary\":"
	"{\"https://json-schema.org/draft/2020-12/vocab/format-annotation\":true}}";

static const char format_assertion[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"meta/format-assertion\",\"$dynamicAnchor\":\"meta\",\"title\":\"Format vocabulary meta-schema for assertion re"
	"sults\",\"type\":[\"object\",\"boolean\"],\"properties\":{\"format\":{\"type\":\"string\"}},\"$vocabulary\":{\""
	"https://json-schema.org/draft/2020-12/vocab/format-assertion\":true}}";

static const char content[] =
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://json-schema.org/draft/2020-12/"
	"meta/content\",\"$dynamicAnchor\":\"meta\",\"title\":\"Content vocabulary meta-schema\",\"type\":[\"object\",\""
	"boolean\"],\"properties\":{\"contentEncoding\":{\"type\":\"string\"},\"contentMediaType\":{\"type\":\"string\""
	"},\"contentSchema\":{\"$dynamicRef\":\"#meta\"}},\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/voca"
	"b/content\":true}}";

const char *
metaschema_text(const char *uri)
{
	static const struct
	{
		const char *uri;
		const char *text;
	}			known[] = {
		{DRAFT "schema", schema},
		{DRAFT "meta/core", core},
		{DRAFT "meta/applicator", applicator},
		{DRAFT "meta/unevaluated", unevaluated},
		{DRAFT "meta/validation", validation},
		{DRAFT "meta/meta-data", meta_data},
		{DRAFT "meta/format-annotation", format_annotation},
		{DRAFT "meta/format-assertion", format_assertion},
		{DRAFT "meta/content", content},
	};

	for (int i = 0; i < (int) lengthof(known); i++)
		if (strcmp(known[i].uri, uri) == 0)
			return known[i].text;
	return NULL;
}
