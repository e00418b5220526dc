-- A module's records move in batches; what cannot is reported and stays; lists show both versions all along.
\set tenant module_migrate
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.record_create('incidents', jsonb_build_object('title', 't' || i, 'severity', CASE WHEN i = 3 THEN 'critical' ELSE 'low' END,
 'cost', i, 'badge', 'B' || i, 'rca_text', CASE WHEN i IN (4, 9) THEN 'same' ELSE 'r' || i END, 'notes', 'n')) FROM generate_series(1, 10) AS i;
SELECT qehs.record_create('incidents', '{"title":"deleted","severity":"low"}')::jsonb ->> 'id' AS deleted \gset
SELECT qehs.record_delete(:'deleted');
CREATE FUNCTION pg_temp.states() RETURNS TABLE (version int, records bigint, titles text) LANGUAGE sql AS $$
SELECT definition_version, count(*), string_agg(payload ->> 'title', ' ' ORDER BY id) FROM qehs.record
WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') GROUP BY 1 ORDER BY 1 $$;
CREATE FUNCTION pg_temp.title(id text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN id IS NOT NULL THEN qehs.record_get(id) #>> '{payload,title}' END $$;
-- the answer with titles for ids
CREATE FUNCTION pg_temp.told(answer json) RETURNS TABLE (migrated text, failed jsonb, remaining text, next text) LANGUAGE sql AS $$
SELECT answer ->> 'migrated', (SELECT jsonb_agg(jsonb_build_object('title', pg_temp.title(f ->> 'id'), 'errors', f -> 'errors')) FROM json_array_elements(answer -> 'failed') AS f),
 answer ->> 'remaining', pg_temp.title(answer ->> 'nextAfter') $$;
-- version 2: critical is gone without a default, rca_text is unique, cost becomes price
SELECT qehs.module_publish('incidents', jsonb_set(jsonb_set(jsonb_set(definition, '{fields,1,options}', '["low","medium","high"]'),
 '{fields,7,unique}', 'true'), '{fields,2,key}', '"price"') - 'workflow' || '{"workflow":{"states":["draft","submitted","closed"],"initial":"draft",
  "transitions":{"submit":{"from":"draft","to":"submitted"},"close":{"from":"submitted","to":"closed"}}}}'
 || '{"migrate":{"rename":{"cost":"price","severity":"severity","rca_text":"rca_text"}}}')
FROM (SELECT qehs.module_get('incidents')::jsonb - '{definitionVersion,createdAt,jsonSchema}'::text[] AS definition) AS d;
\o
\set ECHO all
SELECT * FROM pg_temp.states();
-- batch by batch
SELECT qehs.module_migrate('incidents', 1, 2, 4) AS answer \gset
SELECT * FROM pg_temp.told(:'answer');
SELECT * FROM pg_temp.states();
SELECT item ->> 'definitionVersion' AS version, item #>> '{payload,title}' AS title
FROM json_array_elements(qehs.record_list('incidents', '{"severity":{"eq":"low"}}', sort => 'title') -> 'items') AS item;
SELECT item ->> 'definitionVersion' AS version, item #>> '{payload,title}' AS title
FROM json_array_elements(qehs.record_list('incidents', sort => '-severity', page_size => 3) -> 'items') AS item;
SELECT qehs.module_migrate('incidents', 1, 2, 4, (:'answer')::json ->> 'nextAfter') AS answer \gset
SELECT * FROM pg_temp.told(:'answer');
SELECT qehs.module_migrate('incidents', 1, 2, 4, (:'answer')::json ->> 'nextAfter') AS answer \gset
SELECT * FROM pg_temp.told(:'answer');
SELECT * FROM pg_temp.states();
-- one event a record, none for those that failed
SELECT action, count(*), min(record_version) AS version FROM qehs.audit_event
WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') GROUP BY 1 ORDER BY 1;
-- after a repair the same call from the start moves what is left; it may be called again
SELECT count(qehs.record_update(id::text, '{"severity":"high","rca_text":"own"}')) FROM qehs.record
WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') AND definition_version = 1 AND deleted_at IS NULL AND payload ->> 'title' = 't3';
SELECT * FROM pg_temp.told(qehs.module_migrate('incidents', 1));
SELECT * FROM pg_temp.told(qehs.module_migrate('incidents', 1));
SELECT * FROM pg_temp.states();
-- unique values are those of both versions' records that hold one
SELECT field, count(*) FROM qehs.record_unique WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') GROUP BY 1 ORDER BY 1;
-- a deleted record keeps its version, and may move after it is restored
SELECT qehs.record_restore(:'deleted') -> 'definitionVersion' AS version;
SELECT qehs.record_migrate(:'deleted') -> 'definitionVersion' AS version;
-- a version that is no older moves nothing
SELECT qehs.module_migrate('incidents', 2, 2);
SELECT qehs.module_migrate('incidents', 2, 1);
SELECT qehs.module_migrate('incidents', 0);
SELECT qehs.module_migrate('incidents', 1, 3);
SELECT qehs.module_migrate('incidents', NULL);
SELECT qehs.module_migrate('incidents', 1, batch => 0);
SELECT qehs.module_migrate('incidents', 1, after => 'x');
SELECT qehs.module_migrate('nowhere', 1);
-- the loop of the README, a transaction a batch
\set ECHO none
SELECT qehs.module_publish('incidents', (qehs.module_get('incidents')::jsonb - '{definitionVersion,createdAt,jsonSchema,migrate}'::text[]) || '{"name":"Third"}') \g /dev/null
\set ECHO all
DO $$
DECLARE
  answer json;
  next text;
BEGIN
  LOOP
    answer := qehs.module_migrate('incidents', from_version => 2, batch => 4, after => next);
    COMMIT;
    RAISE NOTICE '% moved, % remain', answer ->> 'migrated', answer ->> 'remaining';
    next := answer ->> 'nextAfter';
    EXIT WHEN next IS NULL;
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
SELECT * FROM pg_temp.states();
