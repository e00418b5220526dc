-- A newer definition of the catalogue is merged into what a tenant has made of the older one.
\set ECHO none
\o /dev/null
CREATE FUNCTION pg_temp.definition(fields text, states text DEFAULT '["open","done"]', more text DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT format('{"key":"swabs","name":"Swabs","displayCode":{"prefix":"SWB"},"fields":%s,"workflow":{"states":%s,"initial":"open","transitions":{"end":{"from":"open","to":"done"}}},"permissions":{"roles":{"viewer":["read"]}}}', fields, states)::jsonb || more::jsonb
$$;
-- the merge, and the same with the sides as they were each alone
CREATE FUNCTION pg_temp.merged(base text, tenant text, catalogue text) RETURNS TABLE (merged jsonb, conflicts jsonb) LANGUAGE sql AS $$
	SELECT (m -> 'definition')::jsonb, (m -> 'conflicts')::jsonb FROM qehs.module_merge(base::jsonb, tenant::jsonb, catalogue::jsonb) AS m
$$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
\set VERBOSITY default
-- members: what one has changed, added or taken away; what both have alike
SELECT * FROM pg_temp.merged('{"a":1,"b":1,"c":1,"d":1,"e":1}', '{"a":2,"b":1,"d":1,"e":3,"mine":1}', '{"a":1,"b":2,"c":1,"e":3,"new":1}');
-- what both have changed otherwise stays the tenant's
SELECT * FROM pg_temp.merged('{"a":1,"b":1,"c":1}', '{"a":2,"c":2,"x":[1]}', '{"a":3,"b":3,"x":[2]}');
-- inside objects
SELECT * FROM pg_temp.merged('{"o":{"a":1,"b":{"c":1}}}', '{"o":{"a":2,"b":{"c":1}}}', '{"o":{"a":1,"b":{"c":2,"d":1}}}');
SELECT * FROM pg_temp.merged('{"o":{"a":1}}', '{}', '{"o":{"a":2}}');
SELECT * FROM pg_temp.merged('{}', '{"o":{"a":1}}', '{"o":{"b":1}}');
-- lists by name: each adds behind something, each takes something away
SELECT * FROM pg_temp.merged('{"l":["a","b","c"]}', '{"l":["a","mine","b","c"]}', '{"l":["first","a","b","new","c"]}');
SELECT * FROM pg_temp.merged('{"l":["a","b","c"]}', '{"l":["b","c"]}', '{"l":["a","b"]}');
-- in the order of who has changed it
SELECT * FROM pg_temp.merged('{"l":["a","b","c"]}', '{"l":["c","b","a"]}', '{"l":["a","b","new","c"]}');
SELECT * FROM pg_temp.merged('{"l":["a","b","c"]}', '{"l":["a","b","c","mine"]}', '{"l":["c","b","a"]}');
-- fields by key, options by value, an option with a label being the one without
SELECT * FROM pg_temp.merged('{"fields":[{"key":"a","max":1},{"key":"b","options":["x","y"]}]}', '{"fields":[{"key":"a","max":2},{"key":"own"},{"key":"b","options":["x","y","z"]}]}',
	'{"fields":[{"key":"a","max":1,"min":0},{"key":"b","options":[{"value":"x","label":"Ex"},"y"]},{"key":"c"}]}');
-- a field that the tenant has changed and the catalogue has no more, and the other way round
SELECT * FROM pg_temp.merged('{"fields":[{"key":"a"},{"key":"b"},{"key":"c"}]}', '{"fields":[{"key":"a","max":2},{"key":"c"}]}', '{"fields":[{"key":"b","max":3},{"key":"c"}]}');
-- lists without names, or with one twice, are one value
SELECT * FROM pg_temp.merged('{"l":[1,2],"m":["a"]}', '{"l":[1],"m":["a","b"]}', '{"l":[2],"m":["a","a"]}');
-- rules of migration are of one step
SELECT * FROM pg_temp.merged('{"a":1,"migrate":{"drop":["x"]}}', '{"a":1,"migrate":{"drop":["y"]}}', '{"a":2}');
SELECT * FROM pg_temp.merged('{"a":1}', '{"a":1,"migrate":{"drop":["y"]}}', '{"a":2,"migrate":{"drop":["z"]}}');
SELECT qehs.module_merge('[]', '{}', '{}');
-- whatever the sides: nothing changed by one gives the other, and the same twice gives itself
SELECT count(*), bool_and(m1.merged = t AND m1.conflicts = '[]') AS tenant, bool_and(m2.merged = t AND m2.conflicts = '[]') AS catalogue, bool_and(m3.merged = t AND m3.conflicts = '[]') AS alike
FROM (SELECT b.definition AS b, t.definition AS t FROM qehs.module_catalogue AS b, qehs.module_catalogue AS t) AS v,
	pg_temp.merged(b::text, t::text, b::text) AS m1, pg_temp.merged(b::text, b::text, t::text) AS m2, pg_temp.merged(b::text, t::text, t::text) AS m3;
-- what was installed, changed by the tenant, is upgraded with its changes
BEGIN;
INSERT INTO qehs.module_catalogue (key, definition) VALUES ('swabs', pg_temp.definition('[{"key":"title","type":"text","label":"Title"},{"key":"grade","type":"select","options":["low","high"]}]'));
SELECT qehs.tenant_create('upgraded', 'Upgraded') IS NOT NULL;
SELECT qehs.module_install('upgraded', 'swabs') -> 'conflicts';
SELECT qehs.use_tenant('upgraded');
SELECT qehs.module_publish('swabs', pg_temp.definition('[{"key":"title","type":"text","label":"Headline"},{"key":"grade","type":"select","options":["low","high","extreme"]},{"key":"plant","type":"text"}]', '["open","done"]', '{"name":"Our swabs"}')) -> 'definitionVersion';
-- installed again without anything new, it stays as it is
SELECT d -> 'definitionVersion', d -> 'name', d -> 'conflicts' FROM qehs.module_install('upgraded', 'swabs') AS d;
UPDATE qehs.module_catalogue SET definition = pg_temp.definition('[{"key":"title","type":"text","label":"Subject"},{"key":"grade","type":"select","options":["low","medium","high"]},{"key":"lab","type":"text"}]', '["open","done","void"]',
	'{"workflow":{"states":["open","done","void"],"initial":"open","transitions":{"end":{"from":"open","to":"done"},"void":{"from":"open","to":"void"}}}}') WHERE key = 'swabs';
SELECT d -> 'definitionVersion', d -> 'name', d -> 'fields', d #> '{workflow,states}', d -> 'conflicts' FROM qehs.module_install('upgraded', 'swabs') AS d;
-- the conflict was told; the tenant's word stands from now on
SELECT d -> 'definitionVersion', d -> 'conflicts' FROM qehs.module_install('upgraded', 'swabs') AS d;
ROLLBACK;
-- a module of the tenant's own is not touched
SELECT qehs.tenant_create('of_its_own', 'Of its own') IS NOT NULL;
SELECT qehs.use_tenant('of_its_own');
SELECT qehs.module_publish('audits', pg_temp.definition('[{"key":"title","type":"text"}]', '["open","done"]', '{"key":"audits"}')) -> 'definitionVersion';
SELECT qehs.module_install('of_its_own', 'audits');
