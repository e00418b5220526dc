-- The audit trail shows tampering: seals over its events, and their verification (extension/audit/seal.h and digest.h say what is hashed).

CREATE FUNCTION qehs.audit_seal(tenant text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_audit_seal'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_seal(text) IS 'Seals all audit events of a tenant that are committed and not sealed yet, and gives {"seals","events"}: how many seals it made, over how many events (65,536 a seal at most). Waits for transactions under way that write events. qehs.tick does the same when one is not sealed for a minute. Raises QH404 not_found.';

CREATE FUNCTION qehs.audit_seal_due(until timestamptz) RETURNS bigint AS 'MODULE_PATHNAME', 'qehs_audit_seal_due'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_seal_due(timestamptz) IS 'Seals the audit events of tenants that have one which is not sealed for a minute, one tenant after the other until the time is up; gives the number of seals. tick calls it.';

CREATE FUNCTION qehs.audit_verify(tenant text, from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL) RETURNS json
AS 'MODULE_PATHNAME', 'qehs_audit_verify'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_verify(text, timestamptz, timestamptz) IS 'Whether the audit events of a tenant, written from from_time to to_time (NULL: all), and its seals are as they were written: {"events","seals","fault"} with the numbers that were looked at and the first that does not fit, null when all do. fault is {"code","eventId","recordId","detail"} of an event: content (it was changed), chain (the event before it was removed, changed or another was put in), purge (it is gone, and no event says that its record was purged); or {"code","sealNo","detail"} of a seal: count or root (events were removed, added or written anew with their digests), seal or seal_chain (the seal was changed, or the one before it removed). What was written since the last seal is protected by the chains alone, which do not tell that the last events of a record were removed. Raises QH404 not_found.';

CREATE FUNCTION qehs.audit_seals(page_size int4 DEFAULT NULL, cursor text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_audit_seals'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_seals(int4, text) IS 'A page of the tenant''s seals, newest first: {"items":[{"sealNo","upto","eventCount","sealedAt","root","previous","digest"}],"nextCursor"}, hashes in hexadecimal. Keep the newest digest outside the database: what is sealed cannot be changed without it being another. page_size is 1 to 200, default 50. Needs scope audit.read and the right to read every event of the tenant. Raises QH400 invalid_parameter, invalid_cursor, QH403 forbidden.';

CREATE FUNCTION qehs.audit_proof(event_id text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_audit_proof'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.audit_proof(text) IS 'That an audit event is in its seal (RFC 6962 section 2.1.1): {"eventId","digest","leaf","leafIndex","treeSize","path","seal"}, hashes in hexadecimal. leaf is SHA-256(0x00, digest); with the nodes of path, from the leaf upwards, it makes the root of seal. Of an event that was purged it is the digest that stayed which is proven. Needs scope audit.read, and the right to read the event. Raises QH403 forbidden, QH404 not_found, QH409 conflict for an event that is not sealed yet or whose seal does not fit.';

CREATE FUNCTION qehs.record_at(id text, at_time text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_at'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_at(text, text) IS 'A record as it was at a time (RFC 3339 with offset; a date is its end, in UTC), rebuilt from its events. Needs scope records.read and the right to read the record now; of a deleted one, or one that was deleted then, scope audit.read. Raises QH400 invalid_parameter, QH403 forbidden, QH404 not_found, also where it did not exist yet.';
