-- A definition with 300 fields and 50 states publishes, validates and moves.
\set tenant definition_large
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('definition_large', 'A tenant');
SELECT qehs.use_tenant('definition_large');
\o
\set ECHO all
\set VERBOSITY default
SELECT jsonb_build_object('key', 'large', 'name', 'Large', 'displayCode', '{"prefix":"LRG"}'::jsonb,
	'fields', (SELECT jsonb_agg(jsonb_build_object('key', 'f' || i, 'label', 'Field ' || i, 'required', i % 3 = 0)
			|| CASE i % 6 WHEN 0 THEN '{"type":"text","maxLength":50,"pattern":"^[a-z]+$"}'::jsonb
				WHEN 1 THEN '{"type":"number","min":0,"max":1000}'
				WHEN 2 THEN '{"type":"select","options":["low","medium","high"]}'
				WHEN 3 THEN '{"type":"date"}'
				WHEN 4 THEN jsonb_build_object('type', 'text', 'requiredWhen', format('$.f%s > 500', i - 3))
				ELSE jsonb_build_object('type', 'computed', 'computed', format('$.f%s * 2', i - 4)) END
			|| CASE WHEN i <= 6 AND i % 6 IN (0, 1, 2, 3) THEN '{"indexed":true}'::jsonb ELSE '{}' END ORDER BY i) FROM generate_series(1, 300) AS i),
	'workflow', jsonb_build_object('states', (SELECT jsonb_agg('s' || i ORDER BY i) FROM generate_series(1, 50) AS i), 'initial', 's1',
		'transitions', (SELECT jsonb_object_agg('go' || i, jsonb_build_object('from', 's' || i, 'to', 's' || i % 50 + 1)) FROM generate_series(1, 50) AS i)))
	AS definition \gset
SELECT count(*) AS properties FROM jsonb_object_keys(qehs.module_publish('large', :'definition')::jsonb -> 'jsonSchema' -> 'properties');
SELECT jsonb_object_agg('f' || i, CASE i % 6 WHEN 0 THEN '"abc"'::jsonb WHEN 1 THEN to_jsonb(i) WHEN 2 THEN '"high"' WHEN 3 THEN '"2026-01-31"' ELSE '"text"' END) AS payload
	FROM generate_series(1, 300) AS i WHERE i % 6 <> 5 \gset
SELECT qehs.record_create('large', :'payload')::jsonb AS made \gset
SELECT :'made'::jsonb -> 'payload' -> 'f299' AS f299, (SELECT count(*) FROM jsonb_object_keys(:'made'::jsonb -> 'payload')) AS members,
	qehs.record_transition(:'made'::jsonb ->> 'id', 'go1')::jsonb ->> 'workflowState' AS state;
SELECT qehs.record_create('large', (:'payload'::jsonb - 'f300' - 'f4') || '{"f1":501,"f6":"ABC","f295":-1,"f298":null,"f299":1}');
SELECT qehs.record_create('large', :'payload'::jsonb || '{"f301":1}');
