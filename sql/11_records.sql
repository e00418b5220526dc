-- Modules, their versions and records, and what a workflow keeps beside these.

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
LANGUAGE C VOLATILE STRICT;
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
