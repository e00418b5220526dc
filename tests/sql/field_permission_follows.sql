-- A value is read by the rule of the field that it was, through renames, under taken keys and in what is computed of it.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('follows', 'A tenant');
SELECT qehs.use_tenant('follows');
SELECT qehs.user_create(name, name, roles => ARRAY['staff', name]) FROM (VALUES ('medic'), ('clerk')) AS v (name);
CREATE FUNCTION pg_temp.publish(fields text, rules text, migrate text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT qehs.module_publish('cases', jsonb_strip_nulls(jsonb_build_object('key', 'cases', 'name', 'Cases', 'displayCode', '{"prefix":"CAS"}'::jsonb,
		'fields', fields::jsonb, 'workflow', '{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}}'::jsonb,
		'permissions', jsonb_build_object('roles', '{"staff":["read","create","update","transition"]}'::jsonb, 'fields', rules::jsonb),
		'migrate', migrate::jsonb)))::jsonb -> 'definitionVersion'
$$;
CREATE FUNCTION pg_temp.listed(filter jsonb DEFAULT NULL, q text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_path_query_array(qehs.record_list('cases', filter, q => q, sort => 'createdAt')::jsonb, '$.items[*].payload')
$$;
\o
\set ECHO all
SELECT pg_temp.publish('[{"key":"title","type":"text"},{"key":"notes","type":"text","indexed":true,"searchable":true},{"key":"cost","type":"integer"},
	{"key":"double","type":"computed","expression":"$.cost * 2"},{"key":"fourfold","type":"computed","expression":"$.double * 2"},
	{"key":"told","type":"computed","expression":"$.cost > 100"}]',
	'{"notes":{"read":["medic"]},"cost":{"read":["medic"]},"told":{"read":["staff"]}}') AS version;
SELECT qehs.use_tenant('follows', 'medic');
SELECT qehs.record_create('cases', '{"title":"old","notes":"asthma","cost":400}')::jsonb ->> 'id' AS old \gset
SELECT qehs.record_update(:'old', '{"notes":"asthma, mild"}', 'seen')::jsonb -> 'payload' AS payload;
-- what is computed of a hidden field is hidden, unless a rule says otherwise
SELECT qehs.use_tenant('follows', 'clerk');
SELECT qehs.record_get(:'old')::jsonb -> 'payload' AS payload;
SELECT pg_temp.listed('{"double":"800"}');
-- version 2 renames notes, and has another field under its key; it no longer computes
SELECT qehs.use_tenant('follows');
SELECT pg_temp.publish('[{"key":"title","type":"text"},{"key":"medical_notes","type":"text","indexed":true,"searchable":true},{"key":"notes","type":"text","indexed":true,"searchable":true},
	{"key":"cost","type":"integer"},{"key":"double","type":"number"},{"key":"fourfold","type":"number"}]',
	'{"medical_notes":{"read":["medic"]},"cost":{"read":["medic"]}}', '{"rename":{"notes":"medical_notes"},"drop":["told","double","fourfold"]}') AS version;
SELECT qehs.use_tenant('follows', 'clerk');
SELECT qehs.record_create('cases', '{"title":"new","notes":"open to all"}')::jsonb ->> 'id' AS new \gset
SELECT pg_temp.listed() AS listed, pg_temp.listed(q => 'asthma') AS searched, pg_temp.listed('{"notes":{"startsWith":"asthma"}}') AS filtered,
	pg_temp.listed('{"notes":{"exists":true}}') AS existing, pg_temp.listed('{"title":"old"}') AS old;
SELECT qehs.record_list('cases', fields => 'payload.notes,payload.title', sort => 'createdAt')::jsonb #> '{items}' AS selected \gset
SELECT jsonb_path_query_array(:'selected', '$[*].payload') AS selected;
SELECT qehs.record_get(:'old')::jsonb -> 'payload' AS payload, jsonb_path_query_array(qehs.record_get(:'old')::jsonb, '$.activity[*].changes[*].path') AS changes;
-- medics find it by its name of now
SELECT qehs.use_tenant('follows', 'medic');
SELECT pg_temp.listed('{"medical_notes":{"startsWith":"asthma"}}') AS filtered, pg_temp.listed(q => 'asthma') AS searched, pg_temp.listed('{"notes":"asthma, mild"}') AS other;
SELECT qehs.record_list('cases', fields => 'payload.medical_notes', sort => 'createdAt')::jsonb #> '{items,0,payload}' AS selected;
-- after the record has moved, its events still are of the field that it was
SELECT qehs.record_migrate(:'old')::jsonb -> 'payload' AS payload;
SELECT qehs.record_update(:'old', '{"notes":"walks"}')::jsonb -> 'payload' AS payload;
SELECT jsonb_path_query_array(qehs.record_get(:'old')::jsonb, '$.activity[*].changes') AS changes;
SELECT qehs.use_tenant('follows', 'clerk');
SELECT jsonb_path_query_array(qehs.record_get(:'old')::jsonb, '$.activity[*].changes') AS changes;
SELECT jsonb_path_query_array(qehs.audit_list(:'old')::jsonb, '$.items[*].changes') AS changes;
SELECT jsonb_path_query_array(qehs.graphql(format('{ casesGet(id: "%s") { activity { changes { path from to } } } }', :'old'))::jsonb, '$.data.casesGet.activity[*].changes') AS changes;
-- a later version without the field: its last rule stays
SELECT qehs.use_tenant('follows');
SELECT pg_temp.publish('[{"key":"title","type":"text"},{"key":"notes","type":"text"}]', '{}', '{"drop":["medical_notes","cost","double","fourfold"]}') AS version;
SELECT qehs.use_tenant('follows', 'clerk');
SELECT qehs.record_get(:'old')::jsonb -> 'payload' AS payload;
SELECT jsonb_path_query_array(qehs.record_activity(:'old')::jsonb, '$.items[*].changes') AS changes;
SELECT qehs.use_tenant('follows', 'medic');
SELECT qehs.record_get(:'old')::jsonb -> 'payload' AS payload;
