-- Definitions that refer to each other are published in one call, in any order, all or none.
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('together', 'A tenant');
SELECT qehs.use_tenant('together');
\o
\set ECHO all
CREATE FUNCTION pg_temp.definition(key text, fields jsonb, transitions jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('key', key, 'name', key, 'displayCode', jsonb_build_object('prefix', upper(left(key, 3))), 'fields', fields,
		'workflow', jsonb_build_object('states', CASE WHEN transitions = '{}' THEN '["open"]'::jsonb ELSE '["open","done"]' END, 'initial', 'open', 'transitions', transitions)) $$;
-- a circle of three, one with a guard over records of another
SELECT qehs.module_publish_all(jsonb_build_array(
	pg_temp.definition('alphas', '[{"key":"title","type":"text"},{"key":"worst","type":"record-reference","references":"betas"}]',
		'{"close":{"from":"open","to":"done","children":{"moduleKey":"betas","via":"alpha","state":"open","min":1}}}'),
	pg_temp.definition('betas', '[{"key":"alpha","type":"record-reference","references":"alphas"},{"key":"gamma","type":"record-reference","references":"gammas"}]'),
	pg_temp.definition('gammas', '[{"key":"beta","type":"record-reference","references":"betas"}]')));
SELECT qehs.record_create('alphas', '{"title":"a"}')::jsonb ->> 'id' AS alpha \gset
SELECT qehs.record_create('betas', jsonb_build_object('alpha', :'alpha'))::jsonb ->> 'workflowState' AS beta;
-- again: what is the same stays
SELECT qehs.module_publish_all(jsonb_build_array(pg_temp.definition('gammas', '[{"key":"beta","type":"record-reference","references":"betas"}]'),
	pg_temp.definition('costs', '[{"key":"gamma","type":"record-reference","references":"gammas"},{"key":"same","type":"record-reference","references":"costs"}]')));
-- one fault, and nothing is published
SELECT qehs.module_publish_all(jsonb_build_array(pg_temp.definition('ones', '[{"key":"a","type":"record-reference","references":"twos"}]'), pg_temp.definition('twos', '[{"key":"b","type":"nothing"}]')));
SELECT qehs.module_publish_all(jsonb_build_array(pg_temp.definition('ones', '[{"key":"a","type":"record-reference","references":"twos"}]'), pg_temp.definition('twos', '[{"key":"b","type":"record-reference","references":"threes"}]')));
SELECT qehs.module_publish_all(jsonb_build_array(pg_temp.definition('ones', '[{"key":"a","type":"text"}]'), pg_temp.definition('ones', '[{"key":"b","type":"text"}]'), '{}'::jsonb, '1'::jsonb));
SELECT qehs.module_publish_all('[]');
SELECT qehs.module_publish_all('{}');
SELECT qehs.module_publish_all(NULL);
SELECT string_agg(key || ' ' || version, ', ' ORDER BY key) FROM qehs.module WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'together');
