-- Every shipped definition installs, and installing twice changes nothing.
SELECT qehs.tenant_create('shipped', 'Shipped')::jsonb ->> 'slug' AS tenant;
SELECT key, qehs.module_install('shipped', key)::jsonb -> 'definitionVersion' AS version FROM qehs.module_catalogue ORDER BY key;
SELECT key, qehs.module_install('shipped', key)::jsonb -> 'definitionVersion' AS version FROM qehs.module_catalogue ORDER BY key;
SELECT qehs.use_tenant('shipped');
SELECT qehs.record_create('incidents', '{"title":"Slip","severity":"high","state":"TEXAS","hospitalized":1}')::jsonb ->> 'workflowState' AS state;
SELECT jsonb_path_query_array(qehs.module_list()::jsonb, '$.items[*].key') AS modules;
\set VERBOSITY terse
SELECT qehs.module_install('shipped', 'nonsense');
SELECT qehs.module_install('nonsense', 'incidents');
