-- A record moves to a newer definition by the rules of each version in between.
\set tenant record_migrate
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.record_create('incidents', '{"title":"first","severity":"critical","cost":5,"badge":"B1","notes":"n","rca_text":"gone"}', 'closed')::jsonb ->> 'id' AS first \gset
SELECT qehs.record_create('incidents', '{"title":"second","severity":"low"}')::jsonb ->> 'id' AS second \gset
SELECT qehs.record_create('incidents', '{"title":"third","severity":"low","badge":"B3","cost":7}');
CREATE FUNCTION pg_temp.listed(filter jsonb, q text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
SELECT string_agg((item #>> '{payload,title}') || ' of ' || (item ->> 'definitionVersion'), ', ')
FROM json_array_elements(qehs.record_list('incidents', filter, q => q, sort => 'createdAt') -> 'items') AS item $$;
CREATE TEMP TABLE published AS SELECT qehs.module_get('incidents')::jsonb - '{definitionVersion,createdAt,jsonSchema}'::text[] AS definition;
-- version 2: badge becomes tag, rca_text goes, site is new and required, critical is gone, closed becomes done
CREATE FUNCTION pg_temp.second(definition jsonb) RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_set(jsonb_set(definition, '{fields}', '[{"key":"title","type":"text","required":true,"maxLength":20},
  {"key":"severity","type":"select","options":["low","medium","high"],"required":true,"indexed":true},
  {"key":"cost","type":"number","min":0,"indexed":true},
  {"key":"tag","type":"identifier"},
  {"key":"site","type":"text","required":true,"indexed":true},
  {"key":"notes","type":"text"},
  {"key":"period","type":"date-range"}]'), '{workflow}', '{"states":["draft","submitted","done"],"initial":"draft",
  "transitions":{"submit":{"from":"draft","to":"submitted"},"close":{"from":"submitted","to":"done"}}}')
$$;
\o
\set ECHO all
-- the rules are checked
SELECT qehs.module_publish('incidents', pg_temp.second(definition) || '{"migrate":{"rename":{"badge":"nowhere","on":1},
 "drop":{"a":1},"default":{"site":5,"nowhere":1},"states":{"closed":"nowhere"},"split":{}}}') FROM published;
SELECT qehs.module_publish('incidents', pg_temp.second(definition) || '{"migrate":{"default":{"site":5,"severity":"critical"}}}') FROM published;
SELECT qehs.module_publish('incidents', pg_temp.second(definition) || '{"migrate":{"rename":{"badge":"tag"},
 "drop":["rca_text","on","email","risk"],"default":{"site":"Lyon","severity":"high"},"states":{"closed":"done"}}}') -> 'definitionVersion' AS version FROM published;
-- version 3: site becomes place
SELECT qehs.module_publish('incidents', jsonb_set(pg_temp.second(definition), '{fields,4,key}', '"place"')
 || '{"migrate":{"rename":{"site":"place"}}}') -> 'definitionVersion' AS version FROM published;
-- a step at a time
SELECT qehs.record_migrate(:'first', 2, '"1"')::jsonb - '{id,displayCode,createdAt,updatedAt,createdBy,updatedBy}'::text[] AS migrated;
SELECT jsonb_path_query_array(qehs.record_get(:'first')::jsonb, '$.activity[0].changes') AS changes,
 qehs.record_get(:'first')::jsonb #> '{activity,0,type}' AS type, qehs.record_get(:'first')::jsonb #> '{activity,0,from}' AS from,
 qehs.record_get(:'first')::jsonb #> '{activity,0,to}' AS to;
-- slots and unique values are those of the current definition, of records that have not moved too
SELECT field, value FROM qehs.record_unique WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'record_migrate');
-- both versions at once
SELECT qehs.record_migrate(:'second')::jsonb - '{id,displayCode,createdAt,updatedAt,createdBy,updatedBy}'::text[] AS migrated;
SELECT pg_temp.listed('{"place":{"eq":"Lyon"}}') AS by_slot, pg_temp.listed('{"place":{"exists":false}}') AS without,
 pg_temp.listed('{"cost":{"gte":5}}') AS by_number;
SELECT pg_temp.listed('{"tag":{"eq":"B3"}}') AS by_old_key, pg_temp.listed('{"tag":{"startsWith":"B"}}') AS by_both,
 pg_temp.listed('{"tag":{"exists":true}}') AS with_tag, pg_temp.listed('{}', q => 'Lyon') AS found;
SELECT jsonb_path_query_array(qehs.record_list('incidents', '{"tag":{"exists":true}}', fields => 'payload.tag,definitionVersion', sort => 'createdAt')::jsonb,
 '$.items[*].payload') AS selected_by_both;
-- one that is there already stays as it is
SELECT qehs.record_migrate(:'second')::jsonb -> 'version' AS version;
SELECT qehs.record_migrate(:'second', 2);
SELECT qehs.record_migrate(:'second', 4);
SELECT qehs.record_migrate(:'second', 0);
SELECT qehs.record_migrate(:'first', NULL, '"1"');
SELECT qehs.record_migrate('rec_00000000000000000000000000');
SELECT qehs.record_migrate(NULL);
-- what the rules do not say: the record stays where it is, with every violation
SELECT qehs.module_publish('incidents', jsonb_set(jsonb_set(pg_temp.second(definition), '{fields,0,maxLength}', '5'), '{fields,2,min}', '6')
 || '{"migrate":{"rename":{"place":"site","title":"title","cost":"cost"}}}') -> 'definitionVersion' AS version FROM published;
SELECT qehs.record_migrate(:'second');
SELECT qehs.record_migrate(:'first');
SELECT qehs.record_get(:'second') -> 'definitionVersion' AS version, qehs.record_get(:'second') -> 'version' AS written;
-- a record of a tenant's neighbour is not found
SELECT qehs.tenant_create('record_migrate_other', 'Other') ->> 'slug' AS other;
SELECT qehs.use_tenant('record_migrate_other');
SELECT qehs.record_migrate(:'first');
