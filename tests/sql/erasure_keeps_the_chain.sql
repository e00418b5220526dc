-- Values are erased wherever they are kept; digests, chains and seals hold, and an event says what was erased, by whom and why.
\set VERBOSITY terse
\set ECHO none
SET qehs.clock = '2027-01-01T00:00:00Z';
SELECT qehs.tenant_create('erasure', 'A') \g /dev/null
SELECT qehs.use_tenant('erasure') \g /dev/null
SELECT qehs.user_create('ann', 'Ann Quetzal', 'ann.quetzal@example.com', '{tenant-admin}'), qehs.user_create('dora', 'Dora', roles => '{tenant-user}') \g /dev/null
CREATE FUNCTION pg_temp.publish(fields jsonb, migrate jsonb) RETURNS json LANGUAGE sql AS $$
SELECT qehs.module_publish('injuries', jsonb_build_object('key', 'injuries', 'name', 'Injuries', 'displayCode', '{"prefix":"INJ"}'::jsonb, 'fields', fields || '[{"key":"title","type":"text","searchable":true,"required":true},
	{"key":"born","type":"date","indexed":true,"personalData":true},{"key":"badge","type":"text","unique":true,"personalData":true},{"key":"photo","type":"file","personalData":true}]'::jsonb,
	'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb) || migrate) $$;
-- the name was called otherwise before
SELECT pg_temp.publish('[{"key":"name","type":"text","searchable":true,"personalData":true}]', '{}') \g /dev/null
SELECT qehs.record_create('injuries', '{"title":"fall","name":"Quetzal One","born":"1980-01-01","badge":"Quetzal-7"}') ->> 'id' AS id \gset
SELECT qehs.record_update(:'id', '{"name":"Quetzal Two","title":"fall from ladder"}', 'as told') \g /dev/null
SELECT pg_temp.publish('[{"key":"injured","type":"text","searchable":true,"personalData":true}]', '{"migrate":{"rename":{"name":"injured"}}}') \g /dev/null
SELECT qehs.record_migrate(:'id') \g /dev/null
SELECT qehs.record_update(:'id', '{"injured":"Quetzal Three"}') \g /dev/null
SELECT qehs.record_comment(:'id', 'Quetzal was told') \g /dev/null
SELECT qehs.record_delete(:'id'), qehs.record_restore(:'id') \g /dev/null
SELECT qehs.attachment_create(:'id', 'quetzal.txt', 'text/plain', field => 'photo') \g /dev/null
SELECT qehs.record_create('injuries', '{"title":"other","injured":"Quetzal Sibling"}') ->> 'id' AS other \gset
-- an answer kept for retries, an export that has ended, and what waits in the outbox
INSERT INTO qehs.idempotency (tenant_id, key_id, idempotency_key, fingerprint, status, headers, body) SELECT id, gen_random_uuid(), k, 'x', 201, 'a: b', b FROM qehs.tenant,
	(VALUES ('whole', format('{"id":"%s","payload":{"injured":"Quetzal"}}', :'id')), ('line', :'id'), ('other', '{"id":"rec_none"}')) AS t (k, b) WHERE slug = 'erasure';
INSERT INTO qehs.job (tenant_id, id, kind, state, arguments, result, created_at, created_by, not_before, finished_at) SELECT id, gen_random_uuid(), 'export', 'succeeded', '{"moduleKey":"injuries"}', '{"sizeBytes":1}', now(), id_uuid, now(), now()
	FROM qehs.tenant, (VALUES ('00000000-0000-0000-0000-000000000000'::uuid)) AS u (id_uuid) WHERE slug = 'erasure';
INSERT INTO qehs.outbox SELECT t.id, gen_random_uuid(), 'x', r.module_id, r.id, 1, now(), r.created_by, '{"payload":"Quetzal"}' FROM qehs.tenant AS t JOIN qehs.record AS r ON r.tenant_id = t.id WHERE slug = 'erasure' AND r.payload ->> 'title' ~ 'fall';
-- every column of every table of the tenant in which the bird stands, however it is written there
CREATE FUNCTION pg_temp.found() RETURNS TABLE (place text, n bigint) LANGUAGE plpgsql AS $$
DECLARE
	tab record;
BEGIN
	FOR tab IN SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' WHERE c.relnamespace = 'qehs'::regnamespace AND c.relkind = 'r' ORDER BY 1 LOOP
		RETURN QUERY EXECUTE format('SELECT %L || ''.'' || k, count(*) FROM qehs.%I AS x, jsonb_each_text(to_jsonb(x)) AS e (k, v) WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = ''erasure'') AND v ~* ''quetzal'' GROUP BY 1 ORDER BY 1', tab.relname, tab.relname);
	END LOOP;
END $$;
SELECT qehs.audit_seal('erasure') \g /dev/null
\set ECHO all
SELECT * FROM pg_temp.found();
SELECT i ->> 'id' AS event FROM json_array_elements(qehs.audit_list(record_id => :'id', action => 'updated') -> 'items') AS i LIMIT 1 \gset
SELECT qehs.audit_proof(:'event') ->> 'digest' AS digest \gset
-- who may, and what must be said; not what is held
SELECT qehs.use_tenant('erasure', 'dora');
SELECT qehs.record_erase(:'id', 'asked for');
SELECT qehs.use_tenant('erasure', 'ann');
\set VERBOSITY default
SELECT qehs.record_erase(:'id', NULL, '{injured,nowhere}');
SELECT qehs.record_erase(:'id', 'asked for', '{}');
\set VERBOSITY terse
SELECT qehs.legal_hold_create('claim', ARRAY[:'id']) ->> 'id' AS hold \gset
SELECT qehs.record_erase(:'id', 'asked for');
SELECT qehs.legal_hold_release(:'hold', 'settled') ->> 'releaseReason' AS released;
-- personal data, and the comments
SELECT qehs.record_erase(:'id', 'Request of the data subject', comments => true);
SELECT * FROM pg_temp.found() WHERE place !~ '^user_account';
SELECT qehs.record_get(:'id') -> 'payload' AS payload, json_array_length(qehs.record_get(:'id') -> 'attachments') AS files;
SELECT i ->> 'type' AS type, i ->> 'reason' AS reason, i #>> '{actor,displayName}' AS by, regexp_replace(i ->> 'changes', 'cmt_\w+', 'cmt_…') AS changes, i ->> 'comment' AS comment, i -> 'payload' AS payload
FROM json_array_elements(qehs.audit_list(record_id => :'id') -> 'items') AS i;
SELECT qehs.audit_verify('erasure') -> 'fault' AS fault, qehs.audit_proof(:'event') ->> 'digest' = :'digest' AS same_digest;
-- what was not erased is as it was, at its time; the record can be changed, and its badge be had by another
SELECT qehs.record_at(:'id', '2027-01-01') -> 'payload' AS payload;
SELECT qehs.record_update(:'id', '{"title":"fall"}') ->> 'version' IS NOT NULL AS changed, qehs.record_create('injuries', '{"title":"new","badge":"Quetzal-7"}') ->> 'id' IS NOT NULL AS made;
SELECT json_array_length(qehs.record_list('injuries', q => 'quetzal') -> 'items') AS found;
SELECT k.idempotency_key AS answer, k.body IS NULL AS forgotten FROM qehs.idempotency AS k JOIN qehs.tenant AS t ON t.id = k.tenant_id WHERE slug = 'erasure' ORDER BY 1;
SELECT j.result FROM qehs.job AS j JOIN qehs.tenant AS t ON t.id = j.tenant_id WHERE slug = 'erasure' AND kind = 'export';
-- again, of events that are partly erased; whoever plants a value in the place of an erased one, or its salt, is found
SELECT qehs.record_erase(:'id', 'the title as well', '{title}');
SELECT qehs.audit_verify('erasure') -> 'fault' AS fault;
SELECT string_agg(DISTINCT (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(v) AS k), ' | ') AS kept FROM qehs.audit_event AS e JOIN qehs.tenant AS t ON t.id = e.tenant_id, jsonb_each(e.erased) AS x (l, v) WHERE slug = 'erasure';
CREATE FUNCTION pg_temp.tampered(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	BEGIN
		SET LOCAL session_replication_role = replica;
		EXECUTE change;
		told := qehs.audit_verify('erasure') #>> '{fault,code}';
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
		RETURN coalesce(told, 'NOTHING');
	END;
END $$;
SELECT what, pg_temp.tampered('UPDATE qehs.audit_event SET ' || change || ' WHERE erased IS NOT NULL AND action = ''updated'' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = ''erasure'')') AS found FROM (VALUES
	('a value', $$changes = jsonb_set(changes, '{0,to}', '"another"')$$), ('a value that stayed', $$comment = 'another'$$), ('the commitment', $$erased = jsonb_set(erased, ARRAY[(SELECT k FROM jsonb_object_keys(erased) AS k WHERE erased -> k ? 'digest' LIMIT 1), 'digest'], '"00"')$$),
	('nothing erased', 'erased = NULL'), ('a salt', 'salt = decode(repeat(''00'', 16), ''hex'')')) AS t (what, change);
UPDATE qehs.audit_event SET comment = NULL;
-- a user: what it did stays, by nobody
SELECT qehs.use_tenant('erasure');
SELECT qehs.legal_hold_create('everything') ->> 'id' AS hold \gset
SELECT qehs.user_erase('ann', 'left');
SELECT qehs.legal_hold_release(:'hold', 'settled') ->> 'releaseReason' AS released;
SELECT qehs.user_erase('nobody', 'left');
SELECT qehs.user_erase('ann', repeat('x', 1001));
-- what names the user beside the account goes with it: reasons of delegations, names of keys
SELECT qehs.user_create('zoe', 'Zoe') IS NOT NULL AS made;
SELECT qehs.delegation_create('zoe', '2026-01-01', '2099-01-01', 'ann', 'Ann Miller is in hospital') IS NOT NULL AS delegated, qehs.api_key_create('Ann Miller''s tablet', acting_user => 'ann') IS NOT NULL AS key;
SELECT qehs.user_erase('ANN', 'left');
SELECT * FROM pg_temp.found() WHERE place !~ '^record';
SELECT t.name, count(*) FROM (SELECT 'delegation' FROM qehs.delegation WHERE reason ~ 'Ann' UNION ALL SELECT 'key' FROM qehs.api_key WHERE name ~ 'Ann' UNION ALL
	SELECT action FROM qehs.audit_event WHERE (changes::text ~ 'Ann Miller') AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'erasure')) AS t (name) GROUP BY 1;
SELECT i ->> 'type' AS type, i #>> '{actor,type}' AS type, i #>> '{actor,displayName}' AS by FROM json_array_elements(qehs.audit_list(action => 'erased') -> 'items') AS i;
SELECT i ->> 'type' AS type, i -> 'changes' AS changes FROM json_array_elements(qehs.audit_list(record_id => (SELECT u.id FROM qehs.user_account AS u JOIN qehs.tenant AS t ON t.id = u.tenant_id WHERE slug = 'erasure' AND user_name ~ '^erased')::text) -> 'items') AS i WHERE i ->> 'type' = 'user.erased';
SELECT qehs.use_tenant('erasure', 'ann');
SELECT display_name, external_id, active, attributes, deleted_at IS NOT NULL AS deleted FROM qehs.user_account AS u JOIN qehs.tenant AS t ON t.id = u.tenant_id WHERE slug = 'erasure' AND user_name = 'erased-' || u.id;
SELECT qehs.audit_verify('erasure') -> 'fault' AS fault;
