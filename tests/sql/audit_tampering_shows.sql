-- Whatever a superuser does to audit events or seals behind the triggers, audit_verify finds it.
\set VERBOSITY terse
\set tenant tampering
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
SET client_min_messages = warning;
CREATE TEMPORARY TABLE made AS SELECT n, qehs.record_create('incidents', jsonb_build_object('title', 'number ' || n, 'severity', 'low')) ->> 'id' AS id
FROM generate_series(1, 5) AS n;
DO $write$
DECLARE
	made record;
BEGIN
	FOR made IN SELECT * FROM made ORDER BY n LOOP
		PERFORM qehs.record_update(made.id, jsonb_build_object('cost', made.n, 'rca_text', 'why', 'title', 'changed'), 'seen on site');
		PERFORM qehs.record_transition(made.id, 'submit');
	END LOOP;
	PERFORM qehs.record_delete((SELECT id FROM made WHERE n = 5));
END
$write$;
SELECT qehs.audit_seal('tampering') AS sealed \gset
DO $more$
BEGIN
	PERFORM qehs.record_update((SELECT id FROM made WHERE n = 1), '{"cost":10}');
	PERFORM qehs.record_update((SELECT id FROM made WHERE n = 2), '{"cost":11}');
END
$more$;
CREATE TEMPORARY TABLE tenant AS SELECT id FROM qehs.tenant WHERE slug = 'tampering';
-- the event of which everything is tried: the update of the second record
CREATE TEMPORARY TABLE target AS SELECT e.* FROM qehs.audit_event AS e, tenant WHERE tenant_id = tenant.id AND action = 'updated' ORDER BY e.id OFFSET 1 LIMIT 1;
CREATE TEMPORARY TABLE target_id AS SELECT i ->> 'id' AS qehs_id FROM json_array_elements(qehs.audit_list(action => 'updated') -> 'items') WITH ORDINALITY AS t (i, n)
ORDER BY n DESC OFFSET 1 LIMIT 1;
-- what a superuser does is undone again by the caller
CREATE FUNCTION pg_temp.fault() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', f ->> 'code', CASE WHEN f ->> 'eventId' = (SELECT t.qehs_id FROM target_id AS t) THEN 'of the target' END,
		CASE WHEN f ->> 'sealNo' IS NOT NULL THEN 'of a seal' END)
	FROM (SELECT qehs.audit_verify('tampering') -> 'fault' AS f) AS v $$;
CREATE FUNCTION pg_temp.found(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	BEGIN
		SET LOCAL session_replication_role = replica;
		EXECUTE change;
		found := pg_temp.fault();
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
		RETURN coalesce(nullif(found, ''), 'NOTHING');
	END;
END $$;
\set ECHO all
SELECT :'sealed'::jsonb AS sealed, qehs.audit_verify('tampering')::jsonb AS verified;
-- each column of one event, the bytes of each at its beginning and end
SELECT c.attname AS column, pg_temp.found(format('UPDATE qehs.audit_event AS e SET %1$I = %2$s FROM target AS t WHERE e.tenant_id = t.tenant_id AND e.id = t.id', c.attname,
	CASE
		WHEN c.attname IN ('id', 'record_id', 'actor_id', 'on_behalf_of') THEN '''00000000-0000-7000-8000-000000000001'''
		WHEN c.attname IN ('tenant_id', 'module_id', 'record_version', 'from_definition', 'to_definition') THEN format('e.%I + 1', c.attname)
		WHEN c.attname = 'at' THEN 'e.at + interval ''1 microsecond'''
		WHEN c.attname = 'changes' THEN 'jsonb_set(e.changes, ''{0,to}'', ''99'')'
		WHEN c.attname = 'signature' THEN '''{"meaning":"reviewed"}'''
		WHEN c.attname = 'erased' THEN '''{"comment":{"digest":"00"}}'''
		WHEN c.attname = 'address' THEN '''203.0.113.9'''
		WHEN c.attname IN ('previous', 'salt', 'digest') THEN format('set_bit(coalesce(e.%1$I, sha256('''')), 0, 1 - get_bit(coalesce(e.%1$I, sha256('''')), 0))', c.attname)
		ELSE format('coalesce(e.%1$I, '''') || ''x''', c.attname)
	END)) AS found
FROM pg_attribute AS c WHERE c.attrelid = 'qehs.audit_event'::regclass AND c.attnum > 0 AND NOT c.attisdropped ORDER BY c.attnum;
-- each place in the changes
SELECT change, pg_temp.found(format('UPDATE qehs.audit_event AS e SET changes = %s FROM target AS t WHERE e.tenant_id = t.tenant_id AND e.id = t.id', change)) AS found
FROM (VALUES ('NULL'), ('e.changes - 0'), ('e.changes || e.changes'), ('jsonb_set(e.changes, ''{0,path}'', ''"/payload/other"'')'), ('e.changes #- ''{0,from}'''),
	('jsonb_set(e.changes, ''{1,extra}'', ''1'')'), ('jsonb_build_array(e.changes -> 1, e.changes -> 0, e.changes -> 2)'), ('''{}'''), ('''"x"''')) AS t (change);
-- each bit of the digests and of an id
SELECT name, bit_count, bit_count = count(*) FILTER (WHERE found <> 'NOTHING') AS all_found FROM (
	SELECT name, count(*) OVER (PARTITION BY name) AS bit_count, pg_temp.found(format('UPDATE qehs.audit_event AS e SET %1$I = set_bit(e.%1$I, %2$s, 1 - get_bit(e.%1$I, %2$s)) FROM target AS t'
		' WHERE e.tenant_id = t.tenant_id AND e.id = t.id', name, bit)) AS found
	FROM (VALUES ('digest', 256), ('previous', 256), ('salt', 128)) AS c (name, bits), generate_series(0, bits - 1) AS bit) AS b
GROUP BY name, bit_count ORDER BY name;
SELECT what, pg_temp.found(change) AS found FROM (VALUES
	('an event removed', 'DELETE FROM qehs.audit_event AS e USING target AS t WHERE e.tenant_id = t.tenant_id AND e.id = t.id'),
	('an event replaced by its digest', 'INSERT INTO qehs.audit_tombstone SELECT t.tenant_id, t.id, t.record_id, t.digest, now() FROM target AS t;
		DELETE FROM qehs.audit_event AS e USING target AS t WHERE e.tenant_id = t.tenant_id AND e.id = t.id'),
	('the last event of a record removed', 'DELETE FROM qehs.audit_event AS e USING tenant AS t WHERE e.tenant_id = t.id AND e.action = ''deleted'''),
	('the first event of a record removed', 'DELETE FROM qehs.audit_event AS e USING target AS t WHERE e.tenant_id = t.tenant_id AND e.record_id = t.record_id AND e.action = ''created'''),
	('all events of a record removed', 'DELETE FROM qehs.audit_event AS e USING target AS t WHERE e.tenant_id = t.tenant_id AND e.record_id = t.record_id'),
	('two events of a record swapped', 'CREATE TEMPORARY TABLE pair ON COMMIT DROP AS SELECT o.* FROM qehs.audit_event AS o, target AS t WHERE o.tenant_id = t.tenant_id AND o.record_id = t.record_id
			AND o.action IN (''updated'', ''transitioned'') ORDER BY o.id LIMIT 2;
		DELETE FROM qehs.audit_event AS e USING pair AS p WHERE e.tenant_id = p.tenant_id AND e.id = p.id;
		INSERT INTO qehs.audit_event SELECT (jsonb_populate_record(NULL::qehs.audit_event, to_jsonb(p) || jsonb_build_object(''id'', (SELECT o.id FROM pair AS o WHERE o.id <> p.id)))).* FROM pair AS p'),
	('two events of different records swapped', 'UPDATE qehs.audit_event AS e SET record_id = CASE WHEN e.id = t.id THEN o.record_id ELSE t.record_id END
		FROM target AS t, (SELECT o.* FROM qehs.audit_event AS o, target AS t WHERE o.tenant_id = t.tenant_id AND o.id > t.id AND o.action = ''updated'' ORDER BY o.id LIMIT 1) AS o
		WHERE e.tenant_id = t.tenant_id AND e.id IN (t.id, o.id)'),
	('an event put in', 'INSERT INTO qehs.audit_event SELECT (jsonb_populate_record(NULL::qehs.audit_event, to_jsonb(t) || jsonb_build_object(''id'', overlay(t.id::text PLACING ''ffff'' FROM 33)))).* FROM target AS t'),
	('the root of a seal', 'UPDATE qehs.audit_seal AS s SET root = sha256(root) FROM tenant AS t WHERE s.tenant_id = t.id AND seal_no = 1'),
	('the number of events of a seal', 'UPDATE qehs.audit_seal AS s SET event_count = event_count + 1 FROM tenant AS t WHERE s.tenant_id = t.id AND seal_no = 1'),
	('the span of a seal', 'UPDATE qehs.audit_seal AS s SET upto = ''ffffffff-ffff-ffff-ffff-ffffffffffff'' FROM tenant AS t WHERE s.tenant_id = t.id AND seal_no = 1'),
	('the time of a seal', 'UPDATE qehs.audit_seal AS s SET sealed_at = sealed_at + interval ''1 day'' FROM tenant AS t WHERE s.tenant_id = t.id AND seal_no = 1')
) AS t (what, change);
-- an event written anew with a digest that fits, and the chain behind it, too: the seal tells
SELECT pg_temp.found($change$
	DELETE FROM qehs.audit_event AS e USING target AS t WHERE e.tenant_id = t.tenant_id AND e.record_id = t.record_id AND e.id >= t.id;
	SET LOCAL session_replication_role = origin;
	INSERT INTO qehs.audit_event SELECT (jsonb_populate_record(NULL::qehs.audit_event, to_jsonb(t) - 'digest' || '{"comment":"another"}')).* FROM target AS t$change$) AS found;
-- a second seal, and the first one removed or written anew
SELECT qehs.audit_seal('tampering')::jsonb AS sealed;
SELECT what, pg_temp.found(change) AS found FROM (VALUES
	('the first seal removed', 'DELETE FROM qehs.audit_seal AS s USING tenant AS t WHERE s.tenant_id = t.id AND seal_no = 1'),
	('the chain of a seal', 'UPDATE qehs.audit_seal AS s SET previous = sha256(previous) FROM tenant AS t WHERE s.tenant_id = t.id AND seal_no = 2'),
	('its digest', 'UPDATE qehs.audit_seal AS s SET digest = sha256(digest) FROM tenant AS t WHERE s.tenant_id = t.id AND seal_no = 1')
) AS t (what, change);
SELECT qehs.audit_verify('tampering')::jsonb AS nothing_was_left_of_it;
-- a span of time alone
SELECT qehs.audit_verify('tampering', now() - interval '1 hour', now() + interval '1 hour') -> 'fault' AS fault, qehs.audit_verify('tampering', now() + interval '1 hour') ->> 'events' AS later;
SELECT qehs.audit_verify('nobody');
UPDATE qehs.audit_seal SET root = root;
DELETE FROM qehs.audit_tombstone;
