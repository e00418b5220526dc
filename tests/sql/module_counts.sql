-- recordCount is exact for few records, an estimate that says so for many, exact when asked for.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('counts', 'A tenant');
SELECT qehs.use_tenant('counts');
SELECT qehs.module_publish(key, jsonb_build_object('key', key, 'name', key, 'displayCode', '{"prefix":"N"}'::jsonb, 'fields', '[{"key":"n","type":"integer"}]'::jsonb,
	'workflow', '{"states":["a"],"initial":"a","transitions":{}}'::jsonb)) FROM unnest(ARRAY['few', 'many']) AS key;
SELECT qehs.record_create('few', '{}') FROM generate_series(1, 3);
SELECT qehs.bulk_load('many', convert_to(string_agg('{"payload":{"n":' || n || '},"createdAt":"' || (2024 + n % 3) || '-01-01T00:00:00Z"}', E'\n'), 'UTF8')) FROM generate_series(1, 10500) AS n;
SELECT qehs.record_delete(item ->> 'id') FROM json_array_elements(qehs.record_list('many', page_size => 7) -> 'items') AS item;
\o
\set ECHO all
SELECT item #- '{description}' AS module FROM jsonb_path_query(qehs.module_list()::jsonb, '$.items[*]') AS item;
SELECT jsonb_path_query_array(qehs.module_list(count => 'exact')::jsonb, '$.items[*].recordCount') AS exact;
SELECT qehs.module_list(count => 'about');
