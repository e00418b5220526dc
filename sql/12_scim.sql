-- What SCIM knows of resources (RFC 7643 sections 6 and 7), as data: a DBA registers another resource type by adding rows.
-- Rows with shipped are made anew by each release; the others are dumped.

CREATE TABLE qehs.scim_schema (
	urn text PRIMARY KEY CHECK (urn ~ '^[Uu][Rr][Nn]:[A-Za-z0-9.:_-]+$'),
	name text NOT NULL,
	description text NOT NULL,
	position int4 NOT NULL DEFAULT 100,
	shipped boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE qehs.scim_schema IS 'SCIM schemas (RFC 7643 section 7); their attributes are in qehs.scim_attribute.';

CREATE TABLE qehs.scim_attribute (
	schema_urn text NOT NULL,
	path text NOT NULL CHECK (path ~ '^[A-Za-z$][A-Za-z0-9_$-]*(\.[A-Za-z$][A-Za-z0-9_$-]*)?$'),
	position int4 NOT NULL DEFAULT 100,
	type text NOT NULL DEFAULT 'string' CHECK (type IN ('string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference', 'complex')),
	multi_valued boolean NOT NULL DEFAULT false,
	required boolean NOT NULL DEFAULT false,
	case_exact boolean NOT NULL DEFAULT false,
	mutability text NOT NULL DEFAULT 'readWrite' CHECK (mutability IN ('readWrite', 'readOnly', 'immutable', 'writeOnly')),
	returned text NOT NULL DEFAULT 'default' CHECK (returned IN ('default', 'always', 'never', 'request')),
	uniqueness text NOT NULL DEFAULT 'none',
	canonical_values text[],
	reference_types text[],
	description text NOT NULL DEFAULT '',
	shipped boolean NOT NULL DEFAULT false,
	PRIMARY KEY (schema_urn, path),
	CHECK (type <> 'complex' OR strpos(path, '.') = 0),
	-- only userName and the displayName of a group have an index that keeps them unique
	CHECK (uniqueness = 'none' OR (shipped AND uniqueness IN ('server', 'global')))
);
COMMENT ON TABLE qehs.scim_attribute IS 'Attributes of SCIM schemas (RFC 7643 section 7). A sub-attribute has the name of its complex attribute and a dot in front.';
COMMENT ON COLUMN qehs.scim_attribute.case_exact IS 'filters compare it with regard to case';
COMMENT ON COLUMN qehs.scim_attribute.canonical_values IS 'values that are usual; others are taken too (RFC 7643 section 7)';

CREATE TABLE qehs.scim_resource_type (
	name text PRIMARY KEY CHECK (name ~ '^[A-Za-z][A-Za-z0-9]*$'),
	endpoint text NOT NULL UNIQUE CHECK (endpoint ~ '^/[A-Za-z][A-Za-z0-9]*$'
		AND endpoint <> ALL ('{/Me,/Bulk,/Schemas,/ResourceTypes,/ServiceProviderConfig}'::text[])),
	description text NOT NULL,
	schema_urn text NOT NULL,
	extensions text[] NOT NULL DEFAULT '{}',
	storage text NOT NULL DEFAULT 'resource' CHECK (storage = 'resource' OR (shipped AND storage IN ('user', 'role'))),
	position int4 NOT NULL DEFAULT 100,
	shipped boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE qehs.scim_resource_type IS 'SCIM resource types (RFC 7643 section 6). One that a DBA adds is served below /api/scim/v2 and its endpoint at once.';
COMMENT ON COLUMN qehs.scim_resource_type.storage IS 'where its resources are: user (qehs.user_account), role (qehs.role) or resource (qehs.scim_resource)';
COMMENT ON COLUMN qehs.scim_resource_type.extensions IS 'URNs of schemas that its resources may have besides';

CREATE TABLE qehs.scim_resource (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL DEFAULT qehs.id_create(),
	resource_type text NOT NULL,
	external_id text,
	version int4 NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	updated_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	attributes jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(attributes) = 'object'),
	PRIMARY KEY (tenant_id, resource_type, id)
);
COMMENT ON TABLE qehs.scim_resource IS 'SCIM resources of types that a DBA has registered; written by the functions qehs.scim_….';
CREATE INDEX scim_resource_external_id ON qehs.scim_resource (tenant_id, resource_type, external_id) WHERE external_id IS NOT NULL;
CREATE TRIGGER version BEFORE UPDATE ON qehs.scim_resource FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION qehs.version_next();

CREATE TABLE qehs.scim_group_role (
	tenant_id int4 NOT NULL,
	group_id uuid NOT NULL,
	role_id uuid NOT NULL,
	PRIMARY KEY (tenant_id, group_id, role_id)
);
COMMENT ON TABLE qehs.scim_group_role IS 'Which roles a group gives its members besides the role of its own name; set by qehs.scim_group_map.';
CREATE INDEX scim_group_role_role ON qehs.scim_group_role (tenant_id, role_id);

CREATE TABLE qehs.scim_unresolved_member (
	tenant_id int4 NOT NULL,
	role_id uuid NOT NULL,
	value text NOT NULL CHECK (pg_catalog.octet_length(value) <= 1024),
	PRIMARY KEY (tenant_id, role_id, value)
);
COMMENT ON TABLE qehs.scim_unresolved_member IS 'Members of groups that are no user, kept where qehs.scim_configure says so; they give nobody anything.';

CREATE TABLE qehs.scim_setting (
	tenant_id int4 PRIMARY KEY,
	keep_unresolved_members boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE qehs.scim_setting IS 'Settings of SCIM of a tenant, set by qehs.scim_configure; without a row the defaults hold.';

INSERT INTO qehs.scim_schema (urn, name, description, position, shipped) VALUES
	('urn:ietf:params:scim:schemas:core:2.0:User', 'User', 'User Account', 1, true),
	('urn:ietf:params:scim:schemas:core:2.0:Group', 'Group', 'Group: a role of the tenant', 2, true),
	('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', 'EnterpriseUser', 'Enterprise User', 3, true);

INSERT INTO qehs.scim_resource_type (name, endpoint, description, schema_urn, extensions, storage, position, shipped) VALUES
	('User', '/Users', 'User Account', 'urn:ietf:params:scim:schemas:core:2.0:User',
		'{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User}', 'user', 1, true),
	('Group', '/Groups', 'Group', 'urn:ietf:params:scim:schemas:core:2.0:Group', '{}', 'role', 2, true);

-- RFC 7643 section 8.7.1. case_exact, mutability, returned and uniqueness are those of the RFC, save what the descriptions say.
INSERT INTO qehs.scim_attribute (schema_urn, path, position, type, multi_valued, required, case_exact, mutability, returned, uniqueness,
	canonical_values, reference_types, description, shipped)
SELECT 'urn:ietf:params:scim:schemas:' || a.urn, a.path, a.ord, a.type, 'm' = ANY (a.flags), 'r' = ANY (a.flags), 'c' = ANY (a.flags),
	CASE WHEN 'o' = ANY (a.flags) THEN 'readOnly' WHEN 'i' = ANY (a.flags) THEN 'immutable' WHEN 'w' = ANY (a.flags) THEN 'writeOnly' ELSE 'readWrite' END,
	CASE WHEN 'w' = ANY (a.flags) THEN 'never' ELSE 'default' END, CASE WHEN 'u' = ANY (a.flags) THEN 'server' ELSE 'none' END,
	a.canonical, a.refs, a.description, true
FROM ROWS FROM (pg_catalog.json_to_recordset('[
	{"urn":"core:2.0:User","path":"userName","flags":["r","u"],"description":"What the user is called for signing in; unique in the tenant without regard to case."},
	{"urn":"core:2.0:User","path":"name","type":"complex","description":"The parts of the name."},
	{"urn":"core:2.0:User","path":"name.formatted","description":"The whole name."},
	{"urn":"core:2.0:User","path":"name.familyName","description":"The family name."},
	{"urn":"core:2.0:User","path":"name.givenName","description":"The given name."},
	{"urn":"core:2.0:User","path":"name.middleName","description":"The middle names."},
	{"urn":"core:2.0:User","path":"name.honorificPrefix","description":"The title in front of the name."},
	{"urn":"core:2.0:User","path":"name.honorificSuffix","description":"The suffix behind the name."},
	{"urn":"core:2.0:User","path":"displayName","description":"The name that is shown; without one the server makes it of name or userName."},
	{"urn":"core:2.0:User","path":"nickName","description":"The casual name."},
	{"urn":"core:2.0:User","path":"profileUrl","type":"reference","refs":["external"],"description":"A page about the user."},
	{"urn":"core:2.0:User","path":"title","description":"The job title."},
	{"urn":"core:2.0:User","path":"userType","description":"Such as Contractor or Employee."},
	{"urn":"core:2.0:User","path":"preferredLanguage","description":"Languages as in Accept-Language."},
	{"urn":"core:2.0:User","path":"locale","description":"The locale, a language tag."},
	{"urn":"core:2.0:User","path":"timezone","description":"The time zone, such as Europe/Vienna."},
	{"urn":"core:2.0:User","path":"active","type":"boolean","description":"Whether the user may do anything; without it true."},
	{"urn":"core:2.0:User","path":"password","flags":["w"],"description":"Taken and forgotten: nobody signs in to this server with a password."},
	{"urn":"core:2.0:User","path":"emails","type":"complex","flags":["m"],"description":"Addresses for mail."},
	{"urn":"core:2.0:User","path":"emails.value","description":"The address."},
	{"urn":"core:2.0:User","path":"emails.display","description":"How it is shown."},
	{"urn":"core:2.0:User","path":"emails.type","canonical":["work","home","other"],"description":"What it is for."},
	{"urn":"core:2.0:User","path":"emails.primary","type":"boolean","description":"Whether it is the preferred one."},
	{"urn":"core:2.0:User","path":"phoneNumbers","type":"complex","flags":["m"],"description":"Telephone numbers."},
	{"urn":"core:2.0:User","path":"phoneNumbers.value","description":"The number."},
	{"urn":"core:2.0:User","path":"phoneNumbers.display","description":"How it is shown."},
	{"urn":"core:2.0:User","path":"phoneNumbers.type","canonical":["work","home","mobile","fax","pager","other"],"description":"What it is for."},
	{"urn":"core:2.0:User","path":"phoneNumbers.primary","type":"boolean","description":"Whether it is the preferred one."},
	{"urn":"core:2.0:User","path":"ims","type":"complex","flags":["m"],"description":"Addresses for messages."},
	{"urn":"core:2.0:User","path":"ims.value","description":"The address."},
	{"urn":"core:2.0:User","path":"ims.display","description":"How it is shown."},
	{"urn":"core:2.0:User","path":"ims.type","canonical":["aim","gtalk","icq","xmpp","msn","skype","qq","yahoo"],"description":"The service."},
	{"urn":"core:2.0:User","path":"ims.primary","type":"boolean","description":"Whether it is the preferred one."},
	{"urn":"core:2.0:User","path":"photos","type":"complex","flags":["m"],"description":"Pictures."},
	{"urn":"core:2.0:User","path":"photos.value","type":"reference","flags":["c"],"refs":["external"],"description":"The URL of the picture."},
	{"urn":"core:2.0:User","path":"photos.display","description":"How it is shown."},
	{"urn":"core:2.0:User","path":"photos.type","canonical":["photo","thumbnail"],"description":"Its size."},
	{"urn":"core:2.0:User","path":"photos.primary","type":"boolean","description":"Whether it is the preferred one."},
	{"urn":"core:2.0:User","path":"addresses","type":"complex","flags":["m"],"description":"Postal addresses."},
	{"urn":"core:2.0:User","path":"addresses.formatted","description":"The whole address."},
	{"urn":"core:2.0:User","path":"addresses.streetAddress","description":"Street and number."},
	{"urn":"core:2.0:User","path":"addresses.locality","description":"The town."},
	{"urn":"core:2.0:User","path":"addresses.region","description":"The state or region."},
	{"urn":"core:2.0:User","path":"addresses.postalCode","description":"The postal code."},
	{"urn":"core:2.0:User","path":"addresses.country","description":"The country, a code of ISO 3166-1."},
	{"urn":"core:2.0:User","path":"addresses.type","canonical":["work","home","other"],"description":"What it is for."},
	{"urn":"core:2.0:User","path":"addresses.primary","type":"boolean","description":"Whether it is the preferred one."},
	{"urn":"core:2.0:User","path":"groups","type":"complex","flags":["m","o"],"description":"The groups that the user is a member of."},
	{"urn":"core:2.0:User","path":"groups.value","flags":["o","c"],"description":"The id of the group."},
	{"urn":"core:2.0:User","path":"groups.$ref","type":"reference","flags":["o","c"],"refs":["Group"],"description":"The URI of the group."},
	{"urn":"core:2.0:User","path":"groups.display","flags":["o"],"description":"The name of the group."},
	{"urn":"core:2.0:User","path":"groups.type","flags":["o"],"canonical":["direct"],"description":"direct: groups have no groups as members."},
	{"urn":"core:2.0:User","path":"entitlements","type":"complex","flags":["m"],"description":"Entitlements; kept, without effect here."},
	{"urn":"core:2.0:User","path":"entitlements.value","description":"The entitlement."},
	{"urn":"core:2.0:User","path":"entitlements.display","description":"How it is shown."},
	{"urn":"core:2.0:User","path":"entitlements.type","description":"What it is for."},
	{"urn":"core:2.0:User","path":"entitlements.primary","type":"boolean","description":"Whether it is the preferred one."},
	{"urn":"core:2.0:User","path":"roles","type":"complex","flags":["m"],"description":"Roles at the identity provider; kept, without effect here: roles of this server come with groups."},
	{"urn":"core:2.0:User","path":"roles.value","description":"The role."},
	{"urn":"core:2.0:User","path":"roles.display","description":"How it is shown."},
	{"urn":"core:2.0:User","path":"roles.type","description":"What it is for."},
	{"urn":"core:2.0:User","path":"roles.primary","type":"boolean","description":"Whether it is the preferred one."},
	{"urn":"core:2.0:User","path":"x509Certificates","type":"complex","flags":["m"],"description":"Certificates."},
	{"urn":"core:2.0:User","path":"x509Certificates.value","type":"binary","flags":["c"],"description":"The certificate in DER, as Base64."},
	{"urn":"core:2.0:User","path":"x509Certificates.display","description":"How it is shown."},
	{"urn":"core:2.0:User","path":"x509Certificates.type","description":"What it is for."},
	{"urn":"core:2.0:User","path":"x509Certificates.primary","type":"boolean","description":"Whether it is the preferred one."},
	{"urn":"core:2.0:Group","path":"displayName","flags":["r","u"],"description":"The name of the group; unique in the tenant without regard to case. A group named as a role gives that role."},
	{"urn":"core:2.0:Group","path":"members","type":"complex","flags":["m"],"description":"The users that are members."},
	{"urn":"core:2.0:Group","path":"members.value","flags":["i","c"],"description":"The id of the user."},
	{"urn":"core:2.0:Group","path":"members.$ref","type":"reference","flags":["i","c"],"refs":["User"],"description":"The URI of the user."},
	{"urn":"core:2.0:Group","path":"members.display","flags":["o"],"description":"The name of the user."},
	{"urn":"core:2.0:Group","path":"members.type","flags":["i"],"canonical":["User"],"description":"User: groups have no groups as members."},
	{"urn":"extension:enterprise:2.0:User","path":"employeeNumber","description":"The number that the organisation gave."},
	{"urn":"extension:enterprise:2.0:User","path":"costCenter","description":"The cost centre."},
	{"urn":"extension:enterprise:2.0:User","path":"organization","description":"The organisation."},
	{"urn":"extension:enterprise:2.0:User","path":"division","description":"The division."},
	{"urn":"extension:enterprise:2.0:User","path":"department","description":"The department."},
	{"urn":"extension:enterprise:2.0:User","path":"manager","type":"complex","description":"The manager."},
	{"urn":"extension:enterprise:2.0:User","path":"manager.value","flags":["c"],"description":"The id of the manager."},
	{"urn":"extension:enterprise:2.0:User","path":"manager.$ref","type":"reference","flags":["c"],"refs":["User"],"description":"The URI of the manager."},
	{"urn":"extension:enterprise:2.0:User","path":"manager.displayName","flags":["o"],"description":"The name of the manager."}
]') AS (urn text, path text, type text, flags text[], canonical text[], refs text[], description text))
WITH ORDINALITY AS b (urn, path, type, flags, canonical, refs, description, ord)
CROSS JOIN LATERAL (SELECT b.urn, b.path, COALESCE(b.type, 'string') AS type, COALESCE(b.flags, '{}') AS flags, b.canonical, b.refs, b.description, b.ord) AS a;

DO $dump$
DECLARE
	marked record;
BEGIN
	FOR marked IN
		SELECT * FROM (VALUES ('scim_schema', 'WHERE NOT shipped'), ('scim_attribute', 'WHERE NOT shipped'), ('scim_resource_type', 'WHERE NOT shipped'),
			('scim_resource', ''), ('scim_group_role', ''), ('scim_unresolved_member', ''), ('scim_setting', '')) AS t (name, filter)
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(('qehs.' || marked.name)::pg_catalog.regclass, marked.filter);
	END LOOP;
END
$dump$;
