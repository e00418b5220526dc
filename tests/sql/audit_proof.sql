-- The proof of an event makes the root of its seal (RFC 6962 section 2.1.1), for trees of every shape; another tenant's event has none.
\set VERBOSITY terse
\set tenant proof
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
-- the root that a leaf and its path make, as section 2.1.3.2 of RFC 9162 says
CREATE FUNCTION pg_temp.root(proof jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r bytea := sha256('\x00'::bytea || decode(proof ->> 'digest', 'hex'));
	f int := (proof ->> 'leafIndex')::int;
	s int := (proof ->> 'treeSize')::int - 1;
	p text;
BEGIN
	FOR p IN SELECT jsonb_array_elements_text(proof -> 'path') LOOP
		IF s = 0 THEN
			RETURN 'too long';
		END IF;
		IF f % 2 = 1 OR f = s THEN
			r := sha256('\x01'::bytea || decode(p, 'hex') || r);
			WHILE f % 2 = 0 AND f <> 0 LOOP
				f := f / 2;
				s := s / 2;
			END LOOP;
		ELSE
			r := sha256('\x01'::bytea || r || decode(p, 'hex'));
		END IF;
		f := f / 2;
		s := s / 2;
	END LOOP;
	RETURN CASE WHEN s = 0 THEN encode(r, 'hex') ELSE 'too short' END;
END $$;
-- seals over 1 to 17 events
DO $write$
BEGIN
	-- those of the tenant's roles and of the definition
	PERFORM qehs.audit_seal('proof');
	FOR size IN 1 .. 17 LOOP
		FOR n IN 1 .. size LOOP
			PERFORM qehs.record_create('incidents', '{"title":"t","severity":"low"}');
		END LOOP;
		PERFORM qehs.audit_seal('proof');
	END LOOP;
END
$write$;
\set ECHO all
SELECT count(*) AS seals, sum((s ->> 'eventCount')::int) AS events FROM json_array_elements(qehs.audit_seals() -> 'items') AS s;
WITH proof AS (
	SELECT qehs.audit_proof(e ->> 'id')::jsonb AS p FROM json_array_elements(qehs.audit_list(page_size => 200) -> 'items') AS e)
SELECT p ->> 'treeSize' AS tree_size, count(*) AS events, bool_and(pg_temp.root(p) = p -> 'seal' ->> 'root') AS proven FROM proof GROUP BY 1 ORDER BY min((p ->> 'treeSize')::int);
-- the digest of a seal, from what is published
SELECT bool_and(sha256(convert_to('qehs audit seal 1' || chr(10), 'UTF8') || int8send((s ->> 'sealNo')::bigint)
	|| (SELECT uuid_send(upto) FROM qehs.audit_seal AS r JOIN qehs.tenant AS t ON t.id = tenant_id WHERE slug = 'proof' AND seal_no = (s ->> 'sealNo')::bigint)
	|| int4send((s ->> 'eventCount')::int) || int8send((extract(epoch FROM (s ->> 'sealedAt')::timestamptz - '2000-01-01Z') * 1000000)::bigint)
	|| decode(s ->> 'root', 'hex') || coalesce(decode(s ->> 'previous', 'hex'), decode(repeat('00', 32), 'hex'))) = decode(s ->> 'digest', 'hex')) AS digests_fit
FROM json_array_elements(qehs.audit_seals() -> 'items') AS s;
SELECT qehs.record_create('incidents', '{"title":"t","severity":"low"}') IS NOT NULL AS made;
SELECT qehs.audit_list(page_size => 1) #>> '{items,0,id}' AS event \gset
SELECT qehs.audit_proof(:'event');
SELECT qehs.audit_seal('proof');
SELECT qehs.audit_proof(:'event') -> 'treeSize' AS alone;
SELECT qehs.audit_proof('evt_01KA5X8ZK5Q3V7N2M4T6W8Y0AB');
SELECT qehs.audit_proof('no id');
\o /dev/null
SELECT qehs.tenant_create('proof_other', 'Other');
SELECT qehs.use_tenant('proof_other');
\o
SELECT qehs.audit_proof(:'event');
SELECT qehs.audit_seals()::jsonb AS none;
-- a page after the other
SELECT qehs.use_tenant('proof') IS NOT NULL AS again;
SELECT qehs.audit_seals(10) ->> 'nextCursor' AS next \gset
SELECT json_array_length(qehs.audit_seals(10, :'next') -> 'items') AS rest, qehs.audit_seals(10, :'next') ->> 'nextCursor' AS more;
-- what is purged is proven by the digest that stays, to who may know of its record's tombstone
SELECT qehs.record_create('incidents', '{"title":"gone","severity":"low"}') ->> 'id' AS gone \gset
SELECT qehs.audit_list(:'gone') #>> '{items,0,id}' AS gone_event \gset
SELECT qehs.audit_seal('proof') IS NOT NULL AS sealed;
SELECT qehs.audit_proof(:'gone_event') AS before \gset
SELECT qehs.record_delete(:'gone'), qehs.record_purge(:'gone', 'old');
SELECT qehs.audit_proof(:'gone_event')::jsonb = :'before'::jsonb AS same, pg_temp.root(:'before'::jsonb) = :'before'::jsonb #>> '{seal,root}' AS proven;
SELECT qehs.use_tenant('proof_other') IS NOT NULL AS other;
SELECT qehs.audit_proof(:'gone_event');
