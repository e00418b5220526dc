-- Across versions: unique fields and references hold for records of old and new versions together.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set tenant record_migrate_references
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('record_migrate_references', 'A tenant');
SELECT qehs.use_tenant('record_migrate_references');
INSERT INTO qehs.user_account (tenant_id, id, user_name, display_name, active)
SELECT id, '01900000-0000-7000-8000-000000000001'::uuid, 'ann', 'Ann', true FROM qehs.tenant WHERE slug = 'record_migrate_references';
CREATE FUNCTION pg_temp.definition(key text, fields text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('key', key, 'name', key, 'displayCode', '{"prefix":"A"}'::jsonb, 'fields', fields::jsonb,
		'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb) || more
$$;
SELECT qehs.module_publish('sites', pg_temp.definition('sites', '[{"key":"name","type":"text"}]'));
SELECT qehs.module_publish('teams', pg_temp.definition('teams', '[{"key":"name","type":"text"}]'));
SELECT qehs.record_create('sites', '{"name":"s"}')::jsonb ->> 'id' AS site \gset
SELECT qehs.record_create('teams', '{"name":"t"}')::jsonb ->> 'id' AS team \gset
\o
\set ECHO all
\set VERBOSITY default
CREATE FUNCTION pg_temp.taken() RETURNS TABLE (field text, value text, code text) LANGUAGE sql AS $$
	SELECT u.field, u.value, qehs.record_get(u.record_id::text)::jsonb ->> 'displayCode' FROM qehs.record_unique AS u JOIN qehs.tenant AS t ON t.id = u.tenant_id
	WHERE t.slug = 'record_migrate_references' ORDER BY 1, 2
$$;
-- a unique field renamed: the old record's value is taken for new ones at once
SELECT qehs.module_publish('badges', pg_temp.definition('badges', '[{"key":"badge","type":"identifier"},{"key":"note","type":"text"}]'))::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('badges', '{"badge":"B1","note":"n"}')::jsonb ->> 'id' AS first \gset
SELECT qehs.record_create('badges', '{"badge":"B2","note":"n"}')::jsonb ->> 'id' AS second \gset
SELECT qehs.module_publish('badges', pg_temp.definition('badges', '[{"key":"tag","type":"identifier"},{"key":"note","type":"text"}]',
	'{"migrate":{"rename":{"badge":"tag"}}}'))::jsonb -> 'definitionVersion' AS version;
SELECT * FROM pg_temp.taken();
SELECT qehs.record_create('badges', '{"tag":"B1"}');
SELECT qehs.record_create('badges', '{"tag":"B3"}')::jsonb -> 'payload' AS payload;
-- an old record, under its own key, against a new one, and back
SELECT qehs.record_update(:'first', '{"badge":"B3"}');
SELECT qehs.record_update(:'first', '{"badge":"B4"}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_create('badges', '{"tag":"B1"}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_delete(:'second');
SELECT qehs.record_create('badges', '{"tag":"B2"}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_restore(:'second');
SELECT qehs.record_migrate(:'first')::jsonb -> 'payload' AS payload;
SELECT * FROM pg_temp.taken();
CREATE TEMP TABLE lines (document jsonb);
INSERT INTO lines VALUES ('{"tag":"B4","note":"by load"}'), ('{"tag":"B9"}');
SELECT line::jsonb - 'id' #- '{summary,durationMs}' AS line FROM qehs.bulk_load_table('badges', 'lines', 'document', on_conflict => 'update', external_id => 'tag') AS line;
SELECT qehs.record_create('badges', '{"tag":"B10","note":"by load"}')::jsonb ->> 'id' AS twin \gset
-- a field that becomes unique: of two records that share a value the older has it, and the other cannot move
SELECT qehs.module_publish('badges', pg_temp.definition('badges', '[{"key":"tag","type":"identifier"},{"key":"note","type":"text","unique":true}]',
	'{"migrate":{"rename":{"note":"note"}}}'))::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('badges', '{"tag":"B5","note":"by load"}');
SELECT qehs.record_migrate(:'twin');
SELECT qehs.record_update(:'twin', '{"tag":"B11"}')::jsonb -> 'payload' AS payload;
SELECT qehs.module_migrate('badges', 2) ->> 'jobId' AS job \gset
SELECT qehs.tick(budget => '1 hour') ->> 'more' AS more;
SELECT qehs.job_get(:'job')::jsonb -> 'result' -> 'failures' -> 0 -> 'errors' AS errors;
SELECT qehs.record_update(:'first', '{"note":"other"}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_create('badges', '{"tag":"B5","note":"by load"}')::jsonb ->> 'id' AS third \gset
SELECT qehs.record_update(:'first', '{"note":"by load"}');
-- references to another module: what a record holds is looked up when it moves
SELECT qehs.module_publish('visits', pg_temp.definition('visits', '[{"key":"where","type":"record-reference"},{"key":"who","type":"user"},{"key":"free","type":"text"},
	{"key":"rows","type":"table","fields":[{"key":"what","type":"record-reference","references":"sites"},{"key":"who","type":"user"}]}]'))::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('visits', format('{"where":"%s","who":"01900000-0000-7000-8000-000000000001","free":"01900000-0000-7000-8000-000000000009","rows":[{"what":"%s","who":"01900000-0000-7000-8000-000000000001"}]}', :'team', :'site')::jsonb)::jsonb ->> 'id' AS visit \gset
SELECT qehs.record_create('visits', format('{"where":"%s","free":"%s"}', :'site', :'site')::jsonb)::jsonb ->> 'id' AS good \gset
UPDATE qehs.user_account SET active = false WHERE user_name = 'ann';
SELECT qehs.module_publish('visits', pg_temp.definition('visits', '[{"key":"place","type":"record-reference","references":"sites"},{"key":"who","type":"user"},{"key":"free","type":"record-reference"},
	{"key":"rows","type":"table","fields":[{"key":"what","type":"record-reference","references":"teams"},{"key":"who","type":"user"}]}]',
	'{"migrate":{"rename":{"where":"place","free":"free","rows":"rows"}}}'))::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_migrate(:'visit');
SELECT qehs.record_migrate(:'good')::jsonb -> 'definitionVersion' AS version;
-- without such a change they stay as they are, also of users who left
SELECT qehs.record_create('visits', '{}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_update(:'visit', format('{"where":"%s","free":null,"rows":[{"who":"01900000-0000-7000-8000-000000000001"}]}', :'site')::jsonb)::jsonb -> 'version' AS version;
SELECT qehs.record_migrate(:'visit')::jsonb -> 'payload' ->> 'who' AS who;
