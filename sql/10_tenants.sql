-- Tenants, users, roles, locations and keys.
--
-- Every primary key, unique constraint and index starts with tenant_id: isolation is visible in
-- each statement, and the same schema can be distributed by tenant.
--
-- No foreign keys: pg_restore -j loads the tables of an extension in any order, at once, and with its keys in place. The functions
-- write no row without what it refers to; the triggers is_needed keep what rows refer to (41_needed.sql).

CREATE FUNCTION qehs.clock_now() RETURNS timestamptz AS 'MODULE_PATHNAME', 'qehs_clock_now'
LANGUAGE C STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.clock_now() IS 'The time that the extension takes for now: that of the server, or of the setting qehs.clock where a superuser has set it for a test.';

CREATE FUNCTION qehs.clock_transaction() RETURNS timestamptz AS 'MODULE_PATHNAME', 'qehs_clock_transaction'
LANGUAGE C STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.clock_transaction() IS 'The time at which the transaction began, to the millisecond, or that of the setting qehs.clock: the default of columns.';

CREATE TABLE qehs.tenant (
	id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9_]{0,39}$'),
	name text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	suspended_at timestamptz,
	storage_quota int8 CHECK (storage_quota >= 0),
	graphql_introspection boolean NOT NULL DEFAULT true
);
COMMENT ON COLUMN qehs.tenant.storage_quota IS 'bytes that its attachments, and bodies that wait to be loaded, may have together; NULL is any number';
COMMENT ON COLUMN qehs.tenant.suspended_at IS 'since when nobody may act in it (qehs.tenant_suspend); NULL: it is open';
COMMENT ON COLUMN qehs.tenant.graphql_introspection IS 'whether GraphQL tells its schema by __schema and __type (qehs.graphql_introspection_set)';
COMMENT ON SEQUENCE qehs.tenant_id_seq IS 'Numbers of tenants; never used twice.';
COMMENT ON TABLE qehs.tenant IS 'A customer whose data no other sees; every other table with tenant_id belongs to one. Made by qehs.tenant_create.';

CREATE TABLE qehs.secret (
	purpose text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	value bytea NOT NULL,
	PRIMARY KEY (purpose, created_at)
);
COMMENT ON COLUMN qehs.secret.created_at IS 'by the server''s clock, which goes on whatever qehs.clock says: the newest one signs';
COMMENT ON TABLE qehs.secret IS 'Secrets of the database by purpose, such as the one that signs cursors and URLs of the embedded object store (purpose cursor); made when the first tenant is, renewed by qehs.secret_rotate.';

CREATE FUNCTION qehs.id_create() RETURNS uuid AS 'MODULE_PATHNAME', 'qehs_id_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.id_create() IS 'A new UUIDv7 (RFC 9562), greater than those this session made before: the default of ids.';

CREATE FUNCTION qehs.id_text(prefix text, id uuid) RETURNS text AS 'MODULE_PATHNAME', 'qehs_id_text'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.id_text(text, uuid) IS 'The form that an id has on the wire: a prefix of 4 characters (att_, rec_ …) and 26 characters of Crockford base32.';

CREATE FUNCTION qehs.version_next() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $version$
BEGIN
	NEW.version := OLD.version + 1;
	NEW.updated_at := qehs.clock_transaction();
	RETURN NEW;
END
$version$;
COMMENT ON FUNCTION qehs.version_next() IS 'Trigger of tables whose rows have a version: counts it up and sets updated_at when a row changes, whoever changes it.';

CREATE TABLE qehs.user_account (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL DEFAULT qehs.id_create(),
	user_name text NOT NULL,
	display_name text NOT NULL,
	external_id text,
	active boolean NOT NULL DEFAULT true,
	version int4 NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	updated_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	attributes jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(attributes) = 'object'),
	deleted_at timestamptz CHECK (deleted_at IS NULL OR NOT active),
	PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE qehs.user_account IS 'People of a tenant; who is not active can do nothing. Made by qehs.user_create and by SCIM.';
COMMENT ON COLUMN qehs.user_account.deleted_at IS 'when it was deleted: the row stays, without attributes, so that records and the audit trail go on naming the person; NULL: it is there';
COMMENT ON COLUMN qehs.user_account.external_id IS 'the id that the provisioning client has for the user (SCIM externalId)';
COMMENT ON COLUMN qehs.user_account.attributes IS 'what else is known of the user, by the names of RFC 7643 section 4.1 (name, emails, phoneNumbers …); an extension stands under its URN';
CREATE UNIQUE INDEX user_account_user_name ON qehs.user_account (tenant_id, pg_catalog.lower(user_name)) WHERE deleted_at IS NULL;
CREATE INDEX user_account_external_id ON qehs.user_account (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE TRIGGER version BEFORE UPDATE ON qehs.user_account FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION qehs.version_next();

CREATE TABLE qehs.role (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL DEFAULT qehs.id_create(),
	name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
	display_name text,
	description text,
	external_id text,
	provisioned boolean NOT NULL DEFAULT false,
	version int4 NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	updated_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, name),
	CHECK (NOT provisioned OR display_name IS NOT NULL)
);
COMMENT ON TABLE qehs.role IS 'Roles of a tenant: the built-in tenant-owner, tenant-admin, tenant-user and viewer, and those that modules and users name.';
COMMENT ON COLUMN qehs.role.name IS 'what definitions, keys and tokens call it; stays when the role gets another display name';
COMMENT ON COLUMN qehs.role.display_name IS 'what people call it (SCIM displayName of the group); NULL: its name';
COMMENT ON COLUMN qehs.role.external_id IS 'the id that the provisioning client has for the group (SCIM externalId)';
COMMENT ON COLUMN qehs.role.provisioned IS 'it is a group of the identity provider, which SCIM shows and changes';
CREATE UNIQUE INDEX role_display_name ON qehs.role (tenant_id, pg_catalog.lower(display_name)) WHERE provisioned;
CREATE INDEX role_external_id ON qehs.role (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE TRIGGER version BEFORE UPDATE ON qehs.role FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION qehs.version_next();

CREATE TABLE qehs.role_member (
	tenant_id int4 NOT NULL,
	role_id uuid NOT NULL,
	user_id uuid NOT NULL,
	PRIMARY KEY (tenant_id, role_id, user_id)
);
COMMENT ON TABLE qehs.role_member IS 'Which user has which role.';
CREATE INDEX role_member_user ON qehs.role_member (tenant_id, user_id, role_id);

CREATE TABLE qehs.location (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL DEFAULT qehs.id_create(),
	key text COLLATE "C" NOT NULL CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
	name text NOT NULL,
	parent text COLLATE "C",
	users uuid[] NOT NULL DEFAULT '{}',
	roles text[] NOT NULL DEFAULT '{}',
	version int4 NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	updated_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	PRIMARY KEY (tenant_id, key)
);
COMMENT ON TABLE qehs.location IS 'The location tree of a tenant: sites, buildings, areas. Fields of type location name its keys, and roles with the scope location reach what lies in the locations of their bearer. Set by qehs.location_put.';
COMMENT ON COLUMN qehs.location.id IS 'by which the audit trail knows it';
COMMENT ON COLUMN qehs.location.parent IS 'key of the location that it is part of; NULL: it is a root. One whose parents lead to no root gives nobody anything';
COMMENT ON COLUMN qehs.location.users IS 'users who have it, with all that lies in it';
COMMENT ON COLUMN qehs.location.roles IS 'names of roles whose bearers have it, with all that lies in it';
CREATE INDEX location_parent ON qehs.location (tenant_id, parent) WHERE parent IS NOT NULL;
CREATE TRIGGER version BEFORE UPDATE ON qehs.location FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION qehs.version_next();

CREATE TABLE qehs.api_key (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL,
	name text NOT NULL,
	prefix text NOT NULL,
	hash bytea NOT NULL CHECK (pg_catalog.octet_length(hash) = 32),
	scopes text[] NOT NULL,
	roles text[] NOT NULL,
	modules text[],
	user_id uuid,
	rate_limit int4 CHECK (rate_limit >= 0),
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	created_by uuid NOT NULL,
	expires_at timestamptz,
	revoked_at timestamptz,
	last_used_at timestamptz,
	allowed_addresses cidr[],
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, prefix)
);
COMMENT ON TABLE qehs.api_key IS 'API keys of a tenant: what each may do, for whom, and until when. Of the key itself only the SHA-256 is kept.';
COMMENT ON COLUMN qehs.api_key.rate_limit IS 'requests a minute; NULL is the default of 300, 0 is without limit';
COMMENT ON COLUMN qehs.api_key.last_used_at IS 'accurate to a minute';
COMMENT ON COLUMN qehs.api_key.allowed_addresses IS 'networks that may use the key; NULL is all';
COMMENT ON COLUMN qehs.api_key.modules IS 'module keys that the key may touch; NULL is all';

CREATE TABLE qehs.rate_limit (
	tenant_id int4 NOT NULL,
	class text NOT NULL CHECK (class IN ('default', 'signed-urls', 'tenant', 'bulk', 'exports')),
	key_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	quantity int4 NOT NULL CHECK (quantity >= 0),
	PRIMARY KEY (tenant_id, class, key_id)
);
COMMENT ON TABLE qehs.rate_limit IS 'Limits other than the built-in ones, set by qehs.rate_limit_set; key_id of zeros stands for all keys of the tenant.';
COMMENT ON COLUMN qehs.rate_limit.quantity IS 'default and signed-urls: requests a minute of each API key; tenant: of all together; bulk and exports: running at once; 0 is without limit';

CREATE SEQUENCE qehs.rate_limit_segment MINVALUE 0 MAXVALUE 4294967295 START 0;
ALTER SEQUENCE qehs.rate_limit_segment OWNER TO qehs_owner;
COMMENT ON SEQUENCE qehs.rate_limit_segment IS 'The handle of the shared memory that counts requests where the library is not preloaded; 0 is none yet.';
