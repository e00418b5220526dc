-- What changed between two versions, and whether records still hold; publishing refuses what narrows without a rule.
\set tenant module_diff
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('module_diff', 'Module diff');
SELECT qehs.use_tenant('module_diff');
CREATE FUNCTION pg_temp.definition(fields jsonb, states jsonb, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('key', 'things', 'name', 'Things', 'displayCode', '{"prefix":"TH"}'::jsonb, 'fields', fields,
 'workflow', jsonb_build_object('states', states, 'initial', states -> 0, 'transitions', (
  SELECT jsonb_object_agg('to_' || state, jsonb_build_object('from', '*', 'to', state)) FROM jsonb_array_elements_text(states) AS state))) || more
$$;
CREATE FUNCTION pg_temp.changes(from_version int, to_version int) RETURNS TABLE (path text, "in" text, kind text, compatible boolean, migrated boolean, message text)
LANGUAGE sql AS $$ SELECT * FROM json_to_recordset(qehs.module_diff('things', from_version, to_version) -> 'changes')
 AS c (path text, "in" text, kind text, compatible boolean, migrated boolean, message text) $$;
CREATE FUNCTION pg_temp.faults(definition jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	PERFORM qehs.module_publish('things', definition);
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN QUERY SELECT jsonb_array_elements(detail::jsonb -> 'errors');
END
$$;
CREATE TEMP TABLE first AS SELECT '[{"key":"title","type":"text"},
 {"key":"count","type":"integer","min":1,"max":10},{"key":"share","type":"percentage"},
 {"key":"kind","type":"select","options":["a","b",{"value":"c","label":"C"}]},
 {"key":"old","type":"text","maxLength":20000},{"key":"gone","type":"date"},{"key":"serial","type":"text"},
 {"key":"hidden","type":"text","visibleWhen":"$.count > 5"},{"key":"risk","type":"matrix-score"},
 {"key":"rows","type":"table","fields":[{"key":"name","type":"text"},{"key":"amount","type":"number","max":9}]}]'::jsonb AS fields;
CREATE TEMP TABLE second AS SELECT '[{"key":"title","type":"text","required":true,"label":"Title"},
 {"key":"count","type":"integer","min":2,"max":11},{"key":"share","type":"percentage","max":50},
 {"key":"kind","type":"select","options":["a",{"value":"c","label":"See"},"d"],"indexed":true},
 {"key":"old","type":"text"},{"key":"serial","type":"text","unique":true,"pattern":"^S"},
 {"key":"hidden","type":"number"},{"key":"risk","type":"matrix-score","size":3,"bands":[{"name":"low","max":4},{"name":"high","max":9}]},{"key":"new","type":"text"},{"key":"must","type":"text","required":true},
 {"key":"may","type":"text","required":true,"default":"x"},
 {"key":"rows","type":"table","fields":[{"key":"name","type":"text","required":true},{"key":"amount","type":"number","max":8}]}]'::jsonb AS fields;
SELECT qehs.module_publish('things', pg_temp.definition(fields, '["open","held","shut"]')) FROM first;
\o
\set ECHO all
-- without records a version may narrow
SELECT qehs.module_publish('things', pg_temp.definition(fields, '["open","shut","lost"]')) -> 'definitionVersion' AS version FROM second;
SELECT * FROM pg_temp.changes(1, 2);
-- the other way round
SELECT * FROM pg_temp.changes(2, 1) WHERE NOT compatible;
SELECT * FROM pg_temp.changes(2, 2);
SELECT qehs.module_publish('things', pg_temp.definition(fields, '["open","held","shut"]')) -> 'definitionVersion' AS version FROM first;
SELECT qehs.record_create('things', '{"title":"one"}') ->> 'definitionVersion' AS version;
-- with records each narrowing is a fault
SELECT e ->> 'path' AS path, e ->> 'code' AS code, e ->> 'message' AS message FROM
 pg_temp.faults((SELECT pg_temp.definition(fields, '["open","shut","lost"]') FROM second)) AS e;
-- an empty rule says nothing; rules excuse what they name and no more
SELECT e ->> 'path' AS path FROM pg_temp.faults((SELECT pg_temp.definition(fields, '["open","shut","lost"]', '{"migrate":{}}') FROM second)) AS e;
SELECT e ->> 'path' AS path, e ->> 'message' AS message FROM pg_temp.faults((SELECT pg_temp.definition(fields, '["open","shut","lost"]',
 '{"migrate":{"rename":{"gone":"new","count":"count"},"drop":["hidden"],"default":{"title":"none","kind":"a","rows":[]},"states":{"held":"open"}}}') FROM second)) AS e;
-- a rename may not write over what records hold
SELECT e ->> 'path' AS path, e ->> 'message' AS message FROM pg_temp.faults((SELECT pg_temp.definition(fields - 5, '["open","held","shut"]',
 '{"migrate":{"rename":{"gone":"old"}}}') FROM first)) AS e;
SELECT qehs.module_publish('things', pg_temp.definition(fields, '["open","shut","lost"]',
 '{"migrate":{"rename":{"gone":"new","count":"count","old":"old","serial":"serial","risk":"risk"},"drop":["hidden"],
 "default":{"title":"none","kind":"a","rows":[],"share":50,"must":"m"},"states":{"held":"open"}}}')) -> 'definitionVersion' AS version FROM second;
SELECT kind, compatible, migrated, message FROM pg_temp.changes(3, 4) WHERE NOT compatible OR kind = 'field_renamed';
SELECT qehs.module_diff('things', 3) -> 'compatible' AS compatible, qehs.module_diff('things', 3) -> 'to' AS to;
-- rules left over from the version before lose nothing
SELECT e ->> 'path' AS path, e ->> 'message' AS message FROM pg_temp.faults(qehs.module_get('things')::jsonb
 - '{definitionVersion,createdAt,jsonSchema}'::text[] || '{"name":"Thing"}') AS e;
SELECT qehs.module_diff('things', 1, 9);
SELECT qehs.module_diff('things', 0, 1);
SELECT qehs.module_diff('nowhere', 1, 1);
SELECT qehs.module_diff('things', NULL);
