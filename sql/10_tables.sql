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

CREATE TABLE qehs.module (
	tenant_id int4 NOT NULL,
	id int4 NOT NULL,
	key text NOT NULL,
	name text NOT NULL,
	description text,
	display_prefix text NOT NULL,
	version int4 NOT NULL,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	updated_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	unfilled text[] NOT NULL DEFAULT '{}',
	search_unfilled boolean NOT NULL DEFAULT false,
	installed jsonb,
	retention_next timestamptz,
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, key)
);
COMMENT ON COLUMN qehs.module.retention_next IS 'when records whose time is over are looked for next (qehs.retention_due); NULL: its definition has no "retention"';
COMMENT ON COLUMN qehs.module.unfilled IS 'keys of indexed fields whose slots older records do not have yet: lists do without until the job module_refill has ended';
COMMENT ON COLUMN qehs.module.search_unfilled IS 'the same of the column search';
COMMENT ON TABLE qehs.module IS 'Modules of a tenant; the definition of each version is in qehs.module_version.';
COMMENT ON COLUMN qehs.module.version IS 'the current definition version';
COMMENT ON COLUMN qehs.module.installed IS 'the definition of the catalogue that was installed last, from which changes of the tenant are told; NULL: the module is the tenant''s own';
COMMENT ON COLUMN qehs.module.display_prefix IS 'prefix of display codes, frozen with the first version';

CREATE TABLE qehs.module_version (
	tenant_id int4 NOT NULL,
	module_id int4 NOT NULL,
	version int4 NOT NULL,
	definition jsonb NOT NULL,
	json_schema jsonb NOT NULL,
	slots jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	created_by uuid NOT NULL,
	PRIMARY KEY (tenant_id, module_id, version)
);
COMMENT ON TABLE qehs.module_version IS 'Published definitions, immutable; a record keeps the version that it was written against.';
COMMENT ON COLUMN qehs.module_version.slots IS 'field key to slot number (0..13: t1..t6, n1..n4, d1..d4) of indexed fields';

CREATE FUNCTION qehs.tenant_remove_runs() RETURNS boolean AS 'MODULE_PATHNAME', 'qehs_tenant_remove_runs'
LANGUAGE C STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tenant_remove_runs() IS 'Whether this session is in qehs.tenant_remove, the only one that may delete what is else kept for ever. Triggers ask it.';

CREATE FUNCTION qehs.module_version_is_immutable() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $immutable$
BEGIN
	IF TG_OP = 'DELETE' AND qehs.tenant_remove_runs() THEN
		RETURN NULL;
	END IF;
	RAISE EXCEPTION 'published versions of modules are immutable' USING ERRCODE = 'QH409', CONSTRAINT = 'conflict',
		HINT = 'Publish a new version with qehs.module_publish.';
END
$immutable$;
COMMENT ON FUNCTION qehs.module_version_is_immutable() IS 'Trigger of qehs.module_version: refuses UPDATE, DELETE and TRUNCATE with QH409 conflict, whoever asks, since records are read by the version that they were written against; only qehs.tenant_remove deletes.';
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON qehs.module_version
	FOR EACH STATEMENT EXECUTE FUNCTION qehs.module_version_is_immutable();

CREATE TABLE qehs.record (
	tenant_id int4 NOT NULL,
	module_id int4 NOT NULL,
	version int4 NOT NULL DEFAULT 1,
	definition_version int4 NOT NULL,
	id uuid NOT NULL,
	display_no int8 NOT NULL,
	created_at timestamptz NOT NULL,
	created_by uuid NOT NULL,
	updated_at timestamptz NOT NULL,
	updated_by uuid NOT NULL,
	deleted_at timestamptz,
	due_at timestamptz,
	d1 timestamptz, d2 timestamptz, d3 timestamptz, d4 timestamptz,
	n1 numeric, n2 numeric, n3 numeric, n4 numeric,
	workflow_state text NOT NULL,
	payload jsonb NOT NULL,
	t1 text COLLATE "C", t2 text COLLATE "C", t3 text COLLATE "C",
	t4 text COLLATE "C", t5 text COLLATE "C", t6 text COLLATE "C",
	search tsvector,
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, module_id, display_no)
	-- room for one more version of a record in most pages: a change of fields without slot then touches no index
) WITH (fillfactor = 90);
COMMENT ON TABLE qehs.record IS 'All records of all modules and tenants. Written by the functions of the extension only, which check, audit and index what they write.';
COMMENT ON COLUMN qehs.record.deleted_at IS 'when it was deleted; NULL: it lives';
COMMENT ON COLUMN qehs.record.due_at IS 'when it is due to leave its state; NULL: its definition says nothing of that, or it is deleted';
COMMENT ON COLUMN qehs.record.definition_version IS 'the version of the module that it was written against or moved to';
COMMENT ON COLUMN qehs.record.search IS 'words of the display code and the searched fields of a live record, of a choice its value (=field=value); NULL where the module has none';
COMMENT ON COLUMN qehs.record.display_no IS 'year of creation (UTC) * 10^9 + number in the year';
COMMENT ON COLUMN qehs.record.t1 IS 'slots t1..t6, n1..n4, d1..d4 hold the indexed fields of a module; NULL where the module maps none, the record is deleted or its payload lacks the field';

-- Lists by creation time, the default order.
CREATE INDEX record_created ON qehs.record (tenant_id, module_id, created_at, id) WHERE deleted_at IS NULL;
-- By state and by creator, which people list by every day.
CREATE INDEX record_state ON qehs.record (tenant_id, module_id, workflow_state COLLATE "C", id) WHERE deleted_at IS NULL;
CREATE INDEX record_creator ON qehs.record (tenant_id, module_id, created_by, id) WHERE deleted_at IS NULL;
-- What is deleted, for retention.
CREATE INDEX record_deleted ON qehs.record (tenant_id, module_id, deleted_at, id) WHERE deleted_at IS NOT NULL;
-- What is overdue.
CREATE INDEX record_due ON qehs.record (tenant_id, module_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX record_t1 ON qehs.record (tenant_id, module_id, t1, id) WHERE t1 IS NOT NULL;
CREATE INDEX record_t2 ON qehs.record (tenant_id, module_id, t2, id) WHERE t2 IS NOT NULL;
CREATE INDEX record_t3 ON qehs.record (tenant_id, module_id, t3, id) WHERE t3 IS NOT NULL;
CREATE INDEX record_t4 ON qehs.record (tenant_id, module_id, t4, id) WHERE t4 IS NOT NULL;
CREATE INDEX record_t5 ON qehs.record (tenant_id, module_id, t5, id) WHERE t5 IS NOT NULL;
CREATE INDEX record_t6 ON qehs.record (tenant_id, module_id, t6, id) WHERE t6 IS NOT NULL;
CREATE INDEX record_n1 ON qehs.record (tenant_id, module_id, n1, id) WHERE n1 IS NOT NULL;
CREATE INDEX record_n2 ON qehs.record (tenant_id, module_id, n2, id) WHERE n2 IS NOT NULL;
CREATE INDEX record_n3 ON qehs.record (tenant_id, module_id, n3, id) WHERE n3 IS NOT NULL;
CREATE INDEX record_n4 ON qehs.record (tenant_id, module_id, n4, id) WHERE n4 IS NOT NULL;
CREATE INDEX record_d1 ON qehs.record (tenant_id, module_id, d1, id) WHERE d1 IS NOT NULL;
CREATE INDEX record_d2 ON qehs.record (tenant_id, module_id, d2, id) WHERE d2 IS NOT NULL;
CREATE INDEX record_d3 ON qehs.record (tenant_id, module_id, d3, id) WHERE d3 IS NOT NULL;
CREATE INDEX record_d4 ON qehs.record (tenant_id, module_id, d4, id) WHERE d4 IS NOT NULL;

-- By day and by id, as reports compare dates and references. Leakproof, so that conditions of who may not read all rows reach the indexes.
CREATE FUNCTION qehs.utc_day(instant timestamptz) RETURNS date AS 'MODULE_PATHNAME', 'qehs_utc_day'
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION qehs.utc_day(timestamptz) IS 'The day of an instant in UTC.';
CREATE FUNCTION qehs.id_uuid(id text) RETURNS uuid AS 'MODULE_PATHNAME', 'qehs_id_uuid'
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION qehs.id_uuid(text) IS 'The UUID of an id of a record or user in either form (rec_…, usr_… or the UUID); NULL for a text that is none.';
CREATE INDEX record_d1_day ON qehs.record (tenant_id, module_id, qehs.utc_day(d1)) WHERE d1 IS NOT NULL;
CREATE INDEX record_d2_day ON qehs.record (tenant_id, module_id, qehs.utc_day(d2)) WHERE d2 IS NOT NULL;
CREATE INDEX record_d3_day ON qehs.record (tenant_id, module_id, qehs.utc_day(d3)) WHERE d3 IS NOT NULL;
CREATE INDEX record_d4_day ON qehs.record (tenant_id, module_id, qehs.utc_day(d4)) WHERE d4 IS NOT NULL;
CREATE INDEX record_t1_id ON qehs.record (tenant_id, module_id, qehs.id_uuid(t1)) WHERE qehs.id_uuid(t1) IS NOT NULL;
CREATE INDEX record_t2_id ON qehs.record (tenant_id, module_id, qehs.id_uuid(t2)) WHERE qehs.id_uuid(t2) IS NOT NULL;
CREATE INDEX record_t3_id ON qehs.record (tenant_id, module_id, qehs.id_uuid(t3)) WHERE qehs.id_uuid(t3) IS NOT NULL;
CREATE INDEX record_t4_id ON qehs.record (tenant_id, module_id, qehs.id_uuid(t4)) WHERE qehs.id_uuid(t4) IS NOT NULL;
CREATE INDEX record_t5_id ON qehs.record (tenant_id, module_id, qehs.id_uuid(t5)) WHERE qehs.id_uuid(t5) IS NOT NULL;
CREATE INDEX record_t6_id ON qehs.record (tenant_id, module_id, qehs.id_uuid(t6)) WHERE qehs.id_uuid(t6) IS NOT NULL;

CREATE FUNCTION qehs.search_vector(source text) RETURNS tsvector AS 'MODULE_PATHNAME', 'qehs_search_vector'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.search_vector(text) IS 'The words of a text as people see them, as q finds them: letters and digits between what is neither, without case and accents; of AB-12 also its joint, ab/12, of Fork-lift forklift; options in front, a character U+0001 before each and one behind the last, as they are; of scripts without blanks each two characters in a row.';
CREATE FUNCTION qehs.search_readable(tenant_id int4, module_id int4, definition_version int4, payload jsonb, display_no int8, hidden text[]) RETURNS tsvector
AS 'MODULE_PATHNAME', 'qehs_search_readable' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION qehs.search_readable(int4, int4, int4, jsonb, int8, text[]) IS 'The words that q finds a record of a module by, as its current definition says, without those of the fields that are hidden from the caller; NULL for a module that is not searched.';
CREATE FUNCTION qehs.search_words(tenant_id int4, module_id int4, display_no int8, words tsvector) RETURNS tsvector AS 'MODULE_PATHNAME', 'qehs_search_words'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.search_words(int4, int4, int8, tsvector) IS 'Words with tenant, module and a bucket of 4,096 display numbers in front (12.3.1d.ladder), as the index of words has them; what does not fit into a tsvector is left out.';
CREATE FUNCTION qehs.search_goes_on(words tsquery) RETURNS boolean AS 'MODULE_PATHNAME', 'qehs_search_goes_on'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION qehs.search_goes_on(tsquery) IS 'Whether a question that is answered bucket by bucket reads the next one: true until the index has done the work of a page (setting qehs.search_work).';
CREATE FUNCTION qehs.search_keys(question tsvector, count internal, strategy int2, partial internal, extra internal, nulls internal, mode internal) RETURNS internal
AS 'MODULE_PATHNAME', 'qehs_search_keys' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.search_keys(tsvector, internal, int2, internal, internal, internal, internal) IS 'Of operator class search_ops: the keys that a question is asked by, for the beginning of a word two, the word and what is longer.';
CREATE FUNCTION qehs.search_longer(word text, key text, strategy int2, extra internal) RETURNS int4
AS 'MODULE_PATHNAME', 'qehs_search_longer' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.search_longer(text, text, int2, internal) IS 'Of operator class search_ops: 0 if a key is longer than a word and begins with it.';
CREATE FUNCTION qehs.search_consistent("check" internal, strategy int2, question tsvector, keys int4, extra internal, entry internal, nulls internal) RETURNS "char"
AS 'MODULE_PATHNAME', 'qehs_search_consistent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION qehs.search_consistent(internal, int2, tsvector, int4, internal, internal, internal) IS 'Of operator class search_ops: whether an entry of the index can answer a question, by which of its keys it has.';
CREATE OPERATOR CLASS qehs.search_ops FOR TYPE tsvector USING gin AS
	OPERATOR 1 pg_catalog.@@ (tsvector, tsquery),
	FUNCTION 1 pg_catalog.gin_cmp_tslexeme(text, text),
	FUNCTION 2 pg_catalog.gin_extract_tsvector(tsvector, internal, internal),
	FUNCTION 3 qehs.search_keys(tsvector, internal, int2, internal, internal, internal, internal),
	FUNCTION 5 qehs.search_longer(text, text, int2, internal),
	FUNCTION 6 qehs.search_consistent(internal, int2, tsvector, int4, internal, internal, internal),
	STORAGE text;
COMMENT ON OPERATOR CLASS qehs.search_ops USING gin IS 'As tsvector_ops of PostgreSQL, and twice as quick at words that are common and never meet: the beginning of a word is asked for by the word itself and by what is longer.';
-- Filled only for modules with searched fields; a question reads entries of its own module alone, bucket by bucket. Each step of a question
-- reads the list of what waits to be indexed: it is short.
CREATE INDEX record_search ON qehs.record USING gin (qehs.search_words(tenant_id, module_id, display_no, search) qehs.search_ops) WITH (gin_pending_list_limit = 128) WHERE search IS NOT NULL;

CREATE TABLE qehs.record_unique (
	tenant_id int4 NOT NULL,
	module_id int4 NOT NULL,
	field text NOT NULL,
	value text NOT NULL,
	record_id uuid NOT NULL,
	PRIMARY KEY (tenant_id, module_id, field, value)
);
COMMENT ON TABLE qehs.record_unique IS 'Values of unique fields of live records as text (of fields that are unique together: field has their keys with commas between): the primary key is what makes them unique.';
CREATE INDEX record_unique_record ON qehs.record_unique (tenant_id, record_id);

CREATE TABLE qehs.record_link (
	tenant_id int4 NOT NULL,
	target_id uuid NOT NULL,
	source_id uuid NOT NULL,
	PRIMARY KEY (tenant_id, target_id, source_id)
);
COMMENT ON TABLE qehs.record_link IS 'Which record (source_id) names which other (target_id) in a field of type record-reference or record-references, one row however often: by it the records are found that refer to one. A deleted record keeps its rows.';

CREATE INDEX record_link_source ON qehs.record_link (tenant_id, source_id);

CREATE TABLE qehs.record_comment (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL,
	record_id uuid NOT NULL,
	parent_id uuid,
	body text,
	mentions uuid[] NOT NULL,
	created_at timestamptz NOT NULL,
	created_by uuid NOT NULL,
	deleted_at timestamptz,
	deleted_by uuid,
	PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE qehs.record_comment IS 'What people say of records. Written by qehs.record_comment; a deleted one keeps its place without its text.';
COMMENT ON COLUMN qehs.record_comment.parent_id IS 'the comment that it answers; NULL: it begins a thread';
COMMENT ON COLUMN qehs.record_comment.mentions IS 'users whom the text names as @name';
CREATE INDEX record_comment_record ON qehs.record_comment (tenant_id, record_id, id);

CREATE TABLE qehs.record_timer (
	tenant_id int4 NOT NULL,
	record_id uuid NOT NULL,
	kind "char" NOT NULL CHECK (kind IN ('e', 't')),
	step int4 NOT NULL,
	at timestamptz NOT NULL,
	held int4 NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant_id, record_id, kind, step)
);
COMMENT ON TABLE qehs.record_timer IS 'What is still to happen to live records by itself, and when; a row goes when it has, and when its record leaves the state. qehs.tick does it.';
COMMENT ON COLUMN qehs.record_timer.kind IS 'e: an escalation of the state''s deadline, t: a transition';
COMMENT ON COLUMN qehs.record_timer.step IS 'the place of it in the record''s own definition, from 0: in escalate, or among the transitions by length and bytes of their names';
COMMENT ON COLUMN qehs.record_timer.at IS 'when; of a transition that could not be fired, when it is tried again';
COMMENT ON COLUMN qehs.record_timer.held IS 'how often it could not be done';
CREATE INDEX record_timer_at ON qehs.record_timer (tenant_id, at);

CREATE TABLE qehs.calendar (
	tenant_id int4 PRIMARY KEY,
	time_zone text,
	working_days int4[] NOT NULL DEFAULT '{1,2,3,4,5}'
		CHECK (working_days <> '{}' AND working_days <@ '{1,2,3,4,5,6,7}' AND pg_catalog.array_position(working_days, NULL) IS NULL),
	opens time NOT NULL DEFAULT '00:00',
	closes time NOT NULL DEFAULT '24:00',
	holidays date[] NOT NULL DEFAULT '{}',
	CHECK (opens < closes)
);
COMMENT ON TABLE qehs.calendar IS 'In which time zone, and on which days, due dates of a tenant are counted; a tenant without a row has the defaults. Set by qehs.calendar_set.';
COMMENT ON COLUMN qehs.calendar.time_zone IS 'NULL: UTC, and datetimes that are told without an offset are refused where their field names no zone';
COMMENT ON COLUMN qehs.calendar.working_days IS '1 is Monday, 7 is Sunday';
COMMENT ON COLUMN qehs.calendar.opens IS 'on a working day, as closes, by the clock on the wall';
COMMENT ON COLUMN qehs.calendar.holidays IS 'days that are no working days, in their order';

CREATE TABLE qehs.approval (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL,
	record_id uuid NOT NULL,
	transition text NOT NULL,
	step int4 NOT NULL,
	record_version int4 NOT NULL,
	payload_hash bytea NOT NULL,
	approved boolean NOT NULL,
	actor_id uuid NOT NULL,
	on_behalf_of uuid,
	at timestamptz NOT NULL,
	comment text,
	signature jsonb,
	PRIMARY KEY (tenant_id, record_id, id)
);
COMMENT ON TABLE qehs.approval IS 'What people decided of transitions that need approval. One counts only while the record has the version and the payload that it is of.';
COMMENT ON COLUMN qehs.approval.payload_hash IS 'SHA-256 of the payload that was approved, as text';
COMMENT ON COLUMN qehs.approval.approved IS 'false: it was rejected';
COMMENT ON COLUMN qehs.approval.on_behalf_of IS 'who had delegated to the actor; NULL: the actor decided for himself';
COMMENT ON COLUMN qehs.approval.step IS 'of the approvers of the transition, from 0';

CREATE TABLE qehs.delegation (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL,
	from_user uuid NOT NULL,
	to_user uuid NOT NULL,
	starts_at timestamptz NOT NULL,
	ends_at timestamptz NOT NULL,
	reason text,
	created_at timestamptz NOT NULL,
	created_by uuid NOT NULL,
	revoked_at timestamptz,
	PRIMARY KEY (tenant_id, id),
	CHECK (starts_at < ends_at AND from_user <> to_user)
);
COMMENT ON TABLE qehs.delegation IS 'Who approves for whom, from when to when. Made by qehs.delegation_create.';
CREATE INDEX delegation_to ON qehs.delegation (tenant_id, to_user, ends_at) WHERE revoked_at IS NULL;

CREATE TABLE qehs.signature_credential (
	tenant_id int4 NOT NULL,
	user_id uuid NOT NULL,
	hash text NOT NULL,
	changed_at timestamptz NOT NULL,
	failures int4 NOT NULL DEFAULT 0,
	failed_at timestamptz,
	PRIMARY KEY (tenant_id, user_id)
);
COMMENT ON TABLE qehs.signature_credential IS 'The secrets with which people sign, as hashes of crypt(5). Set by qehs.signature_credential_set.';
COMMENT ON COLUMN qehs.signature_credential.failures IS 'wrong ones since the last that fitted; after 5 none counts for 15 minutes';

CREATE TABLE qehs.outbox (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL,
	topic text NOT NULL,
	module_id int4 NOT NULL,
	record_id uuid NOT NULL,
	record_version int4 NOT NULL,
	created_at timestamptz NOT NULL,
	created_by uuid NOT NULL,
	body jsonb NOT NULL,
	PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE qehs.outbox IS 'Events for others to be told of, written in the transaction that they are about (effects "event" of transitions, escalations of deadlines, comments that mention somebody, and <module>.held of transitions that could not be fired by time), in the order of their ids.';
COMMENT ON COLUMN qehs.outbox.topic IS 'the name that the definition gives the event, or comment.mentioned';
COMMENT ON COLUMN qehs.outbox.body IS '{"recordId","displayCode","moduleKey","version"}, and of a transition "transition","from","to","payload"?, of an escalation "state","dueAt","roles","users", of a comment "commentId","mentions", of what is held "transition","state","unmet"';

CREATE TABLE qehs.audit_event (
	tenant_id int4 NOT NULL,
	module_id int4 NOT NULL,
	id uuid NOT NULL,
	record_id uuid NOT NULL,
	actor_id uuid NOT NULL,
	at timestamptz NOT NULL,
	action text NOT NULL,
	from_state text,
	to_state text,
	transition text,
	record_version int4 NOT NULL,
	trace_id text,
	comment text,
	changes jsonb,
	reason text,
	on_behalf_of uuid,
	address inet,
	signature jsonb,
	from_definition int4,
	to_definition int4,
	previous bytea CHECK (pg_catalog.octet_length(previous) = 32),
	salt bytea CHECK (pg_catalog.octet_length(salt) = 16),
	erased jsonb,
	digest bytea NOT NULL CHECK (pg_catalog.octet_length(digest) = 32),
	PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE qehs.audit_event IS 'What happened to each record, who did it, and by which request (trace_id). Rows are only ever added: UPDATE, DELETE and TRUNCATE are refused.';
COMMENT ON COLUMN qehs.audit_event.id IS 'a UUIDv7: its first 48 bits are the time in milliseconds, so that the table can be partitioned by ranges of it';
COMMENT ON COLUMN qehs.audit_event.reason IS 'why, where the change demanded a reason';
COMMENT ON COLUMN qehs.audit_event.on_behalf_of IS 'the user for whom the actor acted';
COMMENT ON COLUMN qehs.audit_event.address IS 'where the request came from';
COMMENT ON COLUMN qehs.audit_event.previous IS 'digest of the event before of the same record_id; NULL: there is none';
COMMENT ON COLUMN qehs.audit_event.salt IS '16 random bytes, from which what values are hashed with is made, so that a digest tells nothing of a value';
COMMENT ON COLUMN qehs.audit_event.erased IS 'of an event with erased values: {label: {"digest"}} of those, {label: {"salt"}} of the others, and salt is gone; NULL: none is erased';
COMMENT ON COLUMN qehs.audit_event.digest IS 'SHA-256 of the event and of previous, as extension/audit/digest.c writes them; set by the trigger chain';
COMMENT ON COLUMN qehs.audit_event.signature IS 'the electronic signature of the change';
COMMENT ON COLUMN qehs.audit_event.from_definition IS 'Version of the definition that the record had before, and to_definition after: which field a key of changes was';
-- What changed when: lists by updatedAt walk it, since an index of qehs.record by that would be written with each update, and all others with it.
CREATE INDEX audit_event_time ON qehs.audit_event (tenant_id, module_id, at, record_id);
CREATE INDEX audit_event_record ON qehs.audit_event (tenant_id, record_id, id);
CREATE FUNCTION qehs.audit_retires() RETURNS boolean AS 'MODULE_PATHNAME', 'qehs_audit_retires'
LANGUAGE C STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_retires() IS 'Whether this session is just taking events away that are to go (extension/audit/retire.c). Triggers ask it.';
CREATE FUNCTION qehs.audit_event_is_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $append$
BEGIN
	IF qehs.audit_retires() THEN
		RETURN NULL;
	END IF;
	RAISE EXCEPTION 'audit events are only ever added' USING ERRCODE = 'QH409', CONSTRAINT = 'conflict',
		HINT = 'What an event got wrong is said by another event.';
END
$append$;
COMMENT ON FUNCTION qehs.audit_event_is_append_only() IS 'Trigger of qehs.audit_event, qehs.audit_seal, qehs.audit_tombstone and qehs.record_tombstone: refuses UPDATE, DELETE and TRUNCATE with QH409 conflict, whoever asks; only the functions that purge a record, remove a tenant or erase values write there.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON qehs.audit_event
	FOR EACH STATEMENT EXECUTE FUNCTION qehs.audit_event_is_append_only();
CREATE FUNCTION qehs.audit_event_chain() RETURNS trigger AS 'MODULE_PATHNAME', 'qehs_audit_event_chain'
LANGUAGE C SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_event_chain() IS 'Trigger of qehs.audit_event: gives a new event its id, salt and digest, and chains it to the event before of the same record_id. A row that has a digest, as one of a dump has, stays as it is; qehs.audit_verify tells whether it holds.';
CREATE TRIGGER chain BEFORE INSERT ON qehs.audit_event FOR EACH ROW EXECUTE FUNCTION qehs.audit_event_chain();

CREATE TABLE qehs.audit_seal (
	tenant_id int4 NOT NULL,
	seal_no int8 NOT NULL CHECK (seal_no > 0),
	upto uuid NOT NULL,
	event_count int4 NOT NULL CHECK (event_count > 0),
	sealed_at timestamptz NOT NULL,
	root bytea NOT NULL CHECK (pg_catalog.octet_length(root) = 32),
	previous bytea CHECK (pg_catalog.octet_length(previous) = 32),
	digest bytea NOT NULL CHECK (pg_catalog.octet_length(digest) = 32),
	PRIMARY KEY (tenant_id, seal_no)
);
COMMENT ON TABLE qehs.audit_seal IS 'Seals of a tenant''s audit events, chained to each other: none of the events that a seal is over can be changed, added or removed without its root being another. Rows are only ever added. Publish the newest digest outside the database, since who can write all tables could write all seals anew.';
COMMENT ON COLUMN qehs.audit_seal.upto IS 'the last id that the seal is over; it begins behind upto of the seal before';
COMMENT ON COLUMN qehs.audit_seal.root IS 'root of the Merkle tree (RFC 6962 section 2.1) over the digests of its events, in the order of their ids';
COMMENT ON COLUMN qehs.audit_seal.previous IS 'digest of the seal before; NULL: it is the first';
COMMENT ON COLUMN qehs.audit_seal.digest IS 'SHA-256 of what the seal holds, as extension/audit/seal.c writes it';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON qehs.audit_seal
	FOR EACH STATEMENT EXECUTE FUNCTION qehs.audit_event_is_append_only();

CREATE TABLE qehs.audit_tombstone (
	tenant_id int4 NOT NULL,
	event_id uuid NOT NULL,
	record_id uuid NOT NULL,
	digest bytea NOT NULL CHECK (pg_catalog.octet_length(digest) = 32),
	purged_at timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, event_id)
);
COMMENT ON TABLE qehs.audit_tombstone IS 'What is left of an audit event whose retention has ended: its digest, which keeps chains and seals verifiable. Rows are only ever added.';
CREATE INDEX audit_tombstone_record ON qehs.audit_tombstone (tenant_id, record_id, event_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON qehs.audit_tombstone
	FOR EACH STATEMENT EXECUTE FUNCTION qehs.audit_event_is_append_only();
COMMENT ON COLUMN qehs.audit_event.changes IS '[{"path","from","to"}] of an update, transition or migration; {"payload":…} of a delete';

CREATE TABLE qehs.record_tombstone (
	tenant_id int4 NOT NULL,
	record_id uuid NOT NULL,
	module_id int4 NOT NULL,
	display_no int8 NOT NULL,
	created_at timestamptz NOT NULL,
	deleted_at timestamptz NOT NULL,
	purged_at timestamptz NOT NULL,
	purged_by uuid NOT NULL,
	reason text NOT NULL,
	event_id uuid NOT NULL,
	event_count int8 NOT NULL,
	head bytea NOT NULL CHECK (pg_catalog.octet_length(head) = 32),
	PRIMARY KEY (tenant_id, record_id)
);
COMMENT ON TABLE qehs.record_tombstone IS 'What is left of a record that was purged. Rows are only ever added.';
COMMENT ON COLUMN qehs.record_tombstone.reason IS 'why: what who purged it has said, or the rule of retention';
COMMENT ON COLUMN qehs.record_tombstone.event_id IS 'the audit event that says so';
COMMENT ON COLUMN qehs.record_tombstone.event_count IS 'audit events that the record had before it, of which qehs.audit_tombstone has the digests';
COMMENT ON COLUMN qehs.record_tombstone.head IS 'digest of the last of them, to which the event that says so is chained';
CREATE INDEX record_tombstone_display ON qehs.record_tombstone (tenant_id, module_id, display_no);
CREATE INDEX record_tombstone_purged ON qehs.record_tombstone (tenant_id, purged_at, record_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON qehs.record_tombstone
	FOR EACH STATEMENT EXECUTE FUNCTION qehs.audit_event_is_append_only();

CREATE TABLE qehs.legal_hold (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL,
	module_id int4,
	filter jsonb,
	of_records boolean NOT NULL,
	record_count int8 NOT NULL,
	reason text NOT NULL,
	created_at timestamptz NOT NULL,
	created_by uuid NOT NULL,
	released_at timestamptz,
	released_by uuid,
	release_reason text,
	PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE qehs.legal_hold IS 'Legal holds: what must neither be deleted nor purged nor erased, whatever its retention says. Placed by qehs.legal_hold_create; a released one stays.';
COMMENT ON COLUMN qehs.legal_hold.of_records IS 'it holds the records in qehs.legal_hold_record; false: all of the module, or where that is NULL all of the tenant, those to come too';
COMMENT ON COLUMN qehs.legal_hold.filter IS 'by which its records were found when it was placed; NULL: they were named, or it is of a whole module or tenant';
COMMENT ON COLUMN qehs.legal_hold.record_count IS 'of qehs.legal_hold_record';
CREATE INDEX legal_hold_active ON qehs.legal_hold (tenant_id, id) WHERE released_at IS NULL;

CREATE TABLE qehs.legal_hold_record (
	tenant_id int4 NOT NULL,
	record_id uuid NOT NULL,
	hold_id uuid NOT NULL,
	PRIMARY KEY (tenant_id, record_id, hold_id)
);
COMMENT ON TABLE qehs.legal_hold_record IS 'The records of legal holds that are of records.';
CREATE INDEX legal_hold_record_hold ON qehs.legal_hold_record (tenant_id, hold_id, record_id);

CREATE TABLE qehs.attachment (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL,
	record_id uuid,
	field text,
	field_version int4,
	filename text NOT NULL,
	content_type text NOT NULL,
	announced_size int8,
	announced_sha256 bytea,
	status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'uploaded', 'clean', 'infected', 'failed')),
	status_reason text,
	size_bytes int8,
	sha256 bytea,
	sniffed_type text,
	created_at timestamptz NOT NULL,
	created_by uuid NOT NULL,
	uploaded_at timestamptz,
	wanted_at timestamptz,
	deleted_at timestamptz,
	deleted_by uuid,
	removed_at timestamptz,
	PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE qehs.attachment IS 'Files of records, whose bytes are in the object store as <tenant>/<id>. Written by qehs.attachment_create and its neighbours.';
COMMENT ON COLUMN qehs.attachment.record_id IS 'the record that it belongs to, whose readers may have it; NULL: none yet, and only who announced it may';
COMMENT ON COLUMN qehs.attachment.field IS 'the field of the record that it belongs to, as photo or rows.photo, whose readers alone may have it; NULL: the record as a whole';
COMMENT ON COLUMN qehs.attachment.field_version IS 'version of the definition that calls the field so';
COMMENT ON COLUMN qehs.attachment.announced_size IS 'bytes that the client announced; NULL: it did not say, as announced_sha256';
COMMENT ON COLUMN qehs.attachment.status_reason IS 'why it is failed, or what it is infected with';
COMMENT ON COLUMN qehs.attachment.size_bytes IS 'of what is stored, as sha256 and sniffed_type, the media type as libmagic sees it; NULL until it is uploaded';
COMMENT ON COLUMN qehs.attachment.wanted_at IS 'since when somebody waits to hear of a file that was sent to S3; NULL: nobody';
COMMENT ON COLUMN qehs.attachment.removed_at IS 'since when its file is gone from the store, or going';
CREATE INDEX attachment_record ON qehs.attachment (tenant_id, record_id, id) WHERE record_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX attachment_loose ON qehs.attachment (tenant_id, created_at) WHERE record_id IS NULL OR status = 'pending';
CREATE INDEX attachment_deleted ON qehs.attachment (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL AND removed_at IS NULL;

CREATE TABLE qehs.object_removal (
	tenant text NOT NULL,
	object text NOT NULL,
	queued_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	not_before timestamptz NOT NULL DEFAULT '-infinity',
	PRIMARY KEY (tenant, object)
);
COMMENT ON COLUMN qehs.object_removal.not_before IS 'it stays until then: what is being sent may have a use by that time, which takes it off this list';
COMMENT ON TABLE qehs.object_removal IS 'Objects that are to leave the object store, by the tenant''s slug and the id. The shim removes them.';

CREATE TABLE qehs.idempotency (
	tenant_id int4 NOT NULL,
	key_id uuid NOT NULL,
	idempotency_key text NOT NULL,
	fingerprint bytea NOT NULL,
	status int4 NOT NULL,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	headers text NOT NULL,
	body text,
	sealed boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE qehs.idempotency IS 'Answers kept 24 hours by the Idempotency-Key of their request and the API key that sent it; qehs.tick removes older ones.';
COMMENT ON COLUMN qehs.idempotency.sealed IS 'body holds a secret: it is encrypted with the API key of the request, which is not stored';
CREATE INDEX idempotency_created ON qehs.idempotency (tenant_id, created_at);
-- last: of two indexes that seem to cost the same, as in a small table, the planner takes the newer
ALTER TABLE qehs.idempotency ADD PRIMARY KEY (tenant_id, key_id, idempotency_key);

CREATE TABLE qehs.job_kind (
	kind text PRIMARY KEY,
	description text NOT NULL,
	outside boolean NOT NULL,
	can_cancel boolean NOT NULL,
	tenant_limit int4 NOT NULL CHECK (tenant_limit >= 0),
	limit_class text,
	max_attempts int4 NOT NULL CHECK (max_attempts > 0)
);
COMMENT ON TABLE qehs.job_kind IS 'Kinds of work in the background. Made anew by each release, not dumped.';
COMMENT ON COLUMN qehs.job_kind.outside IS 'run by a program that claims it; false: inside the database, by the background worker or qehs.tick';
COMMENT ON COLUMN qehs.job_kind.tenant_limit IS 'how many a tenant may have running at once; 0 is without limit';
COMMENT ON COLUMN qehs.job_kind.limit_class IS 'class of qehs.rate_limit that goes before tenant_limit; NULL is none';
COMMENT ON COLUMN qehs.job_kind.max_attempts IS 'how often it is tried when it fails or its worker is lost without any progress';
INSERT INTO qehs.job_kind (kind, description, outside, can_cancel, tenant_limit, limit_class, max_attempts) VALUES
	('module_migrate', 'Moves the records of a module to a newer definition.', false, true, 1, NULL, 5),
	('module_refill', 'Fills a new index of a module, or its search, from the records that are there.', false, false, 1, NULL, 20),
	('retention', 'Deletes and purges records of a module that have been kept as long as its definition says.', false, true, 1, NULL, 5),
	('export', 'Writes records into a file.', true, true, 5, 'exports', 3),
	('bulk_load', 'Loads records from a body that waits in the object store.', true, true, 10, 'bulk', 5);

CREATE TABLE qehs.job (
	tenant_id int4 NOT NULL,
	id uuid NOT NULL,
	kind text NOT NULL,
	subject text,
	state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
	arguments jsonb NOT NULL DEFAULT '{}',
	position jsonb,
	done int8 NOT NULL DEFAULT 0,
	total int8,
	row_count int8,
	result jsonb,
	error jsonb,
	attempts int4 NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL,
	created_by uuid NOT NULL,
	on_behalf jsonb,
	not_before timestamptz NOT NULL,
	cancel_requested boolean NOT NULL DEFAULT false,
	worker text,
	lease_until timestamptz,
	claimed_at timestamptz,
	started_at timestamptz,
	finished_at timestamptz,
	input_bytes int8,
	PRIMARY KEY (tenant_id, id),
	CHECK ((finished_at IS NULL) = (state IN ('queued', 'running'))),
	CHECK ((worker IS NULL) = (lease_until IS NULL))
);
COMMENT ON TABLE qehs.job IS 'Work in the background: what waits, what runs, and for 7 days what has ended. Queued by the functions that need it; workers use qehs.job_claim and its neighbours.';
COMMENT ON COLUMN qehs.job.subject IS 'what the job works on; only one that has not ended has the same kind and subject';
COMMENT ON COLUMN qehs.job.position IS 'where the next step goes on; NULL is the start';
COMMENT ON COLUMN qehs.job.on_behalf IS 'the rights of the caller that asked, which the job is run with; NULL is the system';
COMMENT ON COLUMN qehs.job.not_before IS 'it is not started earlier: when it was queued, or later after a failure';
COMMENT ON COLUMN qehs.job.lease_until IS 'until when worker has it; NULL is free';
COMMENT ON COLUMN qehs.job.input_bytes IS 'of the object, called as the job, that it reads; NULL: it has none, or none any more (qehs.job_release_input)';
COMMENT ON COLUMN qehs.job.claimed_at IS 'when a worker claimed it last: tenants and jobs take turns by it';
CREATE INDEX job_unfinished ON qehs.job (tenant_id, kind, claimed_at NULLS FIRST, id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX job_subject ON qehs.job (tenant_id, kind, subject) WHERE finished_at IS NULL AND subject IS NOT NULL;
CREATE INDEX job_claimed ON qehs.job (tenant_id, claimed_at) WHERE claimed_at IS NOT NULL;
CREATE INDEX job_input ON qehs.job (tenant_id, id) WHERE input_bytes IS NOT NULL;
CREATE INDEX job_finished ON qehs.job (tenant_id, finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE qehs.graphql_document (
	tenant_id int4 NOT NULL,
	digest bytea NOT NULL CHECK (pg_catalog.octet_length(digest) = 32),
	document text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT qehs.clock_transaction(),
	PRIMARY KEY (tenant_id, digest)
);
COMMENT ON TABLE qehs.graphql_document IS 'Documents of GraphQL that clients ask for by their SHA-256 (automatic persisted queries), at most 1000 of a tenant and for 30 days: then clients send them again. Not dumped.';
CREATE INDEX graphql_document_created ON qehs.graphql_document (tenant_id, created_at);

CREATE TABLE qehs.problem (
	code text PRIMARY KEY,
	status int4 NOT NULL,
	title text NOT NULL,
	description text NOT NULL,
	titles jsonb NOT NULL DEFAULT '{}',
	scim_type text
);
COMMENT ON TABLE qehs.problem IS 'The problems that errors are (RFC 9457): code, HTTP status, title and meaning. Made anew by each release, not dumped.';
COMMENT ON COLUMN qehs.problem.titles IS 'title in other languages, by language tag';
COMMENT ON COLUMN qehs.problem.scim_type IS 'scimType where the error form is that of SCIM (RFC 7644 section 3.12); NULL is none';

CREATE TABLE qehs.endpoint (
	operation text PRIMARY KEY,
	method text NOT NULL,
	path text NOT NULL,
	alias text,
	function text NOT NULL,
	status int4 NOT NULL DEFAULT 200,
	body text NOT NULL DEFAULT 'none' CHECK (body IN ('none', 'json', 'stream', 'file')),
	answer text NOT NULL DEFAULT 'json' CHECK (answer IN ('none', 'json', 'stream', 'file')),
	takes text[] NOT NULL DEFAULT '{application/json,application/merge-patch+json}',
	gives text[] NOT NULL DEFAULT '{application/json}',
	error_form text NOT NULL DEFAULT 'problem' CHECK (error_form IN ('problem', 'scim', 'graphql')),
	stream_begin text,
	stream_end text,
	async_begin text,
	async_function text,
	class text NOT NULL DEFAULT 'default',
	time_limit int4 NOT NULL DEFAULT 10000 CHECK (time_limit > 0),
	authenticated boolean NOT NULL DEFAULT true,
	tag text NOT NULL,
	summary text NOT NULL,
	description text,
	scope text,
	action text,
	response text,
	etag boolean NOT NULL DEFAULT false,
	problems text[] NOT NULL DEFAULT '{}',
	parameters jsonb NOT NULL DEFAULT '[]',
	deprecated_at timestamptz,
	sunset_at timestamptz,
	deprecation_link text,
	UNIQUE (method, path),
	CHECK (body <> 'stream' OR (stream_begin IS NOT NULL AND stream_end IS NOT NULL)),
	CHECK (answer <> 'stream' OR body = 'stream'),
	CHECK (body <> 'file' OR stream_begin IS NOT NULL),
	CHECK ((async_begin IS NULL) = (async_function IS NULL) AND (async_begin IS NULL OR body = 'stream'))
);
COMMENT ON TABLE qehs.endpoint IS 'The endpoints of the API, from which the shim routes and the documents are written. Made anew by each release, not dumped.';
COMMENT ON COLUMN qehs.endpoint.alias IS 'second path with the same meaning, which the documents do not list; NULL is none';
COMMENT ON COLUMN qehs.endpoint.function IS 'gives the answer; of a body that streams it takes a chunk of lines and gives their answer lines';
COMMENT ON COLUMN qehs.endpoint.status IS 'of success, in the documents; what is answered is what request_end says';
COMMENT ON COLUMN qehs.endpoint.body IS 'none, json, stream: lines that go to the function in chunks while they arrive, or file: becomes an object of the object store, of which the function is told afterwards';
COMMENT ON COLUMN qehs.endpoint.answer IS 'none, json (one value, sent as it is), stream: of a body that streams, sent as its lines are answered, or file: an object of the object store, {"tenant","id"}, which is sent';
COMMENT ON COLUMN qehs.endpoint.takes IS 'media types of the body, the one of the documents first';
COMMENT ON COLUMN qehs.endpoint.gives IS 'media types of the answer, the one that is given without an Accept header first';
COMMENT ON COLUMN qehs.endpoint.error_form IS 'form of its errors: problem (RFC 9457), scim (RFC 7644 section 3.12) or graphql';
COMMENT ON COLUMN qehs.endpoint.stream_begin IS 'of a body that streams: called before the first chunk, on the same connection; gives {"transaction":all chunks are one transaction,"inTurns":a chunk must not run before the one ahead has ended,"stopOnFailure":nothing behind a line that failed,"statuses":{status of an answer line:what a rollback makes of it: undone (neither told nor counted), counted or told}}, by which the shim runs the load and writes the summary; of a file {"size":bytes that must come,"most":bytes that may come,"sha256":what it must be}, each where it matters';
COMMENT ON COLUMN qehs.endpoint.stream_end IS 'of a body that streams: called when all chunks have ended';
COMMENT ON COLUMN qehs.endpoint.async_begin IS 'of a body that streams, with Prefer: respond-async (RFC 7240): called before the body comes; gives {"tenant","id"}: what the body is to be called in the object store, and "quota":bytes that may come, where it matters';
COMMENT ON COLUMN qehs.endpoint.async_function IS 'of the same: called when the body is in the object store; gives the answer';
COMMENT ON COLUMN qehs.endpoint.class IS 'class of the rate limit; signed: none, as the URL is the right to call';
COMMENT ON COLUMN qehs.endpoint.time_limit IS 'milliseconds that a request, or a chunk of a stream, may take in the database; beyond it the answer is 504 timeout';
COMMENT ON COLUMN qehs.endpoint.scope IS 'scope that the caller needs; NULL is none';
COMMENT ON COLUMN qehs.endpoint.action IS 'action that the caller needs in a module (read, create, update, delete, transition), or administrator, or person: a key that acts as a user; NULL is none';
COMMENT ON COLUMN qehs.endpoint.response IS 'component of the OpenAPI document that a successful answer is; NULL is no body';
COMMENT ON COLUMN qehs.endpoint.etag IS 'successful answers carry an ETag';
COMMENT ON COLUMN qehs.endpoint.problems IS 'problem codes beyond those that follow from method, parameters and body';

CREATE TABLE qehs.openapi_component (
	name text PRIMARY KEY,
	schema json NOT NULL
);
COMMENT ON TABLE qehs.openapi_component IS 'Components of the OpenAPI document that are the same for every tenant. Made anew by each release, not dumped.';

CREATE TABLE qehs.module_catalogue (
	key text PRIMARY KEY,
	definition jsonb NOT NULL
);
COMMENT ON TABLE qehs.module_catalogue IS 'Definitions that ship with the extension, for qehs.module_install. Made anew by each release, not dumped.';

CREATE TABLE qehs.json_schema (
	uri text PRIMARY KEY,
	document jsonb NOT NULL
);
COMMENT ON TABLE qehs.json_schema IS 'JSON Schemas that a $ref of any other may name by URI, of the database and not of a tenant; qehs.jsonschema_register fills it, anyone may read it.';
GRANT SELECT ON qehs.json_schema TO PUBLIC;

DO $dump$
DECLARE
	table_name text;
BEGIN
	FOREACH table_name IN ARRAY ARRAY['qehs.tenant', 'qehs.tenant_id_seq', 'qehs.secret', 'qehs.user_account', 'qehs.role',
		'qehs.role_member', 'qehs.location', 'qehs.api_key', 'qehs.rate_limit', 'qehs.module', 'qehs.module_version', 'qehs.record', 'qehs.record_unique', 'qehs.record_link', 'qehs.record_comment', 'qehs.record_timer', 'qehs.calendar',
		'qehs.outbox', 'qehs.approval', 'qehs.delegation', 'qehs.signature_credential',
		'qehs.audit_event', 'qehs.audit_seal', 'qehs.audit_tombstone', 'qehs.record_tombstone', 'qehs.legal_hold', 'qehs.legal_hold_record', 'qehs.attachment', 'qehs.object_removal', 'qehs.idempotency', 'qehs.job', 'qehs.json_schema']
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(table_name::pg_catalog.regclass, '');
	END LOOP;
END
$dump$;
