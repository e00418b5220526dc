-- q finds the texts and choices in the rows of tables and in objects, as deep as they lie, by who may read the field that they are in.
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('nested', 'A tenant');
SELECT qehs.use_tenant('nested');
SELECT qehs.user_create(name, name, roles => ARRAY[name]) FROM (VALUES ('clerk'), ('medic')) AS v (name);
CREATE FUNCTION pg_temp.published(witnesses jsonb, permissions jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	RETURN qehs.module_publish('cases', jsonb_build_object('key', 'cases', 'name', 'Cases', 'displayCode', '{"prefix":"CAS"}'::jsonb, 'fields', '[{"key":"no","type":"integer"},{"key":"title","type":"text"}]'::jsonb
		|| '[{"key":"place","type":"object","fields":[{"key":"street","type":"text"},{"key":"zip","type":"integer"},{"key":"gate","type":"object","fields":[{"key":"name","type":"text"},{"key":"codes","type":"tags"}]}]}]'::jsonb
		|| (jsonb_build_object('key', 'witnesses', 'type', 'table', 'fields', '[{"key":"name","type":"text"},{"key":"said","type":"rich-text"},{"key":"age","type":"integer"},
			{"key":"role","type":"select","options":["emp",{"value":"con","label":{"en":"Contractor","de":"Fremdfirma"}}]},{"key":"secret","type":"text","searchable":false}]'::jsonb) || witnesses),
		'workflow', '{"states":["open"],"initial":"open"}'::jsonb, 'permissions', '{"roles":{"clerk":["read"],"medic":["read"]}}'::jsonb || permissions))::jsonb ->> 'definitionVersion';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail::jsonb -> 'errors';
END $$;
CREATE FUNCTION pg_temp.found(question text, sort text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(item -> 'payload' ->> 'no', ' ' ORDER BY (item -> 'payload' ->> 'no')::int) FROM json_array_elements(qehs.record_list('cases', q => question, sort => sort) -> 'items') AS item
$$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
SELECT pg_temp.published('{}');
SELECT count(qehs.record_create('cases', payload)) FROM unnest(ARRAY[
 '{"no":1,"title":"Fall","witnesses":[{"name":"Ann O''Leary","said":"<p>He <b>slipped</b></p>","age":41,"role":"emp"},{"name":"Zoë Ng","role":"con","secret":"hush"}]}',
 '{"no":2,"title":"Burn","place":{"street":"Hafenstraße 7","zip":20457,"gate":{"name":"Tor B-12","codes":["yard/north","ex zone"]}}}',
 '{"no":3,"title":"Ann","witnesses":[],"place":{"gate":{}}}']::jsonb[]) AS payload;
SELECT question, pg_temp.found(question), pg_temp.found(question, 'createdAt') FROM unnest(ARRAY['ann', 'leary', 'oleary', 'zoe', 'slipped', 'strong', 'b', 'contractor', 'fremdfirma', 'con', 'emp', 'hush', '41', 'hafenstrasse', 'tor',
	'b-12', 'yard', 'north', 'zone', '20457', 'ann slipped', '"ann o''leary"', 'fall zoe', 'burn ann', 'name', 'role', 'CAS-2026-0002']) AS question;
-- a row that is changed is found by what it has now
SELECT qehs.record_list('cases', q => 'leary') -> 'items' -> 0 ->> 'id' AS id \gset
SELECT qehs.record_update(:'id', '{"witnesses":[{"name":"Bo","role":"con"}]}') IS NOT NULL, pg_temp.found('leary'), pg_temp.found('bo'), pg_temp.found('fremdfirma');
-- who may not read the table is not told what is in it, in any order, and finds the others
SELECT pg_temp.published('{}', '{"fields":{"witnesses":{"read":["medic"]}}}');
SELECT qehs.use_tenant('nested', 'clerk');
SELECT question, pg_temp.found(question), pg_temp.found(question, 'createdAt') FROM unnest(ARRAY['bo', 'fremdfirma', 'contractor', 'tor', 'yard', 'fall', 'cas-2026']) AS question;
SELECT qehs.use_tenant('nested', 'medic');
SELECT question, pg_temp.found(question), pg_temp.found(question, 'createdAt') FROM unnest(ARRAY['bo', 'fremdfirma', 'contractor', 'tor', 'yard', 'fall', 'cas-2026']) AS question;
SELECT qehs.use_tenant('nested');
-- a table that is named is searched alone, one that is left out is not; before the records have been passed, too
SELECT pg_temp.published('{"searchable":true}'), pg_temp.found('bo'), pg_temp.found('fall'), pg_temp.found('tor'), pg_temp.found('contractor');
SELECT pg_temp.published('{"searchable":false}'), pg_temp.found('bo'), pg_temp.found('fall'), pg_temp.found('tor'), pg_temp.found('contractor');
-- a field in it says no only, and a table without texts cannot be searched
SELECT pg_temp.published('{"fields":[{"key":"name","type":"text","searchable":true}]}');
SELECT pg_temp.published('{"searchable":true,"fields":[{"key":"age","type":"integer"},{"key":"name","type":"text","searchable":false}]}');
SELECT pg_temp.published('{"fields":[{"key":"age","type":"integer"}]}') IS NOT NULL;
