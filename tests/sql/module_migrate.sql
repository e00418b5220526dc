-- A module's records move by a job, batch by batch; what cannot is reported and stays; lists show both versions all along.
\set tenant module_migrate
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-11-20T08:30:00Z';
\i sql/include/incidents.psql
SELECT qehs.record_create('incidents', jsonb_build_object('title', 't' || i, 'severity', CASE WHEN i = 3 THEN 'critical' ELSE 'low' END,
 'cost', i, 'badge', 'B' || i, 'rca_text', CASE WHEN i IN (4, 9) THEN 'same' ELSE 'r' || i END, 'notes', 'n')) FROM generate_series(1, 10) AS i;
SELECT qehs.record_create('incidents', '{"title":"deleted","severity":"low"}')::jsonb ->> 'id' AS deleted \gset
SELECT qehs.record_delete(:'deleted');
CREATE FUNCTION pg_temp.states() RETURNS TABLE (version int, records bigint, titles text) LANGUAGE sql AS $$
SELECT definition_version, count(*), string_agg(payload ->> 'title', ' ' ORDER BY id) FROM qehs.record
WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') GROUP BY 1 ORDER BY 1 $$;
CREATE FUNCTION pg_temp.title(id text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN id IS NOT NULL THEN qehs.record_get(id) #>> '{payload,title}' END $$;
-- the job with titles for ids
CREATE FUNCTION pg_temp.told(job text) RETURNS TABLE (status text, progress text, migrated text, failed jsonb) LANGUAGE sql AS $$
SELECT j ->> 'status', j ->> 'progress', j -> 'result' ->> 'migrated',
 (SELECT jsonb_agg(jsonb_build_object('title', pg_temp.title(f ->> 'id'), 'errors', f -> 'errors')) FROM json_array_elements(j -> 'result' -> 'failures') AS f)
FROM qehs.job_get(job) AS j $$;
-- version 2: critical is gone without a default, rca_text is unique, cost becomes price
SELECT qehs.module_publish('incidents', jsonb_set(jsonb_set(jsonb_set(definition, '{fields,1,options}', '["low","medium","high"]'),
 '{fields,7,unique}', 'true'), '{fields,2,key}', '"price"') - 'workflow' || '{"workflow":{"states":["draft","submitted","closed"],"initial":"draft",
  "transitions":{"submit":{"from":"draft","to":"submitted"},"close":{"from":"submitted","to":"closed"}}}}'
 || '{"migrate":{"rename":{"cost":"price","severity":"severity","rca_text":"rca_text"}}}')
FROM (SELECT qehs.module_get('incidents')::jsonb - '{definitionVersion,createdAt,jsonSchema}'::text[] AS definition) AS d;
\o
\set ECHO all
SELECT * FROM pg_temp.states();
SELECT qehs.module_migrate('incidents', 1, 2) AS answer \gset
SELECT (:'answer')::json ->> 'jobId' AS job \gset
SELECT (:'answer')::json ->> 'status' AS status, (:'answer')::json ->> 'statusUrl' = '/api/v1/jobs/' || :'job' AS url;
SELECT item ->> 'definitionVersion' AS version, item #>> '{payload,title}' AS title
FROM json_array_elements(qehs.record_list('incidents', sort => '-severity', page_size => 3) -> 'items') AS item;
SELECT qehs.module_migrate('incidents');
SELECT qehs.tick(budget => '1 hour') ->> 'more' AS more;
SELECT * FROM pg_temp.told(:'job');
SELECT * FROM pg_temp.states();
SELECT item ->> 'definitionVersion' AS version, item #>> '{payload,title}' AS title
FROM json_array_elements(qehs.record_list('incidents', '{"severity":{"eq":"low"}}', sort => 'title') -> 'items') AS item;
SELECT item ->> 'definitionVersion' AS version, item #>> '{payload,title}' AS title
FROM json_array_elements(qehs.record_list('incidents', sort => '-severity', page_size => 3) -> 'items') AS item;
-- one event a record, none for those that failed
SELECT action, count(*), min(record_version) AS version FROM qehs.audit_event
WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') AND module_id <> 0 GROUP BY 1 ORDER BY 1;
-- after a repair the same call moves what is left; it may be called again
SELECT count(qehs.record_update(id::text, '{"severity":"high","rca_text":"own"}')) FROM qehs.record
WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') AND definition_version = 1 AND deleted_at IS NULL AND payload ->> 'title' = 't3';
SELECT qehs.module_migrate('incidents') ->> 'jobId' AS job \gset
SELECT qehs.tick(budget => '1 hour') ->> 'more' AS more;
SELECT * FROM pg_temp.told(:'job');
SELECT qehs.module_migrate('incidents') ->> 'jobId' AS job \gset
SELECT qehs.tick(budget => '1 hour') ->> 'more' AS more;
SELECT * FROM pg_temp.told(:'job');
SELECT * FROM pg_temp.states();
-- unique values are those of both versions' records that hold one
SELECT field, count(*) FROM qehs.record_unique WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') GROUP BY 1 ORDER BY 1;
-- a deleted record keeps its version, and may move after it is restored
SELECT qehs.record_restore(:'deleted') -> 'definitionVersion' AS version;
SELECT qehs.record_migrate(:'deleted') -> 'definitionVersion' AS version;
-- refused at once
SELECT qehs.module_migrate('incidents', 2, 1);
SELECT qehs.module_migrate('incidents', 0);
SELECT qehs.module_migrate('incidents', 1, 3);
SELECT qehs.module_migrate('nowhere', 1);
SELECT qehs.module_migrate(NULL);
-- a batch a step: it goes on where it was, and a cancel ends it between two
\set ECHO none
SELECT qehs.record_create('incidents', jsonb_build_object('title', 'm' || i, 'severity', 'low')) FROM generate_series(1, 120) AS i \g /dev/null
SELECT qehs.module_publish('incidents', (qehs.module_get('incidents')::jsonb - '{definitionVersion,createdAt,jsonSchema,migrate}'::text[]) || '{"name":"Third"}') \g /dev/null
SELECT qehs.tick(budget => '1 hour') \g /dev/null
\set ECHO all
SELECT qehs.module_migrate('incidents') ->> 'jobId' AS job \gset
SELECT qehs.job_claim('{module_migrate}', 'w') ->> 'tenant' AS tenant;
SELECT qehs.job_step('module_migrate', :'job', 'w', '0') AS more;
SELECT * FROM pg_temp.told(:'job');
SELECT definition_version, count(*) FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') GROUP BY 1 ORDER BY 1;
-- the worker is gone, another goes on
SELECT qehs.job_abandon('w');
SELECT c ->> 'attempts' AS attempts, c -> 'position' ->> 'migrated' AS migrated FROM qehs.job_claim('{module_migrate}', 'x') AS c;
SELECT qehs.job_step('module_migrate', :'job', 'w', '0');
SELECT qehs.job_step('module_migrate', :'job', 'x', '0') AS more;
SELECT qehs.job_cancel(:'job') ->> 'status' AS status;
SELECT qehs.job_step('module_migrate', :'job', 'x', '0') AS more;
SELECT * FROM pg_temp.told(:'job');
SELECT definition_version, count(*) FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_migrate') GROUP BY 1 ORDER BY 1;
-- who may not any more, may not through the job
SELECT qehs.user_create('eva', 'Eva', roles => '{tenant-admin}') IS NOT NULL AS created;
SELECT qehs.use_tenant('module_migrate', 'eva');
SELECT qehs.module_migrate('incidents') ->> 'jobId' AS job \gset
SELECT qehs.use_tenant('module_migrate');
DELETE FROM qehs.role_member WHERE user_id = (SELECT id FROM qehs.user_account WHERE user_name = 'eva');
SELECT qehs.tick(budget => '1 hour') ->> 'more' AS more;
SELECT qehs.job_get(:'job') -> 'error' AS error;
