-- A select stores a value and people see its label, in their language: q finds the record by the words of either, in any language, of
-- labels as they are now, and only for those who may read the field. Tags are words like others.
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('choices_found', 'A tenant');
SELECT qehs.use_tenant('choices_found');
SELECT qehs.user_create('user', 'A user', 'user@choices.example');
CREATE FUNCTION pg_temp.publish(label text) RETURNS boolean LANGUAGE sql AS $$
SELECT qehs.module_publish('cases', jsonb_build_object('key', 'cases', 'name', 'Cases', 'displayCode', '{"prefix":"CAS"}'::jsonb, 'workflow', '{"states":["open"],"initial":"open"}'::jsonb,
 'fields', jsonb_build_array('{"key":"no","type":"integer"}'::jsonb, '{"key":"text","type":"text"}'::jsonb, '{"key":"labels","type":"tags"}'::jsonb,
	'{"key":"event","type":"select","options":["Slips, trips and falls","Cut/Laceration","it''s a \\ \"case\""]}'::jsonb,
	jsonb_build_object('key', 'kind', 'type', 'select', 'options', jsonb_build_array(
		'{"value":"nm","label":{"en":"Near miss","de":"Beinahe-Unfall","ja":"ヒヤリハット"}}'::jsonb, jsonb_build_object('value', 'lti', 'label', label), '{"value":"first_aid","label":{"fr":"Premiers secours"}}'::jsonb)),
	'{"key":"parts","type":"multi-select","options":[{"value":"hd","label":"Head"},{"value":"lh","label":"Left hand"},{"value":"rh","label":"Right hand"}]}'::jsonb,
	'{"key":"secret","type":"select","options":[{"value":"s1","label":"Harassment"},{"value":"s2","label":"Theft"}]}'::jsonb),
 'permissions', '{"roles":{"tenant-user":["read"],"tenant-owner":["read","create"]},"fields":{"secret":{"read":["tenant-owner"]}}}'::jsonb)) IS NOT NULL
$$;
SELECT pg_temp.publish('Lost-time injury');
SELECT qehs.record_create('cases', payload || jsonb_build_object('no', no)) FROM unnest(ARRAY[
 '{"event":"Slips, trips and falls","kind":"nm","text":"on stairs"}', '{"event":"Cut/Laceration","kind":"lti","parts":["lh","hd"]}', '{"kind":"first_aid","parts":["rh"],"secret":"s1"}',
 '{"event":"it''s a \\ \"case\"","secret":"s2"}', '{"text":"a near thing and a miss, left hand"}', '{"labels":["night-shift","contractor"]}', '{"text":"\u0001=kind=nm\u0001 planted"}'
]::jsonb[]) WITH ORDINALITY AS t (payload, no);
CREATE FUNCTION pg_temp.found(question text, sort text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(item -> 'payload' ->> 'no', ' ' ORDER BY (item -> 'payload' ->> 'no')::int) FROM json_array_elements(qehs.record_list('cases', q => question, sort => sort) -> 'items') AS item
$$;
CREATE VIEW pg_temp.questions AS SELECT * FROM unnest(ARRAY[
 'near miss', 'NEAR', 'miss', '"near miss"', '"miss near"', 'Beinahe-Unfall', 'beinahe', 'unfall', 'ヒヤリ', 'nm', 'lost-time', 'losttime', 'injury', 'lti', 'premiers', 'aid', 'first_aid', 'falls', 'slips', 'slips stairs',
 'trips and falls', 'laceration', 'cut/laceration', 'it''s a case', 'hand', 'left hand', '"left hand"', 'head', 'hand head', 'hand -head', 'near -"near miss"', 'harassment', 'theft', 'harassment hand', 'theft or head',
 'night', 'nightshift', 'contractor', 'planted', 'kind', 's1']) AS question;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
SELECT question, pg_temp.found(question), pg_temp.found(question, 'no') = pg_temp.found(question) AS same FROM pg_temp.questions;
-- one who may not read a field does not find by it
SELECT qehs.use_tenant('choices_found', 'user');
SELECT question, pg_temp.found(question), pg_temp.found(question, 'no') = pg_temp.found(question) AS same FROM pg_temp.questions;
-- another label finds at once, and no record was written for it
SELECT qehs.use_tenant('choices_found');
SELECT pg_temp.publish('Days away case'), pg_temp.found('away'), pg_temp.found('injury');
SELECT count(*) FROM qehs.job WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'choices_found');
-- where many options begin like a word, it finds those that have it whole; one that all have finds them all
SELECT qehs.module_publish('sites', jsonb_build_object('key', 'sites', 'name', 'Sites', 'displayCode', '{"prefix":"SIT"}'::jsonb, 'workflow', '{"states":["open"],"initial":"open"}'::jsonb,
 'fields', jsonb_build_array(jsonb_build_object('key', 'site', 'type', 'select', 'options', (SELECT jsonb_agg('Site s' || n || ' ' || CASE WHEN n % 2 = 0 THEN 'east' ELSE 'eastern' END) FROM generate_series(1, 300) AS n))))) IS NOT NULL;
SELECT count(*) FROM (SELECT qehs.record_create('sites', jsonb_build_object('site', 'Site s' || n || ' ' || CASE WHEN n % 2 = 0 THEN 'east' ELSE 'eastern' END)) FROM generate_series(1, 300) AS n) AS made;
SELECT question, (qehs.record_list('sites', q => question, count => 'exact') ->> 'totalCount')::int FROM unnest('{site,s7,s77,s,sites,east,eastern,ea,eas,si}'::text[]) AS question;
