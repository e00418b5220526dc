-- The audit trail: events, seals, and what is left of what is purged; legal holds, which keep it from that.

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
