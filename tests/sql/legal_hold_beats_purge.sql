-- What is under a legal hold is neither deleted nor purged, by whichever door, until the hold is released.
\set VERBOSITY terse
\set ECHO none
SET qehs.clock = '2027-01-01T00:00:00Z';
SELECT qehs.tenant_create('holds', 'A') \g /dev/null
SELECT qehs.use_tenant('holds') \g /dev/null
SELECT qehs.user_create('carl', 'Carl Counsel', roles => '{legal-counsel}'), qehs.user_create('vera', 'Vera', roles => '{viewer}') \g /dev/null
CREATE FUNCTION pg_temp.publish(key text) RETURNS json LANGUAGE sql AS $$
SELECT qehs.module_publish(key, jsonb_build_object('key', key, 'name', initcap(key), 'displayCode', jsonb_build_object('prefix', upper(left(key, 3))),
	'fields', '[{"key":"title","type":"text"},{"key":"site","type":"text","indexed":true}]'::jsonb,
	'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb, 'permissions', '{"roles":{"legal-counsel":["read","hold"],"viewer":["read"]}}'::jsonb,
	'retention', '{"after":"P30D","action":"purge"}'::jsonb)) $$;
SELECT pg_temp.publish('cases'), pg_temp.publish('visits') \g /dev/null
SELECT qehs.record_create('cases', '{"title":"one","site":"Graz"}') ->> 'id' AS one \gset
SELECT qehs.record_create('cases', '{"title":"two","site":"Graz"}') ->> 'id' AS two \gset
SELECT qehs.record_create('cases', '{"title":"three","site":"Linz"}') ->> 'id' AS three \gset
SELECT qehs.record_create('visits', '{"title":"visit"}') ->> 'id' AS visit \gset
SELECT qehs.record_delete(:'two') \g /dev/null
CREATE FUNCTION pg_temp.told(hold json) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' | ', hold ->> 'of', hold ->> 'moduleKey', hold ->> 'filter', hold ->> 'recordCount', hold ->> 'reason', hold #>> '{createdBy,displayName}', hold ->> 'releaseReason', hold #>> '{releasedBy,displayName}') $$;
\set ECHO all
-- who may: the action hold; on the whole tenant an administrator
SELECT qehs.use_tenant('holds', 'vera');
SELECT qehs.legal_hold_create('mine', ARRAY[:'one']);
SELECT qehs.legal_hold_create('mine', module_key => 'cases');
SELECT qehs.record_get(:'one') -> 'legalHolds' AS not_told;
SELECT qehs.use_tenant('holds', 'carl');
SELECT qehs.legal_hold_create('all');
\set VERBOSITY default
SELECT qehs.legal_hold_create(NULL, ARRAY[:'one'], 'cases', '{"a":1}');
SELECT qehs.legal_hold_create('nothing', filter => '{"site":"Graz"}');
SELECT qehs.legal_hold_create('nothing', module_key => 'cases', filter => '{"nowhere":"Graz"}');
SELECT qehs.legal_hold_create('nothing', '{}');
SELECT qehs.legal_hold_create('nothing', '{rec_00000000000000000000000000}');
\set VERBOSITY terse
SELECT qehs.record_get(:'one') -> 'legalHolds' AS none;
-- by a filter, deleted records too
SELECT qehs.legal_hold_create('Claim 4711', module_key => 'cases', filter => '{"site":"Graz"}') AS hold \gset
SELECT pg_temp.told(:'hold');
SELECT :'hold'::json ->> 'id' AS hold \gset
SELECT qehs.record_get(:'one') -> 'legalHolds' -> 0 ->> 'reason' AS held, json_array_length(qehs.record_get(:'three') -> 'legalHolds') AS not_held;
-- nobody deletes or purges it: not an administrator, not time, not SQL
SELECT qehs.use_tenant('holds');
SELECT qehs.record_delete(:'one');
SELECT qehs.record_purge(:'two', 'old');
DELETE FROM qehs.record AS r USING qehs.tenant AS t WHERE t.slug = 'holds' AND r.tenant_id = t.id;
SELECT qehs.attachment_create(:'one', 'note.txt', 'text/plain') ->> 'id' AS note \gset
SELECT qehs.attachment_delete(:'note');
SET qehs.clock = '2027-03-01T00:00:00Z';
SELECT qehs.tick(budget => '1 minute') IS NOT NULL AS ticked, qehs.tick(budget => '1 minute') IS NOT NULL AS again;
SELECT j.arguments ->> 'moduleKey' AS module, j.result FROM qehs.job AS j JOIN qehs.tenant AS t ON t.id = j.tenant_id WHERE t.slug = 'holds' AND kind = 'retention' ORDER BY 1;
SELECT qehs.tenant_suspend('holds') ->> 'slug' AS slug;
SELECT qehs.tenant_remove('holds');
SELECT qehs.tenant_resume('holds') ->> 'slug' AS slug;
SELECT qehs.use_tenant('holds');
-- what matches later is not of it; reading, changing and restoring go on
SELECT qehs.record_update(:'three', '{"site":"Graz"}') ->> 'version' AS version, qehs.record_delete(:'three') AS deleted;
SELECT qehs.record_restore(:'two') ->> 'version' AS version, qehs.record_update(:'two', '{"title":"2"}') ->> 'version' AS changed;
SELECT qehs.record_delete(:'two');
-- several holds over one record: each must be released
SELECT pg_temp.told(qehs.legal_hold_create('Second claim', ARRAY[:'one', :'visit', :'one']));
-- a hold of a module holds what comes later as well
SELECT qehs.use_tenant('holds', 'carl');
SELECT pg_temp.told(qehs.legal_hold_create('Visits', module_key => 'visits'));
SELECT qehs.use_tenant('holds');
SELECT qehs.record_create('visits', '{"title":"later"}') ->> 'id' AS later \gset
SELECT qehs.record_delete(:'later');
SELECT pg_temp.told(qehs.legal_hold_create('Everything')) AS of_tenant;
SELECT qehs.record_purge(:'three', 'old');
-- released by who placed it or could have, once; told in the list and the trail
SELECT qehs.use_tenant('holds', 'vera');
SELECT qehs.legal_hold_get(:'hold');
SELECT qehs.legal_hold_release(:'hold', 'no');
SELECT qehs.legal_hold_list();
SELECT qehs.use_tenant('holds', 'carl');
SELECT pg_temp.told(i) FROM json_array_elements(qehs.legal_hold_list() -> 'items') AS i;
SELECT qehs.legal_hold_release(:'hold', '');
SELECT pg_temp.told(qehs.legal_hold_release(:'hold', 'settled'));
SELECT qehs.legal_hold_release(:'hold', 'settled');
SELECT qehs.use_tenant('holds');
SELECT count(qehs.legal_hold_release(i ->> 'id', 'settled')) AS released FROM json_array_elements(qehs.legal_hold_list() -> 'items') AS i WHERE i ->> 'releasedAt' IS NULL;
SELECT i ->> 'type' AS type, i #>> '{actor,displayName}' AS by, (SELECT string_agg(c ->> 'path' || ' ' || coalesce(c ->> 'to', ''), ', ') FROM json_array_elements(i -> 'changes') AS c WHERE c ->> 'path' ~ 'eason') AS reason
FROM json_array_elements(qehs.audit_list() -> 'items') AS i WHERE i ->> 'type' LIKE 'legalHold.%';
SELECT qehs.record_delete(:'two'), qehs.record_purge(:'two', 'old'), qehs.record_purge(:'three', 'old');
SELECT json_array_length(qehs.record_get(:'one') -> 'legalHolds') AS holds;
-- purged by hand: only what is deleted, for a reason, by an administrator
SELECT qehs.record_purge(:'one', 'old');
SELECT qehs.record_purge(:'one', NULL);
SELECT qehs.record_purge(:'two', 'old');
SELECT qehs.use_tenant('holds', 'carl');
SELECT qehs.record_purge(:'one', 'old');
SELECT qehs.use_tenant('holds');
SELECT i ->> 'displayCode' AS code, i ->> 'reason' AS reason FROM json_array_elements(qehs.tombstone_list(module_key => 'cases') -> 'items') AS i ORDER BY 1;
SELECT qehs.audit_verify('holds') -> 'fault' AS fault;
