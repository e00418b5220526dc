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
-- one that refers to others brings them
SELECT qehs.tenant_create('lone', 'Lone') IS NOT NULL AS created;
SELECT qehs.module_install('lone', 'permits') IS NOT NULL AS installed;
SELECT qehs.use_tenant('lone');
SELECT jsonb_path_query_array(qehs.module_list()::jsonb, '$.items[*].key') AS modules;
SELECT m ->> 'key' AS key, m -> 'references' AS references FROM json_array_elements(qehs.catalogue()) AS m WHERE json_array_length(m -> 'references') > 0;
-- several at once, with what they refer to, all or none
SELECT qehs.tenant_create('several', 'Several') IS NOT NULL AS created;
SELECT qehs.module_install('several', 'permits', 'nonsense');
SELECT count(*) FROM qehs.module WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'several');
SELECT d ->> 'key' AS key, d -> 'definitionVersion' AS version, d -> 'conflicts' AS conflicts FROM qehs.module_install('several', 'findings', 'permits', 'findings') AS d;
SELECT key FROM qehs.module WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'several') ORDER BY key;
SELECT count(*) FROM qehs.module_install('several', VARIADIC '{suppliers,training}');
SELECT qehs.module_install('several', VARIADIC '{}');
SELECT qehs.module_install('several', 'audits', NULL);
SELECT qehs.module_install(NULL, 'audits');
-- each has the views that are made of it
SET client_min_messages = notice;
SELECT qehs.report_publish('shipped');
SELECT name FROM qehs.report_view WHERE to_regclass('report_shipped.' || name) IS NULL;
-- every view and column has a comment, each key figure its source
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum >= 0 WHERE c.relnamespace = 'report_shipped'::regnamespace AND COALESCE(col_description(c.oid, a.attnum), '') = '';
SELECT relname FROM pg_class WHERE relnamespace = 'report_shipped'::regnamespace AND COALESCE(obj_description(oid, 'pg_class'), '') = '';
SELECT name FROM qehs.report_view WHERE place >= 100 AND comment !~ 'Sources?: ';
