/*
 * static_types.c
 *	  The types that every tenant's schema has.
 *
 * Objects whose values are JSON have fields of the origin ORIGIN_MEMBER: the
 * member is the field's name, unless a row says another.
 */
#include "base/compat.h"

#include "graphql/build.h"

typedef struct StaticField
{
	const char *type;			/* of which it is a field; NULL: the one of the row before */
	const char *name;
	const char *result;
	const char *arguments;		/* or NULL */
	const char *description;
	const char *member;			/* or NULL: the name */
} StaticField;

static const struct
{
	const char *name;
	GraphqlScalar scalar;
	const char *description;
	const char *specified_by;
}			scalars[] = {
	{"Int", GRAPHQL_SCALAR_INT, "An integer of 32 bits.", NULL},
	{"Float", GRAPHQL_SCALAR_FLOAT, "A number of double precision.", NULL},
	{"String", GRAPHQL_SCALAR_STRING, "Text of Unicode characters.", NULL},
	{"Boolean", GRAPHQL_SCALAR_BOOLEAN, "true or false.", NULL},
	{"ID", GRAPHQL_SCALAR_ID, "An identifier; records have rec_ and 26 characters.", NULL},
	{"DateTime", GRAPHQL_SCALAR_CUSTOM, "A time of RFC 3339 with an offset, told in UTC.", "https://www.rfc-editor.org/rfc/rfc3339"},
	{"Date", GRAPHQL_SCALAR_CUSTOM, "A full-date of RFC 3339: 2026-04-16.", "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"},
	{"Decimal", GRAPHQL_SCALAR_CUSTOM, "A decimal number with all its digits, as text; a number is taken too.", NULL},
	{"BigInt", GRAPHQL_SCALAR_CUSTOM, "An integer of any size: a number from -9007199254740991 to 9007199254740991, text with all its digits beyond.", NULL},
	{"JSON", GRAPHQL_SCALAR_CUSTOM, "Any JSON value.", "https://www.rfc-editor.org/rfc/rfc8259"},
};

/* Types before those that name them. */
static const struct
{
	const char *name;
	const char *description;
}			objects[] = {
	{"User", "A person of the tenant."},
	{"Actor", "Who did something: a user, an API key, the system."},
	{"FieldChange", "What an event changed in one member of the payload."},
	{"ActivityItem", "An event of a record's life."},
	{"Attachment", "A file that belongs to a record."},
	{"RecordComment", "What somebody says of a record, in a thread."},
	{"AvailableTransition", "A transition that the caller may fire now."},
	{"Tenant", "A customer, whose data no other sees."},
	{"Caller", "Who asks, and what he may do."},
	{"Module", "A kind of records: its fields, workflow and permissions are its definition."},
	{"DateRange", "From a day to another."},
	{"GeoLocation", "A place on the earth, in degrees."},
	{"Money", "An amount in a currency of ISO 4217."},
	{"Quantity", "A measured value with its unit."},
	{"MatrixScore", "A risk by likelihood and severity."},
	{"SignatureMark", "Who signed, when, and in which meaning."},
	{"PageInfo", "Where a page stands among the others (Relay)."},
};

static const StaticField fields[] = {
	{"User", "id", "ID!", NULL, "The user's id.", NULL},
	{NULL, "userName", "String!", NULL, "The name to sign in with.", NULL},
	{NULL, "displayName", "String!", NULL, "The name to show.", NULL},
	{NULL, "email", "String", NULL, "The address, where there is one.", NULL},
	{NULL, "active", "Boolean!", NULL, "Whether the user may do anything.", NULL},
	{"Actor", "id", "ID", NULL, "Id of the user or API key.", NULL},
	{NULL, "type", "String!", NULL, "user, apiKey, serviceAccount, externalUser or system.", NULL},
	{NULL, "displayName", "String!", NULL, "The name to show.", NULL},
	{NULL, "email", "String", NULL, "Of a user with an address.", NULL},
	{"FieldChange", "path", "String!", NULL, "JSON Pointer into the record.", NULL},
	{NULL, "from", "JSON", NULL, "The value before.", NULL},
	{NULL, "to", "JSON", NULL, "The value after.", NULL},
	{"ActivityItem", "id", "ID!", NULL, "The event's id.", NULL},
	{NULL, "type", "String!", NULL, "created, updated, transitioned, commented and what else the audit trail has.", NULL},
	{NULL, "at", "DateTime!", NULL, "When it happened.", NULL},
	{NULL, "actor", "Actor", NULL, "Who did it.", NULL},
	{NULL, "changes", "[FieldChange!]!", NULL, "What it changed, as far as the caller may read it.", NULL},
	{NULL, "from", "String", NULL, "The state before.", NULL},
	{NULL, "to", "String", NULL, "The state after.", NULL},
	{NULL, "comment", "String", NULL, "What was said to it.", NULL},
	{"Attachment", "id", "ID!", NULL, "The attachment's id.", NULL},
	{NULL, "filename", "String!", NULL, "The name of the file.", NULL},
	{NULL, "contentType", "String!", NULL, "The media type.", NULL},
	{NULL, "sizeBytes", "Float", NULL, "Bytes.", NULL},
	{NULL, "sha256", "String", NULL, "SHA-256 of the bytes, in hexadecimal digits.", NULL},
	{NULL, "status", "String!", NULL, "pending, uploaded, clean, infected or failed.", NULL},
	{NULL, "createdAt", "DateTime!", NULL, "When it was announced.", NULL},
	{"RecordComment", "id", "ID!", NULL, "The comment's id.", NULL},
	{NULL, "recordId", "ID!", NULL, "Id of the record.", NULL},
	{NULL, "parentId", "ID", NULL, "Id of the comment that it answers; null of one that begins a thread.", NULL},
	{NULL, "body", "String", NULL, "The text; null where it was taken back.", NULL},
	{NULL, "mentions", "[Actor!]!", NULL, "Whom the text names as @name.", NULL},
	{NULL, "createdAt", "DateTime!", NULL, "When it was said.", NULL},
	{NULL, "createdBy", "Actor", NULL, "Who said it.", NULL},
	{NULL, "deletedAt", "DateTime", NULL, "When it was taken back.", NULL},
	{"AvailableTransition", "name", "String!", NULL, "The transition's name.", NULL},
	{NULL, "to", "String!", NULL, "The state that it leads to.", NULL},
	{NULL, "requires", "[String!]!", NULL, "Fields that must be filled.", NULL},
	{"Tenant", "slug", "String!", NULL, "The tenant's short name.", NULL},
	{NULL, "name", "String!", NULL, "The tenant's name.", NULL},
	{"Caller", "id", "ID", NULL, "Id of the user or API key.", NULL},
	{NULL, "type", "String!", NULL, "user, apiKey or system.", NULL},
	{NULL, "displayName", "String!", NULL, "The name to show.", NULL},
	{NULL, "roles", "[String!]!", NULL, "Roles in the tenant.", NULL},
	{NULL, "scopes", "[String!]!", NULL, "Scopes of the key.", NULL},
	{"Module", "key", "String!", NULL, "The module's key.", NULL},
	{NULL, "name", "String!", NULL, "The name to show.", NULL},
	{NULL, "description", "String", NULL, "What it is for.", NULL},
	{NULL, "definitionVersion", "Int!", NULL, "The current version.", NULL},
	{NULL, "actions", "[String!]!", NULL, "What the caller may do with some record of it.", NULL},
	{"DateRange", "from", "Date", NULL, "The first day.", NULL},
	{NULL, "to", "Date", NULL, "The last day.", NULL},
	{"GeoLocation", "lat", "Float", NULL, "Latitude.", NULL},
	{NULL, "lon", "Float", NULL, "Longitude.", NULL},
	{NULL, "accuracy", "Float", NULL, "Metres.", NULL},
	{"Money", "amount", "Decimal", NULL, "How much.", NULL},
	{NULL, "currency", "String", NULL, "Code of ISO 4217.", NULL},
	{"Quantity", "value", "Decimal", NULL, "How much.", NULL},
	{NULL, "unit", "String", NULL, "Of what.", NULL},
	{NULL, "comparator", "String", NULL, "How the true value compares to it, such as <; null where it is the value.", NULL},
	{"MatrixScore", "likelihood", "Int", NULL, "From 1.", NULL},
	{NULL, "severity", "Int", NULL, "From 1.", NULL},
	{NULL, "score", "Int", NULL, "Their product.", NULL},
	{NULL, "band", "String", NULL, "The band of the score.", NULL},
	{"SignatureMark", "name", "String", NULL, "Who.", NULL},
	{NULL, "signedAt", "DateTime", NULL, "When.", NULL},
	{NULL, "meaning", "String", NULL, "As what.", NULL},
	{"PageInfo", "hasNextPage", "Boolean!", NULL, "Whether more follows.", NULL},
	{NULL, "hasPreviousPage", "Boolean!", NULL, "Whether something comes before.", NULL},
	{NULL, "startCursor", "String", NULL, "Of the first edge.", NULL},
	{NULL, "endCursor", "String", NULL, "Of the last edge.", NULL},
};

/* Types of introspection (section 4.2), whose fields introspect.c writes. */
static const char *const meta_objects[] = {"__Schema", "__Type", "__Field", "__InputValue", "__EnumValue", "__Directive"};

static const StaticField meta_fields[] = {
	{"__Schema", "description", "String", NULL, NULL, NULL},
	{NULL, "types", "[__Type!]!", NULL, NULL, NULL},
	{NULL, "queryType", "__Type!", NULL, NULL, NULL},
	{NULL, "mutationType", "__Type", NULL, NULL, NULL},
	{NULL, "subscriptionType", "__Type", NULL, NULL, NULL},
	{NULL, "directives", "[__Directive!]!", NULL, NULL, NULL},
	{"__Type", "kind", "__TypeKind!", NULL, NULL, NULL},
	{NULL, "name", "String", NULL, NULL, NULL},
	{NULL, "description", "String", NULL, NULL, NULL},
	{NULL, "specifiedByURL", "String", NULL, NULL, NULL},
	{NULL, "fields", "[__Field!]", "includeDeprecated: Boolean = false", NULL, NULL},
	{NULL, "interfaces", "[__Type!]", NULL, NULL, NULL},
	{NULL, "possibleTypes", "[__Type!]", NULL, NULL, NULL},
	{NULL, "enumValues", "[__EnumValue!]", "includeDeprecated: Boolean = false", NULL, NULL},
	{NULL, "inputFields", "[__InputValue!]", "includeDeprecated: Boolean = false", NULL, NULL},
	{NULL, "ofType", "__Type", NULL, NULL, NULL},
	{NULL, "isOneOf", "Boolean", NULL, NULL, NULL},
	{"__Field", "name", "String!", NULL, NULL, NULL},
	{NULL, "description", "String", NULL, NULL, NULL},
	{NULL, "args", "[__InputValue!]!", "includeDeprecated: Boolean = false", NULL, NULL},
	{NULL, "type", "__Type!", NULL, NULL, NULL},
	{NULL, "isDeprecated", "Boolean!", NULL, NULL, NULL},
	{NULL, "deprecationReason", "String", NULL, NULL, NULL},
	{"__InputValue", "name", "String!", NULL, NULL, NULL},
	{NULL, "description", "String", NULL, NULL, NULL},
	{NULL, "type", "__Type!", NULL, NULL, NULL},
	{NULL, "defaultValue", "String", NULL, NULL, NULL},
	{NULL, "isDeprecated", "Boolean!", NULL, NULL, NULL},
	{NULL, "deprecationReason", "String", NULL, NULL, NULL},
	{"__EnumValue", "name", "String!", NULL, NULL, NULL},
	{NULL, "description", "String", NULL, NULL, NULL},
	{NULL, "isDeprecated", "Boolean!", NULL, NULL, NULL},
	{NULL, "deprecationReason", "String", NULL, NULL, NULL},
	{"__Directive", "name", "String!", NULL, NULL, NULL},
	{NULL, "description", "String", NULL, NULL, NULL},
	{NULL, "isRepeatable", "Boolean!", NULL, NULL, NULL},
	{NULL, "locations", "[__DirectiveLocation!]!", NULL, NULL, NULL},
	{NULL, "args", "[__InputValue!]!", "includeDeprecated: Boolean = false", NULL, NULL},
};

static const char *const link_directions[] = {"in", "out", NULL};
static const char *const type_kinds[] = {"SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT", "LIST", "NON_NULL", NULL};
static const char *const directive_locations[] = {
	"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION", "SCHEMA",
	"SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT",
	"INPUT_FIELD_DEFINITION", NULL
};

static void
add_enum(ModelBuilder *builder, const char *name, const char *const *names)
{
	GraphqlType *type = build_type(builder, GRAPHQL_TYPE_ENUM, name, NULL);
	GraphqlEnumValue *values;

	while (names[type->value_count])
		type->value_count++;
	type->values = values = palloc0(type->value_count * sizeof(GraphqlEnumValue));
	for (int i = 0; i < type->value_count; i++)
	{
		values[i].name = (GraphqlText) {names[i], strlen(names[i])};
		values[i].value = names[i];
	}
}

/* Give the types of a table their fields. */
static void
add_fields(ModelBuilder *builder, const StaticField *rows, int count, GraphqlOrigin origin)
{
	GraphqlType *type = NULL;
	FieldList	list = {0};

	for (int i = 0; i < count; i++)
	{
		GraphqlSource source = {origin, NULL, NULL, rows[i].member ? rows[i].member : rows[i].name};

		if (rows[i].type)
		{
			if (type)
				build_finish(type, &list);
			memset(&list, 0, sizeof(list));
			type = build_find(builder, rows[i].type, strlen(rows[i].type));
		}
		build_field(builder, &list, rows[i].name, rows[i].result, rows[i].arguments, source, rows[i].description);
	}
	build_finish(type, &list);
}

void
build_static_types(ModelBuilder *builder)
{
	for (int i = 0; i < (int) lengthof(scalars); i++)
	{
		GraphqlType *type = build_type(builder, GRAPHQL_TYPE_SCALAR, scalars[i].name, scalars[i].description);

		type->scalar = scalars[i].scalar;
		type->specified_by = scalars[i].specified_by;
	}
	for (int i = 0; i < (int) lengthof(objects); i++)
		build_type(builder, GRAPHQL_TYPE_OBJECT, objects[i].name, objects[i].description);
	add_enum(builder, "RecordLinkDirection", link_directions);
	add_fields(builder, fields, lengthof(fields), ORIGIN_MEMBER);
	for (int i = 0; i < (int) lengthof(meta_objects); i++)
		build_type(builder, GRAPHQL_TYPE_OBJECT, meta_objects[i], NULL);
	add_enum(builder, "__TypeKind", type_kinds);
	add_enum(builder, "__DirectiveLocation", directive_locations);
	add_fields(builder, meta_fields, lengthof(meta_fields), ORIGIN_INTROSPECTION);
}

void
build_link_fields(ModelBuilder *builder)
{
	static const StaticField link_fields[] = {
		{"RecordLink", "direction", "RecordLinkDirection!", NULL, "in: the other record names this one; out: this one names the other.", NULL},
		{NULL, "fields", "[String!]!", NULL, "Keys of the fields that name it, of those that the caller may read.", NULL},
		{NULL, "record", "Record!", NULL, "The other record.", NULL},
		{NULL, "cursor", "String!", NULL, "Where it stands; good for GET /api/v1/records/{id}/links too.", NULL},
	};

	add_fields(builder, link_fields, lengthof(link_fields), ORIGIN_MEMBER);
}

const GraphqlDirective *
build_directives(const ModelBuilder *builder, int *count)
{
	static const struct
	{
		const char *name;
		const char *arguments;
		uint32		locations;
		const char *description;
	}			rows[] = {
		{"include", "if: Boolean!", GRAPHQL_ON_FIELD | GRAPHQL_ON_FRAGMENT_SPREAD | GRAPHQL_ON_INLINE_FRAGMENT, "Only when the condition holds."},
		{"skip", "if: Boolean!", GRAPHQL_ON_FIELD | GRAPHQL_ON_FRAGMENT_SPREAD | GRAPHQL_ON_INLINE_FRAGMENT, "Not when the condition holds."},
		{"deprecated", "reason: String! = \"No longer supported\"", GRAPHQL_ON_FIELD_DEFINITION | GRAPHQL_ON_ARGUMENT_DEFINITION |
		GRAPHQL_ON_INPUT_FIELD_DEFINITION | GRAPHQL_ON_ENUM_VALUE, "Should not be used any more."},
		{"specifiedBy", "url: String!", GRAPHQL_ON_SCALAR, "Where a scalar is specified."},
		{"oneOf", NULL, GRAPHQL_ON_INPUT_OBJECT, "Exactly one field is given."},
	};
	GraphqlDirective *directives = palloc0(sizeof(GraphqlDirective) * lengthof(rows));

	for (int i = 0; i < (int) lengthof(rows); i++)
	{
		directives[i].name = (GraphqlText) {rows[i].name, strlen(rows[i].name)};
		directives[i].description = rows[i].description;
		directives[i].locations = rows[i].locations;
		directives[i].arguments = build_arguments(builder, rows[i].arguments, &directives[i].argument_count);
	}
	*count = lengthof(rows);
	return directives;
}
