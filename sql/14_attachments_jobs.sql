-- Attachments and what is to be removed of their store; answers kept for retries, jobs, and documents of GraphQL.

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
	sealed boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, key_id, idempotency_key)
);
COMMENT ON TABLE qehs.idempotency IS 'Answers kept 24 hours by the Idempotency-Key of their request and the API key that sent it; qehs.tick removes older ones.';
COMMENT ON COLUMN qehs.idempotency.sealed IS 'body holds a secret: it is encrypted with the API key of the request, which is not stored';
-- The condition holds always, and only what asks for it can use the index: in a table that VACUUM has seen empty and one transaction fills, the
-- planner takes both indexes for equally good, and the keys of the tenant would be read one by one.
CREATE INDEX idempotency_created ON qehs.idempotency (tenant_id, created_at) WHERE created_at > '-infinity';

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
